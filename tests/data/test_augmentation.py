import numpy as np
import pytest

from bubbleloc.console.settings.training import Augmentation
from bubbleloc.data.noise import NO_AUGMENTATION, augment


def changed(augmentation, seed, line):
    return augment(line, augmentation, np.random.default_rng(seed))


@pytest.fixture
def line():
    return np.random.default_rng(0).normal(size=2000).astype(np.float32)


def test_nothing_changes_unless_asked(line):
    assert np.array_equal(changed(NO_AUGMENTATION, 0, line), line)


def test_gain_lies_within_its_range_and_is_one_for_the_line(line):
    ratios = [changed(Augmentation(gain_db=20), seed, line) / line for seed in range(200)]
    gains_db = 20 * np.log10([ratio.mean() for ratio in ratios])
    assert max(ratio.std() / ratio.mean() for ratio in ratios) < 1e-6
    assert -20 < gains_db.min() < -18 < 18 < gains_db.max() < 20


def test_slope_is_linear_in_decibels_and_keeps_the_middle(line):
    for seed in range(5):
        decibels = 20 * np.log10(changed(Augmentation(slope_db=12), seed, line) / line)
        step = np.diff(decibels)
        np.testing.assert_allclose(step, step.mean(), atol=1e-5)
        assert abs(decibels[-1] - decibels[0]) <= 12
        assert abs(decibels[999] + decibels[1000]) < 1e-4


def test_half_of_the_lines_are_inverted(line):
    signs = [changed(Augmentation(polarity=True), seed, line) / line for seed in range(400)]
    assert all(np.all(sign == sign[0]) for sign in signs)
    assert 160 < sum(sign[0] < 0 for sign in signs) < 240
