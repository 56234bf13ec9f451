"""RF lines of an array, simulated or from a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import hilbert

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.errors import InputError
from bubbleloc.formats import open_lines
from bubbleloc.imaging.beamforming import ArrayLines
from bubbleloc.nn import Localizer
from bubbleloc.nn.inference import apply
from bubbleloc.physics import P4_1, Scene, Setup, draw_scene, simulate_rf
from bubbleloc.physics.scale import Scale

MOST_ELEMENTS = 4096


@dataclass(frozen=True, eq=False)
class Acquisition:
    """RF lines of an array after one plane wave, sent straight down."""

    volts: Float32s  # (E, L)
    element_m: Floats  # (E,), lateral
    scale: Scale
    bubbles: Scene | None = None  # where they are known

    def echoes(self, delay_samples: float) -> ArrayLines:
        """Analytic RF lines: the magnitude of their delay-and-sum is the image's envelope.

        Args:
            delay_samples: from the arrival of an echo to its peak.
        """
        analytic = hilbert(self.volts, axis=1).astype(np.complex64)
        return self._lines(analytic, delay_samples)

    def localized(self, network: Localizer, batch_size: int) -> ArrayLines:
        """Outputs of a network for every line, negative values set to zero.

        Raises:
            InputError: lines too short for the network.
        """
        needed, length = network.receptive_field // 2 + 1, self.volts.shape[1]
        if length < needed:
            raise InputError(
                f"lines of {length} samples, shorter than the {needed} that the network needs: "
                "if lines are columns, add transpose=true"
            )
        starts = range(0, len(self.volts), batch_size)
        outputs = [apply(network, self.volts[start : start + batch_size]) for start in starts]
        return self._lines(np.maximum(np.concatenate(outputs), 0.0), 0.0)

    def _lines(self, signal: NDArray[np.float32 | np.complex64], delay: float) -> ArrayLines:
        per_m = self.scale.sampling_rate_hz / self.scale.speed_of_sound_m_s
        return ArrayLines(signal, self.element_m, per_m, delay)


def simulated(
    setup: Setup, population: str, elements: int, count: int, pressure_pa: float, seed: int
) -> Acquisition:
    """Simulate ``count`` random bubbles below an array that fills the transducer's aperture.

    Args:
        population: how radii are drawn, see `draw_scene`.
    """
    array = replace(setup, elements=elements)
    scene = draw_scene(
        np.random.default_rng(seed),
        population,
        count=(count, count),
        pressure_pa=(pressure_pa, pressure_pa),
        depth_m=array.depth_m,
        width_m=array.transducer.aperture_m,
    )
    return Acquisition(
        np.atleast_2d(simulate_rf(scene, array).volts),
        array.transducer.element_positions_m(elements),
        array.scale,
        scene,
    )


def recorded(
    path: Path, key: str | None, transpose: bool, aperture_m: float, scale: Scale
) -> Acquisition:
    """Read the lines of an array, one per element from left to right.

    Args:
        key, transpose: see `open_lines`.
        aperture_m: width that the elements fill.
        scale: of the network, for what the file does not say.

    Raises:
        InputError: no such file, no array's lines, NaN, or another sampling rate.
    """
    lines = open_lines(path, key, transpose)
    own = Scale(
        lines.sampling_rate_hz or scale.sampling_rate_hz,
        lines.speed_of_sound_m_s or scale.speed_of_sound_m_s,
        scale.frequency_hz,
    )
    if not np.isclose(own.sampling_rate_hz, scale.sampling_rate_hz, rtol=1e-6):
        raise InputError(
            f"{path} is sampled at {own.sampling_rate_hz / 1e6:g} MHz, the network wants "
            f"{scale.sampling_rate_hz / 1e6:g} MHz: resample the lines"
        )
    if not 2 <= lines.lines <= MOST_ELEMENTS:
        raise InputError(
            f"{path} holds {lines.lines} lines: give one per element, 2 to {MOST_ELEMENTS}; "
            "if lines are columns, add transpose=true"
        )
    volts = lines.read(0, lines.lines)
    element_m = replace(P4_1, aperture_m=aperture_m).element_positions_m(len(volts))
    return Acquisition(volts, element_m, own)
