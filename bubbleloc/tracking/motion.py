"""How a bubble moves: a nearly constant velocity, and what is then known of where it is.

Both axes are independent. Their state is a position in mm and a velocity in mm per frame; from
frame to frame the velocity changes by a random number of standard deviation √q (Bar-Shalom, Li and
Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001, 6.3.2).
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bubbleloc.arrays import Floats, Ints


@dataclass(frozen=True, eq=False)
class Moving:
    """Bubbles that are followed, (n, 2) each: lateral, depth.

    Attributes:
        position, velocity: means, in mm and mm per frame.
        pp, pv, vv: covariances of position and velocity.
    """

    position: Floats
    velocity: Floats
    pp: Floats
    pv: Floats
    vv: Floats

    @classmethod
    def born(cls, position: Floats, variance: Floats, speed: float) -> Self:
        """Bubbles seen once, (n, 2) in mm and mm², of a velocity of standard deviation speed/2."""
        nothing = np.zeros_like(position)
        return cls(position, nothing, variance, nothing, np.full_like(position, speed**2 / 4))

    def __len__(self) -> int:
        return len(self.position)

    def __getitem__(self, chosen: Ints | NDArray[np.bool_]) -> Self:
        return type(self)(*(getattr(self, row.name)[chosen] for row in fields(self)))

    def joined(self, other: "Moving") -> "Moving":
        """Return these bubbles and then the others."""
        both = (
            np.concatenate([getattr(self, r.name), getattr(other, r.name)]) for r in fields(self)
        )
        return Moving(*both)

    def predicted(self, turn: float, rest: float) -> "Moving":
        """Return them one frame later; √q is ``turn`` times their speed, but at least ``rest``."""
        q = np.maximum(turn**2 * np.sum(self.velocity**2, axis=1), rest**2)[:, None]
        return Moving(
            self.position + self.velocity,
            self.velocity,
            self.pp + 2 * self.pv + self.vv + q / 4,
            self.pv + self.vv + q / 2,
            self.vv + q,
        )

    def updated(self, found: Floats, variance: Floats) -> "Moving":
        """Return them after they were found at (n, 2) positions with these variances."""
        gain, off = 1 / (self.pp + variance), found - self.position
        return Moving(
            self.position + self.pp * gain * off,
            self.velocity + self.pv * gain * off,
            self.pp - self.pp**2 * gain,
            self.pv - self.pp * self.pv * gain,
            self.vv - self.pv**2 * gain,
        )

    def surprise(self, found: Floats, variance: Floats) -> Floats:
        """Minus the logarithm of the density, per mm², at which they are found there, (n,)."""
        total = self.pp + variance
        off = (found - self.position) ** 2 / total
        return 0.5 * np.sum(off + np.log(2 * np.pi * total), axis=1)


@njit(cache=True, nogil=True)
def smooth(
    frame: Ints, found: Floats, variance: Floats, changes: Floats, speed: float
) -> tuple[Floats, Floats, Floats]:
    """Positions, velocities and variances of positions of one track in all its frames.

    A Kalman filter and the smoother of Rauch, Tung and Striebel (AIAA Journal 3, 1965).

    Args:
        frame: (n,) numbers of the frames in which it was found, increasing.
        found, variance: (n, 2), mm and mm².
        changes: √q, mm per frame; of several, the one of which the track is likeliest.
        speed: standard deviation of the velocity before it is known, mm per frame.

    Returns:
        (m, 2) each, in mm, mm per frame, mm²; m frames from the first to the last.
    """
    count = frame[-1] - frame[0] + 1
    position, velocity, spread = np.empty((count, 2)), np.empty((count, 2)), np.empty((count, 2))
    change, least = changes[0], np.inf
    for tried in changes if len(changes) > 1 else changes[:0]:
        surprise = 0.0
        for axis in range(2):
            surprise += _filtered(frame, found[:, axis], variance[:, axis], tried**2, speed)[2]
        if surprise < least:
            change, least = tried, surprise
    for axis in range(2):
        before, after, _ = _filtered(frame, found[:, axis], variance[:, axis], change**2, speed)
        x, v, pp, pv, vv = after[-1]
        position[-1, axis], velocity[-1, axis], spread[-1, axis] = x, v, pp
        for i in range(count - 2, -1, -1):
            x0, v0, a, b, c = after[i]
            x1, v1, p, r, s = before[i + 1]
            scale = 1 / (p * s - r**2)  # of the inverse of [[p, r], [r, s]]
            # the gain: of what the next frame tells, how much is true of this one
            g00, g01 = ((a + b) * s - b * r) * scale, (b * p - (a + b) * r) * scale
            g10, g11 = ((b + c) * s - c * r) * scale, (c * p - (b + c) * r) * scale
            d0, d1, d2 = pp - p, pv - r, vv - s
            x, v = x0 + g00 * (x - x1) + g01 * (v - v1), v0 + g10 * (x - x1) + g11 * (v - v1)
            pp = a + g00**2 * d0 + 2 * g00 * g01 * d1 + g01**2 * d2
            pv = b + g00 * g10 * d0 + (g00 * g11 + g01 * g10) * d1 + g01 * g11 * d2
            vv = c + g10**2 * d0 + 2 * g10 * g11 * d1 + g11**2 * d2
            position[i, axis], velocity[i, axis], spread[i, axis] = x, v, pp
    return position, velocity, spread


@njit(cache=True, nogil=True)
def _filtered(
    frame: Ints, found: Floats, variance: Floats, q: float, speed: float
) -> tuple[Floats, Floats, float]:
    """Position, velocity, pp, pv, vv (m, 5) in every frame, before and after it was looked at.

    And minus the logarithm of the density at which all was found, but for a constant.
    """
    count = frame[-1] - frame[0] + 1
    before, after = np.empty((count, 5)), np.empty((count, 5))
    x, v, pp, pv, vv = found[0], 0.0, variance[0], 0.0, speed**2
    before[0] = after[0] = np.array([x, v, pp, pv, vv])
    nth, surprise = 1, 0.0
    for i in range(1, count):
        x, pp, pv, vv = x + v, pp + 2 * pv + vv + q / 4, pv + vv + q / 2, vv + q
        before[i] = np.array([x, v, pp, pv, vv])
        if frame[nth] == frame[0] + i:
            gain, off = 1 / (pp + variance[nth]), found[nth] - x
            surprise += (off**2 * gain - np.log(gain)) / 2
            x, v = x + pp * gain * off, v + pv * gain * off
            pp, pv, vv = pp - pp**2 * gain, pv - pp * pv * gain, vv - pv**2 * gain
            nth += 1
        after[i] = np.array([x, v, pp, pv, vv])
    return before, after, surprise
