"""Scenes and whole RF lines."""

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from bubbleloc.errors import InputError
from bubbleloc.physics import Scene, Setup, arrival_sample, draw_scene, max_pressure_field
from bubbleloc.physics.scene import draw_radii
from bubbleloc.physics.simulator import simulate_rf, typical_lag_samples
from tests.physics.reference import relative_l2


def one_bubble(depth_m: float, lateral_m: float = 0.0, pressure_pa: float = 1e5) -> Scene:
    return Scene(np.array([depth_m]), np.array([lateral_m]), np.array([2.4e-6]), pressure_pa)


def test_line_of_a_single_bubble() -> None:
    """Silence before the arrival; the loudest sample some 87 later, 64 µm ringing at most."""
    line = simulate_rf(one_bubble(0.05, 0.01))
    assert line.volts.shape == (8446,)
    assert line.volts.dtype == np.float32
    assert line.sampling_rate_hz == 62.5e6
    arrival = line.arrival_sample[0]
    assert arrival == pytest.approx((0.05 + np.hypot(0.05, 0.01)) / 1480 * 62.5e6)
    peak = np.abs(line.volts).argmax()
    assert 60 < peak - arrival < 110
    assert np.abs(line.volts[: int(arrival) - 5]).max() < 1e-3 * np.abs(line.volts).max()


def test_the_usual_echo_peaks_87_samples_after_its_arrival() -> None:
    lag = typical_lag_samples(np.random.default_rng(1), "monodisperse", Setup())
    assert lag == pytest.approx(87, abs=3)


def test_echoes_add_up() -> None:
    """No bubble hears another, so two scenes sum, in any order of bubbles."""
    scene = draw_scene(np.random.default_rng(3), count=(90, 90))
    order = np.random.default_rng(4).permutation(90)
    parts = []
    for chosen in (order[:30], order[30:]):
        rows = (scene.depth_m[chosen], scene.lateral_m[chosen], scene.radius_m[chosen])
        parts.append(simulate_rf(Scene(*rows, scene.pressure_pa)).volts)
    assert relative_l2(parts[0] + parts[1], simulate_rf(scene).volts) < 1e-6


def test_same_scene_same_line_to_the_bit() -> None:
    scene, setup = draw_scene(np.random.default_rng(5), count=(70, 70)), Setup()
    twin_scene, twin_setup = pickle.loads(pickle.dumps((scene, setup)))
    first = simulate_rf(scene, setup)
    simulate_rf(draw_scene(np.random.default_rng(6)), setup)
    np.testing.assert_array_equal(first.volts, simulate_rf(twin_scene, twin_setup).volts)


def test_empty_scene_is_silent() -> None:
    line = simulate_rf(Scene(np.empty(0), np.empty(0), np.empty(0), 1e5))
    assert not line.volts.any()
    assert line.arrival_sample.shape == (0,)


def test_bubbles_below_the_record_are_cut() -> None:
    assert not simulate_rf(one_bubble(0.2)).volts.any()
    assert np.isfinite(simulate_rf(one_bubble(0.0999, 0.01)).volts).all()


def test_spherical_spreading() -> None:
    """Twice as far, half as loud, without loss (propagation is then the same, too)."""
    medium = dataclasses.replace(Setup().medium, attenuation_db_cm_mhz=0, nonlinearity_b_over_a=0)
    setup = Setup(shell="marmottant", medium=medium)
    near, far = (np.ptp(simulate_rf(one_bubble(z), setup).volts) for z in (0.04, 0.08))
    assert near / far == pytest.approx(2, rel=5e-3)


def test_array_of_elements() -> None:
    setup = Setup(elements=96)
    scene = one_bubble(0.03, 0.004)
    line = simulate_rf(scene, setup)
    assert line.volts.shape == (96, 8446)
    assert line.arrival_sample.shape == (96, 1)
    positions = setup.probe.element_positions_m(96)
    assert np.diff(positions) == pytest.approx(0.028 / 96)
    assert positions.sum() == pytest.approx(0)
    assert np.abs(positions[line.arrival_sample[:, 0].argmin()] - 0.004) < 0.028 / 96
    mirrored = simulate_rf(one_bubble(0.03, -0.004), setup)
    np.testing.assert_allclose(mirrored.volts[::-1], line.volts, atol=1e-4)
    # The middle of an odd array is the single receiver.
    middle = simulate_rf(scene, Setup(elements=3)).volts[1]
    np.testing.assert_array_equal(middle, simulate_rf(scene).volts)


