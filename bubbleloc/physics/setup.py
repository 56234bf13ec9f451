"""Everything a simulation depends on besides the scene."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from bubbleloc.errors import InputError
from bubbleloc.physics.band import off_band
from bubbleloc.physics.media import C4F10, WATER, Gas, Medium, require_between
from bubbleloc.physics.probe import gaussian, with_band_of
from bubbleloc.physics.response_files import read_response, read_transducer, read_waveform
from bubbleloc.physics.shell import Shell, shell_named
from bubbleloc.physics.thermal import THERMAL_MODELS
from bubbleloc.physics.transducer import P4_1, Transducer
from bubbleloc.physics.waveform_files import checked_row
from bubbleloc.physics.waveforms import (
    NAMES,
    TRISTATE,
    TRISTATE_HZ,
    Waveform,
    centre_frequency_hz,
    waveform,
    waveform_of,
)
from bubbleloc.units import Scale

# Bubbles are integrated, and echoes summed, at least this finely: RK4 at 4 ns converges.
INTEGRATION_RATE_HZ = 250e6
BUBBLES = ("nonlinear", "linear")
GAUSSIAN = "gaussian"
# Of an RF line; the published waveform of the highest frequency, 3.4 MHz, has 18.4.
FEWEST_SAMPLES_PER_CYCLE = 18
# Time for the bubble to ring down after the pulse has passed.
RING_DOWN_S = 4e-6


@dataclass(frozen=True)
class Setup:
    """Transducer, pulse, bubble models and medium; the defaults are those published.

    Hashable and picklable: pulse spectra and the like are computed once per process and
    setup. Choices:

    * ``transducer``: a Transducer, ``"p4-1"``, or a file, see `read_transducer`;
    * ``bubble``: nonlinear, or linear: linearised, in a wave that grows no second harmonic;
    * ``shell``: segers, marmottant, none, or a Shell of your own;
    * ``thermal``: prosperetti, adiabatic or isothermal, taken at ``frequency_hz``;
    * ``waveform``: one of `waveforms.NAMES`, a file (see `read_samples`), or a Waveform;
    * ``frequency_hz``: centre frequency f₀. A tristate pulse and waveforms of your own take it;
      the other published ones set it. None is that of the probe, 1.7 MHz for the P4-1, or
      the peak of the pressure of a file;
    * ``cycles``: of a tristate pulse;
    * ``drive``: a waveform of your own as samples at ``simulation_rate_hz`` (250 MHz for RF
      lines of 62.5 MHz);
    * ``elements``: receivers that share the aperture; one sits at its centre.

    Raises InputError for a value that makes no sense, and warns where one leaves a model's
    validity.
    """

    transducer: Transducer = P4_1
    bubble: str = "nonlinear"
    shell: str | Shell = "segers"
    thermal: str = "prosperetti"
    waveform: str | Waveform = TRISTATE
    frequency_hz: float = None  # type: ignore[assignment]  # the waveform's, once it is made
    cycles: float = 1
    drive: tuple[float, ...] | None = None
    medium: Medium = WATER
    gas: Gas = C4F10
    depth_m: float = 0.1
    sampling_rate_hz: float = 62.5e6
    elements: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "transducer", _transducer_from(self.transducer))
        require_between("setup", "sampling_rate_hz", self.sampling_rate_hz, 2e5, 1e9)
        self._take_waveform()
        require_between("setup", "frequency_hz", self.frequency_hz, 1e5, 2e7)
        slowest = 2 * self.frequency_hz
        require_between("setup", "sampling_rate_hz", self.sampling_rate_hz, slowest, 1e9)
        require_between("setup", "depth_m", self.depth_m, 1e-3, 1.0)
        require_between("setup", "cycles", self.cycles, 0.5, 1000)
        require_between("setup", "elements", self.elements, 1, 4096)
        if self.cycles % 0.5 or self.elements % 1:
            raise InputError(
                f"setup: cycles={self.cycles}, elements={self.elements}; "
                "give whole or half cycles and whole elements"
            )
        if self.thermal not in THERMAL_MODELS:
            choice = ", ".join(THERMAL_MODELS)
            raise InputError(f"unknown thermal model {self.thermal!r}; choose one of {choice}")
        if self.bubble not in BUBBLES:
            raise InputError(f"bubble={self.bubble!r}; choose one of {', '.join(BUBBLES)}")
        if isinstance(self.shell, str):
            shell_named(self.shell, self.medium)
        record_s = 2 * self.depth_m / self.medium.speed_of_sound_m_s
        if (pulse_s := waveform_of(self).duration_s) > record_s:
            raise InputError(
                f"setup: a waveform of {1e6 * pulse_s:.4g} µs is longer than the record of "
                f"{1e6 * record_s:.4g} µs; shorten it, or give a larger depth_m"
            )
        self._warn_outside_validity()

    def _take_waveform(self) -> None:
        """Read the waveform's file and take its centre frequency."""
        name, put = self.waveform, partial(object.__setattr__, self)
        if self.drive is not None:
            if name != TRISTATE:
                raise InputError("drive and waveform: give one of them")
            put("drive", tuple(checked_row("drive", self.drive).tolist()))
        if isinstance(name, str | Path):
            name = str(name).lower() if str(name).lower() in NAMES else waveform(name, self)
            put("waveform", name)
        if isinstance(name, Waveform):
            put("frequency_hz", name.frequency_hz)
        elif name != TRISTATE:
            put("frequency_hz", centre_frequency_hz(name))
        elif self.frequency_hz is None:
            put("frequency_hz", self.transducer.center_hz or TRISTATE_HZ)

    def _warn_outside_validity(self) -> None:
        warn = partial(warnings.warn, stacklevel=4)
        if self.shell == "segers" and self.medium != WATER:
            warn("the Segers shell was measured in water; in another medium use shell=marmottant")
        if self.sampling_rate_hz < FEWEST_SAMPLES_PER_CYCLE * self.frequency_hz:
            warn(
                "the sampling rate is below 18 times the centre frequency: harmonics alias and "
                "arrivals get coarse; raise sampling_rate_hz"
            )
        if line := off_band(self):
            warn(line)

    @property
    def shell_model(self) -> Shell:
        """The shell's numbers."""
        return shell_named(self.shell, self.medium) if isinstance(self.shell, str) else self.shell

    @property
    def oversampling(self) -> int:
        """Simulated samples per RF sample."""
        return max(1, math.ceil(INTEGRATION_RATE_HZ / self.sampling_rate_hz - 1e-9))

    @property
    def simulation_rate_hz(self) -> float:
        """Rate of pulses, bubbles and the record before decimation."""
        return self.sampling_rate_hz * self.oversampling

    @property
    def window_samples(self) -> int:
        """Simulated samples of one bubble: drive, transducer's ringing and ring-down."""
        drive_s = waveform_of(self).duration_s
        duration_s = drive_s + self.transducer.ringing_s + RING_DOWN_S
        return math.ceil(duration_s * self.simulation_rate_hz)

    @property
    def record_samples(self) -> int:
        """Simulated samples of a whole record, 0 to the echo from ``depth_m``."""
        duration_s = 2 * self.depth_m / self.medium.speed_of_sound_m_s
        return math.floor(duration_s * self.simulation_rate_hz + 1e-9) + 1

    @property
    def samples(self) -> int:
        """Samples of an RF line."""
        return math.ceil(self.record_samples / self.oversampling)

    @property
    def scale(self) -> Scale:
        """What a sample of its RF lines is worth."""
        return Scale(self.sampling_rate_hz, self.medium.speed_of_sound_m_s, self.frequency_hz)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A setup from plain values: numbers, names, file names, and mappings of medium and gas.

        Besides the fields it takes measured responses as files, ``transmit`` and ``receive``, see
        `read_response`; what has no file keeps the form of ``transducer``. ``transducer`` may be
        ``"gaussian"``, with ``center_hz`` and ``fractional_bandwidth``; ``aperture_m`` is that of
        any probe. ``drive`` may name a file, see `read_waveform`. None stands for the default.
        """
        values = {key: value for key, value in config.items() if value is not None}
        _refuse_contradiction(values)
        responses: dict[str, Any] = {
            name: read_response(values.pop(name), key)
            for name, key in (("transmit", "Tfit"), ("receive", "Hfit"))
            if name in values
        }
        base = _probe(values)
        values["transducer"] = replace(base, **responses)
        if "transmit" in responses:
            values["transducer"] = with_band_of(values["transducer"])
        if isinstance(values.get("drive"), str | Path):
            values["drive"] = read_waveform(values["drive"])
        try:
            for key, kind in (("medium", Medium), ("gas", Gas)):
                if isinstance(values.get(key), Mapping):
                    values[key] = kind(**values[key])
            return cls(**values)
        except TypeError as error:
            raise InputError(f"setup: {error}; see bubbleloc.physics for the names") from error


def _refuse_contradiction(values: Mapping[str, Any]) -> None:
    """Refuse a published waveform with settings that it would not follow."""
    name = str(values.get("waveform", TRISTATE)).lower()
    given = [key for key in ("frequency_hz", "cycles", "drive") if key in values]
    if name in NAMES and name != TRISTATE and given:
        raise InputError(
            f"waveform={name} sets its own frequency and cycles; leave out {', '.join(given)}"
        )


def _probe(values: dict[str, Any]) -> Transducer:
    """Take the settings of the probe out of ``values``, but for its measured responses."""
    source = values.pop("transducer", P4_1)
    band = [values.pop(key, None) for key in ("center_hz", "fractional_bandwidth")]
    if (source == GAUSSIAN) != all(band) or any(band) != all(band):
        raise InputError("give center_hz and fractional_bandwidth with transducer=gaussian")
    probe = gaussian(*band) if source == GAUSSIAN else _transducer_from(source)
    aperture_m = values.pop("aperture_m", probe.aperture_m)
    require_between("setup", "aperture_m", aperture_m, 1e-4, 1)
    return replace(probe, aperture_m=aperture_m)


def _transducer_from(source: object) -> Transducer:
    if isinstance(source, Transducer):
        return source
    if str(source).lower() == "p4-1":
        return P4_1
    if not isinstance(source, str | Path):
        raise InputError(f"transducer={source!r}; give 'p4-1', a Transducer or a file name")
    return read_transducer(source)
