"""Depths and images by the true geometry of the array and of the wave."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.io

from bubbleloc import formats
from bubbleloc.imaging.array import Array
from bubbleloc.imaging.beamforming import ArrayLines, Grid
from bubbleloc.units import Scale
from tests.formats import written
from tests.formats.test_transmits import uff
from tests.formats.written import PITCH_M, SOUND, Acquisition

RATE = 20e6
SCALE = Scale(RATE, SOUND, 2.5e6)
POINT = np.array([2.3e-3, 0.0, 17.4e-3])


def lines_of(element_m, delay_s, silent=()):
    """Lines (elements, 900) of a point that all elements reach at delays."""
    way_s = np.linalg.norm(element_m - POINT, axis=1) / SOUND
    fires = np.delete(np.arange(len(element_m)), silent)
    arrival_s = (delay_s + way_s)[fires].min() + way_s
    late = np.arange(900) / RATE - arrival_s[:, None]
    return np.exp(-((late / 0.2e-6) ** 2)) * np.cos(2 * np.pi * 2.5e6 * late)


def flat(elements=64):
    element_m = np.zeros((elements, 3))
    element_m[:, 0] = PITCH_M * (np.arange(elements) - (elements - 1) / 2)
    return element_m


def convex(elements=64):
    angle = PITCH_M / 25e-3 * (np.arange(elements) - (elements - 1) / 2)
    zeros = np.zeros(elements)
    return np.stack([25e-3 * np.sin(angle), zeros, 25e-3 * (np.cos(angle) - 1)], axis=1)


def plane_s(element_m, degrees):
    delay_s = element_m[:, 0] * np.sin(np.radians(degrees)) / SOUND
    return delay_s - delay_s.min()


def write_verasonics(path, element_m, delay_s):
    made = Acquisition(elements=64, samples=900, rate_hz=RATE, frames=1, delay_s=delay_s)
    variables = written.workspace(made, units="mm")
    data = np.zeros((1800, 64, 1), np.int16)
    data[900:, :, 0] = np.rint(9999 * lines_of(element_m, delay_s)).T
    variables["RcvData"] = [data]
    variables["Trans"]["ElementPos"][:, :3] = 1e3 * element_m
    for entry in variables["Receive"]:
        entry["startDepth"] = 0.0
    for entry in variables["TX"]:
        del entry["Steer"]
    written.write_v5(path, variables)


def image_peak(recording):
    """Where the image of the first frame is brightest."""
    x_m, _, z_m = recording.element_m.T
    begin = recording.start_s * RATE
    array = Array(x_m, SCALE, -begin, z_m, recording.sent(SOUND))
    grid = Grid.covering((0, 5e-3), (14e-3, 21e-3), 0.05e-3)
    image = ArrayLines(recording.volts[0], array).image(grid)
    row, column = np.unravel_index(image.argmax(), image.shape)
    return grid.lateral_m[column], grid.depth_m[row]


@pytest.mark.parametrize("degrees", [0, 12, -8])
@pytest.mark.parametrize("array", [flat, convex])
def test_a_point_is_imaged_where_it_is(array, degrees, tmp_path):
    """It was imaged up to 9 mm off below a convex array, and 1.5 mm off by a steered wave."""
    element_m = array()
    write_verasonics(tmp_path / "a.mat", element_m, plane_s(element_m, degrees))
    recording = formats.read(tmp_path / "a.mat", transmit=1)
    x_m, z_m = image_peak(recording)
    assert (x_m, z_m) == pytest.approx((POINT[0], POINT[2]), abs=0.15e-3)


def test_a_wave_of_uff_from_behind_the_array_is_imaged_as_one():
    element_m, source_m = flat(), np.array([-4e-3, 0, -15e-3])
    way_m = np.linalg.norm(element_m - source_m, axis=1)
    delay_s = (way_m - np.linalg.norm(source_m)) / SOUND
    recording = formats.Recording("a", formats.Volts("a", (1, 64, 900), lambda *_: lines), RATE)
    lines = lines_of(element_m, delay_s)

    recording = replace(recording, element_m=element_m, delay_s=delay_s)
    x_m, z_m = image_peak(recording)
    assert (x_m, z_m) == pytest.approx((POINT[0], POINT[2]), abs=0.15e-3)


def test_delays_of_a_wave_of_uff_are_those_of_its_source(tmp_path):
    values = {"source__distance": [[15e-3]], "source__azimuth": [[np.pi]], "wavefront": [[1]]}
    path = uff(tmp_path / "a.uff", **{f"sequence__{name}": v for name, v in values.items()})
    recording = formats.read(path)
    way_m = np.hypot(recording.element_m[:, 0], 15e-3) - 15e-3
    np.testing.assert_allclose(recording.delay_s, way_m / SOUND, atol=1e-15)


@pytest.mark.parametrize("degrees", [0, 12, -8])
def test_depths_are_those_below_the_element(degrees, tmp_path):
    element_m = flat()
    write_verasonics(tmp_path / "a.mat", element_m, plane_s(element_m, degrees))
    recording = formats.read(tmp_path / "a.mat", transmit=1)
    angle, depth_m = np.radians(degrees), 20e-3
    line = np.array([3, 40, 63])
    x_m = element_m[line, 0]
    time_s = (x_m * np.sin(angle) + depth_m * (1 + np.cos(angle))) / SOUND
    table = pd.DataFrame({"line": line, "time_us": 1e6 * time_s, "depth_sigma_mm": 0.1})
    table["depth_mm"] = 1e3 * time_s * SOUND / 2
    placed = recording.below_elements(table, SCALE)
    np.testing.assert_allclose(placed["depth_mm"], 20, atol=1e-3)


def test_lines_of_one_element_keep_their_depth(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"rf": np.zeros((1, 9)), "fs": RATE})
    table = pd.DataFrame({"line": [0], "depth_mm": [3.0], "depth_sigma_mm": [0.1]})
    assert formats.read(tmp_path / "a.mat").below_elements(table, SCALE) is table
