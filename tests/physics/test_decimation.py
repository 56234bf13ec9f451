"""Lines of few samples per wavelength: simulated finely, and decimated without aliasing."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from bubbleloc.physics import Scene, Setup, matched_filter, simulate_rf, unit_pulse, warnings_of
from bubbleloc.physics.probe import gaussian

EVERY = 13  # samples of 260 MHz for one of 20 MHz
ARRAY = Setup(transducer=gaussian(5e6, 1.0), sampling_rate_hz=20e6, depth_m=0.03)
FINE = replace(ARRAY, sampling_rate_hz=EVERY * 20e6)
SCENE = Scene([0.008, 0.012, 0.0177], [0.0, 0.004, -0.002], [1.5e-6, 2.4e-6, 2.0e-6], 2e5)


@pytest.fixture(scope="module")
def fine():
    """The line of 260 MHz, of which no filter was needed."""
    return simulate_rf(SCENE, FINE).volts.astype(np.float64)


@pytest.fixture(scope="module")
def line():
    return simulate_rf(SCENE, ARRAY).volts.astype(np.float64)


def test_a_line_is_the_fine_one_filtered_and_decimated_by_scipy(fine, line):
    count, beta = signal.kaiserord(80, 0.2 * 10e6 / 130e6)
    taps = signal.firwin(count | 1, 9e6, window=("kaiser", beta), fs=260e6)
    expected = signal.resample_poly(fine, 1, EVERY, window=taps)
    assert len(line) == len(expected) == ARRAY.samples
    np.testing.assert_allclose(line, expected, atol=1e-6 * np.abs(expected).max())


def test_nothing_is_folded_back(fine, line):
    """The spectrum is that of the fine line in the band that is passed, and less above it."""
    frequency_hz = np.linspace(0, 10e6, 500, endpoint=False)

    def spectrum(volts, rate_hz):
        time_s = np.arange(len(volts)) / rate_hz
        return np.exp(-2j * np.pi * np.outer(frequency_hz, time_s)) @ volts / rate_hz

    true, found = spectrum(fine, 260e6), spectrum(line, 20e6)
    naive = spectrum(fine[::EVERY], 20e6)
    passed, top = frequency_hz < 8e6, np.abs(true).max()
    assert np.abs(found - true)[passed].max() < 2e-4 * top
    assert (np.abs(found) <= np.abs(true) + 2e-4 * top).all()
    assert np.abs(naive - true).max() > 1e-3 * top  # what the filter keeps out


@pytest.mark.parametrize(
    ("mhz", "kept"), [(0.5, 1), (5, 1), (7.9, 1), (10.1, 0), (15, 0), (20.1, 0), (99, 0)]
)
def test_what_would_alias_is_80_db_down_and_the_band_passes_in_phase(mhz, kept):
    time_s = np.arange(FINE.record_samples) / 260e6
    tone = np.cos(2e6 * np.pi * mhz * time_s)
    inside = slice(60, -60)  # beyond, the tone begins and ends
    line = ARRAY.decimated(np.stack([tone, tone]))
    np.testing.assert_allclose(line[1, inside], kept * tone[::EVERY][inside], atol=2e-4)


def test_echoes_stay_in_their_place(fine, line):
    raised = signal.resample_poly(line, EVERY, 1)[: len(fine)]
    lags = np.arange(-20, 21)
    agreement = [np.dot(raised[100:-100], np.roll(fine, lag)[100:-100]) for lag in lags]
    bent = np.polynomial.Polynomial.fit(lags[18:23], agreement[18:23], 2)
    assert lags[np.argmax(agreement)] == 0
    assert abs(bent.deriv().roots()[0]) < 0.02  # fine samples: 0.1 ns


def test_no_warning_where_the_band_fits_and_one_where_it_does_not():
    assert not warnings_of(ARRAY)
    assert not warnings_of(Setup(sampling_rate_hz=10e6, frequency_hz=2.5e6))  # a P4-1, 4 per wave
    [line] = warnings_of(replace(ARRAY, sampling_rate_hz=14e6))
    assert line == (
        "the probe receives up to 7.49 MHz, which lines of 14 MHz cannot hold; give a "
        "sampling_rate_hz above 15 MHz"
    )


@pytest.mark.parametrize("rate_hz", [62.5e6, 31.25e6, 125e6])
def test_published_lines_are_every_nth_sample(rate_hz):
    setup = Setup(sampling_rate_hz=rate_hz, depth_m=0.03)
    whole = replace(setup, sampling_rate_hz=setup.simulation_rate_hz)
    rows = simulate_rf(SCENE, setup).volts, simulate_rf(SCENE, whole).volts
    np.testing.assert_array_equal(rows[0], rows[1][:: setup.oversampling])


def test_the_matched_filter_is_that_of_the_filtered_lines():
    """A line that is the received pulse becomes 1 where the pulse starts."""
    pressure, _ = unit_pulse(ARRAY)
    record = np.zeros(ARRAY.record_samples)
    record[130 * EVERY : 130 * EVERY + len(pressure)] = pressure
    spectrum = np.fft.rfft(record)
    frequency_hz = np.fft.rfftfreq(len(record), 1 / ARRAY.simulation_rate_hz)
    volts = np.fft.irfft(spectrum * ARRAY.probe.receive(frequency_hz), len(record))
    line = ARRAY.decimated(volts) / np.abs(volts).max()
    compressed = np.correlate(line, matched_filter(ARRAY), "valid")
    assert compressed.argmax() == 130
    assert compressed[130] == pytest.approx(1, abs=1e-3)
