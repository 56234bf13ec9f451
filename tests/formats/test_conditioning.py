"""What is done to samples shifts no time, and leaves rows of zeros alone."""

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.formats import Hints, recording_of_array

RATE = 50e6
TIME_S = 1e-6 + np.arange(4000) / RATE


def tone(frequency_hz):
    return np.cos(2 * np.pi * frequency_hz * (TIME_S - TIME_S.mean()))


def recording(lines):
    return recording_of_array("a", lines, facts={"fs": RATE, "start_s": TIME_S[0]})


def test_a_band_is_kept_as_it_was_and_zeros_stay_zeros():
    lines = np.stack([5 + tone(0.1e6) + tone(2e6) + tone(12e6), np.zeros(4000)])
    kept = recording(lines).in_band(0.8e6, 5e6)
    np.testing.assert_allclose(kept.volts[0][0][500:-500], tone(2e6)[500:-500], atol=0.02)
    assert not kept.volts[0][1].any()
    assert kept.steps == ("band-pass of 0.8 to 5 MHz, without delay",)
    with pytest.raises(InputError, match=r"band_mhz=\[1,25\] must end below half .*, 25 MHz"):
        recording(lines).in_band(1e6, 25e6)
    for ends in ((3e6, 1e6), (0, 1e6), (np.nan, 1e6)):
        with pytest.raises(InputError, match="above 0, the smaller first"):
            recording(lines).in_band(*ends)


def test_a_region_keeps_its_times_and_fades_at_its_ends():
    part = recording(tone(2e6)[None]).between(11e-6, 41e-6)
    assert part.start_s == pytest.approx(11e-6)
    assert part.samples == 1501
    (line,) = part.volts[0]
    np.testing.assert_allclose(line[25:-25], tone(2e6)[525:1976], atol=1e-6)
    assert abs(line[0]) < 0.01
    whole = recording(tone(2e6)[None]).between(0, 1)
    assert (whole.samples, whole.start_s) == (4000, 1e-6)
    with pytest.raises(InputError, match=r"recorded from 1 to 80.98 µs, which the region of 90 to"):
        part = recording(tone(2e6)[None]).between(90e-6, 95e-6)


def test_a_delay_of_the_receiver_is_taken_off_once():
    """The file's, unless a user tells another; a start that a user tells is delayed too."""
    facts = {"fs": RATE, "start_s": 5e-6, "receive_delay_s": 0.3e-6}

    def read(**hints):
        return recording_of_array("a", np.ones((2, 9)), Hints(**hints), facts)

    assert read().start_s == pytest.approx(4.7e-6)
    assert read().sources["start_s"] == "file − receive_delay_s (file)"
    given = read(receive_delay_s=0.1e-6)
    assert (given.start_s, given.receive_delay_s) == (pytest.approx(4.9e-6), 0.1e-6)
    assert read(start_s=8e-6).start_s == pytest.approx(7.7e-6)
    assert read(start_s=8e-6, receive_delay_s=1e-6).start_s == pytest.approx(7e-6)


@pytest.mark.parametrize(("gain", "message"), [(1e-320, "is NaN or infinite"), (1e-20, "reaches")])
def test_values_beyond_all_physics_after_a_step_are_refused(gain, message):
    curve = np.ones(900)
    curve[7] = gain
    lines = recording_of_array("a.h5", np.ones((2, 900)), facts={"fs": 62.5e6})
    with pytest.raises(InputError, match=rf"a\.h5: line 0 {message} .* after gain of .* \(TGC\)"):
        lines.without_gain(curve, "TGC").volts.lines(0, 1)
