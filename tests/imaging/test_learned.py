"""The echo that is learned from frames in which echoes overlap."""

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.jointfit import Bubbles
from bubbleloc.imaging.learned import Heard, LearnedEcho, fitted_echo, learned_echo
from bubbleloc.imaging.methods import build
from bubbleloc.metrics.positions import match_points
from bubbleloc.nn import load_released
from bubbleloc.physics import Scene, Setup, simulate_rf

SETUP = Setup(elements=24)
REGION = Region((-3e-3, 3e-3), (32e-3, 40e-3))
ARRAY = Array(SETUP.probe.element_positions_m(24), SETUP.scale)
RADIUS_M, PRESSURE_PA = 2.4e-6, 60e3


def frame(seed, count):
    """RF lines of bubbles, and their positions (count, 2)."""
    rng = np.random.default_rng(seed)
    x_m, z_m = (rng.uniform(*ends, count) for ends in (REGION.lateral_m, REGION.depth_m))
    radius_m = np.full(count, RADIUS_M)
    rf = simulate_rf(Scene(z_m, x_m, radius_m, PRESSURE_PA), SETUP).volts
    return rf, np.column_stack([x_m, z_m])


def unlike(a, b):
    """Share of the energy of b that no multiple of a explains."""
    return 1 - (a @ b) ** 2 / (a @ a) / (b @ b)


@pytest.fixture(scope="module")
def learned():
    """The echo of frames with half a bubble per mm², where each echo overlaps with many others."""
    frames = [frame(seed, 24)[0] for seed in range(3)]
    return learned_echo(frames, ARRAY, REGION, load_released("robust-small"))


def test_overlapping_echoes_are_told_apart_where_arrivals_are_known():
    rng = np.random.default_rng(0)
    echo = rng.normal(size=30)
    x_m, z_m = (rng.uniform(*ends, 40) for ends in (REGION.lateral_m, REGION.depth_m))
    array, strength = ARRAY.later(-2600), rng.uniform(0.5, 1.5, 40)
    lines = np.zeros((24, 1000))
    for line, arrivals in zip(lines, array.arrival_sample(x_m, z_m), strict=True):
        for sample, strong in zip(arrivals, strength, strict=True):  # the literal sum
            before = int(sample)
            line[before : before + 30] += strong * (1 - sample + before) * echo
            line[before + 1 : before + 31] += strong * (sample - before) * echo
    heard = Heard(lines.astype(np.float32), array, Bubbles(x_m, z_m, strength))
    found = fitted_echo([heard], 50)
    assert unlike(found[:30], echo) < 1e-3
    assert np.abs(found[30:]).max() < 0.1


def test_an_echo_is_learned_without_an_isolated_bubble(learned):
    alone = simulate_rf(Scene([36e-3], [0.0], [RADIUS_M], PRESSURE_PA), Setup())
    start = round(alone.arrival_sample[0])
    expected = alone.volts[start : start + len(learned.volts)].astype(float)
    assert unlike(learned.volts, expected) < 0.02
    assert np.linalg.norm(learned.volts - expected) < 0.2 * np.linalg.norm(expected)
    assert learned.bubbles > 60
    assert learned.distance_m == pytest.approx(36e-3)


def test_bubbles_of_dense_frames_are_found_with_it(learned):
    rf, true_m = frame(9, 48)  # one per mm²
    found = build("learned", ARRAY, REGION, echo=learned)(rf)
    quarter_m = 1480 / 1.7e6 / 4
    points = np.column_stack([found.x_m, found.z_m])
    assert match_points(points, true_m, (quarter_m, quarter_m)).f1 > 0.85
    assert np.median(found.height) == pytest.approx(1, abs=0.1)


def test_lines_without_bubbles_give_none(learned):
    assert len(build("learned", ARRAY, REGION, echo=learned)(np.zeros((24, 4000), np.float32))) == 0


def test_too_few_bubbles_teach_nothing():
    noise = np.random.default_rng(0).normal(size=(24, 4000)).astype(np.float32)
    with pytest.raises(InputError, match="too few to learn an echo from"):
        learned_echo([noise], ARRAY, REGION, load_released("robust-small"))


def test_another_echo_is_refused(learned):
    assert isinstance(learned, LearnedEcho)
    with pytest.raises(InputError, match="method=learned looks for a learned echo"):
        build("learned", ARRAY, REGION)
    with pytest.raises(InputError, match="method=network needs a network"):
        build("network", ARRAY, REGION)
