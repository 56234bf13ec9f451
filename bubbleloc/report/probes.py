"""The report of a network of any probe on setups that it was not trained on."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.files import atomic_folder
from bubbleloc.report.document import Picture, Section, Table, prose, write_document
from bubbleloc.report.figures import style

FULL, PULSE, BLIND = "pulse and radius", "pulse", "nothing"  # that is told
WIENER, GUESSES = "Wiener filter", "guesses"  # beside it
TELLINGS, RATES = "tellings", "rates"  # that the lines of a setup are for
SETUP = (
    "setup",
    "echo_mhz",
    "echo_bandwidth",
    "cycles",
    "radius_um",
    "samples_per_wavelength",
    "compared",
)


def write_probes(folder: Path, scores: pd.DataFrame, facts: Mapping[str, str]) -> Path:
    """Write tables, figures and page into ``folder``; return the path of ``report.html``.

    Args:
        scores: a row per setup × sampling rate × kind of lines × what is told, with columns
            `SETUP`, `lines`, `told`, `f1`, `precision`, `recall` and `false in empty lines`; tables
            show those of ``TELLINGS``.
        facts: what to tell the reader about the run.
    """
    main = scores[scores["compared"] == TELLINGS]
    at = main[main["told"] == FULL]
    means = main.pivot_table("f1", "lines", "told", sort=False)
    ahead = means[FULL] - means[WIENER]
    gained = ", ".join(f"{value:+.3f} on {lines} lines" for lines, value in ahead.items())
    sections = [
        *(
            Section(f"F1 on {kind} lines", prose("probes", kind), table=probes_table(main, kind))
            for kind in scores["lines"].unique()
        ),
        Section(
            "Frequency and bandwidth",
            prose("probes", "bands"),
            {"probes": Picture("F1 by frequency and bandwidth", partial(bands_figure, at))},
            files={"probes": Table(scores)},
        ),
        Section(
            "Samples per wavelength",
            prose("probes", "rates"),
            {
                "probes_rates": Picture(
                    "F1 by samples per wavelength", partial(rates_figure, scores)
                )
            },
        ),
        Section("Empty lines", prose("probes", "empty"), table=empty_table(main)),
    ]
    with atomic_folder(folder) as unfinished:
        write_document(
            unfinished / "report.html",
            f"Any probe: {facts.get('run', 'one run')}",
            f"Told pulse and radius, F1 less that of the Wiener filter is {gained}, on average "
            f"over {main['setup'].nunique()} setups.",
            sections,
            facts,
        )
    return folder / "report.html"


def probes_table(scores: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return mean F1, a row per setup and one of their means, a column for all that is told."""
    of_kind = scores[scores["lines"] == kind]
    table = of_kind.pivot_table("f1", "setup", "told", sort=False)
    table.loc["mean"] = table.mean()
    return table.rename_axis(columns=None).reset_index()


def empty_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean number of false detections per line of noise alone, a row per setup."""
    false = scores.groupby("setup", sort=False)["false in empty lines"].first()
    return false.rename("detections per line").reset_index()


@style.house_style
def bands_figure(scores: pd.DataFrame) -> Figure:
    """F1 over centre frequency × bandwidth of the echo, a panel per kind of lines."""
    figure = style.new_figure(2 * style.COLUMN_INCHES, 3.0)
    kinds = list(scores["lines"].unique())
    panels = figure.subplots(1, len(kinds), sharex=True, sharey=True, squeeze=False)[0]
    for axes, kind in zip(panels, kinds, strict=True):
        at = scores[scores["lines"] == kind]
        place = at["echo_mhz"], 100 * at["echo_bandwidth"]
        points = axes.scatter(*place, c=at["f1"], cmap="viridis", vmin=0.3, vmax=1, s=130)
        for x, y, f1 in zip(*place, at["f1"], strict=True):
            colour = "white" if f1 < 0.7 else "black"
            axes.text(x, y, f"{f1:.2f}"[1:], ha="center", va="center", color=colour, fontsize=5.5)
        axes.set(title=f"{kind} lines", xlabel="centre of the echo (MHz)")
        axes.margins(0.1)
    panels[0].set_ylabel("−6 dB band of the echo (%)")
    figure.colorbar(points, ax=panels, label="F1")
    return figure


@style.house_style
def rates_figure(scores: pd.DataFrame) -> Figure:
    """F1 over the samples per wavelength, a line per setup of several rates × kind of lines."""
    figure = style.new_figure(style.COLUMN_INCHES * 1.3, 2.6)
    axes = figure.subplots()
    at = scores[scores["told"] == FULL]
    lines = {"dense": "-", "sparse": "--"}
    colours = iter((style.BLUE, style.ORANGE, style.GREEN, style.INK))
    for name, of_setup in at.groupby("setup", sort=False):
        if of_setup["samples_per_wavelength"].nunique() == 1:
            continue
        colour = next(colours)
        for kind, of_kind in of_setup.groupby("lines", sort=False):
            (line,) = axes.plot(of_kind["samples_per_wavelength"], of_kind["f1"], "o", ms=3)
            line.set(color=colour, linestyle=lines[str(kind)], label=f"{name}, {kind}")
    axes.set(xscale="log", ylim=(0, 1), xlabel="samples per wavelength", ylabel="F1")
    axes.set_xticks([4, 6, 9, 18, 36], labels=["4", "6", "9", "18", "36"], minor=False)
    axes.minorticks_off()
    figure.legend(loc="outside right upper")
    return figure
