"""Everything a simulation depends on besides the scene."""

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
from scipy.signal import fftconvolve, firwin, kaiserord

from bubbleloc.arrays import Floats
from bubbleloc.console.settings.physics import (
    C4F10,
    TRISTATE,
    WATER,
    WAVEFORMS,
    Bubble,
    Gas,
    Medium,
    Physics,
)
from bubbleloc.console.settings.probes import GAUSSIAN
from bubbleloc.errors import InputError, require_between
from bubbleloc.physics.probe import (
    gaussian,
    read_response,
    require_transducer,
    transducer_of,
    with_band_of,
)
from bubbleloc.physics.shell import THERMAL_MODELS, Shell, shell_named
from bubbleloc.physics.transducer import P4_1, Transducer
from bubbleloc.physics.waveforms import (
    INTEGRATION_RATE_HZ,
    Waveform,
    checked_row,
    from_samples,
    is_file,
    require_waveform,
    waveform,
)
from bubbleloc.tables import read_row
from bubbleloc.units import Scale

BUBBLES = get_args(Bubble)
# A receiver that passes more at half the sampling rate and above needs a filter before decimation.
ALIAS_DB = -75.0
# That filter passes up to this part of half the rate, and from half the rate on is so far down.
PASSED, STOPPED_DB = 0.8, 80.0
# Time for the bubble to ring down after the pulse has passed.
RING_DOWN_S = 4e-6


