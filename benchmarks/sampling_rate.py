"""Accuracy of trained sequence classifiers at sampling rates they have never seen.

    bubbleloc smnist -m seed=0,1,2 hydra.sweep.dir=outputs/sweep/digits
    python benchmarks/sampling_rate.py outputs/sweep/digits

Prints a table and draws ``docs/figures/sampling_rate.png``. Test sequences are resampled by FFT;
the networks are either left as they are or take the kernels of `CKCNNClassifier.at_sampling_rate`.
"""

import argparse
from fractions import Fraction
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.signal import resample

from bubbleloc.arrays import Floats
from bubbleloc.examples.classification import accuracy, load_classifier
from bubbleloc.examples.images import Part, load_digits
from bubbleloc.examples.sequence import CKCNNClassifier
from bubbleloc.models.run_folder import CHECKPOINTS
from bubbleloc.report.figures.style import BLUE, MUTED, house_style, new_figure, save_picture

RATES = [
    Fraction(1, 4),
    Fraction(1, 2),
    Fraction(3, 4),
    Fraction(1),
    Fraction(3, 2),
    *map(Fraction, (2, 4)),
]
LABELS = {"kernels sampled anew": BLUE, "kernels as trained": MUTED}
FIGURE = Path("docs/figures/sampling_rate.png")


def at_rate(part: Part, rate: Fraction) -> Part:
    """Resample sequences to ``rate`` times their sampling rate."""
    samples = int(part.sequences.shape[1] * rate)
    sequences = part.sequences if rate == 1 else resample(part.sequences, samples, axis=1)
    return Part(np.ascontiguousarray(sequences, np.float32), part.labels)


def measure(folders: list[Path]) -> Floats:
    """Return the test accuracy in percent by run, label and rate: (runs, 2, rates)."""
    data = load_digits()
    found = np.empty((len(folders), len(LABELS), len(RATES)))
    for row, folder in enumerate(folders):
        network = load_classifier(folder, data.samples)
        assert isinstance(network, CKCNNClassifier)
        for column, rate in enumerate(RATES):
            part = at_rate(data.test, rate)
            found[row, 0, column] = accuracy(network.at_sampling_rate(rate), part)
            found[row, 1, column] = accuracy(network, part)
    return 100 * found


@house_style
def draw(found: Floats) -> Figure:
    """Draw the mean over runs as lines and every run as a dot."""
    figure = new_figure()
    axes = figure.subplots()
    rates = [float(rate) for rate in RATES]
    for place, (label, colour) in enumerate(LABELS.items()):
        axes.plot(rates, found[:, place].mean(0), color=colour, label=label)
        for run in found[:, place]:
            axes.plot(rates, run, ".", color=colour, markersize=4)
    axes.set_xscale("log", base=2)
    axes.set_xticks(rates, [str(rate) for rate in RATES])
    axes.minorticks_off()
    axes.set_xlabel("sampling rate at test over that of training")
    axes.set_ylabel("test accuracy (%)")
    axes.set_ylim(0, 103)
    figure.legend(loc="outside upper center", ncols=len(LABELS))
    return figure


def main() -> None:
    """Print the table and draw the figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sweep", type=Path, help="folder of runs of bubbleloc.examples.smnist")
    folders = sorted(path.parent for path in parser.parse_args().sweep.glob(f"*/{CHECKPOINTS}"))
    found = measure(folders)
    print(f"| {len(folders)} runs, rate × | {' | '.join(map(str, RATES))} |")
    print(f"|---|{'---|' * len(RATES)}")
    for label, values in zip(LABELS, found.mean(0), strict=True):
        print(f"| {label} | {' | '.join(f'{value:.1f}' for value in values)} |")
    print(save_picture(draw(found), FIGURE))


if __name__ == "__main__":
    main()
