"""What is known of a recording's pulse: told by a user or its file, heard in it, or a guess."""

import contextlib
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from bubbleloc.arrays import Float32s
from bubbleloc.console.settings.physics import TRISTATE, Physics
from bubbleloc.console.settings.probes import GAUSSIAN
from bubbleloc.console.settings.using import OwnPulse
from bubbleloc.errors import InputError, printable
from bubbleloc.formats import Recording
from bubbleloc.physics import Setup
from bubbleloc.physics.heard import heard
from bubbleloc.physics.probe import response_bandwidth
from bubbleloc.physics.told import (
    TYPICAL_PRESSURE_PA,
    TYPICAL_RADIUS_M,
    Told,
    guessed,
    told_by,
)
from bubbleloc.physics.waveforms import Waveform, measured

BANDWIDTH = 0.7  # of a probe's echoes at −6 dB over its centre, where nobody tells it
MOST_LINES = 128  # in which the pulse is looked for
FAR = 0.2  # of the frequency, from that of the lines to that of the pulse


@dataclass(frozen=True, eq=False)
class Pulse:
    """The pulse of a recording, as bubbles return it.

    Attributes:
        told: what a network of standard lines is told.
        source: how it is known, for the user.
        doubts: what is to be said against it.
        setup: what sends it; None if unknown.
    """

    told: Told
    source: str
    doubts: tuple[str, ...] = ()
    setup: Setup | None = None


def pulse_of(recording: Recording, settings: OwnPulse, setup: Setup | None = None) -> Pulse:
    """Return the pulse that lines of a recording hold the echoes of.

    Args:
        settings: what a user tells of it.
        setup: all of it, in place of settings.

    Raises:
        InputError: settings that contradict each other, or leave out the probe.
    """
    rate_hz, lines = _rate_hz(recording), _some_lines(recording)
    source, assumed = "setup=", False
    if setup is None:
        if (known := sender(recording, settings)) is not None:
            setup, source, assumed = known.setup(), printable(known.name), known.is_assumed
    elif settings.tells_pulse:
        raise InputError("setup= tells the pulse: leave out transducer=, waveform= and the like")
    if (setup is None or assumed) and (pulse := _heard(lines, rate_hz)):
        return pulse
    if setup is None:
        return _guess(lines, rate_hz, settings)
    radius_m = TYPICAL_RADIUS_M if settings.radius_um is None else 1e-6 * settings.radius_um
    told = told_by(setup, radius_m, settings.pressure_pa or TYPICAL_PRESSURE_PA)
    doubts = []
    if assumed:
        doubts.append(
            "the file tells the frequency of the pulse alone; one cycle of a probe of "
            f"{BANDWIDTH:.0%} is assumed: transducer= and waveform= tell more"
        )
    source = f"told by {source}, bubbles of {1e6 * radius_m:g} µm"
    doubts += _contradiction(told, lines, rate_hz)
    return Pulse(told, source, tuple(doubts), setup)


def heard_hz(recording: Recording) -> float | None:
    """Return the frequency of the echoes in a recording; None where none stand out."""
    return _centre_hz(_some_lines(recording), _rate_hz(recording))


def _centre_hz(lines: Float32s, rate_hz: float) -> float | None:
    with contextlib.suppress(InputError):
        return guessed(lines, rate_hz).centre_hz if len(lines) else None
    return None


def _rate_hz(recording: Recording) -> float:
    return recording.sampling_rate_hz or 0.0  # without one, nobody asks


def _some_lines(recording: Recording) -> Float32s:
    """Return lines (n, L) of the whole recording that are not constant."""
    numbers = np.unique(np.linspace(0, recording.lines - 1, MOST_LINES).astype(int))
    lines, _ = recording.volts.some(numbers)
    return lines[np.ptp(lines, axis=1) > 0]


class Sender(NamedTuple):
    """What is known of what sends a pulse.

    Attributes:
        physics: settings of `Physics`, by their names.
        waveform: its name or file; None for a tristate pulse.
        sent: the transmitted pressure, which takes the place of a waveform.
        name: for the user.
        is_assumed: whether much of it is.
    """

    physics: dict[str, Any]
    waveform: str | None
    sent: Waveform | None
    name: str
    is_assumed: bool

    def setup(self) -> Setup:
        """Return the setup of the pulse."""
        setup = Setup.load(Physics.of(self.physics), self.waveform or TRISTATE)
        return setup if self.sent is None else replace(setup, waveform=self.sent)


