"""The part of a report about noise added to the test lines."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.data.noise import REFERENCE_V
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.scores import BASELINES, to_public
from bubbleloc.report.content import Evaluation, shown_summary, summary_table
from bubbleloc.report.document import Section
from bubbleloc.report.figures import style
from bubbleloc.report.figures.scores import BASELINE_LOOKS
from bubbleloc.report.figures.style import BLUE
from bubbleloc.report.sweep import draw_medians, set_ticks
from bubbleloc.tables import write_csv, write_table


def write_noise(folder: Path, evaluation: Evaluation) -> list[Section]:
    """Write F1 at every level of noise, if there are any, into `folder`; return its section.

    Written: ``f1_noise.csv`` (a row per level × signal × tolerance) and ``noise`` (CSV, Markdown,
    LaTeX; a row per level × tolerance).
    """
    scores, scale = evaluation.noise, evaluation.scale
    if scores is None:
        return []
    write_csv(to_public(scores), folder / "f1_noise.csv")
    summary = summary_table(scores, scale)
    summary.insert(1, "noise_v", REFERENCE_V * summary["noise"])
    at = summary[summary["tolerance"] == QUOTED_TOLERANCE]
    shown = shown_summary(at.drop(columns=["tolerance", *list(scale.units)[1:]]))
    shown = shown.rename(columns={"noise": "noise level", "noise_v": "noise (V)"})
    shown["noise level"] = [f"{level:g}" for level in at["noise"]]
    caption = f"F1 against added noise, within {QUOTED_TOLERANCE} samples"
    write_table(summary, folder, "noise", caption, shown)
    figure = noise_lines(at, f"F1 within {style.tolerance_words(QUOTED_TOLERANCE, scale)}")
    text = (
        "White noise added to every line, then the published low-pass filter; level 1 is a "
        f"standard deviation of {REFERENCE_V} V. The network is the same throughout; its "
        "thresholds and those of the baselines are chosen at each level."
    )
    caption = f"F1 within ±{QUOTED_TOLERANCE} samples against added noise"
    return [Section("F1 against noise", text, {"f1_noise": (caption, figure)}, shown)]


@style.house_style
def noise_lines(table: pd.DataFrame, label: str) -> Figure:
    """F1 against the level of added noise, with the means of the baselines.

    `table` has a row per level: `noise`, and the columns of `summary_table`.
    """
    figure = style.new_figure(height=2.9)
    axes = figure.subplots()
    lines = table.set_index("noise")
    draw_medians(axes, lines, color=BLUE, marker="o", label="network, median")
    axes.plot(lines["mean"], "o:", color=BLUE, markersize=3, label="network, mean")
    for method, (colour, marker) in BASELINE_LOOKS.items():
        if f"{method}_mean" in lines:
            (mean,) = axes.plot(lines[f"{method}_mean"], f"{marker}--", markersize=3, linewidth=1)
            mean.set(color=colour, label=f"{BASELINES[method]}, mean")
    set_ticks(axes, table["noise"])
    axes.set(xlabel="noise level (standard deviation / 9.65 V)", ylabel=label, ylim=(0, 1))
    *means, median = zip(*axes.get_legend_handles_labels(), strict=True)  # error bars come last
    figure.legend(*zip(median, *means, strict=True), loc="outside upper center", ncols=2)
    return figure
