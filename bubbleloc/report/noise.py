"""The part of a report about noise added to the test lines."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bubbleloc.data.noise import REFERENCE_V
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.scores import to_public
from bubbleloc.physics.scale import Scale
from bubbleloc.report.content import shown_summary, summary_table
from bubbleloc.report.document import Section
from bubbleloc.report.figures.style import tolerance_words
from bubbleloc.report.figures.sweep import noise_lines
from bubbleloc.report.tables import write_csv, write_table


def write_noise(folder: Path, scores: pd.DataFrame, scale: Scale) -> Section:
    """Write F1 at every level of noise into `folder`, and return the section about it.

    Written: ``f1_noise.csv`` (a row per level × signal × tolerance) and ``noise`` (CSV, Markdown,
    LaTeX; a row per level × tolerance).
    """
    write_csv(to_public(scores), folder / "f1_noise.csv")
    summary = summary_table(scores, scale)
    summary.insert(1, "noise_v", REFERENCE_V * summary["noise"])
    at = summary[summary["tolerance"] == QUOTED_TOLERANCE]
    headings = {"noise": "noise level", "noise_v": "noise (V)"}
    shown = shown_summary(at.drop(columns=["tolerance", *list(scale.units)[1:]]))
    shown = shown.rename(columns=headings)
    shown["noise level"] = [f"{level:g}" for level in at["noise"]]
    caption = f"F1 against added noise, within {QUOTED_TOLERANCE} samples"
    write_table(summary, folder, "noise", caption, shown)
    figure = noise_lines(at, f"F1 within {tolerance_words(QUOTED_TOLERANCE, scale)}")
    return Section(
        "F1 against noise",
        f"White noise added to every line, then the published low-pass filter; level 1 is a "
        f"standard deviation of {REFERENCE_V} V. The network is the same throughout; its "
        "thresholds and those of the baselines are chosen at each level.",
        {"f1_noise": (f"F1 within ±{QUOTED_TOLERANCE} samples against added noise", figure)},
        shown,
    )
