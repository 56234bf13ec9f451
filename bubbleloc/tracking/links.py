"""Which positions in successive frames are of the same bubble.

In every frame, bubbles that are followed and positions that were found are assigned to each other
so that all together is likeliest: a bubble is found near where it is predicted, or missed; a
position is of such a bubble, or of one that was born (Bar-Shalom and Li, Multitarget-Multisensor
Tracking, 1995). The gate of a link follows: it may not cost more than one bubble missed and one
born.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from bubbleloc.arrays import Floats, Ints
from bubbleloc.tracking.motion import Moving

SHARE_FOUND = 0.9  # of bubbles in a frame
SHARE_BORN = 0.1  # of positions: the first of a bubble, or of none
NEAREST = 3  # positions that are tried in the next frame
_FOUND, _MISSED = -np.log(SHARE_FOUND), -np.log(1 - SHARE_FOUND)


@dataclass(frozen=True, eq=False)
class Found:
    """Positions in a frame, and their variances, (n, 2) each: lateral, depth; mm and mm²."""

    frame: int
    position: Floats
    variance: Floats

    @cached_property
    def tree(self) -> cKDTree:
        """Finds the positions near others."""
        return cKDTree(self.position)

    @cached_property
    def birth(self) -> float:
        """What a position costs that is of no bubble seen before: their density per mm²."""
        area_mm2 = np.ptp(self.position, axis=0).prod()
        return float(-np.log(SHARE_BORN * len(self.position) / max(area_mm2, 1.0)))


@dataclass(frozen=True)
class Limits:
    """How bubbles may move, and how long they may be missing.

    Attributes:
        step_mm: the farthest from frame to frame.
        turn: standard deviation of the change of velocity per frame, as a share of the speed.
        gap: most missing frames between two of a bubble.
    """

    step_mm: float
    turn: float
    gap: int

    @property
    def rest_mm(self) -> float:
        """Change of velocity per frame of a bubble at rest: that of one at a 20th of the speed."""
        return self.turn * self.step_mm / 20


class Linker:
    """Numbers the bubbles of frames that come in their order."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._count = 0  # of all bubbles
        self._frame = 0
        self._moving = Moving.born(np.zeros((0, 2)), np.zeros((0, 2)), 0.0)
        self._seen = np.zeros((0, 2))  # where they were found last
        self._age = np.zeros(0, dtype=np.int64)  # frames since
        self.followed = np.zeros(0, dtype=np.int64)
        """Numbers of bubbles that may still be found again."""

    def number(self, now: Found, following: Found | None) -> Ints:
        """Return the number of the bubble at each position of a frame, (n,).

        Args:
            following: the frame after it, if there is one. Links are preferred whose bubbles are
                found there, too.
        """
        self._wait_for(now.frame)
        if following is not None and following.frame > now.frame + 1:
            following = None
        none = np.zeros(0, dtype=np.int64)
        both = len(self.followed) and len(now.position)
        row, column = self._links(now, following) if both else (none, none)
        number = np.full(len(now.position), -1)
        number[column] = self.followed[row]
        new = np.flatnonzero(number < 0)
        number[new] = self._count + np.arange(len(new))
        self._count += len(new)

        born = Moving.born(now.position[new], now.variance[new], self._limits.step_mm)
        found = self._moving[row].updated(now.position[column], now.variance[column])
        lost = np.setdiff1d(np.arange(len(self.followed)), row)
        self._moving = self._moving[lost].joined(found).joined(born)
        order = np.concatenate([column, new])
        self._seen = np.concatenate([self._seen[lost], now.position[order]])
        self._age = np.concatenate([self._age[lost], np.zeros_like(order)])
        self.followed = np.concatenate([self.followed[lost], number[order]])
        return number

    def _wait_for(self, frame: int) -> None:
        """Predict where bubbles are, and give up those that were missing for too long."""
        passed = frame - self._frame
        self._frame = frame
        self._age = self._age + passed
        kept = self._age <= self._limits.gap + 1
        self._moving, self._seen = self._moving[kept], self._seen[kept]
        self._age, self.followed = self._age[kept], self.followed[kept]
        for _ in range(passed if len(self.followed) else 0):
            self._moving = self._predicted(self._moving)

    def _predicted(self, moving: Moving) -> Moving:
        return moving.predicted(self._limits.turn, self._limits.rest_mm)

    def _links(self, now: Found, following: Found | None) -> tuple[Ints, Ints]:
        """Return bubbles and positions (k,), (k,) that belong together."""
        row, column, cost = self._pairs(now)
        after = self._moving[row].updated(now.position[column], now.variance[column])
        cost += self._ahead(after, following) - _MISSED
        # every bubble has a column of its own, for when it is missed
        bubbles, positions = len(self.followed), len(now.position)
        rows = np.concatenate([row, np.arange(bubbles)])
        columns = np.concatenate([column, positions + np.arange(bubbles)])
        costs = np.concatenate([cost, np.full(bubbles, _MISSED)])
        costs -= costs.min() - 1  # a sparse matrix holds no zeros
        graph = coo_array((costs, (rows, columns)), shape=(bubbles, positions + bubbles))
        bubble, taken = min_weight_full_bipartite_matching(graph.tocsr())
        linked = taken < positions
        return bubble[linked].astype(np.int64), taken[linked].astype(np.int64)

    def _pairs(self, now: Found) -> tuple[Ints, Ints, Floats]:
        """Return bubbles and positions (k,), (k,) that may belong together, and what that costs."""
        total = self._moving.pp + now.variance.max(initial=0.0)
        room = _MISSED - _FOUND + now.birth - 0.5 * np.log(2 * np.pi * total).sum(axis=1)
        reach = np.sqrt(2 * np.maximum(room, 0) * total.max(axis=1, initial=0.0))
        near = now.tree.query_ball_point(self._moving.position, reach)
        row = np.repeat(np.arange(len(near)), [len(some) for some in near])
        column = np.fromiter(chain.from_iterable(near), dtype=np.int64)
        cost = self._cost(self._moving[row], now, column)
        way = np.hypot(*(now.position[column] - self._seen[row]).T)
        blur = 3 * np.sqrt(now.variance[column].max(axis=1, initial=0.0))
        allowed = (cost < _MISSED) & (way <= self._limits.step_mm * self._age[row] + blur)
        return row[allowed], column[allowed], cost[allowed]

    def _cost(self, moving: Moving, now: Found, column: Ints) -> Floats:
        surprise = moving.surprise(now.position[column], now.variance[column])
        return surprise + _FOUND - now.birth

    def _ahead(self, moving: Moving, following: Found | None) -> Floats:
        """Return the least that bubbles (n,) cost in the following frame."""
        least = np.full(len(moving), _MISSED)
        if following is None or not len(following.position) or not len(moving):
            return least
        later = self._predicted(moving)
        nearest = list(range(1, 1 + min(NEAREST, len(following.position))))
        for column in np.asarray(following.tree.query(later.position, k=nearest)[1]).T:
            least = np.minimum(least, self._cost(later, following, column))
        return least


def linked(frames: Iterable[Found], linker: Linker) -> Iterator[tuple[Found, Ints]]:
    """Yield frames with the numbers of their bubbles."""
    for now, following in pairwise(chain(frames, [None])):
        assert now is not None  # only the last is None
        yield now, linker.number(now, following)
