"""Localize the bubbles in RF lines of an array or a file."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from bubbleloc.localization.choice import AUTO, USUAL, Choice, choose
from bubbleloc.localization.doubts import compared, doubts
from bubbleloc.localization.finder import BubbleFinder
from bubbleloc.localization.output import (
    check_table,
    key_of,
    resumed,
    write_bubbles,
)
from bubbleloc.localization.summary import Counts, Summary, drawn_line, folder_of_page
from bubbleloc.metrics.detections import COLUMNS
from bubbleloc.models.runs import open_run
from bubbleloc.physics import Setup
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
        why: which network was chosen and why, and how it knows the pulse; None if neither holds.
    """

    recording: Recording
    bubbles: int
    scale: Scale
    threshold: float | None
    doubts: list[str]
    output: Path
    picture: Path | None
    page: Path | None
    why: str | None = None


def localize_lines(
    volts: ArrayLike | str | Path,
    sampling_rate_hz: float | None = None,
    model: str | Path = "robust",
    *,
    axes: str | Sequence[str] | None = None,
    setup: Setup | None = None,
    radius_m: float | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Find the bubbles in RF lines as ``bubbleloc localize`` does, and warn where it does.

    Args:
        volts: one line (L,), several (n, L), or an array of which `axes` names the axes, in volts
            or any other unit; or the path of a recording (docs/recordings.md).
        sampling_rate_hz: of the lines; if None, 62.5 MHz for an array, and what a file says.
        model: a run directory, or a network of the package: ``"robust"``, ``"universal"``, which is
            told the pulse, ``"auto"`` for the one of both that fits, … (docs/which_network.md).
        axes: the axes of an array of frames, elements and samples by their first letters, in the
            order of the array: ``"fes"``, ``"fse"``, ``"sf"``.
        setup: of the lines, for ``"universal"``; None is blind, unless file or `settings` tell it.
        radius_m: the mean radius of the bubbles, likewise.
        settings: any other setting of the command that is about lines or detections
            (docs/settings.md): ``start_s``, ``receive_delay_s``, ``speed_of_sound_m_s``,
            ``band_mhz=(0.8, 5)``, ``region_mm``, ``threshold``, ``tolerance``, ``resample``, ….

    Returns:
        A row per bubble, sorted by line and sample: ``line``; ``sample``, the echo's arrival
        counted from time 0, at the rate of `volts`; ``sample_sigma``, its standard deviation;
        ``depth_mm`` below the element; ``probability``; ``radius_um``; ``height`` of the output's
        peak. A head of emitters leaves the height NaN, a head of counts σ, probability and radius.
        With `axes`, and of a path, ``frame`` and ``element`` take the place of ``line``.

    Raises:
        InputError: lines that do not fit, no such model or file, or a senseless setting.
    """
    if of_files := sorted(settings.keys() & OF_FILES):
        raise InputError(f"{of_files[0]}: a setting of the command alone; leave it out")
    if radius_m is not None:
        settings["radius_um"] = 1e6 * radius_m
    lines = {"run": model, "sampling_rate_hz": sampling_rate_hz, "axes": axes, **settings}
    is_path = isinstance(volts, str | Path)
    asked = check(Localize, python_values({"input": volts if is_path else "volts", **lines}))
    whole = read(asked.input, **asked.hints()) if is_path else _in_memory(volts, asked)
    ready = _ready(whole, asked, setup)
    for doubt in ready.doubts:
        warnings.warn(doubt, stacklevel=2)
    table = _by_frame(ready, asked)
    is_plain = not is_path and axes is None and whole.frames == 1
    return table[LINE_COLUMNS if is_plain else FRAME_COLUMNS]


def _by_frame(ready: _Ready, settings: Localize) -> pd.DataFrame:
    """Return all detections, with their line, and the frame in the file and element of it."""
    recording = ready.recording
    tables = ready.finder.tables(recording, settings.batch_size, address=settings.address)
    table = pd.concat(tables, ignore_index=True)
    frame, element = np.divmod(table["line"], recording.elements)
    return table.assign(frame=recording.first_frame + frame, element=element)


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


@dataclass(frozen=True, eq=False)
class _Ready:
    """What localizes a recording.

    Attributes:
        finder: the network.
        whole: the recording, calibrated.
        recording: what is kept of it.
        doubts: why the network may not fit it, see `bubbleloc.localization.doubts`.
        why: which network was chosen and why; None if there was no choice.
    """

    finder: BubbleFinder
    whole: Recording
    recording: Recording
    doubts: list[str]
    why: str | None


def _ready(whole: Recording, settings: Localize, setup: Setup | None = None) -> _Ready:
    """Choose a network for a recording and make it ready.

    Args:
        setup: what the user tells of the pulse, in place of settings.
    """
    if (settings.executor == "dask") != (settings.address is not None):
        raise InputError(
            "a cluster needs both: executor=dask and address=tcp://<host>:<port>, or the "
            "scheduler file"
        )
    if setup is not None and whole.speed_of_sound_m_s is None:
        whole = replace(whole, speed_of_sound_m_s=setup.medium.speed_of_sound_m_s)
    named = open_run(USUAL if settings.run == AUTO else settings.run, settings.checkpoint)
    kept = _kept(whole, whole.scale(named.card.scale), settings)
    choice = choose(kept, named, settings, setup)
    run, pulse = choice.run, choice.pulse
    finder = BubbleFinder.for_recording(
        whole,
        run,
        told=None if pulse is None else pulse.told,
        threshold=settings.threshold,
        tolerance=run.card.scale.tolerance_samples(settings.tolerance),
        resample=settings.resample or choice.why is not None,
        precision=settings.precision,
    )
    if settings.calibrate is not None:
        whole = finder.calibrated(whole, _sent(choice), settings.calibrate)
    recording = _kept(whole, finder.scale, settings)
    finder.check_length(recording)
    comparison = choice.comparison or compared(recording, run.card, finder.ready)
    doubted = doubts(recording, comparison, pulse, settings)
    return _Ready(finder, whole, recording, doubted, choice.why)


def _sent(choice: Choice) -> Setup:
    """Return the physics of the lines of a training, or of the pulse that is told.

    Raises:
        InputError: it is unknown.
    """
    if choice.pulse is None:
        return DatasetPlan(choice.run.config.data).setup()
    if choice.pulse.setup is None:
        raise InputError("calibrate= needs to know the pulse: give transducer= and waveform=")
    return choice.pulse.setup


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
    whole = read(source, **settings.hints())
    if (number or 0) >= whole.lines:
        where = "" if settings.frames is None else ", counted from the first of frames="
        raise InputError(f"picture={number}: {source} has lines 0 to {whole.lines - 1}{where}")
    ready = _ready(whole, settings)
    finder, recording = ready.finder, ready.recording
    key = key_of(source, finder.run.card, settings, finder.told)
    tables_from = partial(
        finder.tables, recording, settings.batch_size, progress=True, address=settings.address
    )
    with resumed(target, key, tables_from) as tables:
        counts = _write(tables, finder, recording, target)
        picture = None if number is None else _draw(finder, recording, number, target)
        summary = Summary(ready.whole, recording, finder, counts, ready.doubts)
        page = summary.write(target, number) if settings.report else None
    return Localized(
        recording,
        counts.bubbles,
        finder.scale,
        finder.threshold,
        ready.doubts,
        target,
        picture,
        page,
        ready.why,
    )


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
        "model": finder.run.name,
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
    line = drawn_line(finder, recording, number, f"{Path(recording.source).name}, line {number}")
    figure = detected_line(line, finder.scale)
    return save_picture(figure, target.with_name(f"{target.stem}_line_{number}.png"))
