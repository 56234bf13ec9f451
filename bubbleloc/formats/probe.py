"""Transducer and pulse of a Verasonics workspace: Trans, TX, TW."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.formats.matfile import MatFile

DEFAULT_SPEED_M_S = 1540.0  # of the system, where Resource.Parameters does not tell


@dataclass(frozen=True, eq=False)
class Probe:
    """What Trans tells of a transducer.

    Attributes:
        element_m: positions (elements, 3).
        wavelength_m: that lengths of Trans are counted in.
        lens_s: time through the lens, one way.
        connector: channel (elements,) of each element, from 1; None where Trans does not tell.
    """

    element_m: Floats
    frequency_hz: float
    wavelength_m: float
    lens_s: float
    connector: Ints | None
    speed_of_sound_m_s: float | None
    sources: dict[str, str]
    notes: tuple[str, ...]

    @classmethod
    def read(cls, mat: MatFile, speed_of_sound_m_s: float | None = None) -> Self:
        """Read Trans.

        Lengths in wavelengths are counted in the ratio of ``spacingMm`` to ``spacing``, which
        holds even where the frequency was changed later, else in c/frequency.

        Args:
            speed_of_sound_m_s: in place of ``Resource.Parameters.speedOfSound``.

        Raises:
            InputError: no positions, or no frequency.
        """
        frequency_mhz = mat.number("Trans", "frequency")
        if not mat.has("Trans", "ElementPos") or not frequency_mhz or frequency_mhz < 0:
            raise InputError(f"{mat.path}: Trans has no ElementPos or frequency; save it too")
        told = mat.number("Resource", "Parameters", "speedOfSound")
        speed = speed_of_sound_m_s or told
        notes = [] if speed else [f"speed of sound unknown: lens at {DEFAULT_SPEED_M_S:g} m/s"]
        by_frequency_m = (speed or DEFAULT_SPEED_M_S) / (1e6 * frequency_mhz)
        spacing, spacing_mm = mat.number("Trans", "spacing"), mat.number("Trans", "spacingMm")
        wavelength_m = 1e-3 * spacing_mm / spacing if spacing and spacing_mm else by_frequency_m
        if not np.isclose(wavelength_m, by_frequency_m, rtol=0.05) and speed:
            notes.append(
                f"lengths of Trans are in wavelengths of {1e3 * wavelength_m:.4g} mm (spacingMm), "
                f"not the {1e3 * by_frequency_m:.4g} mm of Trans.frequency"
            )
        unit_m = 1e-3 if mat.text("Trans", "units") == "mm" else wavelength_m
        position = np.asarray(mat.entries("Trans", "ElementPos")[0], dtype=np.float64)
        if position.ndim != 2 or position.shape[1] < 3 or not np.isfinite(position).all():
            raise InputError(f"{mat.path}: Trans.ElementPos is not elements × (x, y, z, …)")
        lens_m = unit_m * (mat.number("Trans", "lensCorrection", default=0.0) or 0.0)
        return cls(
            unit_m * position[:, :3],
            1e6 * frequency_mhz,
            wavelength_m,
            lens_m / (speed or DEFAULT_SPEED_M_S),
            _connector(mat),
            told,
            {"element_m": "Trans.ElementPos", "lens_s": "Trans.lensCorrection"}
            | ({"speed_of_sound_m_s": "Resource.Parameters.speedOfSound"} if told else {}),
            tuple(notes),
        )

    def columns(self, mat: MatFile, channels: int) -> Ints:
        """Return the column (elements,) of RcvData, from 0, that holds each element."""
        elements = len(self.element_m)
        column = np.arange(1, elements + 1) if self.connector is None else self.connector
        if column.max() > channels and channels == elements:  # saved in the order of elements
            column = np.arange(1, elements + 1)
        if len(column) != elements or column.min() < 1 or column.max() > channels:
            raise InputError(
                f"{mat.path}: Trans.Connector does not give one of the {channels} columns of "
                f"RcvData to each of {elements} elements; multiplexed arrays cannot be read"
            )
        return np.asarray(column - 1)

    def delay_s(self, mat: MatFile, transmit: int) -> Floats | None:
        """Return when each element (elements,) fires, None where TX does not tell."""
        if not mat.has("TX", "Delay"):
            return None
        delay_s = np.ravel(mat.entries("TX", "Delay")[transmit]) / self.frequency_hz
        if len(delay_s) != len(self.element_m):
            raise InputError(f"{mat.path}: TX.Delay does not give one delay to each element")
        return np.asarray(delay_s)


def _connector(mat: MatFile) -> Ints | None:
    """Return the channel of each element, None where Trans does not tell or is multiplexed."""
    for name in ("Connector", "ConnectorES"):
        if mat.has("Trans", name):
            return np.ravel(mat.entries("Trans", name)[0]).astype(np.int64)
    return None


def read_pulse(mat: MatFile, transmit: int) -> tuple[Floats | None, float | None]:
    """Return the simulated pressure (n,) at 250 MHz of a transmit, and its frequency in Hz."""
    count = len(mat.entries("TW", "type")) if mat.has("TW", "type") else 0
    used = mat.column("TX", "waveform", default=1) if mat.has("TX", "waveform") else np.zeros(0)
    number = int(used[transmit]) - 1 if transmit < len(used) else transmit
    if not 0 <= number < count:
        return None, None
    waveform = mat.entries("TW", "Wvfm1Wy")[number] if mat.has("TW", "Wvfm1Wy") else np.zeros(0)
    values = mat.entries("TW", "Parameters")[number] if mat.has("TW", "Parameters") else np.zeros(0)
    frequency_hz = 1e6 * float(np.ravel(values)[0]) if values.size else None
    return np.ravel(waveform).astype(np.float64) if waveform.size else None, frequency_hz
