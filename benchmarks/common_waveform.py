"""Train one network on the lines of all waveforms and compare it with a network for each.

    bubbleloc train experiment=waveforms
    python benchmarks/common_waveform.py outputs/waveforms/{ref,s2.5,l2.5}-compression_False-seed0

Its lines are those of the given runs' datasets, put together in ``data/waveforms-common``; all
else is as in the runs, which must be evaluated. Prints the table kept in docs/waveforms.md.
"""

import argparse
from functools import partial
from pathlib import Path

import pandas as pd
import yaml

from bubbleloc.data.dataset import open_split
from bubbleloc.data.noise import Noise
from bubbleloc.data.store import append_signal, create
from bubbleloc.evaluation.run import score_network
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.models.runs import open_run
from bubbleloc.physics import Signal
from bubbleloc.tables import to_markdown
from bubbleloc.training import session

LEVELS = (0.0, 0.16, 0.64)
DATA, RUN = Path("data/waveforms-common"), Path("outputs/waveforms-common")


def pool(folders: list[Path], split: str) -> None:
    """Write the lines of several datasets into one file; of "val" no more lines than of one."""
    parts = [open_split(folder, split) for folder in folders]
    DATA.mkdir(parents=True, exist_ok=True)
    origin = yaml.safe_dump({"source": "imported", "from": "several waveforms"})
    with create(
        DATA / f"{split}.h5",
        samples=parts[0].samples,
        scale=parts[0].scale,
        seed=0,
        split=split,
        config=origin,
    ) as file:
        for part in parts:
            for i in range(0, len(part), len(parts) if split == "val" else 1):
                signal = Signal(part.raw_volts(i), part.bubbles(i), part.pressure_pa[i])
                append_signal(file, signal)


def mean_f1(table: pd.DataFrame) -> float:
    """Return the mean F1 at the quoted tolerance."""
    return float(table.loc[table["tolerance"] == QUOTED_TOLERANCE, "f1"].mean())


def compare(specialists: dict[str, list[Path]], folders: dict[str, Path], common: Path) -> None:
    """Print mean F1 of the specialists and of the common network, by waveform and noise."""
    network = open_run(common).network
    score = partial(score_network, network, baselines=(), one_to_one=False)
    rows = []
    for name, own in specialists.items():
        noisy = pd.concat(pd.read_csv(run / "report" / "f1_noise.csv") for run in own)
        row: dict[str, object] = {"waveform": name}
        for level in LEVELS:
            alone = mean_f1(noisy[noisy["noise"] == level])
            shared = mean_f1(score(folders[name], Noise(level)).scores)
            row |= {f"alone, {level:g}": alone, f"common, {level:g}": shared}
        rows.append(row)
    print(to_markdown(pd.DataFrame(rows)))


def main() -> None:
    """Pool the lines, train, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", type=Path, nargs="+", help="without compression")
    parser.add_argument("--epochs", type=int, default=8, help="over the lines of all waveforms")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    specialists: dict[str, list[Path]] = {}
    folders: dict[str, Path] = {}
    for run in options.runs:
        settings = open_run(run).config
        name = settings.data.waveform
        specialists.setdefault(name, []).append(run)
        folders[name] = Path(settings.data.folder)
    for split in ("train", "val"):
        if not (DATA / f"{split}.h5").exists():
            pool(list(folders.values()), split)
    data = settings.data.model_copy(update={"folder": str(DATA)})
    length = {"max_epochs": options.epochs, "check_val_every_n_epoch": 1}
    trainer = settings.trainer.model_copy(update=length)
    changes = {"data": data, "seed": options.seed, "trainer": trainer}
    settings = settings.model_copy(update=changes)
    common = RUN / f"seed{options.seed}-epochs{options.epochs}"
    if not common.exists():
        session.start(settings, common)
    compare(specialists, folders, common)


if __name__ == "__main__":
    main()
