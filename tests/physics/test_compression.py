"""Pulse compression against what a matched filter is."""

import numpy as np
import pytest

from bubbleloc.physics import Scene, Setup, compress, matched_filter, simulate_rf
from tests.physics.reference import relative_l2

LONG = Setup(waveform="luc")


def test_the_pulse_itself_becomes_one_at_its_start() -> None:
    taps = matched_filter(LONG)
    pulse = taps / np.abs(taps).max()
    line = np.zeros(4000)
    line[1500 : 1500 + len(pulse)] = pulse
    compressed = compress(line, LONG)
    assert compressed.shape == line.shape
    assert compressed.argmax() == 1500
    assert compressed[1500] == pytest.approx(1)
    expected = np.correlate(np.pad(line, (0, len(taps) - 1)), taps, "valid")
    np.testing.assert_allclose(compressed, expected, atol=1e-12)


def test_a_chirp_becomes_as_short_as_its_band_allows() -> None:
    """The envelope at half height lasts about 1.2 over the received −6 dB width, not 15 µs."""
    taps = matched_filter(LONG)
    compressed = compress(np.pad(taps, 2000), LONG)
    spectrum = np.fft.fft(compressed)
    spectrum[len(spectrum) // 2 :] = 0
    envelope = np.abs(np.fft.ifft(2 * spectrum))
    width_s = (envelope > envelope.max() / 2).sum() / LONG.sampling_rate_hz
    power = np.abs(np.fft.rfft(taps, 2**16))
    band_hz = (power > power.max() / 2).sum() / 2**16 * LONG.sampling_rate_hz
    assert width_s == pytest.approx(1.2 / band_hz, rel=0.2)


def test_lines_are_compressed_one_by_one() -> None:
    lines = np.random.default_rng(0).standard_normal((2, 3, 3000))
    together = compress(lines, LONG)
    np.testing.assert_allclose(together[1, 2], compress(lines[1, 2], LONG), atol=1e-12)


def test_an_echo_of_a_linear_bubble_is_found_in_noise() -> None:
    """A chirp gains its time-bandwidth product: echoes below the noise stand out."""
    setup = Setup(waveform="luc", bubble="linear", depth_m=0.05)
    scene = Scene(np.array([0.02]), np.zeros(1), np.array([2.4e-6]), 50e3)
    line = simulate_rf(scene, setup)
    noise = np.random.default_rng(0).normal(0, np.abs(line.volts).max(), line.volts.shape)
    clean, noisy = (compress(volts, setup) for volts in (line.volts, line.volts + noise))
    assert abs(np.abs(noisy).argmax() - np.abs(clean).argmax()) <= 20
    assert np.abs(clean).argmax() - line.arrival_sample[0] < 100
    assert relative_l2(noisy, clean) < 0.5 * relative_l2(line.volts + noise, line.volts)
