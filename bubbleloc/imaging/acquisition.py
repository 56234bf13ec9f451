"""RF lines of an array after one plane wave, sent straight down: simulated or from a file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import hilbert

from bubbleloc.arrays import Float32s
from bubbleloc.console.settings.using import Image, OwnRecording
from bubbleloc.errors import InputError
from bubbleloc.files import check_bytes
from bubbleloc.formats import read, recording_of_array
from bubbleloc.imaging.beamforming import ArrayLines
from bubbleloc.metrics.detections import Detections
from bubbleloc.models.answers import answer
from bubbleloc.nn import Localizer
from bubbleloc.physics import P4_1, Scene, Setup, draw_scene, simulate_rf
from bubbleloc.physics.pulse import warn_of
from bubbleloc.physics.scene import RadiusDistribution
from bubbleloc.units import Scale

MOST_ELEMENTS = 4096


def analytic(lines: ArrayLines, delay_samples: float) -> ArrayLines:
    """Analytic RF lines: the magnitude of their delay-and-sum is the image's envelope.

    `delay_samples` is from the arrival of an echo to its peak.
    """
    signal = hilbert(lines.signal, axis=1).astype(np.complex64)
    return replace(lines, signal=signal, delay_samples=lines.delay_samples + delay_samples)


def localized(lines: ArrayLines, network: Localizer, batch_size: int) -> ArrayLines:
    """Lines with the probability of each bubble that a network finds, at its arrival.

    A probability is shared between the two samples around the arrival. Of a network without
    probabilities, its outputs, negative values set to zero.

    Raises:
        InputError: lines too short or too long for the network.
    """
    recording_of_array("the array", lines.signal).check_length(network.receptive_field // 2 + 1)
    starts = range(0, len(lines.signal), batch_size)
    pieces = []
    for start in starts:
        said = answer(network, lines.signal[start : start + batch_size])
        if said.needs_threshold:
            pieces.append(np.maximum(said.output, 0.0))
        else:
            samples = lines.signal.shape[1]
            pieces.append(np.stack([_drawn(found, samples) for found in said.detections()]))
    return replace(lines, signal=np.concatenate(pieces))


def _drawn(found: Detections, samples: int) -> Float32s:
    """Probabilities of bubbles, each between two samples, in a line (samples,)."""
    before = np.floor(found.sample).astype(int)
    part = found.sample - before
    line = np.zeros(samples + 2)  # bubbles may lie a little beyond either end
    for place, weight in ((before, 1 - part), (before + 1, part)):
        np.add.at(line, np.clip(place + 1, 0, samples + 1), weight * found.confidence)
    return line[1:-1].astype(np.float32)


def simulated(
    setup: Setup, population: RadiusDistribution, settings: Image
) -> tuple[ArrayLines, Scene]:
    """Simulate random bubbles below an array that fills the transducer's aperture.

    `population` says how radii are drawn, see `draw_scene`.
    """
    array = replace(setup, elements=settings.elements)
    warn_of(array)
    scene = draw_scene(
        np.random.default_rng(settings.seed),
        population,
        count=(settings.count, settings.count),
        pressure_pa=(settings.pressure_pa, settings.pressure_pa),
        depth_m=array.depth_m,
        width_m=array.probe.aperture_m,
    )
    volts = np.atleast_2d(simulate_rf(scene, array).volts)
    element_m = array.probe.element_positions_m(settings.elements)
    return ArrayLines(volts, element_m, array.scale), scene


def recorded(path: str, network: Scale, settings: Image) -> ArrayLines:
    """Read the lines of an array, one per element, in the first frame of a recording.

    `network` is the scale of the lines that a network was trained on.

    Raises:
        InputError: no such file, no array's lines, NaN, or unknown or another sampling rate.
    """
    hints: Any = settings.model_dump(include=set(OwnRecording.model_fields))
    recording = read(path, **hints)
    scale, elements = recording.scale(network), recording.elements
    if not np.isclose(scale.sampling_rate_hz, network.sampling_rate_hz, rtol=1e-6):
        raise InputError(
            f"{path} is sampled at {scale.sampling_rate_hz / 1e6:g} MHz, the network wants "
            f"{network.sampling_rate_hz / 1e6:g} MHz: resample the lines"
        )
    if not 2 <= elements <= MOST_ELEMENTS:
        raise InputError(
            f"{path} holds {elements} lines: give one per element, 2 to {MOST_ELEMENTS}; "
            "if lines are columns, add transpose=true"
        )
    check_bytes(Path(path), 16 * elements * recording.samples)  # of their analytic signals
    if recording.element_m is None:
        probe = replace(P4_1, aperture_m=1e-3 * settings.aperture_mm)
        element_m = probe.element_positions_m(elements)
    else:
        element_m = recording.element_m[:, 0]
    start_sample = recording.start_s * scale.sampling_rate_hz
    return ArrayLines(recording.volts[0], element_m, scale, -start_sample)
