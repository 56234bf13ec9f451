"""The report of a mapping: all methods side by side, their maps, and a viewer of each."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from bubbleloc.arrays import Floats
from bubbleloc.maps.figure import HIGHEST, map_figure
from bubbleloc.maps.results import MapResult
from bubbleloc.maps.saturation import FILLED
from bubbleloc.maps.viewer import write_viewer
from bubbleloc.maps.viewer.packing import speeds_mm_s
from bubbleloc.report.document import Picture, Section, Table, prose, write_document
from bubbleloc.report.figures import style
from bubbleloc.report.figures.style import BLUE, GREEN, MUTED, ORANGE, RED

HEADINGS = {
    "f1": "F1",
    "random_f1": "F1 of random points",
    "precision": "precision",
    "recall": "recall",
    "rmse_lateral_um": "RMSE lateral (µm)",
    "rmse_axial_um": "RMSE axial (µm)",
    "links": "share of right links",
    "dice": "Dice of the vessels",
    "smallest_pair_um": "smallest pair resolved (µm)",
    "velocity_error": "velocity error (%)",
    "resolution_um": "resolution by FRC (µm)",
    "filled_s": f"filled to {FILLED:.0%} after (s)",
}
"""Scores of a method by name, in the order of the table."""

_LINES = (
    *((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (RED, ":")),
    *(("#CC79A7", (0, (5, 1, 1, 1, 1, 1))), ("#56B4E9", (0, (8, 2)))),
)
_STEPS = 30  # of a histogram
_BESIDE_INCHES = 1.4  # what scales take of the width of a row of maps


def write_map_report(
    folder: Path,
    title: str,
    results: Sequence[MapResult],
    facts: Mapping[str, str],
    *,
    vessels_known: bool,
) -> Path:
    """Write a viewer of each method and the page that compares them; return the page's path.

    Written into `folder`: ``report.html`` and its Markdown twin, ``viewer_<method>.html`` of every
    method with tracks, ``figures/``, and the tables ``methods``, ``track_statistics``,
    ``saturation`` and ``frc``.

    Args:
        results: a method each, in the order of the tables.
        facts: how the maps were made, by name.
        vessels_known: saturation is measured in the true vessels, not fitted.
    """
    links = {}
    for result in results:
        if len(result.tracks):
            path = folder / f"viewer_{result.name}.html"
            of_method = {"method": result.name, **facts}
            write_viewer(path, result.tracks, result.grids, of_method, title)
            links[f"Viewer of {result.name}"] = path.name
    sections = [
        methods(results),
        maps(results, links),
        saturation(results, vessels_known),
        resolution(results),
        tracks(results),
    ]
    return write_document(folder / "report.html", title, summary(results), sections, facts)


def summary(results: Sequence[MapResult]) -> str:
    """The main result: the method of the highest F1, or else of the most tracks."""
    by = "F1" if all("f1" in result.scores for result in results) else None
    best = max(results, key=lambda r: r.scores["f1"] if by else r.tracks["track"].nunique())
    resolution_um = best.scores.get("resolution_um", np.nan)
    return prose(
        "map",
        "summary",
        best=best.name,
        by=by if len(results) > 1 else None,
        tracks=f"{best.tracks['track'].nunique():,}",
        methods=len(results),
        resolution_um=None if np.isnan(resolution_um) else resolution_um,
    )


def methods(results: Sequence[MapResult]) -> Section:
    """A row per method: how much it found, and its scores."""
    names = [name for name in HEADINGS if any(name in result.scores for result in results)]
    rows = [
        {
            "method": result.name,
            "positions": len(result.positions),
            "tracks": result.tracks["track"].nunique(),
            **{name: result.scores.get(name, np.nan) for name in names},
            "seconds": result.seconds,
        }
        for result in results
    ]
    table = pd.DataFrame(rows)
    shown = table.rename(columns=HEADINGS)
    caption = "Methods of localization on the same frames"
    drawn = Picture("Density of every method, on one scale", partial(methods_figure, results))
    pictures = {"methods": drawn}
    return Section(
        "Methods side by side",
        prose("map", "methods", has_truth="f1" in names),
        pictures if len(results) > 1 else {},
        shown,
        {"methods": Table(table, caption, shown)},
    )


def maps(results: Sequence[MapResult], links: Mapping[str, str]) -> Section:
    """The maps of every method, and where its bubbles flow."""
    pictures = {
        f"map_{result.name}": Picture(
            f"{result.name}: density and velocity", partial(map_figure, result.grids)
        )
        for result in results
    }
    return Section("Maps", prose("map", "maps"), pictures, links=links)


def saturation(results: Sequence[MapResult], vessels_known: bool) -> Section | None:
    """How the vessels fill, where it was measured."""
    curves = {r.name: r.saturation for r in results if r.saturation is not None}
    if not curves:
        return None
    picture = Picture("Filling of the vessels", partial(saturation_figure, curves))
    return Section(
        "Saturation",
        prose("map", "saturation", vessels_known=vessels_known),
        {"saturation": picture},
        files={"saturation": Table(_long(curves))},
    )


def resolution(results: Sequence[MapResult]) -> Section | None:
    """Down to which size the maps repeat, where it was measured."""
    curves = {r.name: r.frc for r in results if r.frc is not None}
    if not curves:
        return None
    picture = Picture("Fourier ring correlation", partial(frc_figure, curves))
    return Section(
        "Resolution",
        prose("map", "resolution"),
        {"frc": picture},
        files={"frc": Table(_long(curves))},
    )


def tracks(results: Sequence[MapResult]) -> Section | None:
    """How long and how fast the tracks are."""
    tables = {r.name: r.tracks for r in results if len(r.tracks)}
    if not tables:
        return None
    table = pd.DataFrame([{"method": n, **track_statistics(t)} for n, t in tables.items()])
    caption = "Tracks of every method"
    shown = table.rename(columns=lambda name: _TRACK_HEADINGS.get(name, name))
    return Section(
        "Tracks",
        prose("map", "tracks"),
        {"tracks": Picture("Duration and speed of the tracks", partial(tracks_figure, tables))},
        shown,
        {"track_statistics": Table(table, caption, shown)},
    )


_TRACK_HEADINGS = {
    "median_frames": "median frames",
    "median_way_mm": "median way (mm)",
    "median_speed_mm_s": "median speed (mm/s)",
    "fastest_mm_s": "95 % are slower than (mm/s)",
}


def track_statistics(table: pd.DataFrame) -> dict[str, float]:
    """Numbers of the tracks of a method: how many, how long, and how fast."""
    frames, way_mm = _lengths(table)
    speed = speeds_mm_s(table)
    return {
        "tracks": len(frames),
        "median_frames": float(np.median(frames)),
        "median_way_mm": float(np.median(way_mm)),
        "median_speed_mm_s": float(np.median(speed)),
        "fastest_mm_s": float(np.quantile(speed, 0.95)),
    }


def _lengths(table: pd.DataFrame) -> tuple[Floats, Floats]:
    """Frames of each track, and the way along its points in mm."""
    number = np.unique(table["track"].to_numpy(np.int64), return_inverse=True)[1]
    steps = np.diff(table[["x_mm", "z_mm"]].to_numpy(np.float64), axis=0, prepend=0)
    way_mm = np.where(np.diff(number, prepend=-1) == 0, np.hypot(*steps.T), 0)
    return np.bincount(number).astype(np.float64), np.bincount(number, way_mm).astype(np.float64)


def _long(curves: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Curves of all methods below each other."""
    return pd.concat([c.assign(method=name) for name, c in curves.items()], ignore_index=True)