def test_sampling_twice_as_often_adds_samples_between() -> None:
    scene, twice = one_bubble(0.04), Setup(sampling_rate_hz=125e6)
    line = simulate_rf(scene, twice)
    np.testing.assert_array_equal(line.volts[::2], simulate_rf(scene).volts)
    assert line.arrival_sample == pytest.approx(2 * arrival_sample([0.04], [0.0]))


def test_physics_switches_change_the_echo() -> None:
    scene = one_bubble(0.03)
    base = simulate_rf(scene).volts
    for change in (
        {"shell": "marmottant"},
        {"shell": "none"},
        {"thermal": "adiabatic"},
        {"thermal": "isothermal"},
        {"cycles": 2},
        {"frequency_hz": 2.5e6},
    ):
        assert relative_l2(simulate_rf(scene, Setup(**change)).volts, base) > 1e-3  # type: ignore[arg-type]


def test_large_bubbles_warn_once() -> None:
    size = 200
    scene = Scene(np.full(size, 0.05), np.zeros(size), np.full(size, 7e-6), 1e4)
    with pytest.warns(UserWarning, match="6 µm") as record:
        simulate_rf(scene)
    assert len(record) == 1


def test_pressure_field_starts_at_the_transducer() -> None:
    field = max_pressure_field(1e5)
    assert field.shape == (8446,)
    assert field[0] == pytest.approx(1e5, rel=1e-3)


def test_scenes_repeat_and_stay_in_range() -> None:
    scenes = [draw_scene(np.random.default_rng(seed)) for seed in range(200)]
    again = draw_scene(np.random.default_rng(7))
    np.testing.assert_array_equal(scenes[7].radius_m, again.radius_m)
    assert scenes[7].pressure_pa == again.pressure_pa
    sizes = np.array([len(scene) for scene in scenes])
    pressures = np.array([scene.pressure_pa for scene in scenes])
    assert kstest(sizes, "uniform", args=(10, 990)).pvalue > 0.01
    assert kstest(pressures, "uniform", args=(5e3, 245e3)).pvalue > 0.01
    depth = np.concatenate([scene.depth_m for scene in scenes])
    lateral = np.concatenate([scene.lateral_m for scene in scenes])
    assert 0.0037 <= depth.min() < depth.max() <= 0.0963
    assert -0.014 <= lateral.min() < lateral.max() <= 0.014
    radius = np.concatenate([scene.radius_m for scene in scenes])
    assert radius.mean() == pytest.approx(2.4e-6, rel=1e-3)
    assert radius.std() == pytest.approx(0.12e-6, rel=1e-2)


def test_polydisperse_follows_sonovue() -> None:
    radius_um = 1e6 * draw_radii(np.random.default_rng(1), "polydisperse", 20_000)
    grid = np.linspace(0.5, 6, 2001)
    density = grid**2 * np.exp(-2.19 * grid)
    cumulative = np.cumsum(density) / density.sum()
    assert kstest(radius_um, lambda r: np.interp(r, grid, cumulative)).pvalue > 0.01


@pytest.mark.parametrize("name", ["radii.csv", "radii.npy"])
def test_radii_from_a_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    radii_um = np.array([1.0, 2.0, 3.5])
    if file.suffix == ".npy":
        np.save(file, radii_um)
    else:
        file.write_text("radius_um\n1.0\n2.0\n3.5\n")
    scene = draw_scene(np.random.default_rng(0), bubbles=str(file))
    assert set(np.round(scene.radius_m * 1e6, 6)) == set(radii_um)


def test_bad_scenes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    in_metres = tmp_path / "metres.csv"
    in_metres.write_text("2.4e-6\n")
    for bubbles in ("foam", str(in_metres)):
        with pytest.raises(InputError):
            draw_scene(rng, bubbles=bubbles)
    with pytest.raises(InputError):
        draw_scene(rng, count=(20, 10))
    with pytest.raises(InputError):
        draw_scene(rng, pressure_pa=(-1, 10))
    row = np.array([0.05])
    for rows in [
        (row, row, np.array([2.4]), 1e5),
        (row, row, np.array([2.4e-6, 2e-6]), 1e5),
        (np.array([np.nan]), row, np.array([2.4e-6]), 1e5),
        (-row, row, np.array([2.4e-6]), 1e5),
        (row, row, np.array([2.4e-6]), float("nan")),
    ]:
        with pytest.raises(InputError):
            Scene(*rows)
