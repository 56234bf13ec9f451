"""Whether the probabilities and errors of a network with a head of emitters can be trusted."""

from itertools import pairwise

import numpy as np
import pandas as pd

from bubbleloc.arrays import Floats
from bubbleloc.data import store
from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.noise import REFERENCE_V, Noise
from bubbleloc.evaluation.scoring import Pass
from bubbleloc.metrics.certainty import pair_table, root_mean_square
from bubbleloc.metrics.detections import EmitterDetections
from bubbleloc.physics import Scene, Setup, simulate_rf
from bubbleloc.report.certainty import Certainty

ISOLATED = 100  # samples from every other bubble
DISTANCES = (0, 1, 2, 4, 8, 16, 32, ISOLATED, np.inf)  # to the nearest other bubble, bin edges
ECHOES = 200  # simulated per bin, for its bound


def certainty_of(tested: Pass, test: RFDataset) -> Certainty | None:
    """Return what a pass over test lines tells of certainty; None for a head that counts."""
    emitters = [line for line in tested.detections if isinstance(line, EmitterDetections)]
    if not emitters:
        return None
    pairs = pair_table(emitters, tested.arrival_sample)
    counts = pd.DataFrame({"expected": tested.expected, "bubbles": test.bubble_counts})
    return Certainty(pairs, counts, errors_and_bounds(pairs, test))


def errors_and_bounds(pairs: pd.DataFrame, test: RFDataset) -> pd.DataFrame:
    """Return errors beside their Cramér–Rao bounds, a row per distance to the nearest bubble.

    Columns: ``low`` and ``high`` (samples), ``pairs``, ``rmse`` and ``bound`` (root mean square
    over the same bubbles, up to 200 of them; NaN without noise of one known level, or where the
    physics of the lines is not known). Both are of bubbles that were found.
    """
    matched = pairs[pairs["bubble"] >= 0]
    of_lines = {line: _distances(test, line) for line in matched["line"].unique().tolist()}
    bubbles = zip(matched["line"], matched["bubble"], strict=True)
    distance = np.array([of_lines[line][bubble] for line, bubble in bubbles])
    bins = np.digitize(distance, DISTANCES) - 1
    noise_v, content = _noise_v(test.noise), store.settings_of(test.path)
    is_known = isinstance(content.get("physics"), dict)
    setup = Setup.load(*store.physics_of(content)) if noise_v and is_known else None
    rng, rows = np.random.default_rng(0), []
    for i, (low, high) in enumerate(pairwise(DISTANCES)):
        inside = np.flatnonzero(bins == i)
        row = {"low": low, "high": high, "pairs": len(inside), "bound": np.nan}
        if setup is not None and noise_v:
            inside = rng.permutation(inside)[:ECHOES]
            bounds = _bounds(matched.iloc[inside], distance[inside], test, noise_v, setup)
            row["bound"] = root_mean_square(bounds)
        rows.append({**row, "rmse": root_mean_square(matched["error"].iloc[inside])})
    return pd.DataFrame(rows)[["low", "high", "pairs", "rmse", "bound"]]


def _distances(test: RFDataset, line: int) -> Floats:
    """Samples from every bubble of a line to the nearest other one."""
    arrival = test.bubbles(line).arrival_sample
    order = np.argsort(arrival)
    gaps = np.concatenate([[np.inf], np.diff(arrival[order]), [np.inf]])
    nearest = np.empty(arrival.size)
    nearest[order] = np.minimum(gaps[:-1], gaps[1:])
    return nearest


def _bounds(
    matched: pd.DataFrame, distance: Floats, test: RFDataset, noise_v: float, setup: Setup
) -> Floats:
    """Bounds of some bubbles in samples."""
    bounds = []
    for line, bubble, away in zip(matched["line"], matched["bubble"], distance, strict=True):
        scene = test.bubbles(line).scene(test.pressure_pa[line])
        echo = single_echo(scene, bubble, setup)
        bounds.append(arrival_bound(echo, noise_v, None if away > ISOLATED else away))
    return np.array(bounds)


def _noise_v(noise: Noise) -> float | None:
    """Standard deviation of white noise before a filter, where it is the same for all lines."""
    if isinstance(noise.level, tuple) or noise.snr_db is not None or noise.clean_share:
        return None
    return REFERENCE_V * noise.level if noise.colour in (None, "low-pass", "white") else None


def single_echo(scene: Scene, bubble: int, setup: Setup) -> Floats:
    """Return the line (samples,) in volts of one bubble of a scene alone."""
    only = slice(bubble, bubble + 1)
    alone = Scene(
        scene.depth_m[only], scene.lateral_m[only], scene.radius_m[only], scene.pressure_pa
    )
    return simulate_rf(alone, setup).volts.astype(np.float64)


def arrival_bound(echo: Floats, noise_v: float, distance: float | None = None) -> float:
    """Return the least standard deviation of an unbiased arrival in samples.

    A Cramér–Rao bound (Kay, Fundamentals of Statistical Signal Processing: Estimation Theory, 1993,
    chapter 3). A linear filter over echo and noise together, such as the published low-pass, leaves
    it as it is, as long as it lets pass what an estimator needs.

    For an echo s(t − τ) of known shape and strength in white noise of standard deviation σ it is
    σ/√E with E = Σ s′². A second, equal echo ``distance`` samples away, whose arrival is unknown
    too, raises it to σ/√(E(1 − ρ²)), where ρ is the correlation of s′ with itself so far away.

    Args:
        echo: volts (L,).
        noise_v: σ before any filter.
        distance: to the nearest other echo; None for none.
    """
    frequency = 2 * np.pi * np.fft.rfftfreq(echo.size)  # radians per sample
    power = np.abs(frequency * np.fft.rfft(echo)) ** 2
    weight = np.full(power.size, 2.0)  # both signs of a frequency
    weight[0] = 1.0
    if echo.size % 2 == 0:
        weight[-1] = 1.0
    energy = float(weight @ power) / echo.size
    if distance is None:
        return noise_v / np.sqrt(energy)
    correlation = float(weight @ (power * np.cos(frequency * distance))) / echo.size / energy
    return noise_v / np.sqrt(energy * max(1 - correlation**2, 1e-12))
