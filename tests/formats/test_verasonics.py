"""The transducer and the pulses of a real system, where its files are beside the checkout."""

from pathlib import Path

import numpy as np
import pytest

from bubbleloc.formats.trans import Probe, read_pulse
from bubbleloc.matfile import MatFile

MEASURED = Path(__file__).resolve().parents[3] / "shared/measured"


@pytest.fixture
def measured():
    if not MEASURED.is_dir():
        pytest.skip("the measured files are not here (../shared/measured)")
    return MEASURED


def test_a_real_transducer(measured):
    probe = Probe.read(MatFile(measured / "Trans.mat"), 1480.0)
    assert probe.element_m.shape == (96, 3)
    x = probe.element_m[:, 0]
    np.testing.assert_allclose(np.diff(x), 0.295e-3, rtol=1e-9)
    assert x[0] == pytest.approx(-x[-1]) == pytest.approx(-47.5 * 0.295e-3)
    assert not probe.element_m[:, 1:].any()
    assert probe.frequency_hz == 2.5e6
    lens_m = probe.lens_s * 1480
    assert lens_m / probe.wavelength_m == pytest.approx(8.324324, abs=1e-6)
    assert lens_m == pytest.approx(2.464e-3)
    assert probe.connector is not None
    assert probe.connector[:6].tolist() == [23, 22, 21, 41, 24, 42]
    assert len(set(probe.connector.tolist())) == 96
    assert any("not the 0.592 mm of Trans.frequency" in note for note in probe.notes)


def test_real_pulses(measured):
    mat = MatFile(measured / "TW.mat")
    _, pulse, frequency_hz = read_pulse(mat, 0)
    assert pulse.shape == (610,)
    assert frequency_hz == 2.5e6
    assert np.abs(pulse[:4]).max() == 0  # the system is silent for four samples
    assert pulse[4:6].tolist() == pytest.approx([-0.00060985, -0.00300197], abs=1e-8)
    _, chirp, frequency_hz = read_pulse(mat, 1)
    assert chirp.shape == (1866,)
    assert frequency_hz is None  # an envelope of many frequencies
