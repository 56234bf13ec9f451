"""How fast every network trains and localizes, beside its score: one table from one run.

    pip install bubbleloc[onnx]
    python benchmarks/speed.py [--rounds 7] [--output docs/results/speed.csv]

Networks take turns, in another random order every round, so that none always follows the same
neighbour; shown are medians over rounds. Run it on idle cores. Draws ``docs/figures/speed.png``.
Networks that are not in the package have untrained weights, which cost the same time.
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import onnxruntime
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from bubbleloc.arrays import Float32s
from bubbleloc.evaluation.export import export_network
from bubbleloc.nn import Localizer, build_model, load_released
from bubbleloc.nn.inference import apply
from bubbleloc.nn.released import released_card
from bubbleloc.report.figures.style import BLUE, MUTED, house_style, new_figure, save_picture
from bubbleloc.tables import write_csv
from bubbleloc.training.losses import DualLoss

LENGTH, ELEMENTS = 8446, 96  # samples of an RF line, lines of a frame of the P4-1
LINES = (2, 16)  # in a pass: some networks want few, some many
TRAINING_LINES = 4
SPEEDS = (20, 50, 100, 200, 400)  # ticks of the figure
FIGURE = Path(__file__).resolve().parents[1] / "docs" / "figures" / "speed.png"
REFERENCE = "dilated CNN"
RELEASED = ("small", "large")  # `robust-small` and `robust` are of the same kind
# what `build_model` needs, and mean F1 at ±4 on the test split of data=study (docs/results.md)
NETWORKS: dict[str, tuple[dict[str, object], float]] = {
    REFERENCE: ({"name": "dilated_cnn"}, 0.945),
    "ckcnn": ({"name": "ckcnn", "kernel": 131}, 0.944),
    "ckcnn_local": ({"name": "ckcnn_local", "kernel": 131}, 0.948),
}

Run = Callable[[], object]
Localize = Callable[[Float32s], object]  # of RF lines (b, L)


def build(name: str) -> Localizer:
    """Return a network of the table, in evaluation mode."""
    return load_released(name) if name in RELEASED else build_model(**NETWORKS[name][0]).eval()  # type: ignore[arg-type]


def f1(name: str) -> float:
    """Return the mean F1 at ±4 of a network of the table."""
    return released_card(name)["f1_test"][4]["mean"] if name in RELEASED else NETWORKS[name][1]


def peaks() -> tuple[float, float, float]:
    """Measure one thread: GFLOP/s of products in float32 and bfloat16, GB/s of a copy."""
    a, big = torch.randn(2048, 2048), torch.zeros(256 << 20, dtype=torch.uint8)
    b, target = a.bfloat16(), torch.zeros_like(big)
    single, half, copy = (
        min(seconds(run) for _ in range(7))
        for run in (lambda: a @ a, lambda: b @ b, lambda: target.copy_(big))
    )
    return 2e-9 * 2048**3 / single, 2e-9 * 2048**3 / half, 2e-9 * big.numel() / copy


def work(network: Localizer) -> tuple[float, float]:
    """Return GFLOP of direct convolutions for a line, and MB they read and write at least."""
    moved = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal moved
        weights = sum(weight.numel() for weight in layer.parameters())
        moved += 4 * (inputs[0].numel() + output.numel() + weights)

    frozen = network.freeze()
    for layer in frozen.modules():
        if isinstance(layer, nn.Conv1d | nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        frozen(torch.randn(1, 1, LENGTH))
    return counter.get_total_flops() / 1e9, moved / 1e6


def seconds(run: Run) -> float:
    """Time a call: the mean of as many in a row as fit into a tenth of a second."""
    start, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - start < 0.1:
        run()
        calls += 1
    return (time.perf_counter() - start) / calls


def step(network: Localizer, precision: torch.dtype) -> Run:
    """Return one step of training on whole lines."""
    device = next(network.parameters()).device
    rf = 50 * torch.randn(TRAINING_LINES, 1, LENGTH, device=device)
    loss = DualLoss().to(device)
    count = (torch.rand_like(rf) < 0.05).float()
    adam = torch.optim.Adam(network.parameters(), lr=1e-5)
    network.train()

    def run() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
            prediction = network(rf)
        adam.zero_grad()
        loss(prediction, count).backward()
        adam.step()

    return run


def session(file: Path, threads: int) -> Localize:
    """Return what onnxruntime makes of a file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    program = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda rf: program.run(None, {"rf": rf[:, None]})


def per_s(runs: dict[str, Run], rounds: int) -> "pd.Series[float]":
    """Return how often a second each can run, as a median."""
    for run in runs.values():
        run()
    speed = pd.DataFrame(0.0, index=range(rounds), columns=list(runs))
    for turn in range(rounds):
        for name in random.sample(list(runs), len(runs)):
            speed.loc[turn, name] = 1 / seconds(runs[name])
    return speed.median()


