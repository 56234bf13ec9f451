import numpy as np
from scipy import signal

from bubbleloc.data.noise import add_noise


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
