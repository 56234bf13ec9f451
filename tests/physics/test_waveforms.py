"""Waveforms against closed forms, files, and what a real system computed for the same probe."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from bubbleloc.arrays import Floats
from bubbleloc.console.settings.physics import WAVEFORMS, Chirp, Sine, Train
from bubbleloc.errors import InputError
from bubbleloc.physics import Setup, unit_pulse
from bubbleloc.physics.waveforms import (
    Waveform,
    chirp,
    measured,
    waveform,
)
from tests.physics.reference import CHECKOUT, loaded, relative_l2

RATE_HZ = 250e6
SINE = {name: row for name, row in WAVEFORMS.items() if isinstance(row, Sine)}
CHIRP = {name: row for name, row in WAVEFORMS.items() if isinstance(row, Chirp)}
MEASURED = CHECKOUT.parent / "shared" / "measured"
needs_measured = pytest.mark.skipif(
    not MEASURED.is_dir(), reason="no measured waveforms in shared/measured beside the checkout"
)
LENGTH = 2**18
FREQUENCY_HZ = np.fft.rfftfreq(LENGTH, 1 / RATE_HZ)


def spectrum(signal: Floats) -> Floats:
    return np.abs(np.fft.rfft(signal, LENGTH))


def sent(name: str) -> tuple[Waveform, Floats, Floats]:
    """A waveform, its drive and the pressure it makes."""
    setup = Setup(waveform=name)
    found = setup.sent
    return found, np.asarray(found.drive), unit_pulse(setup)[0]


def crossings_s(signal: Floats) -> Floats:
    """Times at which a signal changes sign, interpolated linearly."""
    k = np.flatnonzero((signal[:-1] > 0) != (signal[1:] > 0))
    return (k + signal[k] / (signal[k] - signal[k + 1])) / RATE_HZ


@pytest.mark.parametrize("name", SINE)
def test_the_pressure_of_a_sine_peaks_at_its_frequency(name: str) -> None:
    target_hz, cycles = SINE[name]
    found, drive, pressure = sent(name)
    peak_hz = FREQUENCY_HZ[spectrum(pressure).argmax()]
    assert peak_hz == pytest.approx(target_hz, rel=0.01)
    assert found.frequency_hz == Setup(waveform=name).carrier_hz == target_hz
    half_periods = np.arange(1, round(2 * cycles)) * found.duration_s / (2 * cycles)
    np.testing.assert_allclose(crossings_s(drive[2:-2]) + 2 / RATE_HZ, half_periods, atol=1e-10)
    assert len(drive) == int(found.duration_s * RATE_HZ + 1e-6) + 1


@pytest.mark.parametrize("name", CHIRP)
def test_a_chirp_sweeps_linearly(name: str) -> None:
    """Zero crossing k is where f₀t + (f₁ − f₀)t²/2T = k/2; the middle is f₀ of the waveform."""
    start_hz, stop_hz, duration_s = CHIRP[name]
    found, drive, _ = sent(name)
    assert len(drive) == round(duration_s * RATE_HZ) + 1
    assert found.duration_s == duration_s
    assert found.frequency_hz == Setup(waveform=name).carrier_hz == 2.6e6
    half_cycles = np.arange(1, round((start_hz + stop_hz) * duration_s))
    slope = (stop_hz - start_hz) / duration_s
    expected = (np.sqrt(start_hz**2 + slope * half_cycles) - start_hz) / slope
    times = crossings_s(drive[2:-2]) + 2 / RATE_HZ
    np.testing.assert_allclose(times, expected, atol=1e-9)
    middle_hz = 0.5 / np.diff(times)
    instant_hz = start_hz + slope * (times[1:] + times[:-1]) / 2
    np.testing.assert_allclose(middle_hz, instant_hz, rtol=0.01)


def test_up_and_down_are_mirrored() -> None:
    up, down = (np.asarray(sent(name)[1]) for name in ("luc", "ldc"))
    np.testing.assert_allclose(up, -down[::-1], atol=1e-9)


def test_delays_of_the_train() -> None:
    """Each pulse starts (delay)·(pulse + 2/bandwidth) after the one before and its ringing."""
    found, drive, _ = sent("dpt")
    pulse_s, ringing_s = 4.5 / 2.5e6, 2 / 1.81e6
    starts, end = [], -ringing_s
    row = WAVEFORMS["dpt"]
    assert isinstance(row, Train)
    for delay in row.delays:
        starts.append(end + ringing_s + delay * (pulse_s + ringing_s))
        end = starts[-1] + pulse_s
    tone = np.sin(2 * np.pi * 2.5e6 * np.arange(451) / RATE_HZ)
    rest = np.pad(drive, (0, 10))
    for start in starts:
        place = round(start * RATE_HZ)
        errors = [
            np.abs(rest[k : k + 450] - tone[:450]).max()
            for k in range(max(place - 2, 0), place + 3)
        ]
        assert min(errors) < 1e-9
        rest[place - 2 if place else 0 : place + 453] = 0
    assert not rest.any()
    assert found.duration_s == pytest.approx(end, abs=3 / RATE_HZ)
    assert found.frequency_hz == 2.5e6


@pytest.mark.parametrize("name", WAVEFORMS)
def test_windows_hold_the_whole_pulse(name: str) -> None:
    setup = Setup(waveform=name)
    found, _, pressure = sent(name)
    window_s = found.duration_s + 2 / 1.81e6 + 4e-6
    assert setup.window_samples == int(np.ceil(window_s * RATE_HZ))
    assert np.abs(pressure).max() == pytest.approx(1, abs=1e-3)
    assert np.abs(pressure[-500:]).max() < 1e-4


def test_tristate_is_the_default_to_the_bit() -> None:
    for a, b in zip(unit_pulse(Setup()), unit_pulse(Setup(waveform="TRISTATE")), strict=True):
        np.testing.assert_array_equal(a, b)
    assert Setup(waveform="tristate") == Setup(frequency_hz=1.7e6, cycles=1)


def test_a_setup_takes_the_frequency_of_another_waveform() -> None:
    setup = dataclasses.replace(Setup(waveform="s1.7"), waveform="l3.4")
    assert setup.carrier_hz == 3.4e6
    assert setup.scale.frequency_hz == 3.4e6


def test_a_waveform_by_name_needs_no_setup(tmp_path: Path) -> None:
    assert waveform() == Setup().sent
    assert waveform("tristate", setup=Setup(waveform="s2.5")).frequency_hz == 1.7e6
    np.save(tmp_path / "own.npy", own_drive())
    assert (
        waveform(tmp_path / "own.npy").frequency_hz
        == Setup(waveform=str(tmp_path / "own.npy")).carrier_hz
    )


def test_bandwidths() -> None:
    """That of a tone of N cycles is 1.207 f/N; of a chirp about its sweep."""
    tone = waveform("l2.5", Setup())
    assert tone.bandwidth_hz == pytest.approx(1.207 / tone.duration_s, rel=0.02)
    assert waveform("luc", Setup()).bandwidth_hz == pytest.approx(2.8e6, rel=0.1)


def own_drive() -> Floats:
    return np.asarray(chirp(2e6, 3e6, 4e-6, RATE_HZ).drive)


@pytest.mark.parametrize("name", ["own.npy", "own.csv", "time.csv", "own.mat", "slow.mat"])
def test_a_drive_of_your_own(tmp_path: Path, name: str) -> None:
    drive, file = own_drive(), tmp_path / name
    if name == "own.npy":
        np.save(file, drive)
    elif name == "own.csv":
        np.savetxt(file, drive)
    elif name == "time.csv":
        np.savetxt(file, np.c_[np.arange(len(drive)) / RATE_HZ, drive], delimiter=",")
    elif name == "own.mat":
        savemat(file, {"drive": drive})
    else:
        savemat(file, {"drive": drive[::4], "fs": RATE_HZ / 4})
    expected = Setup(drive=tuple(drive), frequency_hz=2.5e6)
    setup = Setup(waveform=str(file))
    samples = min(setup.window_samples, expected.window_samples)
    pulse, truth = (unit_pulse(each)[0][:samples] for each in (setup, expected))
    assert relative_l2(pulse, truth) < (0.01 if name == "slow.mat" else 1e-6)
    assert setup.sent.name == name
    assert 2e6 < setup.carrier_hz < 3e6
    assert loaded({"waveform": file, "frequency_hz": 2.4e6}).carrier_hz == 2.4e6


def test_measured_pressure_is_not_transmitted_twice() -> None:
    pressure = unit_pulse(Setup(waveform="s2.5"))[0]
    setup = Setup(waveform=measured(3 * pressure, RATE_HZ))
    assert setup.carrier_hz == pytest.approx(2.5e6, rel=0.01)
    assert relative_l2(unit_pulse(setup)[0][: len(pressure)], pressure) < 1e-5


def test_a_verasonics_file_holds_several(tmp_path: Path) -> None:
    rows = [unit_pulse(Setup(waveform=name))[0] for name in ("ref", "l1.7")]
    TW = np.zeros(2, dtype=[("type", "O"), ("Wvfm1Wy", "O")])
    for i, row in enumerate(rows):
        TW[i] = ("parametric", row[:, None])
    savemat(tmp_path / "TW.mat", {"TW": TW})
    for name, row in zip(("TW.mat", "TW.mat:2"), rows, strict=True):
        setup = Setup(waveform=str(tmp_path / name))
        assert relative_l2(unit_pulse(setup)[0][: len(row)], row) < 1e-6
        assert setup.sent.name == name
    with pytest.raises(InputError, match="holds 2 waveforms"):
        _ = Setup(waveform=str(tmp_path / "TW.mat:3")).sent


def test_another_rate_is_interpolated() -> None:
    own = measured(unit_pulse(Setup(waveform="s1.7"))[0], RATE_HZ)
    fine = Setup(waveform=own, sampling_rate_hz=500e6)
    pulse = unit_pulse(Setup(waveform=own))[0]
    assert relative_l2(unit_pulse(fine)[0][::2][: len(pulse)], pulse) < 1e-3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a.csv": "1,2,3\n4,5,6\n"}, "one column, or time"),
        ({"a.csv": "0,1\n1,2\n3,4\n"}, "equal steps"),
        ({"a.csv": "0\n0\n"}, "not all 0"),
        ({"a.mat": "no mat"}, "cannot be read as a waveform"),
        ({"a.wav": ""}, "is a .npy, .csv, .txt or .mat file"),
    ],
)
def test_unusable_files(tmp_path: Path, content: dict[str, str], message: str) -> None:
    for name, text in content.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=message):
            _ = Setup(waveform=str(tmp_path / name)).sent


def test_bad_settings_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nosuch: no such file"):
        Setup(waveform="nosuch")
    values: dict[str, object]
    for values in ({"cycles": 2}, {"frequency_hz": 2e6}, {"drive": [1.0, 0.0]}):
        with pytest.raises(InputError, match=r"waveform=s2\.5 sets its own"):
            loaded({"waveform": "s2.5", **values})
    savemat(tmp_path / "two.mat", {"a": [1.0, 2.0], "b": [1.0]})
    with pytest.raises(InputError, match="one array and fs"):
        _ = Setup(waveform=str(tmp_path / "two.mat")).sent


@needs_measured
@pytest.mark.parametrize(
    ("number", "twin", "least"), [(1, "ref", 0.98), (2, "suc", 0.92)], ids=["pulse", "chirp"]
)
def test_measured_waveforms_resemble_ours(number: int, twin: str, least: float) -> None:
    """The overlap of the spectra: the system's drive has three levels and its probe is measured.

    Its transmit response reaches from 1.3 to 4.0 MHz (−6 dB), the published one from 1.8 to 3.6.
    """
    band = (FREQUENCY_HZ > 0.8e6) & (FREQUENCY_HZ < 4.5e6)
    _, _, theirs = sent(f"{MEASURED / 'TW.mat'}:{number}")
    _, _, ours = sent(twin)
    a, b = spectrum(theirs)[band], spectrum(ours)[band]
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) >= least


@needs_measured
@pytest.mark.parametrize(("number", "least"), [(0, 0.98), (1, 0.96)], ids=["pulse", "chirp"])
def test_measured_drives_through_our_transducer(number: int, least: float) -> None:
    """The same three-level drive through the published response and through that of the system."""
    content = loadmat(MEASURED / "TW.mat", squeeze_me=True)["TW"]
    drive, pressure = (content[key][number] for key in ("TriLvlWvfm_Sim", "Wvfm1Wy"))
    ours = unit_pulse(Setup(drive=tuple(drive.astype(float)), frequency_hz=2.6e6))[0]
    band = (FREQUENCY_HZ > 1e6) & (FREQUENCY_HZ < 4.5e6)
    a, b = spectrum(ours)[band], spectrum(pressure)[band]
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) >= least
