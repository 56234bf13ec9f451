"""What a GPU gives, in at most eight minutes: convolution, networks, and the CKCNN study whole.

    pip install bubbleloc[bench]
    bubbleloc simulate data=study
    python benchmarks/gpu.py [--device cuda] [--epochs 1250]

Peers and networks take turns in one process, see `convolution.py` and `speed.py`.
"""

import argparse
import time
import warnings
from functools import partial

import pandas as pd
import torch
from convolution import KERNELS, compare, installed_peers, synchronize
from speed import ELEMENTS, LENGTH, TRAINING_LINES, Run, per_s, step
from torch import Tensor

from bubbleloc import evaluate_run, train_network
from bubbleloc.nn import Localizer, build_model, load_released
from bubbleloc.nn.released import RELEASED

BATCH = 256  # lines in a pass
ROUNDS = 5
TRAINED = ("dilated_cnn", "ckcnn", "ckcnn_multirate")
READERS = 8  # processes that read the lines of the study's training
VALIDATIONS = 25


def convolutions(device: str) -> pd.DataFrame:
    """Return ms of `fft_conv1d` by kernel size, forward and backward, and the others' ratios."""
    options = argparse.Namespace(device=device, batch=64, channels=22, repeats=ROUNDS)
    peers, rows = installed_peers(), {}
    for kernel in KERNELS:
        times = compare(peers, kernel, options)
        ours = times.pop("bubbleloc")
        rows[kernel] = {"bubbleloc, ms": ours} | {n: other / ours for n, other in times.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def localizing(device: str) -> pd.DataFrame:
    """Return lines/s and frames/s of the published network and those of the package."""
    rf = 50 * torch.randn(BATCH, 1, LENGTH, device=device)
    networks = {"dilated CNN": build_model("dilated_cnn").eval()}
    networks |= {name: load_released(name) for name in RELEASED}
    runs: dict[str, Run] = {n: partial(one_pass, net.to(device), rf) for n, net in networks.items()}
    speed = BATCH * per_s(runs, ROUNDS)
    return pd.DataFrame({"lines/s": speed, f"frames/s of {ELEMENTS} elements": speed / ELEMENTS})


def one_pass(network: Localizer, rf: Tensor) -> None:
    """Apply a network to lines, and wait for the result."""
    with torch.inference_mode():
        network(rf)
    synchronize(rf.device)


def one_step(run: Run, device: str) -> None:
    """Take a step of training, and wait for its end."""
    run()
    synchronize(torch.device(device))


def training(device: str) -> pd.DataFrame:
    """Return lines/s of a training step, by network and precision."""
    columns = {}
    for precision in (torch.float32, torch.bfloat16):
        networks = {name: build_model(name).to(device) for name in TRAINED}
        steps: dict[str, Run] = {
            n: partial(one_step, step(net, precision), device) for n, net in networks.items()
        }
        columns[str(precision)] = TRAINING_LINES * per_s(steps, ROUNDS)
    return pd.DataFrame(columns)


def study(device: str, epochs: int) -> None:
    """Train and score as the CKCNN study did; print minutes and F1."""
    start = time.perf_counter()
    trainer = {
        "accelerator": "cpu" if device == "cpu" else "gpu",
        "max_epochs": epochs,
        "check_val_every_n_epoch": -(-epochs // VALIDATIONS),
    }
    run = train_network(
        data="study", experiment="ckcnn_study", trainer=trainer, loader={"workers": READERS}
    )
    assert run is not None, "one process"
    minutes = (time.perf_counter() - start) / 60
    f1 = evaluate_run(run).scores.query("tolerance == 4")["f1"]
    print(
        f"{epochs} epochs: {minutes:.1f} minutes, F1 ±4 {f1.mean():.3f}, median {f1.median():.3f}"
    )


def main() -> None:
    """Print the tables."""
    warnings.filterwarnings("ignore", "Using a non-tuple sequence")  # fft-conv-pytorch's
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--epochs", type=int, default=1250)
    given = parser.parse_args()
    for table in (convolutions, localizing, training):
        print(table(given.device).to_string(float_format=lambda value: f"{value:.4g}"), flush=True)
    study(given.device, given.epochs)


if __name__ == "__main__":
    main()
