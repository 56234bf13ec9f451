"""Why a network may not fit a recording: its lines look unlike those of the training."""

from __future__ import annotations

import collections
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.console.settings.probes import GAUSSIAN
from bubbleloc.console.settings.using import OwnPulse
from bubbleloc.formats import Recording
from bubbleloc.localization.pulse import Pulse, sender
from bubbleloc.models.card import Card
from bubbleloc.models.likeness import FEWEST_LINES, SHORTEST_S, Likeness, Ranges
from bubbleloc.models.runs import RELEASED_PREFIX
from bubbleloc.nn.released import RELEASED

MOST_LINES = 128  # that are looked at, twice
BLOCK = 16  # lines at a time
TOO_MANY = 0.1  # of the lines outside a range
LEAST_NOISE_DB = -45.0  # that is worth training with
MOSTLY_NOISE_DB = -3.0
EARLY_S = 0.25e-6  # of a wire's echo, before it can be there: its depth is 0.2 mm off
ROUNDED_DB = -65.0  # from here on, rounding costs F1 without noise: `benchmarks/rounding.py`

UNTOLD = OwnPulse()
Values = dict[str, Floats]

BANDS = {"low_mhz": 5, "mid_mhz": 50, "high_mhz": 95}  # feature: percent of the power below it
RANGES = {
    "noise_db": "noise {v:.0f} dB of the power of a line, trained on up to {high:.0f} dB",
    "clipped": "clipped: {v:.0f} samples of a line at its peak, trained on up to {high:.0f}",
    "crest_db": "peak {v:.1f} dB above the RMS, trained on {low:.1f} to {high:.1f} dB",
    "polarity": "echoes of another shape ({v:.2f}, trained on {low:.2f} to {high:.2f}): another "
    "polarity or pulse",
    "direction": "echoes of another shape in time ({v:.2f}, trained on {low:.2f} to {high:.2f}): "
    "time backwards, another polarity or pulse",
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Lines of a recording beside those of a network's training.

    Attributes:
        reasons: what is wrong with the lines, or makes it hard to say.
        middle: the medians of their features, see `Likeness.compare`; none where not compared.
        share: of the lines, outside the ranges of the training.
        differences: what tells these lines from those of the training; empty where few do.
    """

    reasons: tuple[str, ...]
    middle: dict[str, float]
    share: float = 0.0
    differences: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the lines were compared."""
        return bool(self.middle)

    def unlike(self, network: str) -> str | None:
        """Return how the lines differ from those of the training of a network of that name."""
        if not self.differences:
            return None
        return (
            f"{self.share:.0%} of the lines are unlike those that {network} was trained on: "
            f"{self.differences}"
        )


def compared(recording: Recording, card: Card, ready: Callable[[Float32s], Float32s]) -> Comparison:
    """Compare lines of the first frame and of all frames, at most 128 each, with a network's card.

    Args:
        ready: makes lines (n, L) what the network takes.
    """
    first = np.arange(min(recording.elements, MOST_LINES))
    spread = np.linspace(0, recording.lines - 1, MOST_LINES).astype(int)
    numbers = np.union1d(first, spread)
    constant: list[int] = []
    rounding_db: list[float] = []

    def blocks() -> Iterator[Float32s]:
        for start in range(0, len(numbers), BLOCK):
            some = numbers[start : start + BLOCK]
            block, stored = recording.volts.some(some)
            constant.extend(some[np.ptp(block, axis=1) == 0].tolist())
            rounding_db.extend(map(rounding_noise_db, stored))
            yield ready(block)

    lines, likeness = blocks(), card.likeness
    rate_hz = card.scale.sampling_rate_hz
    features, outside = ({}, {}) if likeness is None else likeness.compare(lines, rate_hz)
    collections.deque(lines, maxlen=0)  # without a likeness, nobody has asked for them
    reasons = _shape(recording, constant, len(numbers))
    if card.noise.is_silent:
        reasons += _rounded(rounding_db)
    if likeness is None or not outside:
        reasons += _not_compared(likeness, len(constant) == len(numbers))
        return Comparison(tuple(reasons), {})
    if "noise_db" in features and np.median(features["noise_db"]) > MOSTLY_NOISE_DB:
        reasons.append(
            "more than half of the power is white noise; so may be much of what is found"
        )
    middle = {name: float(np.median(values)) for name, values in features.items()}
    share = float(np.any(list(outside.values()), axis=0).mean())
    if share <= TOO_MANY:
        return Comparison(tuple(reasons), middle)
    differences = "; ".join(_unlike(likeness, features, outside))
    return Comparison(tuple(reasons), middle, share, differences)


def doubts(
    recording: Recording,
    comparison: Comparison,
    pulse: Pulse | None = None,
    own: OwnPulse = UNTOLD,
) -> list[str]:
    """Return what is wrong with lines of a recording, or unlike those of a network's training.

    Args:
        pulse: what a network is told of the pulse.
        own: what the user tells of it.
    """
    reasons = [*comparison.reasons, *(() if pulse is None else pulse.doubts)]
    if (unlike := comparison.unlike("the network")) is None:
        return reasons
    centre_hz = 0.0 if pulse is None else pulse.told.centre_hz
    train = train_command(recording, comparison.middle, own, centre_hz)
    return [*reasons, unlike, f"to train a network for them: {train}"]


def _shape(recording: Recording, constant: list[int], looked_at: int) -> list[str]:
    """Return what is wrong with the lines without regard to the network.

    Args:
        constant: the numbers of the constant ones among those looked at.
    """
    reasons = []
    if constant:
        frame, element = divmod(constant[0], recording.elements)
        reasons.append(
            f"{len(constant)} of {looked_at} lines are constant, the first of frame "
            f"{recording.first_frame + frame}, element {element}; nothing is found in them"
        )
    if recording.receive_delay_s < -EARLY_S and "wire" in recording.sources.get("start_s", ""):
        reasons.append(
            f"the echo of the wire came {-1e6 * recording.receive_delay_s:.2f} µs early, which no "
            "receiver does: check the depth of the wire, and when time begins (start_s=)"
        )
    if recording.elements > recording.samples:
        reasons.append(
            f"{recording.elements} lines of {recording.samples} samples: if the samples are "
            "along another axis, name the axes, such as axes=samples,frames"
        )
    return reasons


def rounding_noise_db(line: Float32s) -> float:
    """Return the power that rounding adds to a line (L,), step² / 12, in dB of the line's power.

    The step is the smallest difference between values of the line. −∞ for a constant line.
    """
    values = np.unique(line).astype(np.float64)
    power = float(np.var(line, dtype=np.float64))
    if len(values) < 2 or power == 0:
        return -np.inf
    return float(10 * np.log10(np.diff(values).min() ** 2 / 12 / power))


def _rounded(rounding_db: list[float]) -> list[str]:
    """Return what is to be said of rounding to a network that was trained without noise."""
    levels = np.array(rounding_db)
    coarse = levels[levels > ROUNDED_DB]
    share = len(coarse) / len(levels)
    if share <= TOO_MANY:
        return []
    steps = np.sqrt(12) * 10 ** (coarse / 20)  # over the RMS
    return [
        f"{share:.0%} of the lines are rounded to steps of {steps.min():.1%} to {steps.max():.1%} "
        "of their RMS, which costs a network that was trained without noise much of its F1: take "
        "bubbleloc:robust, or lines that are not rounded, or amplified more"
    ]


def _not_compared(likeness: Likeness | None, all_constant: bool) -> list[str]:
    """Return why nobody knows whether the lines are like those of the training."""
    if all_constant:
        return []
    if likeness is not None:
        return [
            f"lines shorter than {1e6 * SHORTEST_S:.0f} µs are not compared with those of the "
            "training: whether the network fits them is unknown"
        ]
    return [
        "the network does not tell how the lines of its training looked, for which it needs "
        f"{FEWEST_LINES} validation lines of {1e6 * SHORTEST_S:.0f} µs: whether it fits these "
        "lines is unknown"
    ]


def _unlike(likeness: Likeness, features: Values, outside: Values) -> list[str]:
    """Return what is outside its range in too many lines, with the median of these lines."""
    share = {name: float(np.mean(flags)) for name, flags in outside.items()}
    middle = {
        name: float(np.median(features[name][flags]))
        for name, flags in outside.items()
        if share[name]
    }
    is_noisy = np.mean(likeness.is_noisy(features)) > 0.5
    ranges = likeness.ranges if is_noisy else likeness.quiet
    reasons = []
    if edges := [name for name in BANDS if share[name] > TOO_MANY]:
        reasons.append(_band(features, ranges, edges))
    for name, text in RANGES.items():
        if share.get(name, 0.0) > TOO_MANY:
            low, high = ranges[name]
            reasons.append(text.format(v=middle[name], low=low, high=high))
    if reasons:
        return reasons
    # no feature alone is outside in too many lines, but together they are
    worst = max(sorted(middle), key=lambda name: (share[name], name.startswith("share_db")))
    low, high = ranges[worst]
    if worst in BANDS:
        return [_band(features, ranges, [worst])]
    if worst in RANGES:
        return [RANGES[worst].format(v=middle[worst], low=low, high=high)]
    start_mhz = worst.partition("@")[2]
    return [
        f"{middle[worst]:.0f} dB of the power from {start_mhz} MHz on, 0.5 MHz wide, trained on "
        f"{low:.0f} to {high:.0f} dB"
    ]


def _band(features: Values, ranges: Ranges, edges: list[str]) -> str:
    """Return how the band of lines differs from that of the training, at these of its edges."""
    measured = " to ".join(f"{np.median(features[name]):.1f}" for name in BANDS)
    trained = " and ".join(
        f"the {BANDS[name]} % at {ranges[name][0]:.1f}–{ranges[name][1]:.1f}" for name in edges
    )
    return f"band (5, 50, 95 % of the power) {measured} MHz, trained with {trained} MHz"


def train_command(
    recording: Recording, middle: Mapping[str, float], own: OwnPulse = UNTOLD, centre_hz: float = 0
) -> str:
    """Return the command that simulates and trains for lines of these features, for a shell.

    Args:
        own: what the user tells of the pulse.
        centre_hz: of the echoes; 0 is that of the features.
    """
    known = sender(recording, own)
    physics = {} if known is None else dict(known.physics)
    if "transducer" not in physics:
        centre_hz = centre_hz or 1e6 * round(middle["mid_mhz"], 2)
        physics |= {"transducer": GAUSSIAN, "center_hz": centre_hz, "fractional_bandwidth": 1.0}
    if recording.speed_of_sound_m_s is not None:
        physics["medium.speed_of_sound_m_s"] = recording.speed_of_sound_m_s
    if "universal" in RELEASED:
        settings = {"start_from": f"{RELEASED_PREFIX}universal", "experiment": "universal"}
        settings |= {"data.setups": "told", "data.signals.train": "1000"}
        settings |= {"trainer.max_epochs": "24", "optimizer.lr": "2e-3"}
    else:
        settings = {"model": "ckcnn_multirate", "model.head": "emitters", "data": "study"}
        settings |= {"model.line_mean": "true"}
        if middle.get("noise_db", LEAST_NOISE_DB) > LEAST_NOISE_DB:
            settings["snr_db"] = f"{-middle['noise_db']:.0f}"
    settings["data.name"] = re.sub(r"[^\w.-]+", "_", Path(recording.source).stem)
    if known is not None and known.waveform is not None:
        settings["data.waveform"] = known.waveform
    settings |= {f"data.physics.{name}": _plain(value) for name, value in physics.items()}
    words = [f"{name}={_quoted(value)}" for name, value in settings.items()]
    return shlex.join(["bubbleloc", "train", *words])


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _quoted(value: str) -> str:
    """Return a value as Hydra reads it: names of files may hold what has a meaning there."""
    if re.fullmatch(r"[\w./:+-]+", value, re.ASCII):
        return value
    escaped = re.sub(r'(\\*)("|$)', lambda m: 2 * m[1] + ('\\"' if m[2] else ""), value)
    return f'"{escaped}"'
