"""The network that a recording is localized with: the one that is named, else one that fits."""

from dataclasses import dataclass
from functools import partial

from bubbleloc.console.settings import Localize
from bubbleloc.errors import InputError, printable
from bubbleloc.formats import Recording
from bubbleloc.formats.conditioning import rate_ratio
from bubbleloc.formats.conditioning import resample as resampled
from bubbleloc.localization.doubts import Comparison, compared
from bubbleloc.localization.pulse import Pulse, heard_hz, pulse_of
from bubbleloc.models.card import Card
from bubbleloc.models.runs import RELEASED_PREFIX, Run, open_run
from bubbleloc.nn.released import RELEASED
from bubbleloc.physics import Setup
from bubbleloc.units import MOST_RATIO

AUTO = "auto"
USUAL, ANY_PULSE = f"{RELEASED_PREFIX}robust", f"{RELEASED_PREFIX}universal"
NEAR = 0.15  # of a frequency, from those of the lines that a network knows


@dataclass(frozen=True, eq=False)
class Choice:
    """A network for a recording.

    Attributes:
        run: the run of the network.
        pulse: the pulse of the lines, for a network that is told it.
        why: for the user, why this network, and how the pulse is known; None if there is no choice.
        comparison: of the lines with those of its training, where that led to the choice.
    """

    run: Run
    pulse: Pulse | None = None
    why: str | None = None
    comparison: Comparison | None = None


def choose(
    recording: Recording, named: Run, settings: Localize, setup: Setup | None = None
) -> Choice:
    """Return the network that is named, else ``robust`` where it fits, else ``universal``.

    Args:
        named: the network that settings name; ``robust`` where they name none.
        setup: what the user tells of the pulse, in place of settings.

    Raises:
        InputError: no such network, or a pulse that cannot be told to it.
    """
    if settings.run != AUTO or ANY_PULSE.removeprefix(RELEASED_PREFIX) not in RELEASED:
        run = named
        if run.card.wants_standard_lines:
            pulse = pulse_of(recording, settings, setup)
            return Choice(run, pulse, f"pulse: {pulse.source}")
        if told := [*settings.given, *(["setup"] if setup else [])]:
            raise InputError(
                f"{told[0]}=: {printable(run.name)} knows the pulse of its training only; tell the "
                "pulse to one that experiment=universal trained"
            )
        return Choice(run)
    if settings.tells_pulse or setup is not None:
        reason = "it is told the pulse"
    else:
        comparison = _with_usual(recording, named.card)
        unlike = None if comparison is None else comparison.unlike(USUAL)
        if comparison is not None and unlike is None:
            if comparison.is_known:
                why = f"network: {USUAL}, which was trained on lines like these"
                return Choice(named, None, why, comparison)
            if _is_near(recording, named.card):
                why = f"network: {USUAL}, which knows echoes of this frequency"
                return Choice(named, None, why, comparison)
        reason = unlike or f"{USUAL} knows other rates or frequencies"
    pulse = pulse_of(recording, settings, setup)
    why = f"network: {ANY_PULSE}, since {reason}; pulse: {pulse.source}"
    return Choice(open_run(ANY_PULSE), pulse, why)


def _with_usual(recording: Recording, card: Card) -> Comparison | None:
    """Return how lines compare with those of a network, at its rate; None if that is too far."""
    ratio = card.scale.sampling_rate_hz / recording.scale(card.scale).sampling_rate_hz
    if not 1 / MOST_RATIO <= ratio <= MOST_RATIO:
        return None
    samples = rate_ratio(1.0, ratio)
    return compared(recording, card, partial(resampled, ratio=samples))


def _is_near(recording: Recording, card: Card) -> bool:
    """Return whether lines, of which little is known, have a frequency that a network knows."""
    frequency_hz = heard_hz(recording)
    if frequency_hz is None or card.likeness is None:
        return True
    low, high = card.likeness.quiet["mid_mhz"]
    return (1 - NEAR) * low <= 1e-6 * frequency_hz <= (1 + NEAR) * high
