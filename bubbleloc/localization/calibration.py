"""How late a receiver makes its echoes: found from a wire at a known depth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.signal import hilbert

from bubbleloc.arrays import Floats, Ints
from bubbleloc.data.plan import plan_of
from bubbleloc.errors import InputError
from bubbleloc.formats import Recording
from bubbleloc.formats.conditioning import resample as resampled
from bubbleloc.localization.finder import BubbleFinder
from bubbleloc.models.runs import TrainedNetwork, read_config
from bubbleloc.physics import compress

MOST_FRAMES = 64  # that are averaged
REACH_MM = 3.0  # on either side of the wire's depth
LEAST_HEIGHT = 5.0  # of an echo over the median of the line
LOUD = 0.5  # of the loudest element's echo: elements above it are compared


def calibrated(
    recording: Recording, trained: TrainedNetwork, wire_mm: float | None, resample: bool
) -> Recording:
    """Return the recording with the delay of its receiver taken off, as a wire's echo tells it.

    The lines of each element are averaged over frames and correlated with the pulse that the
    network was trained on, as received. The peak of the envelope is where the echo begins, in
    either polarity. The earliest of the loud elements is the one above the wire.

    Args:
        wire_mm: depth of the wire, below the face of the transducer; None changes nothing.
        resample: whether to convert lines of another rate than the network's.

    Raises:
        InputError: no echo near this depth.
    """
    if wire_mm is None:
        return recording
    finder = BubbleFinder.for_recording(recording, trained, threshold=0, resample=resample)
    scale = finder.network_scale
    setup = plan_of(read_config(Path(trained.name))["data"]).setup()
    setup = replace(setup, sampling_rate_hz=scale.sampling_rate_hz)
    begin = recording.start_s * scale.sampling_rate_hz
    expected = wire_mm / float(scale.depth_mm(1))
    reach = REACH_MM / float(scale.depth_mm(1))
    lines = np.zeros((recording.elements, recording.samples), np.float32)
    for frame in range(frames := min(recording.frames, MOST_FRAMES)):
        lines += recording.volts[frame] / frames
    lines = resampled(lines - lines.mean(axis=1, keepdims=True), finder.network_samples)
    envelope = np.abs(hilbert(compress(lines, setup), axis=1))
    first = max(int(expected - reach - begin), 0)
    near = envelope[:, first : max(int(expected + reach - begin), 0)]
    height = near.max(axis=1, initial=0.0)
    if not (height > LEAST_HEIGHT * np.median(envelope, axis=1)).any():
        raise InputError(
            f"{recording.source}: no echo stands out within {REACH_MM:g} mm of calibrate="
            f"{wire_mm:g} mm; give the depth of the wire, in mm"
        )
    loud = height >= LOUD * height.max()
    arrival = begin + _between_samples(envelope[loud], first + near[loud].argmax(axis=1)).min()
    late_s = float(arrival - expected) / scale.sampling_rate_hz
    changed = recording.later_by(late_s, f"wire at {wire_mm:g} mm")
    return changed.noting(
        f"the echo of the wire at {wire_mm:g} mm came {1e6 * late_s:.3f} µs late, which is taken "
        f"off; for other recordings of this system give "
        f"receive_delay_s={changed.receive_delay_s:.4g}"
    )


def _between_samples(envelopes: Floats, top: Ints) -> Floats:
    """Return where envelopes (n, L) peak near their samples `top` (n,), by a parabola."""
    top = np.clip(top, 1, envelopes.shape[1] - 2)
    rows = np.arange(len(envelopes))
    before, at, after = (envelopes[rows, top + step] for step in (-1, 0, 1))
    return np.asarray(top + 0.5 * (before - after) / (before - 2 * at + after))
