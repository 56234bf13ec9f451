"""Collect scores of evaluated runs and draw the figure of docs/results.md.

    python benchmarks/results.py small=bubbleloc:small large=bubbleloc:large …

docs/results/scores.csv gets a row per method and tolerance. The figure is drawn from it and from
kernel_size.csv (a row per parametrisation, kernel and seed) and table1.csv (the CKCNN study).
Without runs, only the figure is drawn.
"""

import sys
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bubbleloc.models.runs import open_run
from bubbleloc.report.figures.style import (
    BLUE,
    GREEN,
    MUTED,
    RED,
    house_style,
    new_figure,
    save_picture,
)
from bubbleloc.tables import write_csv

DOCS = Path(__file__).resolve().parents[1] / "docs"
RESULTS = DOCS / "results"
LOOKS = list(zip((BLUE, GREEN, RED), "os^", strict=True))
BASELINES = {  # columns of the summary of a report, which every report has
    "wiener_mean": "Wiener deconvolution",
    "matched_filter_mean": "matched filter",
    "random_mean": "random output",
}
OF_LINES = ["tolerance", "um", "wavelengths", "signals"]


def collect(named: list[str], scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores with the rows of these runs, and of the baselines, as reports give them."""
    tables = []
    for name, folder in (entry.split("=", 1) for entry in named):
        run = open_run(folder)
        summary = pd.read_csv(run.report_folder() / "summary.csv")
        tables.append(summary.assign(method=name, parameters=run.card.parameters))
        baselines = [
            summary[[*OF_LINES, column]].rename(columns={column: "mean"}).assign(method=baseline)
            for column, baseline in BASELINES.items()
        ]
    tables += baselines
    replaced = [table["method"].iloc[0] for table in tables]
    kept = scores[~scores["method"].isin(replaced)]
    return pd.concat([*tables, kept], ignore_index=True)[scores.columns]


def legend_below(axes: Axes) -> None:
    """Put the legend below the axes, where nothing is drawn."""
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))


def tolerances(axes: Axes, scores: pd.DataFrame) -> None:
    """Draw mean F1 against the tolerance, a line per network, baselines below."""
    networks = scores.dropna(subset="threshold")
    for (name, table), (colour, marker) in zip(
        networks.groupby("method", sort=False), LOOKS, strict=False
    ):
        label = f"{name} ({table['parameters'].iloc[0]:,.0f})"
        axes.plot(
            table["tolerance"], table["mean"], f"{marker}-", color=colour, ms=3.5, label=label
        )
    for column, line in (("wiener_mean", "--"), ("random_mean", ":")):
        table = scores[scores["method"] == BASELINES[column]]
        axes.plot(table["tolerance"], table["mean"], line, color=MUTED, label=BASELINES[column])
    axes.set(xlabel="tolerance (samples of 11.8 µm)", ylabel="mean F1", ylim=(0, 1))
    axes.set_title("Trained networks (parameters)")
    legend_below(axes)


def kernel_sizes(axes: Axes, table: pd.DataFrame, study: pd.DataFrame) -> None:
    """Draw mean F1 within ±4 samples against the kernel size, a line per parametrisation."""
    axes.plot(
        study["kernel"], study["mean, study"], "v--", color=MUTED, ms=3.5, label="CKCNN study"
    )
    for (name, lines), (colour, marker) in zip(
        table.groupby("parametrisation", sort=False), LOOKS, strict=False
    ):
        line = lines.groupby("kernel")["mean"].agg(["mean", "min", "max"])
        reach = [line["mean"] - line["min"], line["max"] - line["mean"]]
        axes.errorbar(
            line.index, line["mean"], reach, fmt=f"{marker}-", color=colour, ms=3.5, label=name
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(study["kernel"], [str(kernel) for kernel in study["kernel"]])
    axes.minorticks_off()
    axes.set(xlabel="kernel size (samples)", ylabel="mean F1 within ±4 samples", ylim=(0, 1))
    axes.set_title("Does a large kernel reduce F1?")
    legend_below(axes)


@house_style
def figure_of(scores: pd.DataFrame, kernels: pd.DataFrame, study: pd.DataFrame) -> Figure:
    """Draw both panels."""
    figure = new_figure(width=7.0, height=4.2)
    left, right = figure.subplots(1, 2)
    tolerances(left, scores)
    kernel_sizes(right, kernels, study)
    return figure


def main() -> None:
    """Collect, if runs are given, and draw."""
    scores = pd.read_csv(RESULTS / "scores.csv")
    if len(sys.argv) > 1:
        scores = collect(sys.argv[1:], scores)
        write_csv(scores, RESULTS / "scores.csv")
    others = (pd.read_csv(RESULTS / f"{name}.csv") for name in ("kernel_size", "table1"))
    print(save_picture(figure_of(scores, *others), DOCS / "figures" / "results.png"))


if __name__ == "__main__":
    main()
