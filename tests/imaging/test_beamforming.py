import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.imaging.array import Array
from bubbleloc.imaging.beamforming import ArrayLines, Grid
from bubbleloc.imaging.run import analytic, localized
from bubbleloc.nn import load_released
from bubbleloc.physics import Scene, Setup, simulate_rf
from bubbleloc.units import Scale

SCALE = Scale(62.5e6, 1480, 1.7e6)
DEPTH_PIXEL_M, LATERAL_PIXEL_M = 0.01e-3, 0.1e-3


def direct_sum(lines, grid):
    """Every pixel by itself, with NumPy's interpolation."""
    image = np.zeros((len(grid.depth_m), len(grid.lateral_m)))
    samples = np.arange(lines.signal.shape[1])
    for row, z in enumerate(grid.depth_m):
        for column, x in enumerate(grid.lateral_m):
            flight = (
                (z + np.hypot(z, x - lines.array.element_m))
                * lines.array.scale.sampling_rate_hz
                / lines.array.scale.speed_of_sound_m_s
            )
            total = sum(
                np.interp(sample, samples, line, left=0, right=0)
                for sample, line in zip(
                    flight + lines.array.delay_samples, lines.signal, strict=True
                )
            )
            image[row, column] = abs(total)
    return image


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("delay", [0.0, 12.3, -40.0])
def test_an_image_is_the_direct_sum(kind, delay):
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((7, 300)).astype(kind)
    if np.iscomplexobj(signal):
        signal += 1j * rng.standard_normal(signal.shape).astype(kind)
    lines = ArrayLines(signal, Array(np.sort(rng.uniform(-0.01, 0.01, 7)), SCALE, delay))
    grid = Grid(np.linspace(-0.012, 0.012, 23), np.linspace(0, 0.005, 19))
    np.testing.assert_allclose(lines.image(grid), direct_sum(lines, grid), rtol=1e-4, atol=1e-4)


def test_pixels_tile_the_region():
    grid = Grid.covering((-1e-3, 1e-3), (0.0, 0.5e-3), 0.25e-3)
    np.testing.assert_allclose(grid.lateral_m, 1e-3 * (np.arange(8) * 0.25 - 0.875))
    np.testing.assert_allclose(grid.depth_m, [0.125e-3, 0.375e-3])


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
