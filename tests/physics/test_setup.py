"""Setups: what they accept, refuse, warn about, and read from files."""

import dataclasses
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from bubbleloc.errors import InputError
from bubbleloc.physics import P4_1, Medium, Setup, drive_signal, unit_pulse, warnings_of
from bubbleloc.physics.probe import gaussian
from bubbleloc.physics.pulse import levels, warn_of
from tests.physics.reference import loaded

FREQUENCY_HZ = np.arange(0, 125e6, 20e3)
TRANSMIT = P4_1.transmit(FREQUENCY_HZ)
RECEIVE = P4_1.receive(FREQUENCY_HZ)


def write(file: Path, **arrays: Any) -> Path:
    if file.suffix == ".mat":
        savemat(file, arrays)
    else:
        np.savez(file, **arrays)
    return file


def write_csv(file: Path, value: Any, header: str) -> Path:
    np.savetxt(
        file, np.c_[FREQUENCY_HZ, value.real, value.imag], "%.17g", ",", header=header, comments=""
    )
    return file


@pytest.mark.parametrize("suffix", [".npz", ".mat"])
def test_measured_responses_from_one_file(tmp_path: Path, suffix: str) -> None:
    file = write(tmp_path / f"both{suffix}", f=FREQUENCY_HZ, Tfit=TRANSMIT, Hfit=RECEIVE)
    measured = Setup(transducer=file)
    assert measured == loaded({"transmit": file, "receive": str(file)})
    np.testing.assert_allclose(unit_pulse(measured)[0], unit_pulse(Setup())[0], atol=1e-5)


def test_measured_responses_from_tables(tmp_path: Path) -> None:
    transmit = write_csv(tmp_path / "t.csv", TRANSMIT, "frequency_hz,real,imag")
    receive = write_csv(tmp_path / "h.csv", RECEIVE, "# no header")
    setup = loaded({"transmit": transmit, "receive": receive, "shell": "marmottant"})
    assert setup.shell == "marmottant"
    np.testing.assert_allclose(setup.probe.transmit(FREQUENCY_HZ), TRANSMIT, rtol=1e-12)
    np.testing.assert_allclose(setup.probe.receive(FREQUENCY_HZ), RECEIVE, rtol=1e-12)


def test_one_measured_response_keeps_the_other(tmp_path: Path) -> None:
    setup = loaded({"receive": write_csv(tmp_path / "h.csv", RECEIVE, "f,re,im")})
    assert setup.probe.transmit == P4_1.transmit


