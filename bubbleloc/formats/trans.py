"""What a Verasonics workspace tells of its transducer and transmits: Trans, TX and TW."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.formats.transmits import Firing, firing
from bubbleloc.matfile import MatFile

DEFAULT_SPEED_M_S = 1540.0  # of the system, where Resource.Parameters does not tell
RESPONSE = ("IR1wy", "numelements", "spacingMm", "frequency")  # what a transducer is read from


@dataclass(frozen=True, eq=False)
class Probe:
    """What Trans tells of a transducer.

    Attributes:
        element_m: positions (elements, 3).
        wavelength_m: wavelength that lengths of Trans are counted in.
        lens_s: time through the lens, one way.
        connector: channel (elements,) of each element, from 1; None where Trans does not tell.
        center_hz: middle of its band, else ``frequency_hz``.
        bandwidth: width of its band, at −6 dB there and back, over ``center_hz``; None as above.
    """

    element_m: Floats
    frequency_hz: float
    wavelength_m: float
    lens_s: float
    connector: Ints | None
    speed_of_sound_m_s: float | None
    sources: dict[str, str]
    notes: tuple[str, ...]
    center_hz: float
    bandwidth: float | None

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
        center_hz, bandwidth = _band(mat, 1e6 * frequency_mhz)
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
            center_hz,
            bandwidth,
        )

    def columns(self, mat: MatFile, channels: int, aperture: float) -> Ints:
        """Return the column (elements,) of RcvData, from 0, of each element; −1 where none is.

        Args:
            aperture: number of the multiplexer's setting; NaN where Receive does not tell.

        Raises:
            InputError: elements share a column, or have one that is not there.
        """
        elements = len(self.element_m)
        column, least = _of_multiplexer(mat, aperture), 0
        if column is None:
            least = 1
            column = np.arange(1, elements + 1) if self.connector is None else self.connector
            if column.max() > channels and channels == elements:  # saved in the order of elements
                column = np.arange(1, elements + 1)
        used = column[column > 0]
        if (
            len(column) != elements
            or not used.size
            or column.min() < least
            or used.max() > channels
        ):
            raise InputError(
                f"{mat.path}: Trans.Connector does not give one of the {channels} columns of "
                f"RcvData to each of {elements} elements"
            )
        if len(np.unique(used)) < len(used):
            raise InputError(
                f"{mat.path}: several elements share a channel of Trans.Connector, by a "
                "multiplexer: save Trans.HVMux and Receive.aperture, which tell it"
            )
        return np.asarray(column - 1)

    def firing(self, mat: MatFile, transmit: int) -> Firing | None:
        """Return when the elements fire in a transmit, None where TX does not tell."""
        if not mat.has("TX", "Delay"):
            return None
        delay_s = self._of_elements(mat, transmit, "Delay") / self.frequency_hz
        weight = self._of_elements(mat, transmit, "Apod") if mat.has("TX", "Apod") else None
        return firing(self.element_m, delay_s, weight, self.speed_of_sound_m_s)

    def _of_elements(self, mat: MatFile, transmit: int, name: str) -> Floats:
        """Return a number of TX for every element (elements,); 0 for those it leaves out."""
        values = np.ravel(mat.entries("TX", name)[transmit]).astype(np.float64)
        elements = len(self.element_m)
        if len(values) != elements and mat.has("TX", "aperture"):
            column = _of_multiplexer(mat, mat.column("TX", "aperture")[transmit])
            if column is not None and np.count_nonzero(column) == len(values):
                values, some = np.zeros(elements), values
                values[column > 0] = some
        if len(values) != elements:
            raise InputError(f"{mat.path}: TX.{name} does not give one delay to each element")
        return values


def _of_multiplexer(mat: MatFile, aperture: float) -> Ints | None:
    """Return the channel (elements,) of each element, from 1, in a setting of the multiplexer.

    0 stands for elements that are not connected. None where there is no multiplexer.

    Raises:
        InputError: there is no such setting.
    """
    names = [name for name in ("Aperture", "ApertureES") if mat.has("Trans", "HVMux", name)]
    if not names:
        return None
    settings = np.atleast_2d(mat.entries("Trans", "HVMux", names[0])[0])
    count = settings.shape[1]
    number = 1.0 if np.isnan(aperture) and count == 1 else aperture
    if not 1 <= number <= count:
        told = "no" if np.isnan(aperture) else f"aperture {aperture:g} as"
        raise InputError(
            f"{mat.path}: {told} Receive.aperture, and Trans.HVMux has apertures 1 to {count}"
        )
    return settings[:, int(number) - 1].astype(np.int64)


def _band(mat: MatFile, frequency_hz: float) -> tuple[float, float | None]:
    """Return the middle of Trans.Bandwidth in Hz and its width over that, or what stands for it."""
    if not mat.has("Trans", "Bandwidth"):
        return frequency_hz, None
    ends = np.ravel(mat.entries("Trans", "Bandwidth")[0]).tolist()
    if len(ends) < 2 or not 0 < ends[0] < ends[-1] < np.inf:
        return frequency_hz, None
    low, high = ends[0], ends[-1]
    return 0.5e6 * (low + high), 2 * (high - low) / (high + low)


def _connector(mat: MatFile) -> Ints | None:
    """Return the channel (elements,) of each element, None where Trans does not tell."""
    for name in ("Connector", "ConnectorES"):
        if mat.has("Trans", name):
            return np.ravel(mat.entries("Trans", name)[0]).astype(np.int64)
    return None


def angles_of(mat: MatFile, probe: Probe, transmits: Floats) -> dict[int, float | None]:
    """Return the angle in rad of every transmit that is used: of TX.Steer, else of its delays."""
    steer = mat.entries("TX", "Steer") if mat.has("TX", "Steer") else []
    told = {n: float(np.ravel(entry)[0]) for n, entry in enumerate(steer) if entry.size}
    angles: dict[int, float | None] = {}
    for n in np.unique(transmits).astype(int).tolist():
        if n in told:
            angles[n] = told[n]
        else:
            shot = probe.firing(mat, n)
            angles[n] = 0.0 if shot is None else shot.angle_rad
    return angles


def read_pulse(mat: MatFile, transmit: int) -> tuple[int, Floats | None, float | None]:
    """Return what a transmit sends.

    Returns:
        The number, from 1, of its waveform in TW, the simulated pressure (n,) at 250 MHz, and the
        frequency in Hz.
    """
    count = len(mat.entries("TW", "type")) if mat.has("TW", "type") else 0
    used = mat.column("TX", "waveform", default=1) if mat.has("TX", "waveform") else np.zeros(0)
    number = int(used[transmit]) if transmit < len(used) else transmit + 1
    if not 1 <= number <= count:
        return number, None, None
    fields = ("Wvfm1Wy", "Parameters")
    waveform, values = (
        mat.entries("TW", name)[number - 1] if mat.has("TW", name) else np.zeros(0)
        for name in fields
    )
    frequency_hz = 1e6 * float(np.ravel(values)[0]) if values.size else None
    return number, np.ravel(waveform).astype(np.float64) if waveform.size else None, frequency_hz
