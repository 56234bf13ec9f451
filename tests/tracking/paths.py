"""Bubbles on gently curving paths in ±5 × 30–50 mm, and the links between their positions."""

import numpy as np
import pandas as pd

FIELD_MM = np.array([[-5.0, 30.0], [5.0, 50.0]])


def wandering(count, frames, step_mm, seed, life=60):
    """Positions of bubbles, shuffled in each frame, with the true number of the bubble.

    A bubble that leaves the field or lives its life is replaced by a new one anywhere.
    """
    rng = np.random.default_rng(seed)
    draw = {
        "place": lambda n: rng.uniform(*FIELD_MM, (n, 2)),
        "heading": lambda n: rng.uniform(0, 2 * np.pi, n),
        "speed": lambda n: step_mm * rng.uniform(0.3, 1.7, n),
        "bend": lambda n: rng.normal(0, 0.02, n),
    }
    state = {name: draws(count) for name, draws in draw.items()}
    number, born, tables = np.arange(count), count, []
    for frame in range(frames):
        order = rng.permutation(count)
        x_mm, z_mm = state["place"][order].T
        bubble = number[order]
        tables.append(pd.DataFrame({"frame": frame, "bubble": bubble, "x_mm": x_mm, "z_mm": z_mm}))
        state["heading"] = state["heading"] + state["bend"]
        way = np.stack([np.cos(state["heading"]), np.sin(state["heading"])], axis=1)
        state["place"] = state["place"] + state["speed"][:, None] * way
        inside = ((state["place"] > FIELD_MM[0]) & (state["place"] < FIELD_MM[1])).all(axis=1)
        gone = np.flatnonzero(~inside | (rng.uniform(size=count) < 1 / life))
        for name, draws in draw.items():
            state[name][gone] = draws(len(gone))
        number[gone] = born + np.arange(len(gone))
        born += len(gone)
    return with_columns(pd.concat(tables, ignore_index=True))


def with_columns(table, sigma_mm=np.nan):
    """A table of positions; what is not given is unknown."""
    table["x_sigma_mm"] = table["z_sigma_mm"] = sigma_mm
    table["probability"] = table["height"] = np.nan
    return table


def links(number, frame):
    """Pairs of rows that follow each other with the same number, -1 for none."""
    rows = np.lexsort([frame, number])
    same = (np.diff(number[rows]) == 0) & (number[rows][1:] >= 0)
    return set(zip(rows[:-1][same], rows[1:][same], strict=True))


def by_frame(table):
    """One table per frame."""
    return [rows for _, rows in table.groupby("frame")]
