"""What the report of one run is made from, and its sections about the published F1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.data.noise import NO_NOISE, REFERENCE_V
from bubbleloc.metrics import QUOTED_TOLERANCE, Sweep, best_thresholds
from bubbleloc.metrics.scores import BASELINES, METRICS, baselines_in
from bubbleloc.metrics.statistics import summarize
from bubbleloc.report.certainty import Certainty
from bubbleloc.report.document import FIGURES, Picture, Section, Table, prose
from bubbleloc.report.figures import style
from bubbleloc.report.figures.line import Example, example_line
from bubbleloc.report.figures.scores import (
    BASELINE_LOOKS,
    draw_medians,
    f1_against,
    f1_heatmap,
    f1_violins,
    precision_recall,
    set_ticks,
)
from bubbleloc.tables import with_intervals
from bubbleloc.units import SYMBOLS, Scale

SCORES = "f1_test"


@dataclass(frozen=True)
class Evaluation:
    """All that the report of a run is made from.

    Attributes:
        scale: what a sample of the test lines is worth in µm and wavelengths.
        selection: the sweep of the split on which thresholds are chosen.
        selection_split: the name of that split, ``train`` (as published) or ``val``.
        scores: those of the network and the baselines on the test signals, see
            `bubbleloc.metrics.scores`.
        test_fingerprint: any text that is equal for equal test data and no other.
        facts: what to tell the reader about the run, name → value.
        checkpoint: the fingerprint of the checkpoint that was scored.
        one_to_one: one-to-one scores by method, see `bubbleloc.metrics.one_to_one`; may be empty.
        outcomes: those of the network at the quoted tolerance, see `bubbleloc.metrics.breakdown`.
        noise: scores at several levels of noise, with a column `noise` in front.
        examples: test signals to show.
        certainty: how far the answers of a head of emitters can be trusted.
    """

    scale: Scale
    selection: Sweep
    selection_split: str
    scores: pd.DataFrame
    test_fingerprint: str
    facts: Mapping[str, str]
    checkpoint: str = ""
    one_to_one: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    outcomes: pd.DataFrame = field(default_factory=pd.DataFrame)
    noise: pd.DataFrame | None = None
    examples: Sequence[Example] = ()
    certainty: Certainty | None = None


def summary_table(scores: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Median and mean F1 of the network with intervals, and the means of all other scores.

    A row per tolerance, and per level of noise where `scores` has a column `noise`.
    """
    by = [name for name in ("noise", "tolerance") if name in scores]
    groups = scores.groupby(by, sort=False)
    table = summarize(scores, by=tuple(by))
    table.insert(len(by), "threshold", groups["threshold"].first().to_numpy())
    for name in reversed(list(scale.units)[1:]):
        table.insert(len(by), name, scale.units[name] * table["tolerance"])
    for name in METRICS:
        if name != "f1":
            table[name] = groups[name].mean().to_numpy()
    for method in baselines_in(scores):
        table[f"{method}_mean"] = groups[f"{method}_f1"].mean().to_numpy()
    return table


