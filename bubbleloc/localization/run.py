"""Localize the bubbles in a file of RF lines, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import resample_poly
from tqdm import tqdm

from bubbleloc import __version__
from bubbleloc.errors import InputError
from bubbleloc.localization.lines import RFLines, open_lines
from bubbleloc.localization.model import Model, open_model
from bubbleloc.localization.output import bubble_file, check_output
from bubbleloc.metrics.detections import Detections, pick_peaks
from bubbleloc.nn.inference import apply
from bubbleloc.physics.scale import Scale
from bubbleloc.report.figures.line import detected_line
from bubbleloc.report.figures.style import save_picture

Floats = NDArray[np.float32]

_FARTHEST_RATE = 50
"""Ratio of sampling rates beyond which one of them must be a mistake, such as MHz for Hz."""


@dataclass(frozen=True)
class Localized:
    """What was found, and where it is written."""

    lines: int
    bubbles: int
    samples: int
    sampling_rate_hz: float
    rate_is_assumed: bool
    threshold: float
    output: Path
    picture: Path | None


@dataclass(frozen=True)
class _Task:
    """A network with everything that turns lines of one file into rows."""

    model: Model
    path: Path
    rate: Fraction  # samples of the network per sample of the file
    threshold: float
    scale: Scale  # of the file

    def rows(self, line: int, found: Detections) -> pd.DataFrame:
        """Detections in samples of the network as rows of the output."""
        sample = found.sample / float(self.rate)
        return pd.DataFrame(
            {
                "line": line,
                "sample": sample,
                "time_us": self.scale.time_us(sample),
                "depth_mm": self.scale.depth_mm(sample),
                "confidence": found.confidence,
            }
        )


def localize_file(
    run: str,
    input: str | Path,
    output: str | Path,
    *,
    checkpoint: str = "best",
    key: str | None = None,
    transpose: bool = False,
    sampling_rate_hz: float | None = None,
    resample: bool = False,
    speed_of_sound_m_s: float | None = None,
    threshold: float | None = None,
    tolerance: int = 4,
    picture: int | None = None,
    batch_size: int = 16,
) -> Localized:
    """Write the bubbles in a file of RF lines to a CSV or HDF5 file.

    A row per detection: line, sample (counted from 0 at the rate of the input, between samples),
    time_us, depth_mm of a bubble on the axis, confidence (the network's output at the peak).

    Args:
        run: run directory, or ``bubbleloc:small``.
        input: RF lines, see `lines.open_lines` for formats, `key` and `transpose`.
        output: file that ends with ``.csv`` or ``.h5``.
        sampling_rate_hz: of the input, if it does not say or says wrongly; one that nobody
            says is taken as the network's.
        resample: whether to bring lines of another rate to that of the network.
        speed_of_sound_m_s: for depths; that of the input, else that of the training data.
        threshold: on confidence; the best one of the run's report at `tolerance` if None.
        picture: number of a line to draw, with what was found, to a PNG file beside the output.

    Raises:
        InputError: files or settings that do not fit, NaN or infinite values.
    """
    source, target = Path(input), Path(output)
    check_output(target)
    if target.resolve() == source.resolve():
        raise InputError(f"output={target} would overwrite the input: choose another name")
    model = open_model(run, checkpoint)
    level = model.threshold(tolerance) if threshold is None else float(threshold)
    with open_lines(source, key, transpose) as lines:
        rate_hz = sampling_rate_hz or lines.sampling_rate_hz or model.scale.sampling_rate_hz
        speed = speed_of_sound_m_s or lines.speed_of_sound_m_s or model.scale.speed_of_sound_m_s
        scale = Scale(float(rate_hz), float(speed), model.scale.frequency_hz)
        rate = _rate(source, scale, model, resample)
        task = _Task(model, source, rate, level, scale)
        _check_length(task, lines)
        facts = {
            "model": run,
            "threshold": level,
            "sampling_rate_hz": rate_hz,
            "speed_of_sound_m_s": speed,
            "software": f"bubbleloc {__version__}",
        }
        n_lines = n_bubbles = 0
        drawn = None
        with bubble_file(target, facts) as table:
            for line, rf, prediction, found in _found(task, lines, batch_size):
                table.append(task.rows(line, found))
                n_lines, n_bubbles = line + 1, n_bubbles + len(found)
                if line == picture:
                    drawn = _draw(task, target, line, rf, prediction, found)
            if picture is not None and drawn is None:
                raise InputError(f"picture={picture}: {source} has lines 0 to {n_lines - 1}")
    return Localized(
        lines=n_lines,
        bubbles=n_bubbles,
        samples=lines.samples,
        sampling_rate_hz=float(rate_hz),
        rate_is_assumed=not (sampling_rate_hz or lines.sampling_rate_hz),
        threshold=level,
        output=target,
        picture=drawn,
    )


def _found(
    task: _Task, lines: RFLines, batch_size: int
) -> Iterator[tuple[int, Floats, Floats, Detections]]:
    """Number, RF line, output and detections of every line, at the rate of the network."""
    line = 0
    with tqdm(total=lines.lines, desc=f"localize {task.path}", unit="line") as bar:
        for block in lines.blocks(batch_size):
            _check_finite(task.path, line, block)
            if task.rate != 1:
                up, down = task.rate.numerator, task.rate.denominator
                block = resample_poly(block, up, down, axis=1).astype(np.float32)
            for rf, prediction in zip(block, apply(task.model.network, block), strict=True):
                yield line, rf, prediction, pick_peaks(prediction, task.threshold)
                line += 1
            bar.update(len(block))


def _rate(path: Path, scale: Scale, model: Model, resample: bool) -> Fraction:
    """Samples of the network per sample of the file."""
    own, wanted = scale.sampling_rate_hz, model.scale.sampling_rate_hz
    if not wanted / _FARTHEST_RATE < own < wanted * _FARTHEST_RATE:  # NaN too
        raise InputError(
            f"sampling_rate_hz={own:g} of {path}: give the rate in Hz, one near {wanted:g}"
        )
    if np.isclose(own, wanted, rtol=1e-6):
        return Fraction(1)
    if not resample:
        raise InputError(
            f"{path} is sampled at {own / 1e6:g} MHz, the network wants {wanted / 1e6:g} MHz: "
            "resample=true converts it, sampling_rate_hz= corrects what the file says"
        )
    return Fraction(wanted / own).limit_denominator(1000)  # off by a 100th of a sample per line


def _check_length(task: _Task, lines: RFLines) -> None:
    needed = task.model.network.receptive_field // 2 + 1
    if lines.samples * task.rate < needed:
        count = "" if lines.lines is None else f"{lines.lines} "
        raise InputError(
            f"{task.path} holds {count}lines of {lines.samples} samples, shorter than the {needed} "
            "that the network needs: if lines are columns, add transpose=true"
        )


def _check_finite(path: Path, first: int, block: Floats) -> None:
    bad = ~np.isfinite(block)
    if bad.any():
        line, sample = np.argwhere(bad)[0]
        raise InputError(
            f"{path}: line {first + line} is NaN or infinite at sample {sample}; repair it"
        )


def _draw(
    task: _Task, target: Path, line: int, rf: Floats, prediction: Floats, found: Detections
) -> Path:
    """Draw a line at the rate of the network beside the output."""
    model = task.model.scale
    scale = Scale(model.sampling_rate_hz, task.scale.speed_of_sound_m_s, model.frequency_hz)
    title = f"{task.path.name}, line {line}: {len(found)} bubbles"
    figure = detected_line(title, rf, prediction, found, task.threshold, scale)
    return save_picture(figure, target.with_name(f"{target.stem}_line_{line}.png"))
