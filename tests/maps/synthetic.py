"""Tracks of bubbles in a branching tree, by Poiseuille's law, and their maps."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator

from bubbleloc.maps.results import Grids

FRAME_S = 0.002
PIXEL_MM = 0.02
LEAST_POINTS = 4
WIDTH_MM, TOP_MM, BOTTOM_MM = 10.0, 30.0, 50.0


@dataclass(frozen=True)
class Vessel:
    """The centre line (n, 2) in mm from the root to a leaf, its radius and fastest speed there."""

    centre_mm: np.ndarray
    radius_mm: np.ndarray
    fastest_mm_s: np.ndarray


def tree(rng, generations=5):
    """Every way from the root of a random tree to a leaf; cross sections obey Murray's law."""
    root = (0.0, TOP_MM + 0.4, np.pi / 2, 0.3)
    ways = [[root, (0.0, TOP_MM + 3.0, np.pi / 2, 0.3)]]
    for generation in range(generations):
        grown = []
        for way in ways:
            x, z, angle, radius = way[-1]
            for side, share in ((-1, 0.35 + 0.3 * rng.random()), (1, 0.5)):
                spread = side * 0.75 * 0.8**generation * (0.7 + 0.6 * rng.random())
                turned = np.pi / 2 + 0.55 * (angle - np.pi / 2) + spread
                step = 3.9 * 0.9**generation * (0.8 + 0.4 * rng.random())
                end = (x + step * np.cos(turned), z + step * np.sin(turned))
                grown.append([*way, (*end, turned, radius * share ** (1 / 3))])
        ways = grown
    return [smooth(np.array(way)) for way in ways]


def smooth(way):
    knots = np.arange(len(way))
    fine = np.linspace(0, knots[-1], 400)
    x, z, radius = (PchipInterpolator(knots, way[:, column])(fine) for column in (0, 1, 3))
    return Vessel(np.column_stack([x, z]), radius, 40 * radius / radius[0])


def tree_tracks(seed, count, points=30, frames=2000, noise_mm=0.004):
    """Tracks with the columns of `bubbleloc.tracking`, of which few points are in a frame."""
    rng = np.random.default_rng(seed)
    vessels = tree(rng)
    parts = [one_track(rng, track, vessels, points, frames, noise_mm) for track in range(count)]
    return pd.concat([part for part in parts if len(part) >= LEAST_POINTS], ignore_index=True)


def one_track(rng, track, vessels, points, frames, noise_mm):
    vessel = vessels[rng.integers(len(vessels))]
    offset = np.sqrt(rng.random()) * rng.choice((-1, 1))
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(vessel.centre_mm, axis=0).T))])
    speed = vessel.fastest_mm_s * (1 - 0.92 * offset**2)
    time_s = np.concatenate([[0], np.cumsum(2 * np.diff(along) / (speed[1:] + speed[:-1]))])
    length = max(LEAST_POINTS, int(rng.exponential(points)))
    start = rng.uniform(0, max(time_s[-1] - length * FRAME_S, 0))
    moments = start + FRAME_S * np.arange(length)
    moments = moments[moments <= time_s[-1]]
    tangent = np.gradient(vessel.centre_mm, axis=0)
    tangent /= np.hypot(*tangent.T)[:, None]
    lines = vessel.centre_mm + (offset * vessel.radius_mm)[:, None] * tangent[:, ::-1] * [-1, 1]
    at = np.column_stack([np.interp(moments, time_s, line) for line in lines.T])
    v = np.column_stack([np.interp(moments, time_s, s) for s in (speed[:, None] * tangent).T])
    at += rng.normal(0, noise_mm, at.shape)
    frame = rng.integers(frames - len(moments)) + np.arange(len(moments))
    inside = (np.abs(at[:, 0]) < WIDTH_MM / 2) & (at[:, 1] > TOP_MM) & (at[:, 1] < BOTTOM_MM)
    values = {"track": track, "frame": frame, "time_s": FRAME_S * frame, "x_mm": at[:, 0]}
    values |= {"z_mm": at[:, 1], "vx_mm_s": v[:, 0], "vz_mm_s": v[:, 1]}
    return pd.DataFrame(values | {"x_sigma_mm": noise_mm, "z_sigma_mm": noise_mm})[inside]


def grids_of(tracks):
    """Maps of the tracks: points, ten to a step, counted in pixels."""
    same = tracks["track"].diff().eq(0).to_numpy()[1:]
    columns = tracks[["x_mm", "z_mm", "vx_mm_s", "vz_mm_s"]].to_numpy()
    shares = np.linspace(0, 1, 10, endpoint=False)[:, None, None]
    steps = (columns[:-1][same] * (1 - shares) + columns[1:][same] * shares).reshape(-1, 4)
    x, z, vx, vz = steps.T
    columns, rows = round(WIDTH_MM / PIXEL_MM), round((BOTTOM_MM - TOP_MM) / PIXEL_MM)
    edges = (rows, columns), ((TOP_MM, BOTTOM_MM), (-WIDTH_MM / 2, WIDTH_MM / 2))

    def summed(weights):
        return np.histogram2d(z, x, *edges, weights=weights)[0]

    density = summed(np.full(len(x), 0.1))
    with np.errstate(invalid="ignore"):
        speed = summed(np.hypot(vx, vz)) / summed(None)
        direction = np.where(density > 0, np.arctan2(summed(vz), summed(vx)), np.nan)
    return Grids(density, speed, direction, (-WIDTH_MM / 2, WIDTH_MM / 2, TOP_MM, BOTTOM_MM))
