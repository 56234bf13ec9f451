"""Responses, waveforms and radii from MATLAB files of any version, and from any table."""

import shlex
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from bubbleloc import formats
from bubbleloc.console.composition import checked_settings, composed
from bubbleloc.console.settings import Train
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.errors import InputError
from bubbleloc.localization.doubts import train_command
from bubbleloc.physics import P4_1, Setup, draw_scene, unit_pulse
from bubbleloc.physics.scene import draw_radii
from tests.formats import written
from tests.physics.reference import loaded, relative_l2

FREQUENCY_HZ = np.arange(0, 125e6, 20e3)
TRANSMIT, RECEIVE = P4_1.transmit(FREQUENCY_HZ), P4_1.receive(FREQUENCY_HZ)
IMPULSE = np.fft.irfft(P4_1.transmit(np.fft.rfftfreq(25_000, 1 / 250e6)))[:2500] * 250e6


def write_v5(path: Path, variables: dict[str, Any]) -> None:
    savemat(path, variables)


def write_v73(path: Path, variables: dict[str, Any]) -> None:
    """Complex numbers as MATLAB writes them, in two fields."""
    plain = {name: value for name, value in variables.items() if not np.iscomplexobj(value)}
    written.write_v73(path, plain)
    with h5py.File(path, "r+") as file:
        for name in variables.keys() - plain.keys():
            value = variables[name][:, None]
            pairs = np.empty(value.shape, dtype=[("real", np.float64), ("imag", np.float64)])
            pairs["real"], pairs["imag"] = value.real, value.imag
            file[name] = pairs


WRITERS = pytest.mark.parametrize("write", [write_v5, write_v73])


@WRITERS
def test_responses(write: Any, tmp_path: Path) -> None:
    file = tmp_path / "both.mat"
    write(file, {"f": FREQUENCY_HZ, "Tfit": TRANSMIT, "Hfit": RECEIVE})
    probe = Setup(transducer=file).probe
    np.testing.assert_allclose(probe.transmit(FREQUENCY_HZ), TRANSMIT, rtol=1e-12)
    np.testing.assert_allclose(probe.receive(FREQUENCY_HZ), RECEIVE, rtol=1e-12)


def of_system(bandwidth: bool = True) -> dict[str, Any]:
    """Pulse and probe as a Verasonics script leaves them; two waveforms, the second at 2.5 MHz."""
    pulses = [unit_pulse(Setup(waveform=name))[0][:1200] for name in ("tristate", "s2.5")]
    trans = {"numelements": 96.0, "spacingMm": 0.3, "frequency": 2.5}
    return {
        "TW": [{"type": "parametric", "Wvfm1Wy": pulse[:, None]} for pulse in pulses],
        "Trans": trans | ({"IR1wy": IMPULSE[:, None]} if bandwidth else {}),
    }


def write_system(path: Path, version: float, variables: dict[str, Any]) -> None:
    if version == 7.3:
        written.write_v73(path, variables)
    else:
        savemat(path, variables | {"TW": written.struct_array(variables["TW"])})


@pytest.mark.parametrize("version", [5, 7.3])
def test_the_waveforms_and_the_probe_of_a_system(version: float, tmp_path: Path) -> None:
    file = tmp_path / "system.mat"
    write_system(file, version, of_system())
    setup = Setup(waveform=f"{file}:2", transducer=file)
    assert setup.sent.is_pressure
    assert setup.carrier_hz == pytest.approx(2.5e6, rel=0.01)
    pulse, truth = unit_pulse(setup)[0], unit_pulse(Setup(waveform="s2.5"))[0]
    assert relative_l2(pulse[:1100], truth[:1100]) < 1e-3
    assert setup.probe.center_hz == 2.5e6
    assert setup.probe.aperture_m == pytest.approx(0.0288)
    band = slice(50, 250)  # 1 to 5 MHz
    found = setup.probe.transmit(FREQUENCY_HZ[band])
    np.testing.assert_allclose(found, TRANSMIT[band], rtol=5e-3)


@pytest.mark.parametrize("version", [5, 7.3])
def test_what_a_system_file_lacks_is_said_in_one_line(version: float, tmp_path: Path) -> None:
    file = tmp_path / "system.mat"
    write_system(file, version, of_system(bandwidth=False))
    with pytest.raises(InputError, match=r"Trans has no IR1wy; save it .*transducer=gaussian"):
        _ = Setup(transducer=file).probe
    variables = {"TW": [{"type": "parametric"}], "Trans": of_system()["Trans"]}
    write_system(file, version, variables)
    with pytest.raises(InputError, match=r"system.mat:1: it holds 0 waveforms, TW.Wvfm1Wy"):
        _ = Setup(waveform=file).sent


@pytest.mark.parametrize("write", [written.write_v5, written.write_v73])
@pytest.mark.parametrize("has_impulse", [True, False])
def test_the_command_for_a_recording_simulates_its_pulse_and_probe(
    write: Any, has_impulse: bool, tmp_path: Path
) -> None:
    """Whatever the name of the file; of the waveform that the transmit sends."""
    made = written.Acquisition()
    variables = written.workspace(made)
    variables["TW"] = of_system()["TW"]
    variables["TX"] = [{**transmit, "waveform": 2} for transmit in variables["TX"]]
    if has_impulse:
        variables["Trans"]["IR1wy"] = IMPULSE[:, None]
    file = tmp_path / "a recording (1), no 2.mat"
    write(file, variables)
    command = shlex.split(train_command(formats.read(file), {}))
    assert command[:2] == ["bubbleloc", "train"]
    config, _ = composed("train", command[2:])
    data = checked_settings(Train, config).data
    setup = DatasetPlan(data).setup()
    assert setup.carrier_hz == pytest.approx(2.5e6, rel=0.01)
    assert setup.sent.is_pressure
    assert setup.probe.center_hz == 2.5e6
    assert (data.physics.transducer == "gaussian") != has_impulse


def commas(*columns: Any) -> str:
    """A table as a spreadsheet writes it where decimals are commas."""
    rows = np.column_stack(columns)
    return "\n".join(";".join(f"{v:.12g}".replace(".", ",") for v in row) for row in rows)


def test_tables_of_spreadsheets(tmp_path: Path) -> None:
    response, drive, radii = (tmp_path / name for name in ("t.csv", "drive.csv", "radii.txt"))
    response.write_text("f;re;im\n" + commas(FREQUENCY_HZ, TRANSMIT.real, TRANSMIT.imag))
    found = loaded({"transmit": response}).probe.transmit(FREQUENCY_HZ)
    np.testing.assert_allclose(found, TRANSMIT, atol=1e-9)
    tone = np.sin(2 * np.pi * 2e6 * np.arange(500) / 250e6)
    drive.write_text("time (s);drive\n" + commas(np.arange(500) / 250e6, tone))
    np.testing.assert_allclose(Setup(waveform=drive).sent.drive, tone, atol=1e-9)
    radii.write_text("radius\n1.5\n2.5\n")
    drawn = draw_radii(np.random.default_rng(0), str(radii), 50)
    np.testing.assert_allclose(np.unique(drawn), [1.5e-6, 2.5e-6])
    radii.write_text("1,5\n2,5\n")
    with pytest.raises(InputError, match="give one column of numbers, with decimal points"):
        draw_scene(np.random.default_rng(0), str(radii))
