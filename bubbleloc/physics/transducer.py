"""Transmit and receive responses of the transducer.

A response turns one spectrum into another: drive → pressure (transmit, T) or pressure →
volts (receive, H). The built-in P4-1 is a sum of damped resonances fitted to the published
responses; a measured response is a table, see ``probe``.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.interpolate import CubicSpline

from bubbleloc.arrays import Complexes, Floats

_GRID_HZ = np.arange(0, 60e6, 10e3)  # on which bands are looked for


class Response(Protocol):
    """Anything hashable that gives a complex response at given frequencies."""

    def __call__(self, frequency_hz: Floats) -> Complexes:
        """Complex response at ``frequency_hz`` (n,), zero or positive."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class PoleResidueResponse:
    """X(s) = Σ r/(s − p) + r̄/(s − p̄) with s = i2πf, times in µs: causal and real in time."""

    poles_rad_us: tuple[complex, ...]
    residues: tuple[complex, ...]

    def __call__(self, frequency_hz: Floats) -> Complexes:
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

    frequency_hz: Floats
    value: Complexes
    note: str | None = None  # what was assumed of it, to warn of

    def __call__(self, frequency_hz: Floats) -> Complexes:
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
    center_hz: float | None = None  # of a tristate pulse, unless another is asked for

    @property
    def ringing_s(self) -> float:
        """How long a pulse goes on after its drive has ended."""
        return 2 / self.bandwidth_hz

    def received_up_to_hz(self, level_db: float) -> float:
        """Highest frequency at which the receive response is no further below its peak."""
        magnitude = np.abs(self.receive(_GRID_HZ))
        return float(_GRID_HZ[magnitude >= magnitude.max() * 10 ** (level_db / 20)].max())

    def element_positions_m(self, elements: int) -> Floats:
        """Lateral centres (elements,) of equal elements that fill the aperture."""
        pitch_m = self.aperture_m / elements
        return np.asarray((np.arange(elements) - (elements - 1) / 2) * pitch_m)


# Fitted to the published P4-1 responses (p in rad/µs), weighted with the spectra of the drive and
# of echoes: pulses differ by 3.9e-4 and echoes by at most 1.8e-4 in relative L2. The scale is
# arbitrary and kept, so that RF volts fall in the published range.
P4_1 = Transducer(
    transmit=PoleResidueResponse(
        poles_rad_us=(
            -2.0910644 + 3.2205275j,
            -5.6621013 + 9.6398781j,
            -5.7084454 + 13.142217j,
            -5.6832129 + 16.567869j,
            -5.5979396 + 20.236117j,
            -5.5189212 + 24.303546j,
            -5.2108649 + 29.039256j,
        ),
        residues=(
            -0.029303961 + 0.014822884j,
            -3.3056007 + 10.397097j,
            -5.9120172 - 40.294167j,
            25.462652 + 48.13556j,
            -23.241208 - 23.356484j,
            7.8847652 + 4.6284203j,
            -0.86525545 - 0.33900046j,
        ),
    ),
    receive=PoleResidueResponse(
        poles_rad_us=(
            -2.6450117 + 2.7842617j,
            -6.0326763 + 8.4955375j,
            -6.7859504 + 12.611008j,
            -7.4211729 + 16.870887j,
            -7.9138 + 21.629209j,
            -7.921422 + 27.424896j,
            -2.7706271 + 31.518951j,
        ),
        residues=(
            0.12204316 + 0.031006248j,
            -3.7712866 + 12.315773j,
            9.6286301 - 46.345986j,
            -8.8718886 + 58.907346j,
            3.4778861 - 30.364101j,
            -0.59877125 + 5.1974728j,
            0.012435046 + 0.0097681048j,
        ),
    ),
)
"""The P4-1 probe, by its transmit and receive responses."""