def sender(recording: Recording, own: OwnPulse) -> Sender | None:
    """Return what a user tells, and the file where the user does not; None if nothing is known.

    Raises:
        InputError: the user tells of the pulse, and nobody of the probe.
    """
    physics = own.model_dump(include=OwnPulse.OF_SETUP - {"waveform"}, exclude_none=True)
    name, waveform, is_assumed = f"transducer={own.transducer}", own.waveform, False
    if own.transducer is None:
        more, name = _probe_of(recording)
        is_assumed = recording.transducer_file is None and recording.probe_bandwidth is None
        if not more:
            if own.tells_pulse:
                raise InputError(
                    "nothing tells the probe, which makes the pulse: give transducer=, or "
                    "center_hz= and fractional_bandwidth= with transducer=gaussian"
                )
            return None
        physics |= more
    if waveform is not None:
        return Sender(physics, waveform, None, f"{name}, waveform={waveform}", False)
    if own.frequency_hz is None and own.cycles is None and (sent := _sent(recording)) is not None:
        name = f"{name} and the waveform of the file"
        return Sender(physics, recording.waveform_file, sent, name, False)
    if recording.frequency_hz is not None:
        physics.setdefault("frequency_hz", recording.frequency_hz)
    at_hz = physics.get("frequency_hz", physics.get("center_hz"))
    at = "its frequency" if at_hz is None else f"{at_hz / 1e6:.3g} MHz"
    return Sender(physics, None, None, f"{name}, {own.cycles or 1:g} cycle at {at}", is_assumed)


def _probe_of(recording: Recording) -> tuple[dict[str, Any], str]:
    """Return what a file tells of its probe, as settings of `Physics`, and how it is called."""
    if recording.transducer_file is not None:
        return {"transducer": recording.transducer_file}, "the responses of the file"
    center_hz = recording.probe_hz or recording.frequency_hz
    if center_hz is None:
        return {}, ""
    echo = BANDWIDTH if recording.probe_bandwidth is None else recording.probe_bandwidth
    told: dict[str, Any] = {"transducer": GAUSSIAN, "center_hz": center_hz}
    told["fractional_bandwidth"] = response_bandwidth(echo)
    return told, f"the probe of the file ({center_hz / 1e6:.3g} MHz, {echo:.0%})"


def _sent(recording: Recording) -> Waveform | None:
    """Return the pressure that a file tells of; None if it does not."""
    samples, rate_hz = recording.waveform, recording.waveform_rate_hz
    return None if samples is None or rate_hz is None else measured(samples, rate_hz)


def _heard(lines: Float32s, rate_hz: float) -> Pulse | None:
    """Return the mean echo of bubbles that are alone in lines; None where too few are."""
    with contextlib.suppress(InputError):  # of noise alone
        if len(lines) and (found := heard(lines, rate_hz)):
            doubt = (
                "the shape of the echoes is heard, but when they arrive is estimated: all depths "
                "may be off by the same fraction of a wavelength; transducer= tells more"
            )
            return Pulse(found.told, f"heard in {found.echoes} echoes of lone bubbles", (doubt,))
    return None


def _guess(lines: Float32s, rate_hz: float, settings: OwnPulse) -> Pulse:
    """Return a pulse with the spectrum of the lines."""
    if not len(lines):
        raise InputError("all lines are constant, and nothing tells the pulse: give transducer=")
    doubts = ["nothing tells the pulse: its phase and time 0 are guesses, see transducer="]
    if settings.radius_um or settings.pressure_pa:
        doubts.append("radius_um= and pressure_pa= have no effect without a pulse: see transducer=")
    return Pulse(guessed(lines, rate_hz), "a guess from the spectrum of the lines", tuple(doubts))


def _contradiction(told: Told, lines: Float32s, rate_hz: float) -> list[str]:
    """Return a warning where the lines have another frequency than the pulse that is told."""
    lines_hz = _centre_hz(lines, rate_hz)
    if lines_hz is None or abs(told.centre_hz / lines_hz - 1) < FAR:
        return []
    return [
        f"the pulse that is told has echoes around {told.centre_hz / 1e6:.3g} MHz, the lines have "
        f"them around {lines_hz / 1e6:.3g} MHz: check probe, waveform and sampling rate"
    ]
