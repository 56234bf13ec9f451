import numpy as np
import pytest
from scipy.signal import resample_poly

from bubbleloc.errors import InputError
from bubbleloc.formats.transmits import Sent
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.beamforming import ArrayLines, Grid, delay_and_sum
from bubbleloc.imaging.run import analytic, localized
from bubbleloc.nn import load_released
from bubbleloc.physics import Scene, Setup, simulate_rf
from bubbleloc.units import Scale

SCALE = Scale(62.5e6, 1480, 1.7e6)
DEPTH_PIXEL_M, LATERAL_PIXEL_M = 0.01e-3, 0.1e-3


def random_signals(frames, kind):
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((frames, 7, 300)).astype(kind)
    if np.iscomplexobj(signals):
        signals += 1j * rng.standard_normal(signals.shape).astype(kind)
    return signals


GRID = Grid(np.linspace(-0.012, 0.012, 23), np.linspace(0, 0.005, 19))
X_M = np.sort(np.random.default_rng(1).uniform(-0.01, 0.01, 7))
ARC_Z_M = 1e-3 * np.cos(100 * X_M)
DELAY_S = np.array([np.nan, 2e-7, 1e-7, 0, 3e-7, np.nan, 0])
ARRAYS = {
    "flat": Array(X_M, SCALE, 12.3),
    "steered": Array(X_M, SCALE, -40.0, sent=Sent(0.2)),
    "convex": Array(X_M, SCALE, 0.0, ARC_Z_M, Sent(None, DELAY_S)),
}


def literal_sums(signals, array, grid):
    """Every line interpolated by NumPy at the time of every pixel, in double precision."""
    x_m, z_m = np.meshgrid(grid.lateral_m, grid.depth_m)
    times = array.arrival_sample(x_m.ravel(), z_m.ravel())
    samples = np.arange(signals.shape[2])
    images = [
        sum(
            np.interp(time, samples, line, left=0, right=0)
            for time, line in zip(times, lines, strict=True)
        )
        for lines in signals
    ]
    return np.array(images).reshape(len(signals), *x_m.shape)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("frames", [1, 2, 19])
