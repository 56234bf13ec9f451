"""The part of a report about probabilities and errors that a network gives with its bubbles."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.metrics.certainty import certainty_scores, reliability, risk_coverage
from bubbleloc.report.document import Section
from bubbleloc.report.figures import style
from bubbleloc.report.figures.scores import draw_one_to_one
from bubbleloc.report.figures.style import BLUE, INK, MUTED
from bubbleloc.tables import write_csv, write_table

FEWEST = 10  # bubbles of a line whose count is scored

HEADINGS = {
    "calibration_error": "calibration error",
    "within_1_sigma": "within ±1σ",
    "within_2_sigma": "within ±2σ",
    "median_sigma": "median σ (samples)",
    "rmse": "RMSE (samples)",
    "isolated_rmse": "RMSE, isolated",
    "isolated_bound": "bound, isolated",
    "count_error": "count error",
    "precision": "precision",
    "precision_90": "precision of the surest 90 %",
}


@dataclass(frozen=True)
class Certainty:
    """Reported bubbles of the test lines beside the true ones.

    Attributes:
        pairs: a row per reported bubble, see `bubbleloc.metrics.certainty.pair_table`.
        counts: expected and true number of ``bubbles`` of each line.
        errors: RMSE and Cramér–Rao bound by distance to the nearest bubble, columns ``low``,
            ``high``, ``pairs``, ``rmse`` and ``bound``; the last row is of isolated bubbles.
    """

    pairs: pd.DataFrame
    counts: pd.DataFrame
    errors: pd.DataFrame

    @property
    def scores(self) -> dict[str, float]:
        """All numbers of the report's table, under the names of `HEADINGS`."""
        counts = self.counts[self.counts["bubbles"] >= FEWEST]
        shares = risk_coverage(self.pairs, int(self.counts["bubbles"].sum()))
        precision = shares.set_index("dropped")["precision"]
        isolated = self.errors.iloc[-1]
        return {
            **certainty_scores(self.pairs),
            "isolated_rmse": float(isolated["rmse"]),
            "isolated_bound": float(isolated["bound"]),
            "count_error": float(np.mean(np.abs(counts["expected"] / counts["bubbles"] - 1))),
            "precision": float(precision[0.0]),
            "precision_90": float(precision[0.1]),
        }


def write_certainty(folder: Path, certainty: Certainty | None) -> list[Section]:
    """Write scores of certainty, if there are any, into `folder`; return their section.

    Written: ``certainty`` (CSV, Markdown, LaTeX), and ``reliability.csv``, ``risk_coverage.csv``
    and ``bounds.csv``, the data of the figures.
    """
    if certainty is None:
        return []
    table = pd.DataFrame([certainty.scores])
    shown = table.rename(columns=HEADINGS)
    caption = "Probabilities and errors that the network gives with its bubbles"
    write_table(table, folder, "certainty", caption, shown)
    bins = reliability(certainty.pairs)
    shares = risk_coverage(certainty.pairs, int(certainty.counts["bubbles"].sum()))
    write_csv(bins, folder / "reliability.csv")
    write_csv(shares, folder / "risk_coverage.csv")
    write_csv(certainty.errors, folder / "bounds.csv")
    text = (
        "A reported bubble is true if it pairs one to one with a bubble within ±4 samples. The "
        "calibration error is the mean distance between stated probability and share of true "
        "bubbles. Errors should lie within ±1σ in 68 % and within ±2σ in 95 % of the pairs. "
        "Isolated bubbles have no other within 100 samples; the bound is the Cramér–Rao bound of "
        "their arrival for known echoes. The count error is that of the expected number of "
        f"bubbles, over the lines with {FEWEST} or more."
    )
    figures = {
        "reliability": ("Stated probability against what is true", reliability_figure(bins)),
        "risk_coverage": ("Scores without the least sure", risk_coverage_figure(shares)),
        "bounds": ("Error by distance to the nearest bubble", bounds_figure(certainty.errors)),
    }
    return [Section("Certainty", text, figures, shown)]


@style.house_style
def reliability_figure(bins: pd.DataFrame) -> Figure:
    """Share of true bubbles against their stated probability, above how many there are."""
    figure = style.new_figure(height=2.9)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    top.plot([0, 1], [0, 1], "--", color=MUTED, linewidth=0.8, label="as stated")
    top.plot(bins["probability"], bins["true"], "o-", color=BLUE, markersize=3, label="network")
    bottom.bar(bins["probability"], bins["bubbles"], 0.05, color="#b8b8b8")
    bottom.set(xlabel="stated probability", ylabel="bubbles", xlim=(0, 1))
    bottom.grid(False)
    top.set(ylabel="share that is true", ylim=(0, 1))
    top.legend()
    figure.align_ylabels()
    return figure


@style.house_style
def risk_coverage_figure(shares: pd.DataFrame) -> Figure:
    """Precision, recall and F1 against the share of the least sure bubbles that is left out."""
    figure = style.new_figure()
    axes = figure.subplots()
    draw_one_to_one(axes, 100 * shares["dropped"], shares)
    axes.set(xlabel="least sure bubbles left out (%)", ylabel="one-to-one score", ylim=(0, 1))
    axes.legend()
    return figure


@style.house_style
def bounds_figure(errors: pd.DataFrame) -> Figure:
    """Error and Cramér–Rao bound against the distance to the nearest bubble."""
    figure = style.new_figure()
    axes = figure.subplots()
    names = [f"{low:g}–{high:g}" for low, high in zip(errors["low"], errors["high"], strict=True)]
    names[-1] = f"> {errors['low'].iloc[-1]:g}"
    axes.plot(names, errors["rmse"], "o-", color=BLUE, label="RMSE of the network")
    bounded = errors["bound"].notna().any()
    if bounded:
        axes.plot(names, errors["bound"], "s--", color=INK, label="Cramér–Rao bound")
    axes.set(xlabel="nearest other bubble (samples)", ylabel="samples")
    axes.set(**({"yscale": "log"} if bounded else {"ylim": (0, None)}))
    axes.tick_params(axis="x", rotation=45)
    axes.legend()
    return figure
