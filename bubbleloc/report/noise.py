"""The part of a report about noise added to the test lines."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bubbleloc.data.noise import REFERENCE_V
from bubbleloc.physics.scale import Scale
from bubbleloc.report.content import NoiseCurve, shown_summary
from bubbleloc.report.document import Section
from bubbleloc.report.figures.sweep import noise_lines
from bubbleloc.report.tables import write_long_csv, write_table


def write_noise(folder: Path, curve: NoiseCurve, tolerance: int, scale: Scale) -> Section:
    """Write F1 at every level of noise into `folder`, and return the section about it.

    Written: ``f1_noise.csv`` (a row per level × signal × tolerance) and ``noise`` (CSV, Markdown,
    LaTeX; a row per level × tolerance).
    """
    write_long_csv(map(pd.DataFrame, curve.rows.pieces()), folder / "f1_noise.csv")
    summary = curve.summary.copy()
    summary.insert(1, "noise_v", REFERENCE_V * summary["noise"])
    at = summary[summary["tolerance"] == tolerance]
    headings = {"noise": "noise level", "noise_v": "noise (V)"}
    shown = shown_summary(at.drop(columns=["tolerance", "um", "wavelengths"]))
    shown = shown.rename(columns=headings)
    shown["noise level"] = [f"{level:g}" for level in at["noise"]]
    caption = f"F1 against added noise, within {tolerance} samples"
    write_table(summary, folder, "noise", caption, shown)
    label = f"F1 within ±{tolerance} samples ({scale.um_per_sample * tolerance:.0f} µm)"
    figure = noise_lines(at, label)
    return Section(
        "F1 against noise",
        f"White noise added to every line, then the published low-pass filter; level 1 is a "
        f"standard deviation of {REFERENCE_V} V. The network is the same throughout; thresholds, "
        "its own and those of the methods beside it, are chosen at each level.",
        {"f1_noise": (f"F1 within ±{tolerance} samples against added noise", figure)},
        shown,
    )
