"""A wire at a known depth tells how late a receiver is; every other source of time is its own."""

import contextlib

import numpy as np
import pandas as pd
import pytest
from scipy import fft

from bubbleloc.data.dataset import open_split
from bubbleloc.errors import InputError
from bubbleloc.localization import localize_lines
from bubbleloc.physics import Scene, Setup, simulate_rf, unit_pulse
from tests.conftest import localize_recording

RUN, RATE, WIRE_MM, LATE_S = "bubbleloc:small", 62.5e6, 20.0, 0.371e-6


def wire(setup, elements=6, lateral_m=0.4e-3, late_s=0.0):
    """Lines (elements, L) of a point below an array that reflects every frequency alike."""
    pulse, _ = unit_pulse(setup)
    frequency_hz = fft.rfftfreq(length := 2**16, 1 / setup.simulation_rate_hz)
    received = setup.probe.receive(frequency_hz) * fft.rfft(pulse, length)
    x_m = 0.3e-3 * (np.arange(elements) - (elements - 1) / 2)
    depth_m = 1e-3 * WIRE_MM
    way_m = depth_m + np.hypot(depth_m, lateral_m - x_m)
    time_s = way_m / setup.medium.speed_of_sound_m_s + late_s
    turned = np.exp(-2j * np.pi * frequency_hz * time_s[:, None])
    lines = fft.irfft(received * turned, length)[:, :: setup.oversampling]
    return lines[:, : setup.samples] / np.abs(lines).max()


@pytest.mark.parametrize("polarity", [1, -1])
def test_the_delay_is_that_of_the_receiver(polarity, tmp_path):
    lines = polarity * wire(Setup(), late_s=LATE_S)
    frames = lines + np.random.default_rng(0).normal(0, 0.01, (3, *lines.shape))
    np.save(tmp_path / "wire.npy", frames[..., 300:].astype(np.float32))
    facts = {"sampling_rate_hz": RATE, "start_s": 300 / RATE, "threshold": 0.5}
    done = localize_recording(
        RUN, tmp_path / "wire.npy", tmp_path / "a.csv", calibrate=WIRE_MM, **facts
    )
    found = done.recording.receive_delay_s
    assert found == pytest.approx(LATE_S, abs=0.3 / RATE)
    assert done.recording.notes[-1].endswith(f"give receive_delay_s={found:.4g}")
    again = {**facts, "receive_delay_s": float(f"{found:.4g}")}
    localize_recording(RUN, tmp_path / "wire.npy", tmp_path / "b.csv", **again)
    first, second = (pd.read_csv(tmp_path / name)["sample"] for name in ("a.csv", "b.csv"))
    np.testing.assert_allclose(first, second, atol=0.01)


def test_a_line_without_a_wire_is_refused(tmp_path):
    noise = np.random.default_rng(0).normal(size=(2, 8000))
    np.save(tmp_path / "a.npy", noise)
    for depth_mm in (20.0, 500.0):
        with pytest.raises(InputError, match=f"no echo stands out within 3 mm of .*={depth_mm:g}"):
            localize_recording(
                RUN,
                tmp_path / "a.npy",
                tmp_path / "a.csv",
                sampling_rate_hz=RATE,
                calibrate=depth_mm,
            )


@pytest.mark.parametrize("depth_mm", [16.5, 16.8, 23.4, 24.0])
def test_the_slope_of_an_echo_outside_is_no_echo(depth_mm, tmp_path):
    """It used to be taken for the wire, up to 39 µs late."""
    lines = wire(Setup(), elements=1)
    np.save(tmp_path / "a.npy", lines + np.random.default_rng(0).normal(0, 0.003, lines.shape))
    with pytest.raises(InputError, match=r"no echo stands out within 3 mm"):
        localize_recording(
            RUN, tmp_path / "a.npy", tmp_path / "a.csv", sampling_rate_hz=RATE, calibrate=depth_mm
        )


def test_the_echo_of_a_bubble_among_others_is_no_wire(tiny, tmp_path):
    lines = open_split(tiny, "test")
    accepted = 0
    for line in range(len(lines)):
        np.save(tmp_path / "a.npy", lines.volts(line))
        for depth_mm in (20, 40, 60):
            facts = {"sampling_rate_hz": RATE, "calibrate": depth_mm}
            with contextlib.suppress(InputError):
                done = localize_recording(RUN, tmp_path / "a.npy", tmp_path / "a.csv", **facts)
                accepted += not any("which no receiver does" in doubt for doubt in done.doubts)
    assert accepted <= 1


def test_a_wire_whose_echo_comes_early_is_doubted(tmp_path):
    lines = wire(Setup(), elements=1)
    np.save(tmp_path / "a.npy", lines + np.random.default_rng(0).normal(0, 0.003, lines.shape))
    for depth_mm, is_doubted in ((20.0, False), (20.1, False), (19.0, False), (21.0, True)):
        done = localize_recording(
            RUN, tmp_path / "a.npy", tmp_path / "a.csv", sampling_rate_hz=RATE, calibrate=depth_mm
        )
        said = [doubt for doubt in done.doubts if "which no receiver does" in doubt]
        assert bool(said) is is_doubted
    assert said[0].startswith("the echo of the wire came 1.35 µs early")


def test_an_arrival_is_the_time_of_flight_of_the_start_of_the_pulse():
    """As the networks are trained: (z + r)/c, though the loudest sample comes 88 samples later."""
    depth_m = np.array([20e-3, 35e-3, 60e-3])
    scene = Scene(depth_m, np.full(3, 2e-3), np.full(3, 2.4e-6), 100e3)
    line = simulate_rf(scene)
    arrival = (depth_m + np.hypot(depth_m, 2e-3)) / 1480 * RATE
    found = localize_lines(line.volts, model="small").nlargest(3, "radius_um")
    np.testing.assert_allclose(np.sort(found["sample"]), arrival, atol=1.5)
