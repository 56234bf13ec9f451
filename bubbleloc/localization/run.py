"""Localize the bubbles in RF lines of an array or a file."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bubbleloc import __version__
from bubbleloc.console.arguments import python_values
from bubbleloc.console.settings import Localize, check
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.errors import InputError
from bubbleloc.files import check_replaceable
from bubbleloc.formats import Hints, Recording, read, recording_of_array
from bubbleloc.formats.plain import OBJECTS
from bubbleloc.localization.doubts import doubts
from bubbleloc.localization.finder import BubbleFinder
from bubbleloc.localization.output import (
    check_table,
    key_of,
    resumed,
    write_bubbles,
)
from bubbleloc.localization.summary import Counts, Summary, drawn_line, folder_of_page
from bubbleloc.metrics.detections import COLUMNS
from bubbleloc.models.runs import Run, open_run
from bubbleloc.report.figures.line import detected_line
from bubbleloc.report.figures.style import save_picture
from bubbleloc.units import Scale

RATE_HZ = 62.5e6  # of an array, if nobody tells another
OF_FILES = {"run", "input", "output", "picture", "report"}  # settings that only the command has

LINE_COLUMNS = [
    *("line", "sample", "sample_sigma", "depth_mm"),
    *("probability", "radius_um", "height"),
]
FRAME_COLUMNS = ["frame", "element", *LINE_COLUMNS[1:]]


@dataclass(frozen=True)
class Localized:
    """The result of `localize_file`: detections in a recording, and the files about them.

    Attributes:
        recording: the recording that was read.
        bubbles: the number of detections in it.
        scale: what a sample of its lines is worth.
        threshold: the least confidence of a detection; None where all are kept.
        doubts: why the network may not fit it, see `bubbleloc.localization.doubts`.
        output: the file with the detections.
        picture: the file with the picture of a line, if it was asked for.
        page: the page on the recording, if it was asked for.
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
    volts: ArrayLike | str | Path,
    sampling_rate_hz: float | None = None,
    model: str | Path = "robust",
    *,
    axes: str | Sequence[str] | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Find the bubbles in RF lines as ``bubbleloc localize`` does.

    Args:
        volts: one line (L,), several (n, L), or an array of which `axes` names the axes, in volts
            or any other unit; or the path of a recording (docs/recordings.md).
        sampling_rate_hz: of the lines; if None, 62.5 MHz for an array, and what a file says.
        model: a run directory, or a network of the package: ``"robust"`` or ``"robust-small"`` for
            recordings with noise, ``"small"`` or ``"large"`` for clean lines of equal bubbles.
        axes: the axes of an array of frames, elements and samples by their first letters, in the
            order of the array: ``"fes"``, ``"fse"``, ``"sf"``.
        settings: any other setting of the command that is about lines or detections
            (docs/settings.md): ``start_s``, ``receive_delay_s``, ``speed_of_sound_m_s``,
            ``band_mhz=(0.8, 5)``, ``region_mm``, ``threshold``, ``tolerance``, ``resample``, ….

    Returns:
        A row per bubble, sorted by line and sample: ``line``; ``sample``, the echo's arrival
        counted from time 0, between samples, at the rate of `volts`; ``sample_sigma``, its standard
        deviation; ``depth_mm`` below the element; ``probability`` that there is a bubble;
        ``radius_um``; and ``height`` of the output's peak. A head of emitters leaves the height
        NaN, a head of counts σ, probability and radius. With `axes`, and of a path,
        ``frame`` and ``element`` take the place of ``line``.

    Warns where lines look unlike those that the network was trained on.

    Raises:
        InputError: lines that do not fit the network, NaN or infinite values, no such model or
            file, or a setting that makes no sense.
    """
    if of_files := sorted(settings.keys() & OF_FILES):
        raise InputError(f"{of_files[0]}: a setting of the command alone; leave it out")
    lines = {"run": model, "sampling_rate_hz": sampling_rate_hz, "axes": axes, **settings}
    is_path = isinstance(volts, str | Path)
    asked = check(Localize, python_values({"input": volts if is_path else "volts", **lines}))
    whole = read(asked.input, **asked.hints()) if is_path else _in_memory(volts, asked)
    finder, _, recording = _ready(whole, open_run(asked.run, asked.checkpoint), asked)
    for doubt in doubts(recording, finder.run.card, finder.network_samples):
        warnings.warn(doubt, stacklevel=2)
    tables = finder.tables(recording, asked.batch_size, address=asked.address)
    table = pd.concat(tables, ignore_index=True)
    by_frame = _by_frame(table, recording)
    is_plain = not is_path and axes is None and whole.frames == 1
    return table[LINE_COLUMNS] if is_plain else by_frame[FRAME_COLUMNS]


def _in_memory(volts: Any, settings: Localize) -> Recording:
    """Return the lines of an array."""
    array, hints = _checked(volts), settings.hints()
    if array.ndim == 3 and settings.axes is None and not settings.transpose:
        raise InputError(
            f"volts is an array of shape {array.shape}: name its axes, such as axes='fes' (frames, "
            "elements, samples)"
        )
    if settings.sampling_rate_hz is None:
        hints["sampling_rate_hz"] = RATE_HZ
    return recording_of_array("volts", array, Hints(**hints))


def _checked(volts: Any) -> NDArray[Any]:
    """Return lines as an array; refuse masked values, which a network would take as they are."""
    try:
        array: NDArray[Any] = np.ma.asarray(volts)
    except ValueError as error:
        raise InputError(f"volts {OBJECTS}") from error
    if np.ma.is_masked(array):
        index = tuple(np.argwhere(np.ma.getmaskarray(array))[0].tolist())
        raise InputError(
            f"volts is masked at {index}: fill the gaps, or leave out the lines that have one"
        )
    return np.asarray(array)


def _ready(
    whole: Recording, run: Run, settings: Localize
) -> tuple[BubbleFinder, Recording, Recording]:
    """Return a network for a recording, the recording calibrated, and what is kept of it."""
    if (settings.executor == "dask") != (settings.address is not None):
        raise InputError(
            "a cluster needs both: executor=dask and address=tcp://<host>:<port>, or the "
            "scheduler file"
        )
    finder = BubbleFinder.for_recording(
        whole,
        run,
        threshold=settings.threshold,
        tolerance=run.card.scale.tolerance_samples(settings.tolerance),
        resample=settings.resample,
        precision=settings.precision,
    )
    if settings.calibrate is not None:
        setup = DatasetPlan(run.config.data).setup()
        whole = finder.calibrated(whole, setup, settings.calibrate)
    recording = _kept(whole, finder.scale, settings)
    finder.check_length(recording)
    return finder, whole, recording


def localize_file(settings: Localize) -> Localized:
    """Write the bubbles in a recording to a file with the columns `output.FILE_COLUMNS`.

    Samples and times count from time 0. After an interruption, the same call goes on.

    Raises:
        InputError: files or settings that do not fit, NaN, infinite or unphysical values.
    """
    source, target, number = Path(settings.input), Path(settings.output), settings.picture
    check_table(target, source)
    if settings.report:
        check_replaceable(folder_of_page(target))
    run = open_run(settings.run, settings.checkpoint)
    whole = read(source, **settings.hints())
    if (number or 0) >= whole.lines:
        where = "" if settings.frames is None else ", counted from the first of frames="
        raise InputError(f"picture={number}: {source} has lines 0 to {whole.lines - 1}{where}")
    finder, whole, recording = _ready(whole, run, settings)
    doubted = doubts(recording, run.card, finder.network_samples)
    tables_from = partial(
        finder.tables, recording, settings.batch_size, progress=True, address=settings.address
    )
    with resumed(target, key_of(source, run.card, settings), tables_from) as tables:
        counts = _write(tables, finder, recording, target, model=settings.run)
        picture = None if number is None else _draw(finder, recording, number, target)
        summary = Summary(whole, recording, finder, run, counts, doubted)
        page = summary.write(target, number) if settings.report else None
    scale, threshold = finder.scale, finder.threshold
    return Localized(recording, counts.bubbles, scale, threshold, doubted, target, picture, page)


def _kept(recording: Recording, scale: Scale, settings: Localize) -> Recording:
    """Return the recording with a band and a range of depths only."""
    if settings.band_mhz is not None:
        recording = recording.in_band(*(1e6 * end for end in settings.band_mhz))
    if settings.region_mm is not None:
        times_s = (2e-3 * depth_mm / scale.speed_of_sound_m_s for depth_mm in settings.region_mm)
        recording = recording.between(*times_s)
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
            frame, element = np.divmod(table["line"].to_numpy(), recording.elements)
            columns = {name: table[name].to_numpy() for name in COLUMNS}
            counts.add(frame, element, columns["depth_mm"])
            whole = {"frame": recording.first_frame + frame, "element": element}
            yield pd.DataFrame(whole | columns, copy=False)

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


def _by_frame(table: pd.DataFrame, recording: Recording) -> pd.DataFrame:
    """Return a table with the frame in the file and the element of every line."""
    frame, element = np.divmod(table["line"], recording.elements)
    return table.assign(frame=recording.first_frame + frame, element=element)


def _draw(finder: BubbleFinder, recording: Recording, number: int, target: Path) -> Path:
    """Draw a line and its bubbles, at the rate of the network, beside the output."""
    line = drawn_line(finder, recording, number, f"{Path(recording.source).name}, line {number}")
    figure = detected_line(line, finder.scale)
    return save_picture(figure, target.with_name(f"{target.stem}_line_{number}.png"))
