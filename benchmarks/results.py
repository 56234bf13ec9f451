"""Collect scores of evaluated runs and draw the figure of docs/results.md.

    python benchmarks/results.py "small=outputs/small" "large=outputs/large" …

docs/results/scores.csv gets a row per run and tolerance; beside it lies kernel_size.csv, a row per
parametrisation, kernel and seed. Without runs, only the figure is drawn, from both.
"""

import sys
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bubbleloc.evaluation.reports import report_folder
from bubbleloc.models import runs
from bubbleloc.report.figures.style import (
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    RED,
    house_style,
    new_figure,
    save_picture,
)
from bubbleloc.tables import write_csv

DOCS = Path(__file__).resolve().parents[1] / "docs"
SCORES, KERNELS = DOCS / "results" / "scores.csv", DOCS / "results" / "kernel_size.csv"
LOOKS = list(zip((BLUE, GREEN, RED, ORANGE, MUTED), "os^Dv", strict=True))
STUDY = {65: 0.866, 131: 0.835, 263: 0.828, 527: 0.809, 1055: 0.676, 2111: 0.364}  # Jonker 2023


def collect(named: list[str]) -> pd.DataFrame:
    """Return F1 on the test signals by run and tolerance, from the summaries of reports."""
    tables = []
    for name, folder in (entry.split("=", 1) for entry in named):
        network = runs.load_network(Path(folder))
        table = pd.read_csv(report_folder(Path(folder)) / "summary.csv")
        table.insert(0, "network", name)
        table.insert(1, "parameters", network.parameter_count)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def tolerances(axes: Axes, scores: pd.DataFrame) -> None:
    """Draw mean F1 against the tolerance, a line per network, random output below."""
    for (name, table), (colour, marker) in zip(
        scores.groupby("network", sort=False), LOOKS, strict=False
    ):
        label = f"{name} ({table['parameters'].iloc[0]:,})"
        axes.plot(
            table["tolerance"], table["mean"], f"{marker}-", color=colour, ms=3.5, label=label
        )
    floor = scores[scores["network"] == scores["network"].iloc[0]]
    axes.plot(floor["tolerance"], floor["wiener_mean"], "--", color=MUTED, label="Wiener filter")
    axes.plot(floor["tolerance"], floor["random_mean"], ":", color=MUTED, label="random output")
    axes.set(xlabel="tolerance (samples of 11.8 µm)", ylabel="mean F1", ylim=(0, 1))
    axes.set_title("Trained networks (parameters)")
    axes.legend(loc="lower right")


def kernel_sizes(axes: Axes, table: pd.DataFrame) -> None:
    """Draw mean F1 within ±4 samples against the kernel size, a line per parametrisation."""
    axes.plot(list(STUDY), list(STUDY.values()), "v--", color=MUTED, ms=3.5, label="CKCNN study")
    for (name, lines), (colour, marker) in zip(
        table.groupby("parametrisation", sort=False), LOOKS, strict=False
    ):
        line = lines.groupby("kernel")["mean"].agg(["mean", "min", "max"])
        reach = [line["mean"] - line["min"], line["max"] - line["mean"]]
        axes.errorbar(
            line.index, line["mean"], reach, fmt=f"{marker}-", color=colour, ms=3.5, label=name
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(STUDY), [str(kernel) for kernel in STUDY])
    axes.minorticks_off()
    axes.set(xlabel="kernel size (samples)", ylabel="mean F1 within ±4 samples", ylim=(0, 1))
    axes.set_title("Does a large kernel hurt?")
    axes.legend(loc="lower left")


@house_style
def figure_of(scores: pd.DataFrame, kernels: pd.DataFrame) -> Figure:
    """Draw both panels."""
    figure = new_figure(width=7.0, height=3.0)
    left, right = figure.subplots(1, 2)
    tolerances(left, scores)
    kernel_sizes(right, kernels)
    return figure


def main() -> None:
    """Collect, if runs are given, and draw."""
    if len(sys.argv) > 1:
        write_csv(collect(sys.argv[1:]), SCORES)
    figure = figure_of(pd.read_csv(SCORES), pd.read_csv(KERNELS))
    print(save_picture(figure, DOCS / "figures" / "results.png"))


if __name__ == "__main__":
    main()