@pytest.mark.parametrize("name", ARRAYS)
def test_images_are_the_literal_sums(name, frames, kind):
    signals = random_signals(frames, kind)
    images = delay_and_sum(signals, ARRAYS[name], GRID)
    expected = literal_sums(signals, ARRAYS[name], GRID)
    assert np.abs(images - expected).max() < 1e-5 * np.abs(expected).max()
    assert images.dtype == (np.complex64 if np.iscomplexobj(signals) else np.float32)
    lines = ArrayLines(signals[0], ARRAYS[name])
    np.testing.assert_allclose(lines.image(GRID), np.abs(expected[0]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("degrees", [0, 7])
def test_images_are_those_of_must(degrees):
    pymust = pytest.importorskip("pymust", reason="pymust is not installed")
    pitch_m, count = 0.3e-3, 32
    element_m = (np.arange(count) - (count - 1) / 2) * pitch_m
    delay_s = element_m * np.sin(np.radians(degrees)) / 1480
    delay_s -= delay_s.min()
    # To MUST, the wave comes from four points per element.
    points = np.stack([element_m, np.zeros(count), delay_s * 1480])[:, [0, -1]]
    fired_m = np.linspace(*points.T, 4 * count).T
    array = Array(element_m, SCALE, sent=Sent(None, delay_s), fired_m=fired_m)
    rng = np.random.default_rng(2)
    signals = resample_poly(rng.standard_normal((3, count, 300)), 8, 1, axis=2)
    grid = Grid(np.linspace(-3e-3, 3e-3, 30), np.linspace(10e-3, 20e-3, 40))
    param = pymust.utils.Param()
    param.fs, param.fc, param.c, param.pitch = 62.5e6, 1.7e6, 1480, pitch_m
    param.t0, param.Nelements, param.fnumber = np.zeros(1), count, 0
    x_m, z_m = np.meshgrid(grid.lateral_m, grid.depth_m)
    matrix = pymust.dasmtx(signals[0].T, x_m, z_m, delay_s[None], param)
    images = delay_and_sum(signals, array, grid)
    for image, lines in zip(images, signals, strict=True):
        expected = (matrix @ lines.ravel()).reshape(x_m.shape, order="F")
        assert np.abs(image - expected).max() < 1e-5 * np.abs(expected).max()


def test_pixels_tile_the_region():
    grid = Grid.covering((-1e-3, 1e-3), (0.0, 0.5e-3), 0.25e-3)
    np.testing.assert_allclose(grid.lateral_m, 1e-3 * (np.arange(8) * 0.25 - 0.875))
    np.testing.assert_allclose(grid.depth_m, [0.125e-3, 0.375e-3])


def test_pixels_cover_a_region_and_a_margin():
    region = Region((-1e-3, 1e-3), (2e-3, 3e-3))
    grid = Grid.around(region, 0.1e-3, 0.05e-3, 0.2e-3)
    covered = Region((-1.2e-3, 1.2e-3), (1.8e-3, 3.2e-3))
    for axis, ends, step in zip(
        (grid.lateral_m, grid.depth_m),
        (covered.lateral_m, covered.depth_m),
        (0.1e-3, 0.05e-3),
        strict=True,
    ):
        np.testing.assert_allclose(np.diff(axis), step)
        assert axis[0] == pytest.approx(ends[0])
        assert -1e-9 <= axis[-1] - ends[1] < step + 1e-9
    with pytest.raises(InputError, match="this region makes an image of"):
        Grid.around(Region((-5, 5), (30, 50)), 0.1e-3, 0.05e-3, 0.2e-3)


def test_a_line_is_needed_for_each_element():
    with pytest.raises(InputError, match="6 lines of 7 elements"):
        delay_and_sum(np.zeros((1, 6, 300)), ARRAYS["flat"], GRID)


@pytest.mark.parametrize("pixel_m", [1e-9, 1.0, 1e-300])
def test_images_of_no_or_too_many_pixels_are_refused(pixel_m):
    with pytest.raises(InputError, match="choose a size and a region"):
        Grid.covering((-0.014, 0.014), (0.01, 0.07), pixel_m)


@pytest.fixture(scope="module")
def point():
    """A bubble beside the axis and what the array records of it."""
    scene = Scene(np.array([0.0312]), np.array([0.0043]), np.array([2.4e-6]), 1e5)
    setup = Setup(elements=96, depth_m=0.05)
    volts = simulate_rf(scene, setup).volts
    element_m = setup.probe.element_positions_m(96)
    return ArrayLines(volts, Array(element_m, setup.scale)), scene


def peak_offsets(lines, bubble):
    """Depth and lateral distance in pixels of an image's maximum from the only bubble."""
    steps = np.arange(-300, 301)
    depth_m = bubble.depth_m[0] + steps * DEPTH_PIXEL_M
    image = lines.image(Grid(bubble.lateral_m[0] + steps[250:351] * LATERAL_PIXEL_M, depth_m))
    row, column = np.unravel_index(image.argmax(), image.shape)
    return steps[row], steps[250:351][column]


def test_the_localized_image_peaks_at_the_bubble(point):
    rf, bubble = point
    lines = localized(rf, load_released("small"), batch_size=16)
    assert lines.signal.min() >= 0
    assert lines.signal.sum() == pytest.approx(96, rel=0.1)  # a bubble in every line
    assert np.abs(peak_offsets(lines, bubble)).max() <= 1


def test_the_rf_image_peaks_at_the_bubble_given_the_delay_of_its_echo(point):
    rf, bubble = point
    arrival = simulate_rf(bubble, Setup(elements=96, depth_m=0.05)).arrival_sample
    envelope = np.abs(analytic(rf, 0.0).signal)
    delay = np.median(envelope.argmax(axis=1) - arrival[:, 0])
    depth, lateral = peak_offsets(analytic(rf, delay), bubble)
    assert abs(depth) <= 2
    assert abs(lateral) <= 1


def test_lines_too_short_for_the_network_are_refused():
    short = ArrayLines(np.zeros((4, 50), np.float32), Array(np.arange(4.0), SCALE))
    network = load_released("small")
    needed = network.receptive_field // 2 + 1
    with pytest.raises(InputError, match=f"lines of 50 samples, shorter than the {needed}"):
        localized(short, network, batch_size=4)
