import numpy as np
import pytest

from bubbleloc.evaluation.classical import (
    echo_template,
    matched_filter,
    sparse_deconvolution,
    wiener_deconvolution,
)
from bubbleloc.metrics.detections import pick_peaks
from bubbleloc.metrics.matching import match_detections

METHODS = (matched_filter, wiener_deconvolution, sparse_deconvolution)
DECONVOLUTIONS = METHODS[1:]


@pytest.fixture(scope="module")
def echo():
    return echo_template()


def line_of(echo, samples, length=1500):
    line = np.zeros(length)
    for sample in samples:
        line[sample : sample + len(echo)] += echo[: length - sample]
    return line


def test_template_starts_at_arrival_and_holds_the_echo(echo):
    assert echo.shape == (400,)
    peak = np.abs(echo).max()
    assert np.abs(echo[:5]).max() < 0.01 * peak
    assert np.abs(echo[-30:]).max() < 0.01 * peak
    assert 60 < np.abs(echo).argmax() < 130


@pytest.mark.parametrize("method", METHODS)
def test_one_bubble_is_found_where_it_is(method, echo):
    prediction = method(line_of(echo, [700])[None], echo)
    assert prediction.shape == (1, 1500)
    assert prediction.argmax() == 700
    assert prediction.max() == 1
    assert prediction.min() == 0


@pytest.mark.parametrize("method", METHODS)
def test_lines_do_not_mix(method, echo):
    lines = np.array([line_of(echo, [300]), line_of(echo, [900]), np.zeros(1500)])
    together = method(lines, echo)
    np.testing.assert_allclose(together[1], method(lines[1:2], echo)[0], atol=1e-9)
    assert not together[2].any()


@pytest.mark.parametrize("method", DECONVOLUTIONS)
def test_deconvolution_separates_overlapping_echoes(method, echo):
    true = [400, 412, 430, 800, 809]  # a fraction of the 73 samples of a wavelength apart
    line = line_of(echo, true) + 1e-3 * np.random.default_rng(0).standard_normal(1500)
    found = pick_peaks(method(line[None], echo)[0], 0.2)
    assert match_detections(found, true, tolerance=2).f1 == 1
