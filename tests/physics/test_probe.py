"""Probes of one's own: a band, a magnitude, an impulse response, a Verasonics ``Trans``."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.io import loadmat, savemat

from bubbleloc.errors import InputError
from bubbleloc.physics import P4_1, Setup, simulate_rf, unit_pulse, warnings_of
from bubbleloc.physics.probe import GRID_HZ, gaussian, minimum_phase
from bubbleloc.physics.scene import Scene
from tests.physics.reference import loaded, relative_l2
from tests.physics.test_waveforms import MEASURED, needs_measured

RATE_HZ = 250e6


def test_a_gaussian_probe_has_its_band_and_answers_at_once() -> None:
    probe = gaussian(5e6, 0.7)
    for response, top in (
        (probe.transmit, 1.0),
        (probe.receive, np.abs(P4_1.receive(GRID_HZ)).max()),
    ):
        magnitude = np.abs(response(GRID_HZ))
        assert magnitude.max() == pytest.approx(top)
        assert GRID_HZ[magnitude.argmax()] == 5e6
        assert np.ptp(GRID_HZ[magnitude >= 0.499 * top]) == pytest.approx(3.5e6, rel=0.01)
    impulse = np.fft.irfft(probe.transmit(GRID_HZ))
    assert np.square(impulse[len(impulse) // 2 :]).sum() < 1e-6 * np.square(impulse).sum()


def test_minimum_phase_of_a_resonance() -> None:
    """1/(ω₀² − ω² + iωω₀/Q) is of minimum phase, so its magnitude tells its phase.

    What lies above the table's 60 MHz is missing, which is a delay of some ns.
    """
    f0, quality = 2.5e6, 2.0
    value = 1 / (1 - (GRID_HZ / f0) ** 2 + 1j * GRID_HZ / f0 / quality)
    found = minimum_phase(GRID_HZ, np.abs(value))
    band = slice(20, 1000)  # 0.2 to 10 MHz
    assert relative_l2(np.abs(found.value), np.abs(value)) < 1e-6
    off = np.angle(found.value[band] / value[band])
    delay_s = np.polyfit(2 * np.pi * GRID_HZ[band], off, 1)[0]
    assert abs(delay_s) < 8e-9
    assert np.abs(off - 2 * np.pi * GRID_HZ[band] * delay_s).max() < 0.02


def test_minimum_phase_of_the_p4_1() -> None:
    """The published probe is nearly of minimum phase: its magnitude alone gives its pulse."""
    magnitude = minimum_phase(GRID_HZ, np.abs(P4_1.transmit(GRID_HZ)))
    found = Setup(transducer=type(P4_1)(magnitude, P4_1.receive))
    ours, published = (unit_pulse(setup)[0] for setup in (found, Setup()))
    overlap = np.correlate(np.pad(published, 100), ours, "valid")
    assert np.abs(overlap).max() > 0.99 * np.linalg.norm(ours) * np.linalg.norm(published)


def test_magnitude_only_files_say_so(tmp_path: Path) -> None:
    frequency_hz = np.arange(0, 10e6, 0.5e6)
    np.savetxt(
        tmp_path / "t.csv", np.c_[frequency_hz, np.abs(P4_1.transmit(frequency_hz))], "%.9g", ","
    )
    setup = loaded({"transmit": tmp_path / "t.csv"})
    assert "magnitude only; taken for that of minimum phase" in warnings_of(setup)[0]
    value = np.abs(setup.probe.transmit(frequency_hz[2:10]))
    np.testing.assert_allclose(value, np.abs(P4_1.transmit(frequency_hz[2:10])), rtol=1e-6)


@pytest.mark.parametrize("name", ["h.csv", "h.mat", "h.npz"])
def test_impulse_responses(tmp_path: Path, name: str) -> None:
    impulse = np.fft.irfft(P4_1.receive(np.fft.rfftfreq(25_000, 1 / RATE_HZ)))[:2500] * RATE_HZ
    if name == "h.csv":
        np.savetxt(tmp_path / name, np.c_[np.arange(2500) / RATE_HZ, impulse], "%.12g", ",")
    elif name == "h.mat":
        savemat(tmp_path / name, {"IR": impulse})
    else:
        np.savez(tmp_path / name, IR=impulse[::2], fs=RATE_HZ / 2)
    setup = loaded({"receive": tmp_path / name})
    scene = Scene(np.array([0.02]), np.zeros(1), np.array([2.4e-6]), 1e5)
    assert relative_l2(simulate_rf(scene, setup).volts, simulate_rf(scene).volts) < 5e-3


def test_a_probe_of_ones_own_in_one_place() -> None:
    probe = {"transducer": "gaussian", "center_hz": 3e6, "fractional_bandwidth": 0.8}
    setup = loaded({**probe, "aperture_m": 0.04})
    assert setup.carrier_hz == 3e6
    assert setup.probe.aperture_m == 0.04
    assert setup.probe.bandwidth_hz == pytest.approx(2.4e6)
    assert loaded({**probe, "waveform": "s2.5"}).carrier_hz == 2.5e6
    (line,) = warnings_of(loaded({**probe, "frequency_hz": 1.2e6}))
    assert "frequency_hz=1.2e+06: outside the band" in line
    for values in ({"center_hz": 3e6}, {"transducer": "gaussian"}, {**probe, "transducer": "p4-1"}):
        with pytest.raises(InputError, match="give center_hz and fractional_bandwidth"):
            loaded(values)
    (line,) = warnings_of(loaded({**probe, "waveform": "s1.7", "center_hz": 4e6}))
    assert "frequency_hz=1.7e+06: outside the band" in line


@needs_measured
def test_a_verasonics_probe_makes_the_pressure_that_the_system_states() -> None:
    """``IR1wy`` of ``Trans`` and the three-level drive give the one-way waveform of ``TW``."""
    setup = Setup(transducer=MEASURED / "Trans.mat")
    assert setup.carrier_hz == 2.5e6
    assert setup.probe.aperture_m == pytest.approx(96 * 0.295e-3)
    content = loadmat(MEASURED / "TW.mat", squeeze_me=True)["TW"]
    drive, pressure = (content[key][0].astype(float) for key in ("TriLvlWvfm_Sim", "Wvfm1Wy"))
    own = Setup(transducer=setup.transducer, drive=tuple(drive), frequency_hz=2.5e6)
    ours = unit_pulse(own)[0][: len(pressure)]
    assert relative_l2(ours, pressure / np.abs(pressure).max()) < 0.01


def write_probe(path: Path, **values: object) -> Path:
    if path.suffix == ".yaml":
        path.write_text(yaml.safe_dump(values))
    elif path.suffix == ".mat":
        savemat(path, values)
    else:
        np.savez(path, **values)
    return path


@pytest.mark.parametrize("suffix", [".yaml", ".npz", ".mat"])
def test_one_file_holds_a_probe(tmp_path: Path, suffix: str) -> None:
    numbers = {"center_hz": 5e6, "fractional_bandwidth": 0.7, "aperture_m": 0.02}
    file = write_probe(tmp_path / f"probe{suffix}", **numbers)
    setup = loaded({"transducer": str(file), "sampling_rate_hz": 20e6})
    assert setup == loaded({**numbers, "transducer": "gaussian", "sampling_rate_hz": 20e6})
    assert setup == Setup(transducer=file, sampling_rate_hz=20e6)
    assert (setup.probe.aperture_m, setup.carrier_hz) == (0.02, 5e6)
    assert loaded({"transducer": str(file), "aperture_m": 0.03}).probe.aperture_m == 0.03


@pytest.mark.parametrize("suffix", [".yaml", ".npz", ".mat"])
def test_a_response_in_the_file_takes_the_place_of_that_of_the_band(
    tmp_path: Path, suffix: str
) -> None:
    f = [float(f) for f in range(0, 12_000_000, 100_000)]
    magnitude = [float(np.exp(-np.square((x - 4e6) / 2e6))) for x in f]
    band = {"center_hz": 5e6, "fractional_bandwidth": 0.7}
    file = write_probe(tmp_path / f"probe{suffix}", **band, f=f, Hfit=magnitude)
    probe, plain = Setup(transducer=file).probe, gaussian(5e6, 0.7)
    assert (probe.transmit, probe.bandwidth_hz) == (plain.transmit, plain.bandwidth_hz)
    np.testing.assert_allclose(
        np.abs(probe.receive(np.array(f)))[20:80], magnitude[20:80], rtol=0.02
    )
    whole = write_probe(
        tmp_path / f"both{suffix}", center_hz=3e6, f=f, Hfit=magnitude, Tfit=magnitude
    )
    assert Setup(transducer=whole).carrier_hz == 3e6
    assert Setup(transducer=whole).probe.transmit == probe.receive


def test_yaml_may_be_written_as_in_the_docs(tmp_path: Path) -> None:
    numbers = "center_hz: 5e6\nfractional_bandwidth: 0.7    # of each response\n"
    response = "f: [1e6, 3e6, 5e6, 7e6]\nTfit: [0, 0.7, 1, 0.5]\n"
    (tmp_path / "probe.yml").write_text(numbers + response)
    probe = Setup(transducer=tmp_path / "probe.yml").probe
    assert (probe.center_hz, probe.aperture_m) == (5e6, 0.028)
    assert np.abs(probe.transmit(np.array([3e6, 5e6]))) == pytest.approx([0.7, 1], rel=1e-3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("center_hz: 5e6\nbandwidth: 0.7", "bandwidth in a file of a probe; it may hold f, Tfit"),
        ("center_hz: 5e6", "no f and no Tfit"),
        ("fractional_bandwidth: 0.7", "goes with center_hz"),
        ("center_hz: five\nfractional_bandwidth: 0.7", "not numbers"),
        ("center_hz: [5e6, 6e6]\nfractional_bandwidth: 0.7", "center_hz=.*: give a number"),
        ("center_hz: 5\nfractional_bandwidth: 0.7", "center_hz"),
        ("center_hz: 5e6\nfractional_bandwidth: 0.7\naperture_m: 20", "aperture_m"),
        ("- 5e6", "no names with values in a file of a probe"),
        ("a: [", "not readable YAML"),
    ],
)
def test_a_file_that_is_no_probe_is_refused_in_one_line(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "probe.yaml").write_text(text)
    with pytest.raises(InputError, match=message) as refused:
        loaded({"transducer": str(tmp_path / "probe.yaml")})
    assert "\n" not in str(refused.value)
