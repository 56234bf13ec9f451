"""Lines of a whole array, against one element at a time and the geometry of plane waves."""

import dataclasses

import numpy as np
import pytest
from scipy.signal import hilbert

from bubbleloc.console.settings.physics import Medium
from bubbleloc.physics import Scene, Setup, draw_scene, gaussian, simulate_rf
from bubbleloc.physics.frames import arrival_samples, echo_window, heard, simulate_frame
from tests.physics.reference import relative_l2

TISSUE = Medium(attenuation_db_cm_mhz=0.5, attenuation_power=1.1)
SCENE = draw_scene(np.random.default_rng(0), count=(40, 40), pressure_pa=(1e5, 1e5), depth_m=0.07)


@pytest.mark.parametrize(
    ("changed", "most"),
    [
        ({}, 3e-6),
        ({"medium": TISSUE, "shell": "marmottant"}, 2e-4),
        ({"sampling_rate_hz": 7e6}, 3e-6),  # decimated through a filter, of which half comes before
        ({"waveform": "ldc"}, 3e-6),
        ({"transducer": gaussian(5e6, 0.7)}, 2e-5),  # hears before and after, evenly
    ],
)
def test_every_element_hears_what_it_hears_alone(changed, most) -> None:
    setup = Setup(elements=7, **changed)
    each = simulate_rf(SCENE, setup).volts
    for line, alone in zip(simulate_frame(SCENE, setup), each, strict=True):
        assert relative_l2(line, alone) < most


def test_a_window_is_a_piece_of_the_lines() -> None:
    setup = Setup(elements=3)
    whole = simulate_frame(SCENE, setup)
    assert whole.shape == (3, setup.samples)
    piece = simulate_frame(SCENE, setup, window=(2000, 4000))
    assert relative_l2(piece, whole[:, 2000:4000]) < 1e-6


def one_bubble(x_m: float, z_m: float) -> Scene:
    return Scene(np.array([z_m]), np.array([x_m]), np.array([2.4e-6]), 1e5)


@pytest.mark.parametrize("degrees", [-12, 5])
def test_steered_waves_arrive_by_geometry(degrees: float) -> None:
    """As late, against the straight wave, as the front through (x, z) has passed the origin."""
    setup, angle = Setup(elements=5), np.radians(degrees)
    x, z = 4e-3, 35e-3
    straight = simulate_frame(one_bubble(x, z), setup)
    steered = simulate_frame(one_bubble(x, z), setup, angle_rad=angle)
    direction = np.array([np.sin(angle), np.cos(angle)])
    late = (direction @ [x, z] - z) / 1480 * 62.5e6
    expected = arrival_samples(np.array([x]), np.array([z]), setup, angle)[:, 0]
    np.testing.assert_allclose(
        expected, arrival_samples(np.array([x]), np.array([z]), setup)[:, 0] + late
    )
    spectra = np.fft.rfft([straight, steered])
    frequency = np.fft.rfftfreq(straight.shape[1])
    undone = np.fft.irfft(spectra[1] * np.exp(2j * np.pi * frequency * late), straight.shape[1])
    assert relative_l2(undone, straight) < 0.01  # its way is 2 % longer at most
    envelope = np.abs(hilbert(steered))
    assert np.ptp(envelope.argmax(axis=1) - expected) < 2


def test_the_window_of_a_region_holds_the_echoes_from_it() -> None:
    rng, setup = np.random.default_rng(1), Setup(elements=17)
    lateral, depth = (-2e-3, 5e-3), (30e-3, 33e-3)
    x = np.append(rng.uniform(*lateral, 20_000), lateral)
    z = np.append(rng.uniform(*depth, 20_000), [depth[1]] * 2)  # the far corners, too
    for angle in np.radians([-20.0, 0.0, 7.0]):
        first, stop = echo_window(lateral, depth, setup, angle)
        arrivals = arrival_samples(x, z, setup, angle)
        assert first <= arrivals.min() < first + 3
        assert stop - 3 < arrivals.max() + setup.window_samples / 4 <= stop


def test_elements_hear_less_from_aside() -> None:
    """cos φ · sinc of a strip: literal numbers at 30°, and the same factor in the lines."""
    setup = Setup(elements=96)
    sine, width = 0.5, 28e-3 / 96 * 1.7e6 / 1480
    u = np.pi * width * sine
    x, z = np.array([[0.0, np.tan(np.pi / 6)]]), np.ones((1, 1))
    np.testing.assert_allclose(heard(x, z, setup), [[1.0, np.sqrt(0.75) * np.sin(u) / u]])
    few = dataclasses.replace(setup, elements=9)
    scene = one_bubble(6e-3, 30e-3)
    factor = heard(6e-3 - few.probe.element_positions_m(9), np.full(1, 30e-3), few)
    deaf = simulate_frame(scene, few, directivity=True)
    np.testing.assert_allclose(deaf, factor[:, None] * simulate_frame(scene, few), atol=1e-6)
