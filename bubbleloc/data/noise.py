"""What training and evaluation change at random in RF lines: noise and augmentation.

Noise is as published (Blanken et al., IEEE TMI 2022), or of another colour or SNR.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import signal

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.console.settings import Train
from bubbleloc.console.settings.training import Augmentation
from bubbleloc.errors import InputError
from bubbleloc.physics.transducer import P4_1, Response

REFERENCE_V = 9.65  # volts; noise levels are fractions of it
CUTOFF_HZ = 5.1e6
ORDER = 4
COLOURS = ("low-pass", "white", "receive")
LARGEST_SNR_DB = 200  # either sign: beyond what float32 resolves
Amount = float | tuple[float, float]  # a number, or a range from which every draw takes one


@dataclass(frozen=True)
class Noise:
    """Noise to be added to RF lines; calling it adds the noise to one of them.

    Attributes:
        level: standard deviation over 9.65 V; of a range, log-uniform.
        snr_db: in place of a level, ratio of mean squares, signal to noise; of a range, uniform.
        colour: ``low-pass`` is the published recipe, signal and white noise together through a
            low-pass filter at 5.1 MHz; ``white`` has no filter; ``receive`` is white noise through
            the receive response of the transducer, scaled to a largest gain of 1; ``any`` is one
            of these for every draw. None is the published recipe for a level, white for an SNR.
        clean_share: of draws without noise.
    """

    level: Amount = 0.0
    snr_db: Amount | None = None
    colour: str | None = None
    clean_share: float = 0.0

    def __post_init__(self) -> None:
        for name in ("level", "snr_db"):
            if isinstance(getattr(self, name), list):  # as files have it
                object.__setattr__(self, name, tuple(getattr(self, name)))
        ends = _ends(self.level)
        if not _rises(ends) or min(ends) < 0 or (len(ends) == 2 and ends[0] <= 0):
            raise InputError(
                f"noise={self.level} must be 0 or more (1.0 adds 9.65 V), or a range above 0, the "
                "lower level first"
            )
        ends = _ends(0.0 if self.snr_db is None else self.snr_db)
        if not _rises(ends) or max(map(abs, ends)) > LARGEST_SNR_DB:
            raise InputError(
                f"snr_db={self.snr_db} must be a number of decibels, such as 20, at most "
                f"±{LARGEST_SNR_DB}, or a range, the lower end first"
            )
        if not (_is_number(self.clean_share) and 0 <= self.clean_share < 1):
            raise InputError(f"clean_share={self.clean_share}: give 0 or more, and less than 1")
        if self.level != 0 and self.snr_db is not None:
            raise InputError(
                f"noise={self.level} and snr_db={self.snr_db}: choose one, the published recipe "
                "or white noise"
            )
        if self.colour not in (None, "any", *COLOURS):
            raise InputError(f"noise_colour={self.colour}: choose any, {', '.join(COLOURS)}")

    @classmethod
    def of(cls, settings: Train) -> Self:
        """Return the noise that the settings of a training describe."""
        return cls(settings.noise, settings.snr_db, settings.noise_colour, settings.clean_share)

    @property
    def is_received(self) -> bool:
        """Whether some of the noise passes the receive response of the transducer."""
        return self.colour in ("receive", "any")

    @property
    def is_silent(self) -> bool:
        """Whether no line gets noise."""
        return self.level == 0 and self.snr_db is None

    def __str__(self) -> str:
        if self.snr_db is not None:
            amount = f"a signal-to-noise ratio of {_words(self.snr_db)} dB"
        else:
            volts = [end * REFERENCE_V for end in _ends(self.level)]
            amount = f"{_words(self.level)} (standard deviation {_words(volts)} V)"
        colour = f", {self.colour}" if self.colour else ""
        return amount + colour + (f", {self.clean_share:.0%} clean" if self.clean_share else "")

    def __call__(
        self,
        volts: Float32s,
        rng: np.random.Generator,
        sampling_rate_hz: float,
        receive: Response = P4_1.receive,
    ) -> Float32s:
        """Return an RF line (L,) in volts with its noise; of a level, also lines (E, L).

        Args:
            receive: response of the transducer.
        """
        if self.is_silent or (self.clean_share and rng.random() < self.clean_share):
            return volts
        colour = self.colour or ("low-pass" if self.snr_db is None else "white")
        if colour == "any":
            colour = COLOURS[rng.integers(len(COLOURS))]
        noise = rng.normal(0.0, self._deviation_v(volts, rng), volts.shape)
        if colour == "low-pass":
            return _low_passed(volts + noise, sampling_rate_hz)
        if colour == "receive":
            noise = _filtered(noise, sampling_rate_hz, receive)
        return np.asarray(volts + noise, dtype=np.float32)

    def _deviation_v(self, volts: Float32s, rng: np.random.Generator) -> float:
        """Return the standard deviation of white noise before its filter."""
        if self.snr_db is None:
            return REFERENCE_V * math.exp(_draw(np.log(_ends(self.level)), rng))
        power = float(np.mean(np.square(volts, dtype=np.float64)))
        return math.sqrt(power / 10 ** (_draw(_ends(self.snr_db), rng) / 10))


def _ends(amount: Amount) -> tuple[float, ...]:
    return amount if isinstance(amount, tuple) else (amount,)


def _draw(ends: Sequence[float] | Floats, rng: np.random.Generator) -> float:
    return float(ends[0] if len(ends) == 1 else rng.uniform(*ends))


def _words(amount: Amount | Sequence[float]) -> str:
    ends = amount if isinstance(amount, Sequence) else (amount,)
    return "–".join(f"{end:g}" for end in ends)


def _rises(ends: Sequence[float]) -> bool:
    """Whether ends are one number, or two, the smaller first."""
    return all(map(_is_number, ends)) and len(ends) in (1, 2) and ends[0] <= ends[-1]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


NO_NOISE = Noise()
NO_AUGMENTATION = Augmentation()


def _low_passed(volts: Floats, sampling_rate_hz: float) -> Float32s:
    """Filter a line forward and backward by the published low-pass."""
    return np.asarray(signal.sosfiltfilt(_low_pass(sampling_rate_hz), volts), dtype=np.float32)


@functools.lru_cache
def _low_pass(sampling_rate_hz: float) -> Floats:
    return np.asarray(signal.butter(ORDER, CUTOFF_HZ, fs=sampling_rate_hz, output="sos"))


def _filtered(noise: Floats, sampling_rate_hz: float, response: Response) -> Floats:
    """Filter noise (L,) by the magnitude of a response over its largest."""
    gain = _gain(noise.size, sampling_rate_hz, response)
    return np.fft.irfft(np.fft.rfft(noise) * gain, noise.size)


@functools.lru_cache(maxsize=4)
def _gain(samples: int, sampling_rate_hz: float, response: Response) -> Floats:
    gain = np.abs(response(np.asarray(np.fft.rfftfreq(samples, 1 / sampling_rate_hz), np.float64)))
    return np.asarray(gain / gain.max())


def augment(volts: Float32s, augmentation: Augmentation, rng: np.random.Generator) -> Float32s:
    """Return an RF line (L,) in volts as another receiver might have given it.

    Gain, slope of the gain along the line, as after an imperfect time-gain compensation, and
    polarity are drawn at random; bubbles stay where they are.
    """
    gain, slope = rng.uniform(-1, 1, 2) * (augmentation.gain_db, augmentation.slope_db)
    decibels = gain + slope * np.linspace(-0.5, 0.5, volts.size)
    sign = -1 if augmentation.polarity and rng.random() < 0.5 else 1
    return np.asarray(sign * volts * 10 ** (decibels / 20), dtype=np.float32)
