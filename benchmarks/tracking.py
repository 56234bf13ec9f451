"""How many links between frames are right, beside trackpy, by density, speed and noise.

python benchmarks/tracking.py [--seeds 3]

Bubbles move on gently curving paths in 10 × 20 mm, at 0.3 to 1.7 times the speed that is named;
they live for 60 frames on average. Positions are exact, or off by 50 µm laterally and 10 µm in
depth, with some missing and some false. A link is a pair of positions in a track with no other
between them.
"""

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from bubbleloc.arrays import Ints
from bubbleloc.tables import to_markdown
from bubbleloc.tracking.links import Found, Limits, Linker, linked

SIDES_MM = np.array([10.0, 20.0])
SIGMA_MM = np.array([0.05, 0.01])
LIFE, GAP, TURN = 60, 2, 0.15


class Case(NamedTuple):
    """Bubbles per mm², their mean step in µm per frame, and the share of missing and false ones."""

    per_mm2: float
    step_um: float
    missing: float
    false: float
    frames: int

    @property
    def exact(self) -> bool:
        """Whether positions are those of the bubbles, and all of them."""
        return self.missing == 0


CASES = (
    *(Case(0.25, 200, 0, 0, 300), Case(2, 200, 0, 0, 150)),
    *(Case(0.25, 60, 0.05, 0.02, 300), Case(0.25, 300, 0.15, 0.1, 300)),
    *(Case(2, 60, 0.1, 0.1, 150), Case(2, 200, 0.15, 0.1, 150)),
)


def positions(case: Case, seed: int) -> pd.DataFrame:
    """Return ``frame``, ``x_mm``, ``z_mm`` and the true ``bubble``, −1 for none."""
    rng = np.random.default_rng(seed)
    count = round(case.per_mm2 * SIDES_MM.prod())
    sigma = np.zeros(2) if case.exact else SIGMA_MM

    def born(n: int) -> np.ndarray:
        """Position, heading, step and bend (5, n)."""
        place = rng.uniform(0, SIDES_MM, (n, 2)).T
        step = 1e-3 * case.step_um * rng.uniform(0.3, 1.7, n)
        return np.stack([*place, rng.uniform(0, 2 * np.pi, n), step, rng.normal(0, 0.02, n)])

    state, bubble, tables, numbered = born(count), np.arange(count), [], count
    for frame in range(case.frames):
        seen = rng.uniform(size=count) >= case.missing
        found = state[:2, seen].T + rng.normal(0, 1, (seen.sum(), 2)) * sigma
        false = rng.uniform(0, SIDES_MM, (rng.poisson(case.false * count), 2))
        x_mm, z_mm = np.concatenate([found, false]).T
        of = np.concatenate([bubble[seen], np.full(len(false), -1)])
        tables.append(pd.DataFrame({"frame": frame, "x_mm": x_mm, "z_mm": z_mm, "bubble": of}))
        state[2] += state[4]
        state[:2] += state[3] * np.stack([np.cos(state[2]), np.sin(state[2])])
        inside = ((state[:2] > 0) & (state[:2] < SIDES_MM[:, None])).all(axis=0)
        gone = np.flatnonzero(~inside | (rng.uniform(size=count) < 1 / LIFE))
        state[:, gone] = born(len(gone))
        bubble[gone] = numbered + np.arange(len(gone))
        numbered += len(gone)
    return pd.concat(tables, ignore_index=True)


def links(number: Ints, frame: Ints) -> set[tuple[int, int]]:
    """Return pairs of rows that follow each other with the same number, within the gap."""
    rows = np.lexsort([frame, number])
    same = (np.diff(number[rows]) == 0) & (number[rows][1:] >= 0)
    same &= np.diff(frame[rows]) <= GAP + 1
    return set(zip(rows[:-1][same].tolist(), rows[1:][same].tolist(), strict=True))


def ours(table: pd.DataFrame, case: Case) -> Ints:
    """Return the number of a track at each row."""
    variance = (np.full(2, 1e-3) if case.exact else SIGMA_MM) ** 2
    frames = []
    for _, rows in table.groupby("frame"):
        place = rows[["x_mm", "z_mm"]].to_numpy()
        frames.append(Found(int(rows["frame"].iloc[0]), place, np.tile(variance, (len(rows), 1))))
    linker = Linker(Limits(1.75e-3 * case.step_um, TURN, GAP))
    return np.concatenate([number for _, number in linked(frames, linker)])


def trackpys(table: pd.DataFrame, case: Case, predict: bool) -> Ints:
    """Return the same of trackpy, whose reach is our farthest step and noise."""
    import trackpy  # type: ignore[import-untyped]

    trackpy.quiet()
    reach = 1.75e-3 * case.step_um + (0 if case.exact else 3 * SIGMA_MM[0])
    columns = ["x_mm", "z_mm"]
    given = table[[*columns, "frame"]].copy()
    if predict:
        predictor = trackpy.predict.NearestVelocityPredict()
        found = predictor.link_df(given, reach, memory=GAP, pos_columns=columns)
    else:
        found = trackpy.link(given, reach, memory=GAP, pos_columns=columns)
    return found["particle"].reindex(table.index).to_numpy(np.int64)


METHODS: dict[str, Callable[[pd.DataFrame, Case], Ints]] = {
    "bubbleloc": ours,
    "trackpy": lambda table, case: trackpys(table, case, predict=False),
    "trackpy, velocity predicted": lambda table, case: trackpys(table, case, predict=True),
}


def row(case: Case, seeds: int) -> dict[str, object]:
    """Return means of recall / precision of each method over seeds, and the time of ours."""
    result: dict[str, object] = {
        "per mm²": case.per_mm2,
        "µm per frame": case.step_um,
        "missing": f"{case.missing:.0%}",
        "false": f"{case.false:.0%}",
    }
    tables = [positions(case, seed) for seed in range(seeds)]
    ours(tables[0].query("frame < 3"), case)  # compiles
    for name, method in METHODS.items():
        shares, seconds = [], 0.0
        try:
            for table in tables:
                frame = table["frame"].to_numpy()
                started = time.process_time()
                number = method(table, case)
                seconds += time.process_time() - started
                found = links(number, frame)
                true = links(table["bubble"].to_numpy(), frame)
                right = len(true & found)
                shares.append((right / len(true), right / max(len(found), 1)))
            recall, precision = np.mean(shares, axis=0)
            result[name] = f"{recall:.3f} / {precision:.3f}"
        except Exception as error:
            result[name] = type(error).__name__
        if method is ours:
            result["ms per frame"] = f"{1e3 * seconds / (seeds * case.frames):.1f}"
    return result


def main() -> None:
    """Print a row per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    print(to_markdown(pd.DataFrame([row(case, seeds) for case in CASES])))


if __name__ == "__main__":
    main()
