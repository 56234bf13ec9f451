import warnings

import numpy as np
import pytest
from scipy import signal

from bubbleloc.data.noise import REFERENCE_V, Noise
from bubbleloc.errors import InputError
from bubbleloc.physics.transducer import P4_1


def test_noise_has_the_published_spectrum():
    rng = np.random.default_rng(0)
    rate = 62.5e6
    noise = np.stack([Noise(1.0)(np.zeros(8446, np.float32), rng, rate) for _ in range(40)])
    frequency, density = signal.welch(noise, rate, nperseg=1024)
    # |H|² of a Butterworth filter run twice, on white noise of 9.65 V
    expected = (
        2
        * 9.65**2
        / rate
        / (1 + (np.tan(np.pi * frequency / rate) / np.tan(np.pi * 5.1e6 / rate)) ** 8) ** 2
    )
    band = (frequency > 0.2e6) & (frequency < 7e6)
    np.testing.assert_allclose(density.mean(axis=0)[band], expected[band], rtol=0.2)


def test_signal_is_filtered_too():
    t = np.arange(8446) / 62.5e6
    low, high = (np.sin(2 * np.pi * f * t).astype(np.float32) for f in (1.7e6, 20e6))
    quiet = Noise(1e-6)(low + high, np.random.default_rng(0), 62.5e6)
    np.testing.assert_allclose(quiet[500:-500], low[500:-500], atol=0.01)


@pytest.mark.parametrize("snr_db", [-10, 0, 20])
def test_white_noise_has_the_ratio_asked_for(snr_db):
    rng = np.random.default_rng(0)
    line = rng.normal(0, 50.0, 100_000).astype(np.float32)
    noise = Noise(snr_db=snr_db)(line, rng, 62.5e6) - line
    ratio_db = 10 * np.log10(np.mean(line**2) / np.mean(noise**2))
    np.testing.assert_allclose(ratio_db, snr_db, atol=0.1)
    _, density = signal.welch(noise, nperseg=256)  # flat: no filter
    np.testing.assert_allclose(density[2:-1] / density.mean(), 1, atol=0.3)


def test_a_range_is_log_uniform_and_leaves_a_share_clean():
    rng, line = np.random.default_rng(0), np.zeros(500, np.float32)
    noise = Noise([0.01, 0.16], colour="white", clean_share=0.25)
    levels = np.array([noise(line, rng, 62.5e6).std() / REFERENCE_V for _ in range(4000)])
    assert abs(np.mean(levels == 0) - 0.25) < 0.03
    noisy = levels[levels > 0]
    assert 0.008 < noisy.min() < 0.012 < 0.14 < noisy.max() < 0.18
    assert abs(np.median(noisy) - 0.04) < 0.003  # the middle in logarithms


def test_a_range_of_ratios_is_uniform():
    rng, line = np.random.default_rng(0), np.ones(2000, np.float32)
    deviations = [(Noise(snr_db=[0, 20])(line, rng, 62.5e6) - 1).std() for _ in range(1000)]
    assert abs(np.median(-20 * np.log10(deviations)) - 10) < 1


def test_receiver_noise_has_the_spectrum_of_the_receive_response():
    rng, rate = np.random.default_rng(0), 62.5e6
    line, noise = np.zeros(8446, np.float32), Noise(1.0, colour="receive")
    lines = np.stack([noise(line, rng, rate) for _ in range(40)])
    frequency, density = signal.welch(lines, rate, nperseg=1024)
    gain = np.abs(P4_1.receive(frequency))
    expected = 2 * REFERENCE_V**2 / rate * (gain / gain.max()) ** 2
    band = (frequency > 1e6) & (frequency < 4e6)
    np.testing.assert_allclose(density.mean(axis=0)[band], expected[band], rtol=0.25)


def test_any_colour_is_drawn():
    rng, line = np.random.default_rng(0), np.zeros(8446, np.float32)
    noise = [Noise(1.0, colour="any")(line, rng, 62.5e6) for _ in range(60)]
    deviations = np.array([row.std() for row in noise]) / REFERENCE_V
    kinds = np.histogram(deviations, [0, 0.32, 0.6, 1.2])[0]  # receive, low-pass, white
    assert kinds.sum() == 60
    assert kinds.min() > 10


def test_no_noise_changes_nothing():
    line = np.arange(5, dtype=np.float32)
    assert Noise()(line, np.random.default_rng(0), 62.5e6) is line
    silent = np.zeros(5, np.float32)
    assert not Noise(snr_db=3)(silent, np.random.default_rng(0), 62.5e6).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": -1}, "noise=-1 must be 0 or more"),
        ({"level": float("nan")}, "noise=nan"),
        ({"level": "loud"}, "noise=loud"),
        ({"snr_db": "high"}, "snr_db=high must be a number"),
        ({"snr_db": float("inf")}, "snr_db=inf"),
        ({"level": 0.1, "snr_db": 20}, "choose one"),
        ({"level": [0, 0.4]}, "noise="),
        ({"level": [0.5, 0.1]}, r"noise=\(0.5, 0.1\) must be .* the lower level first"),
        ({"level": [0.1, 0.2, 0.3]}, "noise="),
        ({"snr_db": 1e6}, "snr_db=1000000.0 must be .* at most ±200"),
        ({"snr_db": -201}, "snr_db=-201"),
        ({"snr_db": [20, 0]}, "the lower end first"),
        ({"clean_share": 7}, "clean_share=7: give 0 or more, and less than 1"),
        ({"clean_share": -0.1}, "clean_share=-0.1"),
        ({"clean_share": float("nan")}, "clean_share=nan"),
        ({"colour": "pink"}, "choose any, low-pass, white, receive"),
    ],
)
def test_noise_that_makes_no_sense(settings, message):
    with pytest.raises(InputError, match=message) as refused:
        Noise(**settings)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("settings", [{"clean_share": 0.5}, {"colour": "low-pass"}])
def test_lines_stay_clean_where_the_level_is_zero(settings):
    line = np.random.default_rng(0).normal(size=500).astype(np.float32)
    for seed in range(8):
        with warnings.catch_warnings(action="error"):
            volts = Noise(0, **settings)(line, np.random.default_rng(seed), 62.5e6)
        np.testing.assert_array_equal(volts, line)


@pytest.mark.parametrize("snr_db", [-200, 200])
def test_the_largest_ratios_give_finite_lines(snr_db):
    line = np.random.default_rng(0).normal(size=500).astype(np.float32)
    assert np.isfinite(Noise(snr_db=snr_db)(line, np.random.default_rng(0), 62.5e6)).all()