@style.house_style
def methods_figure(results: Sequence[MapResult]) -> Figure:
    """Density of every method beside the others, all on the scale of the fullest."""
    grids = [result.grids for result in results]
    left, right, top, bottom = grids[0].extent_mm
    width = 2 * style.COLUMN_INCHES
    panel_width = (width - _BESIDE_INCHES) / len(grids)
    height = float(np.clip(panel_width * (bottom - top) / (right - left), 1.0, 6.0)) + 0.8
    figure = style.new_figure(width=width, height=height)
    figure.set_layout_engine("compressed")  # constrained, for axes of fixed aspect
    panels = figure.subplots(1, len(grids), sharex=True, sharey=True, squeeze=False)[0]
    filled = [g.density[g.density > 0] for g in grids if g.density.any()]
    most = max((np.quantile(values, HIGHEST) for values in filled), default=1.0)
    for axes, result in zip(panels, results, strict=True):
        shown = axes.imshow(
            result.grids.density,
            extent=(left, right, bottom, top),
            cmap="magma",
            norm=PowerNorm(0.5, 0, most),
        )
        axes.grid(False)
        axes.set(title=result.name, xlabel="lateral (mm)")
    panels[0].set_ylabel("depth (mm)")
    figure.colorbar(shown, ax=panels, label="tracks per pixel", aspect=25)
    return figure


