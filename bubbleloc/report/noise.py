"""The part of a report about noise added to the test lines."""

from pathlib import Path

from bubbleloc.data.noise import REFERENCE_V
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.scores import to_public
from bubbleloc.report.content import Evaluation, shown_summary, summary_table
from bubbleloc.report.document import Section
from bubbleloc.report.figures.style import tolerance_words
from bubbleloc.report.sweep import noise_lines
from bubbleloc.report.tables import write_csv, write_table


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
    figure = noise_lines(at, f"F1 within {tolerance_words(QUOTED_TOLERANCE, scale)}")
    text = (
        "White noise added to every line, then the published low-pass filter; level 1 is a "
        f"standard deviation of {REFERENCE_V} V. The network is the same throughout; its "
        "thresholds and those of the baselines are chosen at each level."
    )
    caption = f"F1 within ±{QUOTED_TOLERANCE} samples against added noise"
    return [Section("F1 against noise", text, {"f1_noise": (caption, figure)}, shown)]