def inference(
    networks: dict[str, Localizer], folder: Path, rounds: int, threads: int
) -> pd.DataFrame:
    """Return lines/s of the package, ratios to the reference, and lines/s of onnxruntime."""
    torch.set_num_threads(threads)
    peers = {file.stem: session(file, threads) for file in folder.glob("*.onnx")}
    passes: dict[str, Localize] = {name: partial(apply, net) for name, net in networks.items()}
    passes |= {f"{name} onnx": run for name, run in peers.items()}
    speeds = []
    for lines in LINES:
        rf = 50 * torch.randn(lines, LENGTH).numpy()
        runs: dict[str, Run] = {name: partial(localize, rf) for name, localize in passes.items()}
        speeds.append(lines * per_s(runs, rounds))
    speed = pd.concat(speeds, axis=1).max(axis=1)
    words = "1 thread" if threads == 1 else f"{threads} threads"
    return pd.DataFrame(
        {
            f"lines/s, {words}": speed[list(networks)],
            f"ratio, {words}": speed[list(networks)] / speed[REFERENCE],
            f"onnxruntime, {words}": {name: speed[f"{name} onnx"] for name in peers},
        }
    )


def peak_mib(name: str) -> float:
    """Return what a pass over lines adds to the memory of a process of its own."""
    command = [sys.executable, __file__, "--memory-of", name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_memory(name: str) -> None:
    """Print the growth of this process's peak memory by a pass over lines, in MiB."""
    network = build(name)
    apply(network, 50 * torch.randn(1, LENGTH).numpy())
    rf = 50 * torch.randn(LINES[-1], LENGTH).numpy()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    apply(network, rf)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def measure(rounds: int) -> pd.DataFrame:
    """Return the table."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    table = pd.DataFrame({"network": [*NETWORKS, *RELEASED]}, index=[*NETWORKS, *RELEASED])
    table["MiB for 16 lines"] = [peak_mib(name) for name in table.index]  # while this one is small
    gflop_s, bfloat16_gflop_s, gb_s = peaks()
    print(f"one thread: {gflop_s:.0f} GFLOP/s, {bfloat16_gflop_s:.0f} in bfloat16, {gb_s:.1f} GB/s")
    networks = {name: build(name) for name in table.index}
    table["parameters"] = [network.parameter_count for network in networks.values()]
    table["F1 at ±4"] = [f1(name) for name in networks]
    table[["GFLOP/line", "MB/line"]] = [work(network) for network in networks.values()]
    with tempfile.TemporaryDirectory() as folder:
        for name in (REFERENCE, *RELEASED):
            export_network(networks[name], Path(folder) / f"{name}.onnx")
        for count in sorted({1, threads}):
            table = table.join(inference(networks, Path(folder), rounds, count))
    one = table["lines/s, 1 thread"]
    table[f"frames/s of {ELEMENTS} elements, {threads} threads"] = (
        table.filter(regex=f"^lines/s, {threads} ").iloc[:, 0] / ELEMENTS
    )
    table["share of peak flops"] = one * table["GFLOP/line"] / gflop_s
    table["share of peak bandwidth"] = one * table["MB/line"] / gb_s / 1e3
    torch.set_num_threads(1)
    for precision in (torch.float32, torch.bfloat16):
        steps = {name: step(build(name), precision) for name in networks}
        column = f"training lines/s, {str(precision).removeprefix('torch.')}"
        table[column] = TRAINING_LINES * per_s(steps, rounds)
    return table


@house_style
def draw(table: pd.DataFrame) -> Figure:
    """Draw F1 at ±4 against lines/s on one thread, with the Pareto front."""
    points = table.sort_values("lines/s, 1 thread", ascending=False)
    front = points[points["F1 at ±4"].cummax() == points["F1 at ±4"]]
    figure = new_figure()
    axes = figure.subplots()
    for style, shown in (("--", front), ("o", points)):
        colour = BLUE if style == "o" else MUTED
        axes.plot(shown["lines/s, 1 thread"], shown["F1 at ±4"], style, color=colour, ms=4)
    for name, speed, score in zip(
        points["network"], points["lines/s, 1 thread"], points["F1 at ±4"], strict=True
    ):
        below = name == "ckcnn"  # just below `ckcnn_local`
        axes.annotate(
            name, (speed, score), (0, -12 if below else 5), textcoords="offset points", ha="center"
        )
    axes.set(xscale="log", xlabel="RF lines per second, one thread", ylabel="mean F1 at ±4")
    axes.set_xticks(SPEEDS, [str(speed) for speed in SPEEDS])
    axes.minorticks_off()
    axes.margins(x=0.2, y=0.1)
    return figure


def main() -> None:
    """Measure, print and write the table, and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, default=FIGURE.parents[1] / "results" / "speed.csv")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.manual_seed(0)
    if given.memory_of:
        print_memory(given.memory_of)
        return
    table = measure(given.rounds)
    print(table.set_index("network").T.to_string(float_format=lambda value: f"{value:.4g}"))
    write_csv(table, given.output)
    print(save_picture(draw(table), FIGURE))


if __name__ == "__main__":
    main()