@style.house_style
def saturation_figure(curves: Mapping[str, pd.DataFrame]) -> Figure:
    """Share of the vessels that is filled against time."""
    figure = style.new_figure()
    axes = figure.subplots()
    _draw_lines(axes, curves, lambda curve: (curve["time_s"], curve["share"]))
    axes.axhline(FILLED, color=MUTED, linestyle=":", linewidth=0.8)
    axes.set(xlabel="time (s)", ylabel="share filled", ylim=(0, 1))
    axes.set_xlim(left=0)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@style.house_style
def frc_figure(curves: Mapping[str, pd.DataFrame]) -> Figure:
    """Correlation of two halves of the tracks against spatial frequency."""
    figure = style.new_figure()
    axes = figure.subplots()
    _draw_lines(axes, curves, lambda curve: (curve["per_mm"], curve["correlation"]))
    longest = max(curves.values(), key=lambda curve: curve["per_mm"].max())
    axes.plot(longest["per_mm"], longest["threshold"], ":", color=MUTED, linewidth=0.8)
    axes.set(xlabel="spatial frequency (1/mm)", ylabel="correlation", ylim=(-0.1, 1))
    axes.set_xlim(left=0)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _draw_lines(
    axes: Axes,
    curves: Mapping[str, pd.DataFrame],
    points: Callable[[pd.DataFrame], tuple[pd.Series, pd.Series]],
) -> None:
    for (name, curve), (colour, line) in zip(curves.items(), cycle(_LINES), strict=False):
        axes.plot(*points(curve), color=colour, linestyle=line, label=name)


@style.house_style
def tracks_figure(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """How many tracks are of a duration, and how many points of a speed."""
    figure = style.new_figure(width=2 * style.COLUMN_INCHES, height=2.6)
    left, right = figure.subplots(1, 2)
    frames = {name: _lengths(table)[0] for name, table in tables.items()}
    _draw_histograms(left, frames)
    _draw_histograms(right, {name: speeds_mm_s(table) for name, table in tables.items()})
    left.set(xlabel="duration (frames)", ylabel="tracks", yscale="log")
    right.set(xlabel="speed (mm/s)", ylabel="points of tracks")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=6)
    return figure


def _draw_histograms(axes: Axes, values: Mapping[str, Floats]) -> None:
    """Draw distributions over the same steps, up to what nearly all are below."""
    most = max(np.quantile(of_method, 0.995) for of_method in values.values())
    edges = np.linspace(0, most, _STEPS + 1)
    for (name, of_method), (colour, line) in zip(values.items(), cycle(_LINES), strict=False):
        counts, _ = np.histogram(of_method, edges)
        axes.stairs(counts, edges, color=colour, linestyle=line, linewidth=1.1, label=name)
    axes.set_xlim(0, most)
