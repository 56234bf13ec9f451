"""The report of one network under all conditions: a table and a figure beside the specialists."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.files import atomic_folder
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.scores import BASELINES, baselines_in, of_method
from bubbleloc.metrics.statistics import summarize
from bubbleloc.report.certainty import HEADINGS
from bubbleloc.report.document import Section, write_document
from bubbleloc.report.figures.scores import BASELINE_LOOKS
from bubbleloc.report.figures.style import BLUE, COLUMN_INCHES, INK, house_style, new_figure
from bubbleloc.tables import with_intervals, write_csv, write_table
from bubbleloc.units import Scale

SHOWN = (0, 2, QUOTED_TOLERANCE, 9)  # tolerances of the table on the page


@dataclass(frozen=True)
class Conditions:
    """Scores under several conditions, tidy tables with a column `condition`.

    Attributes:
        scores: of network and baselines, see `bubbleloc.metrics.scores`.
        one_to_one: likewise, see `bubbleloc.metrics.one_to_one`.
        specialists: published mean F1 by condition and tolerance.
        empty: detections in lines without a bubble.
        certainty: scores of probabilities and errors, see `bubbleloc.report.certainty`; empty for a
            head that counts.
        facts: what to tell the reader about the run, name → value.
    """

    scale: Scale
    scores: pd.DataFrame
    one_to_one: pd.DataFrame
    specialists: pd.DataFrame
    empty: pd.DataFrame
    certainty: pd.DataFrame
    facts: Mapping[str, str]


def write_conditions(folder: Path, found: Conditions) -> Path:
    """Write tables, figure and page into ``folder``; return the path of ``report.html``.

    Written: ``conditions`` (CSV, Markdown, LaTeX; a row per condition × tolerance),
    ``empty_lines.csv``, and the page with its figure.
    """
    table = conditions_table(found)
    with atomic_folder(folder) as unfinished:
        caption = "Mean F1 under each condition, beside the published specialist of that condition"
        write_table(table, unfinished, "conditions", caption, with_intervals(table))
        write_csv(found.empty, unfinished / "empty_lines.csv")
        shown = table[table["tolerance"].isin(SHOWN)]
        figures = {"conditions": ("Mean F1 against the tolerance", conditions_figure(found))}
        text = (
            "The same network throughout; thresholds are chosen on the validation lines under the "
            "same condition. Each published specialist was trained for its condition alone."
        )
        sections = [
            Section("Conditions", text, figures, with_intervals(shown)),
            Section(
                "Empty lines", "Detections above the threshold of `localize`.", {}, found.empty
            ),
        ]
        if len(found.certainty):
            shown = found.certainty.rename(columns=HEADINGS)
            write_table(found.certainty, unfinished, "certainty", "Certainty by condition", shown)
            text = "Probabilities and errors that the network gives with its bubbles."
            sections.append(Section("Certainty", text, {}, shown))
        ahead = int((table["f1"] > table["specialist"]).sum())
        summary = f"Above the specialist in {ahead} of {len(table)} conditions × tolerances."
        run = found.facts.get("run", "one run")
        write_document(
            unfinished / "report.html", f"Conditions: {run}", summary, sections, found.facts
        )
    return folder / "report.html"


def conditions_table(found: Conditions) -> pd.DataFrame:
    """Mean F1 with interval, specialist, one-to-one F1 and baselines by condition × tolerance."""
    keys = ["condition", "tolerance"]
    table = summarize(of_method(found.scores), by=tuple(keys))
    names = {"mean": "f1", "mean_low": "f1_low", "mean_high": "f1_high"}
    table = table.rename(columns=names)[[*keys, *names.values()]]
    published = found.specialists.rename(columns={"f1": "specialist"})
    table = table.merge(published, on=keys, how="left")
    pairs = of_method(found.one_to_one).groupby(keys)["f1"].mean().rename("one to one")
    table = table.merge(pairs.reset_index(), on=keys, how="left")
    for method in baselines_in(found.scores):
        means = of_method(found.scores, method).groupby(keys)["f1"].mean()
        table = table.merge(means.rename(BASELINES[method]).reset_index(), on=keys, how="left")
    return table


@house_style
def conditions_figure(found: Conditions) -> Figure:
    """F1 against the tolerance, a panel per condition."""
    names = list(dict.fromkeys(found.scores["condition"]))
    figure = new_figure(2 * COLUMN_INCHES, 3.6)
    panels = figure.subplots(2, -(-len(names) // 2), sharex=True, sharey=True)
    for axes, name in zip(panels.flat, names, strict=True):
        scores, published = (
            table[table["condition"] == name] for table in (found.scores, found.specialists)
        )
        for method in baselines_in(scores):
            means = of_method(scores, method).groupby("tolerance")["f1"].mean()
            axes.plot(means, ":", color=BASELINE_LOOKS[method][0], label=BASELINES[method])
        axes.plot(published["tolerance"], published["f1"], "--", color=INK, label="specialist")
        means = of_method(scores).groupby("tolerance")["f1"].mean()
        axes.plot(means, "o-", color=BLUE, label="this network", markersize=3)
        axes.set(title=name, ylim=(0, 1))
    figure.supxlabel("tolerance (samples)")
    figure.supylabel("mean F1")
    figure.legend(*panels.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=5)
    return figure
