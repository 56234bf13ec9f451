import numpy as np
import pytest
from scipy import signal

from bubbleloc.data.noise import Noise, add_noise, add_white_noise
from bubbleloc.errors import InputError


def test_noise_has_the_published_spectrum():
    rng = np.random.default_rng(0)
    rate = 62.5e6
    noise = add_noise(np.zeros((40, 8446), np.float32), 1.0, rng, rate)
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
    quiet = add_noise(low + high, 0.0, np.random.default_rng(0), 62.5e6)
    np.testing.assert_allclose(quiet[500:-500], low[500:-500], atol=0.01)


@pytest.mark.parametrize("snr_db", [-10, 0, 20])
def test_white_noise_has_the_ratio_asked_for(snr_db):
    rng = np.random.default_rng(0)
    lines = rng.normal(0, [[5.0], [50.0]], (2, 100_000)).astype(np.float32)
    noise = add_white_noise(lines, snr_db, rng) - lines
    ratio_db = 10 * np.log10(np.mean(lines**2, axis=1) / np.mean(noise**2, axis=1))
    np.testing.assert_allclose(ratio_db, snr_db, atol=0.1)
    _, density = signal.welch(noise, nperseg=256)  # flat: no filter
    relative = density / density.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(relative[:, 2:-1], 1, atol=0.3)


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
    ],
)
def test_noise_that_makes_no_sense(settings, message):
    with pytest.raises(InputError, match=message):
        Noise(**settings)
