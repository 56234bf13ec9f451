"""The mean echo of the bubbles of a recording, learned from its frames, and bubbles found by it.

The lines of a frame are the sum of all echoes. With one echo h for all bubbles, as late as their
places tell, h is the solution of linear least squares. Its normal equations are Toeplitz: the
autocorrelation of the impulses at the arrivals, and their correlation with the lines. So h is
found where echoes overlap, too; no bubble has to be alone. Bubbles that were missed or made up
are as noise to it, for the arrivals of others do not depend on theirs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import fft
from scipy.linalg import solve_toeplitz

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.errors import InputError
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.backprojection import Backprojection
from bubbleloc.imaging.clean import Clean
from bubbleloc.imaging.echoes import WEAKEST, Echo, compensated
from bubbleloc.imaging.jointfit import NO_BUBBLES, Bubbles, JointFit, impulses
from bubbleloc.imaging.positions import Positions
from bubbleloc.nn import Localizer

LEAST_PROBABILITY = 0.5  # of a bubble that the first echo is learned from
ENOUGH_BUBBLES = 500
FEWEST_BUBBLES = 5
PASSES = 2  # of finding bubbles with an echo and learning a better one from them
RIDGE = 0.01  # of the autocorrelation at lag 0, added to it
FADED = 0.25  # of an echo, at its end
FIRST_SPREAD = 0.3  # of the strengths of bubbles, before it is known
LEAST_SPREAD = 0.1
LEAST_OWN = 0.6  # of a bubble: at less than .5, the lines are explained better without it
# Samples by which equal bubbles (±5 %) appear sooner or later: from .3 at 250 kPa to 1 at 25 kPa.
ARRIVAL_SIGMA = 0.5
ROUNDS = 4  # of looking for bubbles in what is left
STEPS, LAST_STEPS = 4, 8  # of least squares after each round, and in the end


@dataclass(frozen=True, eq=False, kw_only=True)
class LearnedEcho(Echo):
    """The mean echo of the bubbles of a recording.

    Attributes:
        spread: standard deviation of the strengths of single bubbles, in mean echoes.
        bubbles: number of those that it was learned from.
    """

    spread: float
    bubbles: int


@dataclass(frozen=True, eq=False)
class Learned:
    """Finds bubbles by CLEAN with a learned echo, and fits all of them at once, again and again.

    Standard deviations are those of `JointFit.deviations`, and in depth also how much sooner or
    later bubbles appear whose echo is not the mean one.

    What the fit leaves of the lines shows bubbles that lie close to others. In the end, those are
    left out whose strength is less than `LEAST_OWN` mean echoes by the lines alone.

    Attributes:
        array: the array whose lines are given.
        region: where bubbles are looked for.
        echo: that of the recording, see `learned_echo`.
    """

    array: Array
    region: Region
    echo: LearnedEcho

    def __call__(self, rf: Float32s) -> Positions:
        """Return the bubbles in the RF lines (E, L) of a frame; height is in mean echoes."""
        found = self.bubbles(rf)
        x_sigma_m, z_sigma_m = self.fit.deviations(self.compensated(rf), found)
        common_m = self.echo.arrival_sigma / self.array.samples_per_m / 2
        height = self.fit.own_strength(found)
        return Positions(
            found.x_m, found.z_m, x_sigma_m, np.hypot(z_sigma_m, common_m), height=height
        )

    def bubbles(self, rf: Float32s) -> Bubbles:
        """Return the bubbles in the RF lines (E, L) of a frame."""
        lines, gain = self.compensated(rf), self.compensated(np.ones_like(rf[:1]))
        found = NO_BUBBLES
        for _ in range(ROUNDS):
            left = lines - self.fit.lines(found, rf.shape[1])
            new = self._clean(np.divide(left, gain, out=np.zeros_like(rf), where=gain > 0))
            if not len(new):
                break
            found = self._fitted(lines, found.joined(new.x_m, new.z_m, new.height), STEPS)
        found = self._fitted(lines, found, LAST_STEPS)
        kept = self.region.holds(found.x_m, found.z_m)
        return found[np.flatnonzero(kept & (self.fit.own_strength(found) > LEAST_OWN))]

    def compensated(self, rf: Float32s) -> Float32s:
        """Return lines (E, L) in which echoes from any depth are as strong."""
        return compensated(rf, self.array.later(self.echo.centre), self.echo.distance_m)

    def _fitted(self, lines: Float32s, found: Bubbles, steps: int) -> Bubbles:
        if not len(found):
            return found
        size_m = self.array.sample_size_m(self.region)
        fitted = self.fit(lines, found.merged(*size_m), steps)
        return fitted.merged(*size_m).above(WEAKEST)

    @cached_property
    def fit(self) -> JointFit:
        """The joint fit with the learned echo."""
        return JointFit(self.array, self.echo.volts, self.echo.spread)

    @cached_property
    def _clean(self) -> Clean:
        return Clean(self.array, self.region, self.echo)


@dataclass(frozen=True, eq=False)
class Heard:
    """Lines (E, L) of an array, in which all echoes are as strong, and the bubbles in them."""

    lines: Float32s
    array: Array
    bubbles: Bubbles

    @property
    def impulses(self) -> Floats:
        """The strengths of the bubbles at their arrivals, (E, L)."""
        arrival = self.array.arrival_sample(self.bubbles.x_m, self.bubbles.z_m)
        return impulses(arrival, self.bubbles.strength, self.lines.shape[1])


def learned_echo(
    frames: Iterable[Float32s], array: Array, region: Region, network: Localizer
) -> LearnedEcho:
    """Return the mean echo of the bubbles in RF lines (E, L) of frames, at unknown pressure.

    The network finds bubbles in the frames, of which those with the fewest are taken first, until
    there are `ENOUGH_BUBBLES`. These make a first echo, with which more bubbles are found, which
    make a better one. It is as long as the network hears, its end faded.

    Args:
        frames: a few frames of the recording, evenly spread over it.
        network: a network with a head of emitters, see `Backprojection`.

    Raises:
        InputError: fewer than `FEWEST_BUBBLES` bubbles in all frames.
    """
    locate = Backprojection(array, region, network)
    found = sorted(((_certain(locate(rf)), rf) for rf in frames), key=lambda pair: len(pair[0]))
    before = np.cumsum([0, *(len(bubbles) for bubbles, _ in found)])
    if before[-1] < FEWEST_BUBBLES:
        raise InputError(
            f"{before[-1]} bubbles in {len(found)} frames are too few to learn an echo from: give "
            "more frames, a larger region, or method=network"
        )
    chosen = [pair for pair, count in zip(found, before, strict=False) if count < ENOUGH_BUBBLES]
    distance_m = float(np.mean(region.depth_m))
    heard = [Heard(compensated(rf, array, distance_m), array, bubbles) for bubbles, rf in chosen]
    samples = int(network.receptive_field / 2 / locate.network_samples)
    volts = fitted_echo(heard, samples)
    bubbles = sum(len(frame.bubbles) for frame in heard)
    echo = LearnedEcho(volts, distance_m, ARRIVAL_SIGMA, spread=FIRST_SPREAD, bubbles=bubbles)
    for _ in range(PASSES):
        method = Learned(array, region, echo)
        heard = [Heard(method.compensated(rf), array, method.bubbles(rf)) for _, rf in chosen]
        echo = _of_bubbles(heard, echo)
    return echo


def _certain(positions: Positions) -> Bubbles:
    kept = positions[positions.probability > LEAST_PROBABILITY]
    return Bubbles(kept.x_m, kept.z_m, np.ones(len(kept)))


def _of_bubbles(heard: Sequence[Heard], before: LearnedEcho) -> LearnedEcho:
    """Return the echo of bubbles that were found with another one, and that if there are none."""
    strength = np.concatenate([frame.bubbles.strength for frame in heard])
    if len(strength) < FEWEST_BUBBLES:
        return before
    level = float(np.median(strength))
    away = np.median(np.abs(strength / level - 1))
    return LearnedEcho(
        level * fitted_echo(heard, len(before.volts)),
        before.distance_m,
        before.arrival_sigma,
        spread=max(1.4826 * float(away), LEAST_SPREAD),  # σ of a normal distribution
        bubbles=len(strength),
    )


def fitted_echo(heard: Sequence[Heard], samples: int) -> Floats:
    """Return the echo (samples,) of least squares in the lines of frames, its end faded."""
    size = fft.next_fast_len(max(frame.lines.shape[1] for frame in heard) + samples, real=True)
    auto, cross = np.zeros((2, samples))
    for frame in heard:
        impulse = fft.rfft(frame.impulses, size)
        lines = fft.rfft(frame.lines.astype(np.float64), size)
        auto += fft.irfft(np.sum(np.abs(impulse) ** 2, axis=0), size)[:samples]
        cross += fft.irfft(np.sum(impulse.conj() * lines, axis=0), size)[:samples]
    auto[0] *= 1 + RIDGE
    to_end = (samples - np.arange(samples)) / (FADED * samples)
    return solve_toeplitz(auto, cross) * np.minimum(to_end, 1)
