"""From the frames of an array to maps of vessels, a folder per method."""

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import rmtree

import numpy as np
import pandas as pd

from bubbleloc.console.settings.mapping import Map
from bubbleloc.data.execution import run_workers
from bubbleloc.data.phantom import is_phantom, settings_of, simulate_phantom
from bubbleloc.errors import InputError
from bubbleloc.files import check_output, exclusive
from bubbleloc.imaging.echoes import Echo
from bubbleloc.maps.blocks import Blocks
from bubbleloc.maps.grids import FlowMap
from bubbleloc.maps.output import write_display_tracks, write_tiffs
from bubbleloc.maps.report import write_map_report
from bubbleloc.maps.results import Grids, MapResult
from bubbleloc.maps.scoring import scored
from bubbleloc.maps.source import Source, prepared
from bubbleloc.models.runs import open_run
from bubbleloc.tables import write_csv
from bubbleloc.tracking.tracks import TRACK_COLUMNS, track_bubbles

PHANTOM, POSITIONS, TRACKS, ECHO = "phantom.h5", "positions.csv", "tracks.csv", "echo.csv"
DISPLAYED, REPORT = "tracks_display.csv", "report.html"


@dataclass(frozen=True)
class Mapped:
    """What a mapping has made.

    Attributes:
        page: the report.
        results: what each method made.
    """

    page: Path
    results: list[MapResult]


def map_vessels(settings: Map) -> Mapped:
    """Find the bubbles in all frames, follow them, and map the vessels that they flow in.

    The folder ``output`` holds the report, ``phantom.h5`` if one was simulated, and a folder per
    method: ``positions.csv``, ``tracks.csv`` and the maps. After an interruption, the
    same call goes on with the frames that are missing.

    Raises:
        InputError: files or settings that do not fit.
    """
    folder = Path(settings.output)
    check_output(folder / REPORT)
    if (settings.phantom is None) == (settings.input is None):
        raise InputError("give phantom=pair, tree or crossing, or input=, a recording of an array")
    with exclusive(folder / REPORT):
        run = open_run(settings.run, settings.checkpoint)
        run.knowing_its_pulse("map")  # refused before a phantom is simulated
        source = _source(settings, folder)
        source.check()
        results = [_mapped(source, name, folder / name) for name in dict.fromkeys(settings.method)]
        known = source.vessels is not None
        title = f"Maps of {source.name}"
        page = write_map_report(folder, title, results, source.facts, vessels_known=known)
    return Mapped(page, results)


def _source(settings: Map, folder: Path) -> Source:
    if settings.input is not None:
        path = Path(settings.input)
        return Source(path, settings, settings_of(path) if is_phantom(path) else None)
    phantom = settings.of_phantom()
    where = settings.workers, settings.executor, settings.address
    path = simulate_phantom(phantom, folder / PHANTOM, *where)
    return Source(path, settings, phantom)


def _mapped(source: Source, name: str, folder: Path) -> MapResult:
    """Return what one method makes of the frames, and write it to a folder of its own."""
    started = time.perf_counter()
    blocks = _localize(source, name, folder)
    threshold = source.settings.threshold
    positions = pd.concat([_above(table, threshold) for table in blocks], ignore_index=True)
    tracks, halves = _follow(source, [positions])
    grids = _grids(halves[0].together(halves[1]))
    write_csv(positions, folder / POSITIONS)
    write_csv(tracks, folder / TRACKS)
    write_display_tracks([tracks], grids, folder / DISPLAYED)
    write_tiffs(grids, folder)
    seconds = time.perf_counter() - started
    return scored(source, MapResult(name, positions, tracks, grids, seconds=seconds), halves)


def _localize(source: Source, name: str, folder: Path) -> Blocks:
    """Find the bubbles in the frames that no earlier call has finished."""
    settings, key = source.settings, source.key[:12]
    blocks = Blocks(folder / f"frames-{key}", source.recording.frames)
    for other in folder.glob("frames-*"):
        if other != blocks.folder:  # of other settings
            rmtree(other)
    if blocks.missing:
        echo = source.echo(name)
        _write_echo(source, echo, folder / ECHO)
        with run_workers(
            len(blocks.missing), settings.executor, settings.workers, settings.address
        ):
            blocks.fill(partial(prepared, replace(source), name, echo), name)
    return blocks


def _above(positions: pd.DataFrame, threshold: float | None) -> pd.DataFrame:
    if threshold is None:
        return positions
    confidence = positions["probability"].fillna(positions["height"])
    return positions[confidence > threshold]


def _follow(
    source: Source, positions: list[pd.DataFrame]
) -> tuple[pd.DataFrame, tuple[FlowMap, FlowMap]]:
    """Return the tracks, and the maps of the even and the odd ones."""
    settings, wavelength_m = source.settings, source.wavelength_m
    region, pixel_m = source.region, source.pixel_m
    halves = FlowMap.empty(region, pixel_m), FlowMap.empty(region, pixel_m)
    rate_hz = source.frame_rate_hz
    tracks = []
    for ended in track_bubbles(positions, settings.of_tracks(), rate_hz, wavelength_m):
        for half, flow_map in enumerate(halves):
            flow_map.draw(ended[ended["track"] % 2 == half])
        tracks.append(ended)
    table = pd.concat(tracks, ignore_index=True) if tracks else pd.DataFrame(columns=TRACK_COLUMNS)
    return table, halves


def _grids(flow: FlowMap) -> Grids:
    half_m = flow.pixel_m / 2
    ends_m = [
        end
        for axis in (flow.grid.lateral_m, flow.grid.depth_m)
        for end in (axis[0] - half_m, axis[-1] + half_m)
    ]
    left, right, top, bottom = (1e3 * float(end) for end in ends_m)
    return Grids(flow.density, flow.speed_mm_s, flow.direction_rad, (left, right, top, bottom))


def _write_echo(source: Source, echo: Echo, path: Path) -> None:
    """Write the mean echo of a bubble: ``time_us`` from its arrival on, ``volts``."""
    time_us = source.scale.time_us(np.arange(len(echo.volts)))
    write_csv(pd.DataFrame({"time_us": time_us, "volts": echo.volts}), path)