def test_measured_setups_survive_pickling(tmp_path: Path) -> None:
    """Equal and with an equal hash, so a worker computes its pulse once."""
    setup = loaded({"transmit": write_csv(tmp_path / "t.csv", TRANSMIT, "f,re,im")})
    twin = pickle.loads(pickle.dumps(setup))
    assert twin == setup
    assert hash(twin) == hash(setup)
    assert unit_pulse(twin)[0] is unit_pulse(setup)[0]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"Tfit": TRANSMIT}, "no f"),
        ({"f": FREQUENCY_HZ}, "no Tfit"),
        ({"f": FREQUENCY_HZ[1:], "Tfit": TRANSMIT}, "differ in shape"),
        ({"f": FREQUENCY_HZ[::-1], "Tfit": TRANSMIT}, "must rise"),
        ({"f": FREQUENCY_HZ / 1e6, "Tfit": TRANSMIT}, "in Hz"),
        ({"f": FREQUENCY_HZ[::50], "Tfit": TRANSMIT[::50]}, "steps"),
        ({"f": FREQUENCY_HZ, "Tfit": TRANSMIT * np.nan}, "NaN"),
        ({"f": FREQUENCY_HZ, "Tfit": 1j + 1 / (1 + FREQUENCY_HZ / 1e5)}, "largest at 0 Hz"),
        ({"f": FREQUENCY_HZ, "Tfit": TRANSMIT.conj()}, "before its cause"),
        ({"f": np.array([None, 1]), "Tfit": TRANSMIT[:2]}, "cannot be read"),
    ],
)
def test_unusable_responses(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    file = write(tmp_path / "bad.npz", **arrays)
    with pytest.raises(InputError, match=message):
        loaded({"transmit": file})


def test_unreadable_files(tmp_path: Path) -> None:
    for name, content in [
        ("a.npz", b"no zip"),
        ("a.mat", b"x"),
        ("a.csv", b"1,2\n"),
        ("a.doc", b""),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            loaded({"transmit": tmp_path / name})
    with pytest.raises(InputError, match="no such file"):
        loaded({"transmit": tmp_path / "missing.npz"})


@pytest.mark.parametrize("name", ["drive.npy", "drive.csv"])
def test_drive_from_file(tmp_path: Path, name: str) -> None:
    drive = np.array([0, 1.0, 0.5, -1, 0.25])
    file = tmp_path / name
    if file.suffix == ".npy":
        np.save(file, drive)
    else:
        np.savetxt(file, drive)
    assert loaded({"drive": file}).drive == tuple(drive)


@pytest.mark.parametrize(
    "values",
    [
        {"shell": "soft"},
        {"thermal": "warm"},
        {"frequency_hz": 1.7},
        {"frequency_hz": "fast"},
        {"depth_m": 100},
        {"depth_m": float("nan")},
        {"sampling_rate_hz": 1e6},
        {"cycles": 0.7},
        {"elements": 0},
        {"elements": 2.5},
        {"drive": [0.0, 0.0]},
        {"drive": [[1.0]]},
        {"transducer": 3},
        {"transducer": "missing.mat"},
        {"medium": {"density_kg_m3": -1}},
        {"medium": {"density": 1}},
        {"colour": "blue"},
    ],
)
def test_bad_values_say_what_to_do(values: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        loaded(values)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > 20


def test_setup_from_plain_values() -> None:
    setup = loaded(
        {"shell": "none", "transducer": "p4-1", "drive": None, "medium": {"density_kg_m3": 1060}}
    )
    assert setup == Setup(shell="none", medium=Medium(density_kg_m3=1060))


def test_sizes() -> None:
    setup = Setup()
    assert (setup.window_samples, setup.record_samples, setup.samples) == (1424, 33_784, 8446)
    fast = Setup(sampling_rate_hz=100e6)
    assert (fast.oversampling, fast.simulation_rate_hz, fast.samples) == (3, 300e6, 13_514)
    assert Setup(depth_m=0.05).samples == 4223


def test_another_waveform_or_probe_brings_its_own_frequency() -> None:
    """What was given can be told from what follows from it."""
    tone = Setup(waveform="s2.5")
    assert (tone.frequency_hz, tone.carrier_hz) == (None, 2.5e6)
    assert dataclasses.replace(tone, waveform="tristate").carrier_hz == 1.7e6
    probe = gaussian(5e6, 0.7)
    high = dataclasses.replace(Setup(), transducer=probe, sampling_rate_hz=125e6)
    assert high.carrier_hz == high.scale.frequency_hz == 5e6
    assert dataclasses.replace(high, transducer=P4_1).carrier_hz == 1.7e6
    own = Setup(frequency_hz=2e6)
    assert dataclasses.replace(own, cycles=2).carrier_hz == 2e6


def test_a_changed_file_makes_another_setup(tmp_path: Path) -> None:
    """Although its name is the same; nothing of the old one is kept."""
    file = tmp_path / "drive.npy"
    drive = np.sin(2 * np.pi * 2e6 * np.arange(250) / 250e6)
    np.save(file, drive)
    before = Setup(waveform=file)
    pulse = unit_pulse(before)[0]
    np.save(file, -drive)
    after = Setup(waveform=str(file))
    assert after != before
    np.testing.assert_allclose(unit_pulse(after)[0], -pulse, atol=1e-12)
    np.save(file, drive)
    assert Setup(waveform=file) == before


def test_warns_outside_validity() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # making a setup, or another of it, warns of nothing
        salty = Setup(medium=Medium(density_kg_m3=1060))
        coarse = dataclasses.replace(Setup(), sampling_rate_hz=7e6)
        pickle.loads(pickle.dumps(salty))
    (line,) = warnings_of(salty)
    assert "Segers" in line
    with pytest.warns(UserWarning, match="Segers") as record:
        warn_of(salty)
    assert len(record) == 1
    assert "sampling_rate_hz" in warnings_of(coarse)[0]
    assert not warnings_of(Setup(shell="marmottant", medium=Medium(density_kg_m3=1060)))
    assert not warnings_of(Setup(cycles=2))


def test_warns_of_a_probe_of_another_frequency() -> None:
    """In one line, with the levels at the frequency that was asked for."""
    setup = Setup(frequency_hz=5e6, sampling_rate_hz=125e6)
    (message,) = warnings_of(setup)
    assert "\n" not in message
    assert "frequency_hz=5e+06" in message
    assert "peaks at 2.78 MHz" in message
    assert "-33 dB in transmit and -25 dB in receive" in message
    assert str(levels(setup)) == (
        "5 MHz: transmit -33 dB, receive -25 dB; the pulse peaks at 2.78 MHz"
    )


def test_warns_of_a_drive_of_another_rate() -> None:
    drive = drive_signal(Setup(cycles=3))
    assert not warnings_of(Setup(drive=tuple(drive)))
    (message,) = warnings_of(Setup(drive=tuple(drive[::4])))
    assert "taken at 250 MHz, 4 times sampling_rate_hz" in message


@pytest.mark.parametrize("reach_hz", [4e6, 8e6])
def test_short_tables_are_causal_enough(tmp_path: Path, reach_hz: float) -> None:
    part = reach_hz >= FREQUENCY_HZ
    file = write(tmp_path / "t.npz", f=FREQUENCY_HZ[part], Tfit=TRANSMIT[part])
    assert loaded({"transmit": file})


def test_physics_does_not_import_torch() -> None:
    code = "import sys, bubbleloc.physics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