def shown_summary(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the summary as a page shows it."""
    headings = {"tolerance": "± samples"} | SYMBOLS
    headings |= {name: metric.heading for name, metric in METRICS.items()}
    headings |= {f"{method}_mean": name for method, name in BASELINES.items()}
    return with_intervals(summary.drop(columns="signals")).rename(columns=headings)


def summary_sentence(evaluation: Evaluation) -> str:
    """Say what the run reached at the quoted tolerance, beside random output."""
    at = evaluation.scores[evaluation.scores["tolerance"] == QUOTED_TOLERANCE]
    depth = {unit: QUOTED_TOLERANCE * factor for unit, factor in evaluation.scale.units.items()}
    noise = evaluation.facts.get("noise", str(NO_NOISE))
    return prose(
        "run",
        "summary",
        noise=None if noise == str(NO_NOISE) else noise,
        mean=at["f1"].mean(),
        median=at["f1"].median(),
        random=at["random_f1"].mean(),
        signals=len(at),
        tolerance=QUOTED_TOLERANCE,
        depth=depth,
        split=evaluation.selection_split,
    )


def distributions(evaluation: Evaluation) -> Section:
    """F1 over the test signals, as violins and as a table."""
    scores, scale = evaluation.scores, evaluation.scale
    summary = summary_table(scores, scale)
    shown = shown_summary(summary)
    caption = "F1 over the test signals, with the means of the baselines"
    return Section(
        "F1 over the test signals",
        prose("run", "distributions", split=evaluation.selection_split),
        {"f1_violins": Picture("F1 per signal and tolerance", partial(f1_violins, scores, scale))},
        shown,
        {"summary": Table(summary, caption, shown), SCORES: Table(scores)},
    )


def thresholds(evaluation: Evaluation) -> Section:
    """Scores of the selection split, from which thresholds were chosen."""
    selection, split = evaluation.selection, evaluation.selection_split
    drawn = {
        "f1_heatmap": ("Mean F1 over thresholds and tolerances", f1_heatmap),
        "precision_recall": ("Precision and recall along the thresholds", precision_recall),
    }
    chosen = pd.DataFrame(
        {
            "tolerance": selection.tolerances,
            "threshold": best_thresholds(selection),
            "f1": selection.f1.mean(axis=0).max(axis=1),
            "split": split,
        }
    )
    return Section(
        "Choice of the threshold",
        prose("run", "thresholds", split=split, signals=len(selection)),
        {
            name: Picture(caption, partial(draw, selection, evaluation.scale))
            for name, (caption, draw) in drawn.items()
        },
        files={"f1_sweep": Table(sweep_table(selection)), "thresholds": Table(chosen)},
    )


def sweep_table(sweep: Sweep) -> pd.DataFrame:
    """Mean of all scores over the signals, and median F1, a row per tolerance × threshold."""
    t, k = len(sweep.tolerances), len(sweep.thresholds)
    table = pd.DataFrame(
        {
            "tolerance": np.repeat(sweep.tolerances, k),
            "threshold": np.tile(sweep.thresholds, t),
            **{name: metric.of(sweep).mean(axis=0).ravel() for name, metric in METRICS.items()},
        }
    )
    table.insert(3, "f1_median", np.median(sweep.f1, axis=0).ravel())
    return table


def difficulty(evaluation: Evaluation) -> Section:
    """F1 against what makes a line hard."""
    scores, scale = evaluation.scores, evaluation.scale
    quantities = {"bubbles": "the number of bubbles"}
    if scores["pressure_pa"].notna().any():  # measured lines may come without
        quantities["pressure_pa"] = "the transmitted pressure"
    return Section(
        "F1 against bubbles and pressure",
        prose("run", "difficulty", within=style.tolerance_words(QUOTED_TOLERANCE, scale)),
        {
            f"f1_{column.removesuffix('_pa')}": Picture(
                f"F1 against {words}", partial(f1_against, scores, column, QUOTED_TOLERANCE, scale)
            )
            for column, words in quantities.items()
        },
    )


def noise(evaluation: Evaluation) -> Section | None:
    """F1 at every level of noise, where there are several."""
    scores, scale = evaluation.noise, evaluation.scale
    if scores is None:
        return None
    summary = summary_table(scores, scale)
    summary.insert(1, "noise_v", REFERENCE_V * summary["noise"])
    at = summary[summary["tolerance"] == QUOTED_TOLERANCE]
    shown = shown_summary(at.drop(columns=["tolerance", *list(scale.units)[1:]]))
    shown = shown.rename(columns={"noise": "noise level", "noise_v": "noise (V)"})
    shown["noise level"] = [f"{level:g}" for level in at["noise"]]
    label = f"F1 within {style.tolerance_words(QUOTED_TOLERANCE, scale)}"
    caption = f"F1 within ±{QUOTED_TOLERANCE} samples against added noise"
    return Section(
        "F1 against noise",
        prose("run", "noise", volts=REFERENCE_V),
        {"f1_noise": Picture(caption, partial(noise_lines, at, label))},
        shown,
        {
            "f1_noise": Table(scores),
            "noise": Table(
                summary, f"F1 against added noise, within {QUOTED_TOLERANCE} samples", shown
            ),
        },
    )


@style.house_style
def noise_lines(table: pd.DataFrame, label: str) -> Figure:
    """F1 against the level of added noise, with the means of the baselines.

    `table` has a row per level: `noise`, and the columns of `summary_table`.
    """
    figure = style.new_figure(height=2.9)
    axes = figure.subplots()
    lines = table.set_index("noise")
    draw_medians(axes, lines, color=style.BLUE, marker="o", label="network, median")
    axes.plot(lines["mean"], "o:", color=style.BLUE, markersize=3, label="network, mean")
    for method, (colour, marker, line) in BASELINE_LOOKS.items():
        if f"{method}_mean" in lines:
            (mean,) = axes.plot(lines[f"{method}_mean"], marker=marker, markersize=3, linewidth=1)
            mean.set(color=colour, linestyle=line, label=f"{BASELINES[method]}, mean")
    set_ticks(axes, table["noise"])
    words = f"noise level (standard deviation / {REFERENCE_V:g} V)"
    axes.set(xlabel=words, ylabel=label, ylim=(0, 1))
    *means, median = zip(*axes.get_legend_handles_labels(), strict=True)  # error bars come last
    figure.legend(*zip(median, *means, strict=True), loc="outside upper center", ncols=2)
    return figure


def example_lines(evaluation: Evaluation) -> Section | None:
    """Test lines and what the network found in them, where there are examples."""
    numbered = dict(enumerate(evaluation.examples, 1))
    if not numbered:
        return None
    needs_threshold = evaluation.examples[0].threshold is not None
    return Section(
        "Example lines",
        prose(
            "run",
            "example_lines",
            within=style.tolerance_words(QUOTED_TOLERANCE, evaluation.scale),
            needs_threshold=needs_threshold,
        ),
        {
            f"line_{i}": Picture(
                example.title, partial(example_line, example, QUOTED_TOLERANCE, evaluation.scale)
            )
            for i, example in numbered.items()
        },
        files={f"{FIGURES}/line_{i}": Table(line_table(line)) for i, line in numbered.items()},
    )


def line_table(example: Example) -> pd.DataFrame:
    """RF line, network output and true count of an example, a row per sample."""
    length = len(example.rf)
    nearest = np.clip(np.rint(example.arrival_sample).astype(np.int64), 0, length - 1)
    return pd.DataFrame(
        {
            "sample": np.arange(length),
            "rf_v": np.asarray(example.rf, dtype=np.float64),
            "prediction": np.asarray(example.prediction, dtype=np.float64),
            "bubbles": np.bincount(nearest, minlength=length),
        }
    )