@dataclass(frozen=True, eq=False)
class Setup:
    """Transducer, pulse, bubble models and medium; the defaults are those published.

    Files are read, and the waveform is made, when they are first needed. Setups that simulate the
    same are equal, however they were given; they are hashable and picklable, so that pulse spectra
    and the like are computed once per process and setup. Choices:

    * ``transducer``: a Transducer, the name or a file of a probe (docs/waveforms.md);
    * ``bubble``: nonlinear, or linear: linearised, in a wave that grows no second harmonic;
    * ``shell``: segers, marmottant, none, or a Shell of your own;
    * ``thermal``: prosperetti, adiabatic or isothermal, taken at ``carrier_hz``;
    * ``waveform``: a name or a file (docs/waveforms.md), or a Waveform;
    * ``frequency_hz``: centre frequency of a tristate pulse or of a waveform of your own. None is
      that of the probe, 1.7 MHz for the P4-1, or the peak of the pressure of a file;
    * ``cycles``: of a tristate pulse;
    * ``drive``: a waveform of your own as samples at ``simulation_rate_hz`` (250 MHz for RF
      lines of 62.5 MHz);
    * ``elements``: receivers that share the aperture; one sits at its centre.

    Raises:
        InputError: a value that makes no sense, a file that is not there, or, once it is needed,
            one that cannot be used.
    """

    transducer: Transducer | str | Path = P4_1
    bubble: str = "nonlinear"
    shell: str | Shell = "segers"
    thermal: str = "prosperetti"
    waveform: str | Path | Waveform = TRISTATE
    frequency_hz: float | None = None
    cycles: float = 1
    drive: tuple[float, ...] | None = None
    medium: Medium = WATER
    gas: Gas = C4F10
    depth_m: float = 0.1
    sampling_rate_hz: float = 62.5e6
    elements: int = 1

    def __post_init__(self) -> None:
        require_between("setup", "sampling_rate_hz", self.sampling_rate_hz, 2e5, 1e9)
        if self.frequency_hz is not None:
            require_between("setup", "frequency_hz", self.frequency_hz, 1e5, 2e7)
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
        self._check_what_is_sent()

    def _check_what_is_sent(self) -> None:
        """Refuse contradictions, missing files, and what needs no file to be made."""
        if self.drive is not None:
            object.__setattr__(self, "drive", tuple(checked_row("drive", self.drive).tolist()))
        name = str(self.waveform).lower() if isinstance(self.waveform, str) else None
        given = {"frequency_hz": self.frequency_hz, "cycles": self.cycles != 1, "drive": self.drive}
        names = ", ".join(key for key, value in given.items() if value)
        if name in WAVEFORMS and name != TRISTATE and names:
            raise InputError(
                f"waveform={name} sets its own frequency and cycles; leave out {names}"
            )
        if self.drive is not None and name != TRISTATE:
            raise InputError("drive and waveform: give one of them")
        transducer_file = require_transducer(self.transducer)
        if is_file(self.waveform):
            require_waveform(self.waveform)
        elif transducer_file is None:
            _ = self.sent

    @cached_property
    def probe(self) -> Transducer:
        """The transducer, read from its file if ``transducer`` is one."""
        return transducer_of(self.transducer)

    @cached_property
    def sent(self) -> Waveform:
        """The waveform at ``simulation_rate_hz``, read from its file if it is one.

        Raises:
            InputError: it is too high for the sampling rate, or too long for the record.
        """
        rate_hz = self.simulation_rate_hz
        if self.drive is not None:
            usual_hz = self.probe.center_hz or WAVEFORMS[TRISTATE].frequency_hz
            sent = from_samples(self.drive, rate_hz, self.frequency_hz or usual_hz)
        elif isinstance(self.waveform, Waveform):
            sent = self.waveform.at_rate(rate_hz)
        else:
            sent = waveform(self.waveform, self).at_rate(rate_hz)
        require_between("setup", "frequency_hz", sent.frequency_hz, 1e5, 2e7)
        slowest_hz = 2 * sent.frequency_hz
        require_between("setup", "sampling_rate_hz", self.sampling_rate_hz, slowest_hz, 1e9)
        record_s = 2 * self.depth_m / self.medium.speed_of_sound_m_s
        if sent.duration_s > record_s:
            raise InputError(
                f"setup: a waveform of {1e6 * sent.duration_s:.4g} µs is longer than the record of "
                f"{1e6 * record_s:.4g} µs; shorten it, or give a larger depth_m"
            )
        return sent

    @property
    def carrier_hz(self) -> float:
        """Centre frequency f₀ of what is sent."""
        return self.sent.frequency_hz

    @cached_property
    def _meaning(self) -> tuple[object, ...]:
        """What the simulation depends on, files by their content."""
        name = self.waveform
        named = isinstance(name, str | Path) and not is_file(name)
        given = (self.bubble, self.shell, self.thermal, self.medium, self.gas)
        sizes = (self.depth_m, self.sampling_rate_hz, self.elements)
        pulse = (str(name).lower(), self.cycles, self.drive) if named else self.sent
        return self.probe, pulse, self.carrier_hz, *given, *sizes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Setup) and self._meaning == other._meaning

    def __hash__(self) -> int:
        return hash(self._meaning)

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

    @cached_property
    def anti_alias(self) -> Floats | None:
        """Taps (n,) of a filter of linear phase at ``simulation_rate_hz``; None if none is needed.

        Published lines need none: the P4-1 receives 99 dB less at half of 62.5 MHz than at best.
        """
        half_hz = self.sampling_rate_hz / 2
        if self.oversampling == 1 or self.probe.received_up_to_hz(ALIAS_DB) <= half_hz:
            return None
        width = (1 - PASSED) * half_hz / (self.simulation_rate_hz / 2)
        taps, beta = kaiserord(STOPPED_DB, width)
        middle_hz = (1 + PASSED) / 2 * half_hz
        design = firwin(taps | 1, middle_hz, window=("kaiser", beta), fs=self.simulation_rate_hz)
        return np.asarray(design)

    def decimated(self, volts: Floats) -> Floats:
        """Every ``oversampling``-th sample of volts (…, n) at ``simulation_rate_hz``, (…, m).

        As published nothing else is done, unless the transducer receives frequencies that would
        alias. These are then filtered away first, without delay, so that arrivals stay.
        """
        if self.anti_alias is not None:
            taps = self.anti_alias.reshape((1,) * (volts.ndim - 1) + (-1,))
            volts = np.asarray(fftconvolve(volts, taps, "same", axes=-1))
        return volts[..., :: self.oversampling]

    @property
    def window_samples(self) -> int:
        """Simulated samples of one bubble: drive, transducer's ringing and ring-down."""
        drive_s = self.sent.duration_s
        duration_s = drive_s + self.probe.ringing_s + RING_DOWN_S
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
        return Scale(self.sampling_rate_hz, self.medium.speed_of_sound_m_s, self.carrier_hz)

    @classmethod
    def load(cls, physics: Physics, waveform: str = TRISTATE) -> Self:
        """The setup that settings mean; all files are read.

        Measured responses, ``transmit`` and ``receive``, take the place of those of ``transducer``,
        see `read_response`; ``drive`` may name a file, see `read_row`.

        Raises:
            InputError: a value that makes no sense, or a file that cannot be used.
        """
        drive = read_row(physics.drive) if isinstance(physics.drive, str) else physics.drive
        shared = {field.name for field in fields(cls)} & Physics.model_fields.keys()
        values: dict[str, Any] = {name: getattr(physics, name) for name in shared}
        values |= {"transducer": _probe(physics), "waveform": waveform, "drive": drive}
        setup = cls(**values)
        _ = setup.sent
        return setup


def _probe(physics: Physics) -> Transducer:
    """The transducer of settings, with its measured responses."""
    center_hz, width = physics.center_hz, physics.fractional_bandwidth
    if (center_hz is None) != (width is None) or (physics.transducer == GAUSSIAN) != bool(width):
        raise InputError("give center_hz and fractional_bandwidth with transducer=gaussian")
    probe = gaussian(center_hz, width) if center_hz and width else transducer_of(physics.transducer)
    aperture_m = physics.aperture_m or probe.aperture_m
    require_between("setup", "aperture_m", aperture_m, 1e-4, 1)
    probe = replace(probe, aperture_m=aperture_m)
    if physics.receive:
        probe = replace(probe, receive=read_response(physics.receive, "Hfit"))
    if physics.transmit:
        probe = with_band_of(replace(probe, transmit=read_response(physics.transmit, "Tfit")))
    return probe
