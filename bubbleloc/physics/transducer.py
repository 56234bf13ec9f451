"""Transmit and receive responses of the transducer.

A response turns one spectrum into another: drive → pressure (transmit, T) or pressure →
volts (receive, H). The built-in P4-1 is a sum of damped resonances fitted to the published
responses; a measured response is a table, see ``response_files``.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.interpolate import CubicSpline

from bubbleloc.physics.media import ComplexArray, FloatArray


class Response(Protocol):
    """Anything hashable that gives a complex response at given frequencies."""

    def __call__(self, frequency_hz: FloatArray) -> ComplexArray:
        """Complex response at ``frequency_hz`` (n,), zero or positive."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class PoleResidueResponse:
    """X(s) = Σ r/(s − p) + r̄/(s − p̄) with s = i2πf, times in µs: causal and real in time."""

    poles_rad_us: tuple[complex, ...]
    residues: tuple[complex, ...]

    def __call__(self, frequency_hz: FloatArray) -> ComplexArray:
        """Complex response at ``frequency_hz`` (n,)."""
        s = 2j * np.pi * 1e-6 * np.asarray(frequency_hz, dtype=np.float64)
        total = np.zeros(s.shape, dtype=np.complex128)
        for pole, residue in zip(self.poles_rad_us, self.residues, strict=True):
            total += residue / (s - pole) + np.conj(residue) / (s - np.conj(pole))
        return total


@dataclass(frozen=True, eq=False)
class TabulatedResponse:
    """A measured response: ``value`` (n,) complex at rising ``frequency_hz`` (n,).

    A cubic spline joins the points; outside their range the response is zero. Two tables
    with equal numbers are equal, so caches keyed by a response survive pickling.
    """

    frequency_hz: FloatArray
    value: ComplexArray

    def __call__(self, frequency_hz: FloatArray) -> ComplexArray:
        """Complex response at ``frequency_hz`` (n,)."""
        spline = CubicSpline(self.frequency_hz, self.value, extrapolate=False)
        return np.asarray(np.nan_to_num(spline(frequency_hz), nan=0.0), dtype=np.complex128)

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(self.frequency_hz.tobytes() + self.value.tobytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TabulatedResponse) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)


@dataclass(frozen=True)
class Transducer:
    """A transmit and a receive response, and the aperture that the elements share."""

    transmit: Response
    receive: Response
    bandwidth_hz: float = 1.81e6  # −6 dB, transmit
    aperture_m: float = 0.028

    def element_positions_m(self, elements: int) -> FloatArray:
        """Lateral centres (elements,) of equal elements that fill the aperture."""
        pitch_m = self.aperture_m / elements
        return np.asarray((np.arange(elements) - (elements - 1) / 2) * pitch_m)


# Fitted to the published P4-1 responses (PoleResidueResponse above; p in rad/µs). The scale is
# arbitrary and kept, so that RF volts fall in the published range.
P4_1 = Transducer(
    transmit=PoleResidueResponse(
        poles_rad_us=(
            -1.7595414 + 3.1274849j,
            -5.2651226 + 9.7947044j,
            -5.1982647 + 13.603375j,
            -5.0862092 + 17.404306j,
            -4.882057 + 21.677853j,
            -4.6709023 + 26.862062j,
        ),
        residues=(
            -0.019507652 + 0.0055749617j,
            0.97542357 + 8.6263977j,
            -19.632881 - 21.737271j,
            31.676654 + 9.6308843j,
            -14.192936 + 4.1425251j,
            1.1688543 - 1.8637496j,
        ),
    ),
    receive=PoleResidueResponse(
        poles_rad_us=(
            -5.2858921 + 8.1925351j,
            -6.0214239 + 12.298168j,
            -6.5499702 + 16.599119j,
            -6.9045288 + 21.583516j,
            -6.9893117 + 27.874505j,
        ),
        residues=(
            -1.6391409 + 6.1485904j,
            9.8703124 - 23.981504j,
            -14.51878 + 32.053614j,
            7.371696 - 17.106486j,
            -1.081151 + 2.9733723j,
        ),
    ),
)
