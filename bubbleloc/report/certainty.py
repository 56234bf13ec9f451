"""The section of a report about probabilities and errors that a network gives with its bubbles."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.certainty import certainty_scores, reliability, risk_coverage
from bubbleloc.report.document import Picture, Section, Table, prose
from bubbleloc.report.figures import style
from bubbleloc.report.figures.scores import draw_one_to_one
from bubbleloc.report.figures.style import BLUE, INK, MUTED

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
        counts: the expected and true number of bubbles of each line, columns ``expected`` and
            ``bubbles``.
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


def certainty(answers: Certainty | None) -> Section | None:
    """How far probabilities and errors can be trusted, where the network gives them."""
    if answers is None:
        return None
    table = pd.DataFrame([answers.scores])
    shown = table.rename(columns=HEADINGS)
    bins, errors = reliability(answers.pairs), answers.errors
    shares = risk_coverage(answers.pairs, int(answers.counts["bubbles"].sum()))
    caption = "Probabilities and errors that the network gives with its bubbles"
    return Section(
        "Certainty",
        prose(
            "run",
            "certainty",
            tolerance=QUOTED_TOLERANCE,
            fewest=FEWEST,
            isolated=f"{errors['low'].iloc[-1]:g}",
        ),
        {
            "reliability": Picture(
                "Stated probability against what is true", partial(reliability_figure, bins)
            ),
            "risk_coverage": Picture(
                "Scores without the least sure", partial(risk_coverage_figure, shares)
            ),
            "bounds": Picture(
                "Error by distance to the nearest bubble", partial(bounds_figure, errors)
            ),
        },
        shown,
        {
            "certainty": Table(table, caption, shown),
            "reliability": Table(bins),
            "risk_coverage": Table(shares),
            "bounds": Table(errors),
        },
    )


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
    figure.legend(loc="outside upper center", ncols=2)
    figure.align_ylabels()
    return figure


@style.house_style
def risk_coverage_figure(shares: pd.DataFrame) -> Figure:
    """Precision, recall and F1 against the share of the least sure bubbles that is left out."""
    figure = style.new_figure()
    axes = figure.subplots()
    draw_one_to_one(axes, 100 * shares["dropped"], shares)
    axes.set(xlabel="least sure bubbles left out (%)", ylabel="one-to-one score", ylim=(0, 1))
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@style.house_style
def bounds_figure(errors: pd.DataFrame) -> Figure:
    """Error and Cramér–Rao bound against the distance to the nearest bubble."""
    figure = style.new_figure()
    axes = figure.subplots()
    names = [f"{low:g}–{high:g}" for low, high in zip(errors["low"], errors["high"], strict=True)]
    names[-1] = f"> {errors['low'].iloc[-1]:g}"
    axes.plot(
        names, errors["rmse"], "o-", color=BLUE, label=f"RMSE of pairs within ±{QUOTED_TOLERANCE}"
    )
    bounded = errors["bound"].notna().any()
    if bounded:
        axes.plot(names, errors["bound"], "s--", color=INK, label="Cramér–Rao bound")
    axes.set(xlabel="nearest other bubble (samples)", ylabel="error (samples)")
    axes.set(**({"yscale": "log"} if bounded else {"ylim": (0, 1.1 * axes.get_ylim()[1])}))
    axes.tick_params(axis="x", rotation=45)
    figure.legend(loc="outside upper center", ncols=2)
    return figure
