"""Lines of a setup each: what is told of them fits, and their draws are keyed."""

import numpy as np
import pytest

from bubbleloc.data import universal
from bubbleloc.data.dataset import open_split
from bubbleloc.data.generate import ensure_dataset
from bubbleloc.data.noise import Noise
from bubbleloc.data.stored import as_stored
from bubbleloc.errors import InputError
from bubbleloc.physics import Scene, Setup
from bubbleloc.physics.simulator import arrival_sample
from bubbleloc.physics.told import STANDARD_HZ, STANDARD_RATE_HZ, Told
from tests.conftest import planned

STANDARD = Setup(depth_m=0.051137)


@pytest.mark.parametrize("index", range(4))
def test_what_is_told_is_the_echo_in_the_line(index):
    """A lone bubble on the axis, half-way down, of the radius and the pressure that are told."""
    draw = universal.Draw(1, 0, index)
    _, mean_m = universal._population(draw.rng())
    scene = Scene(np.array([0.0255]), np.zeros(1), np.array([mean_m]), 5e4)
    line = universal.simulated(scene, draw, STANDARD)
    first = round(float(arrival_sample(scene.depth_m, scene.lateral_m, STANDARD)[0]))
    echo = line.rf[first : first + universal.ECHO_SAMPLES]
    told = line.told[0] / np.linalg.norm(line.told[0])
    assert float(told @ echo / np.linalg.norm(echo)) > 0.97
    assert not np.abs(line.rf[: first - 1]).max() > 1e-3 * np.abs(echo).max()
    centre = Told(line.told[0], STANDARD_RATE_HZ).centre_hz / STANDARD_HZ
    assert centre == pytest.approx(1, abs=universal.SCALE_ERROR + 0.02)
    heard = [universal.heard(line, np.random.default_rng(k)) for k in range(40)]
    off = [abs(int(row.argmax()) - first) for row in heard]
    assert np.median(off) <= 4  # λ/18, most draws being told more or less rightly


def test_scenes_are_of_all_densities():
    scenes = [universal.draw_scene(universal.Draw(0, 0, k), STANDARD) for k in range(400)]
    counts = np.array([len(scene) for scene in scenes])
    assert 0.02 < np.mean(counts == 0) < 0.11
    assert 0.35 < np.mean((counts > 0) & (counts <= universal.FEW)) < 0.6
    assert counts.max() > 0.9 * universal.MOST
    arrivals = [arrival_sample(scene.depth_m, scene.lateral_m, STANDARD) for scene in scenes]
    arrival = np.concatenate(arrivals)
    assert arrival.min() > 40
    assert arrival.max() < STANDARD.samples - 40
    assert np.histogram(arrival, 4, (0, STANDARD.samples))[0].min() > 0.2 * arrival.size


def test_lines_of_a_dataset_are_drawn_by_key(tmp_path):
    plan = planned(tmp_path, "data=universal", "data.signals.val=3").only(["val"])
    ensure_dataset(plan, workers=1)
    lines = open_split(tmp_path, "val")
    assert np.array_equal(lines.volts(1), lines.volts(1))
    assert not np.array_equal(lines.volts(1, 0, 7), lines.volts(1, 0, 8))
    assert as_stored(planned(tmp_path)).settings.setups == "drawn"
    draw = plan.draw("val", 2)
    again = universal.simulated(plan.scene("val", 2), draw, plan.setup())
    np.testing.assert_allclose(lines.raw_volts(2), again.rf, rtol=1e-6)


@pytest.mark.parametrize(
    "typed", ["data.count=[1,2]", "data.physics.shell=none", "data.stream=true"]
)
def test_what_is_drawn_cannot_be_typed(tmp_path, typed):
    name = typed.removeprefix("data.").partition("=")[0]
    with pytest.raises(InputError, match=f"data.{name}: data.setups=drawn decides it"):
        planned(tmp_path, "data=universal", typed).setup()


def test_no_noise_is_added_to_lines_that_draw_it(tmp_path):
    ensure_dataset(planned(tmp_path, "data=universal", "data.signals.val=1").only(["val"]), 1)
    with pytest.raises(InputError, match="draw their noise themselves"):
        open_split(tmp_path, "val", Noise(0.1))
