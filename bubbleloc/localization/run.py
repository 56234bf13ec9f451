"""Localize the bubbles in RF lines of an array or a file."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bubbleloc import __version__
from bubbleloc.errors import InputError, printable
from bubbleloc.formats import Hints, Recording, read, recording_of_array
from bubbleloc.localization.calibration import calibrated
from bubbleloc.localization.doubts import doubts
from bubbleloc.localization.finder import BubbleFinder
from bubbleloc.localization.output import FILE_COLUMNS, check_table, write_bubbles
from bubbleloc.localization.resuming import resumed
from bubbleloc.localization.summary import Counts, Summary
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.models.runs import RELEASED_PREFIX, open_run
from bubbleloc.nn.released import RELEASED
from bubbleloc.report.figures.line import detected_line
from bubbleloc.report.figures.style import save_picture
from bubbleloc.units import Scale

LINE_COLUMNS = [
    *("line", "sample", "sample_sigma", "depth_mm"),
    *("probability", "radius_um", "height"),
]


@dataclass(frozen=True)
class Localized:
    """What was found, and where it is written.

    Attributes:
        recording: that was read.
        scale: of its lines.
        doubts: why the network may not fit it, see `bubbleloc.localization.doubts`.
    """

    recording: Recording
    bubbles: int
    scale: Scale
    threshold: float | None
    doubts: list[str]
    output: Path
    picture: Path | None
    page: Path | None


def localize_lines(
    volts: ArrayLike,
    sampling_rate_hz: float = 62.5e6,
    model: str | Path = "robust",
    *,
    threshold: float | None = None,
    tolerance: int = QUOTED_TOLERANCE,
    speed_of_sound_m_s: float | None = None,
    resample: bool = False,
    batch_size: int = 16,
) -> pd.DataFrame:
    """Find the bubbles in RF lines.

    Args:
        volts: one line (L,) or several (n, L), in volts or any other unit: the networks of the
            package scale every line to unit RMS.
        model: a run directory, or a network of the package: ``"robust"`` or ``"robust-small"`` for
            recordings with noise, ``"small"`` or ``"large"`` for clean lines of equal bubbles.
        threshold: the least probability; of networks that count, the least height, by default the
            best one at `tolerance`.
        tolerance: in samples, see `threshold`.
        speed_of_sound_m_s: for depths; that of the network's training data if None.
        resample: whether to convert lines of another sampling rate to that of the network.
        batch_size: lines in the network at a time.

    Returns:
        A row per bubble, sorted by line and sample: ``line``; ``sample``, the echo's arrival
        counted from 0, between samples, at the rate of `volts`; ``depth_mm`` of a bubble on the
        axis; ``sample_sigma``, the standard deviation of `sample`; ``probability`` that there is a
        bubble; ``radius_um``, its radius; and ``height`` of the output's peak. A head of counts
        tells only the height, a head of emitters all but the height; the others are NaN.

    Warns where lines look unlike those that the network was trained on.

    Raises:
        InputError: lines that do not fit the network, NaN or infinite values, no such model.
    """
    facts = Hints(sampling_rate_hz=sampling_rate_hz, speed_of_sound_m_s=speed_of_sound_m_s)
    recording = recording_of_array("volts", np.asarray(volts), facts)
    if recording.frames > 1:
        raise InputError(
            f"volts is an array of shape {np.shape(volts)}: give lines, one (L,) or several (n, L)"
        )
    trained = open_run(f"{RELEASED_PREFIX}{model}" if model in RELEASED else model)
    finder = BubbleFinder.for_recording(
        recording, trained, threshold=threshold, tolerance=tolerance, resample=resample
    )
    for doubt in doubts(recording, finder, trained.card):
        warnings.warn(doubt, stacklevel=2)
    return pd.concat(finder.tables(recording, batch_size), ignore_index=True)[LINE_COLUMNS]


def localize_file(
    run: str,
    input: str | Path,
    output: str | Path,
    *,
    checkpoint: str = "best",
    picture: int | None = None,
    batch_size: int = 16,
    threshold: float | None = None,
    tolerance: int = QUOTED_TOLERANCE,
    resample: bool = False,
    band_mhz: tuple[float, float] | None = None,
    region_mm: tuple[float, float] | None = None,
    calibrate: float | None = None,
    report: bool = False,
    **hints: Any,
) -> Localized:
    """Write the bubbles in a recording to a file with the columns `output.FILE_COLUMNS`.

    Samples and times count from time 0. After an interruption, the same call goes on.

    Args:
        input, hints: recording, see `bubbleloc.formats.read`.
        output: file that ends with ``.csv``, ``.parquet`` or ``.h5``.
        picture: number of a line to draw with its bubbles, beside the output.
        band_mhz, region_mm: frequencies and depths to keep.
        calibrate: depth in mm of a wire, see `bubbleloc.localization.calibration`.
        report: whether to write a page beside the output, see `bubbleloc.localization.summary`.

    Raises:
        InputError: files or settings that do not fit, NaN, infinite or unphysical values.
    """
    check_table(target := Path(output), Path(input))
    trained = open_run(run, checkpoint)
    whole = calibrated(read(input, **hints), trained, calibrate, resample)
    if (picture or 0) >= whole.lines:
        raise InputError(f"picture={picture}: {input} has lines 0 to {whole.lines - 1}")
    recording = _kept(whole, whole.scale(trained.card.scale), band_mhz, region_mm)
    finder = BubbleFinder.for_recording(
        recording, trained, threshold=threshold, tolerance=tolerance, resample=resample
    )
    found = doubts(recording, finder, trained.card)
    made_with = (trained.card, hints, calibrate, band_mhz, region_mm)
    with resumed(target, finder, recording, batch_size, made_with) as tables:
        counts = _write(tables, finder, recording, target, model=run)
        drawn = None if picture is None else _draw(finder, recording, picture, target)
        summary = Summary(whole, recording, finder, trained, counts, found)
        page = summary.write(target, picture) if report else None
    scale, level = finder.scale, finder.threshold
    return Localized(recording, counts.bubbles, scale, level, found, target, drawn, page)


def _kept(
    recording: Recording,
    scale: Scale,
    band_mhz: tuple[float, float] | None,
    region_mm: tuple[float, float] | None,
) -> Recording:
    """Return the recording with a band and a range of depths only."""
    if band_mhz is not None:
        recording = recording.in_band(*(1e6 * end for end in band_mhz))
    if region_mm is not None:
        recording = recording.between(*(2e-3 * z / scale.speed_of_sound_m_s for z in region_mm))
    return recording


def _write(
    tables: Iterable[pd.DataFrame],
    finder: BubbleFinder,
    recording: Recording,
    target: Path,
    model: str,
) -> Counts:
    """Write the bubbles of all lines; return their numbers."""
    counts = Counts.of(recording, finder.scale)

    def placed() -> Iterator[pd.DataFrame]:
        for table in tables:
            frame, element = np.divmod(table["line"], recording.elements)
            table = table.assign(frame=frame, element=element)[FILE_COLUMNS]
            counts.add(table)
            yield table.assign(frame=frame + recording.first_frame)

    facts = {
        "model": model,
        **({} if finder.threshold is None else {"threshold": finder.threshold}),
        "sampling_rate_hz": finder.scale.sampling_rate_hz,
        "speed_of_sound_m_s": finder.scale.speed_of_sound_m_s,
        "start_s": recording.start_s,
        "software": f"bubbleloc {__version__}",
    }
    write_bubbles(target, placed(), facts)
    return counts


def _draw(finder: BubbleFinder, recording: Recording, number: int, target: Path) -> Path:
    """Draw a line and its bubbles, at the rate of the network, beside the output."""
    ((rf, output, found),) = finder.detections(recording.volts.lines(number, number + 1))
    title = printable(f"{Path(recording.source).name}, line {number}: {len(found)} detections")
    figure = detected_line(title, rf, output, found, finder.threshold, finder.network_scale)
    return save_picture(figure, target.with_name(f"{target.stem}_line_{number}.png"))
