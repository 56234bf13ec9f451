"""The geometry of an array."""

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.formats.transmits import Sent
from bubbleloc.imaging.array import Array, Region
from bubbleloc.physics import Setup, arrival_sample
from bubbleloc.units import Scale

SCALE = Scale(62.5e6, 1480, 1.7e6)
X_M, Z_M = np.array([-4e-3, 0.0, 3e-3]), np.array([31e-3, 40e-3, 48e-3])
FLAT_M = np.linspace(-0.014, 0.014, 16)
ARC = np.linspace(-0.5, 0.5, 16)
RADIUS_M = 30e-3
CONVEX_M = np.stack([RADIUS_M * np.sin(ARC), RADIUS_M * (np.cos(ARC) - 1)])


def test_arrivals_straight_down_are_those_of_the_simulator():
    setup = Setup(elements=16)
    array = Array(setup.probe.element_positions_m(16), setup.scale)
    expected = arrival_sample(Z_M, X_M, setup)
    np.testing.assert_allclose(array.arrival_sample(X_M, Z_M), expected, rtol=1e-12)


@pytest.mark.parametrize("degrees", [-12.0, 8.0])
def test_a_plane_wave_is_sent_along_its_angle(degrees):
    angle = np.radians(degrees)
    array = Array(FLAT_M, SCALE, -100.0, sent=Sent(angle))
    way = X_M * np.sin(angle) + Z_M * np.cos(angle) + np.hypot(X_M - FLAT_M[:, None], Z_M)
    expected = way * 62.5e6 / 1480 - 100
    np.testing.assert_allclose(array.arrival_sample(X_M, Z_M), expected, rtol=1e-12)


def convex(delay_s=None):
    return Array(CONVEX_M[0], SCALE, element_z_m=CONVEX_M[1], sent=Sent(None, delay_s))


def test_the_wave_of_a_convex_array_comes_from_the_element_that_is_first():
    delay_s = np.where(np.arange(16) % 5 == 0, np.nan, np.linspace(0, 1e-6, 16))
    back = np.hypot(X_M - CONVEX_M[0][:, None], Z_M - CONVEX_M[1][:, None])
    sent = np.nanmin(back + 1480 * delay_s[:, None], axis=0)
    expected = (sent + back) * 62.5e6 / 1480
    np.testing.assert_allclose(convex(delay_s).arrival_sample(X_M, Z_M), expected, rtol=1e-12)


def test_fewer_receivers_hear_the_wave_of_all():
    array = convex()
    third = array[1::3]
    assert len(third) == 5
    expected = array.arrival_sample(X_M, Z_M)[1::3]
    np.testing.assert_allclose(third.arrival_sample(X_M, Z_M), expected)
    np.testing.assert_allclose(third[[2]].arrival_sample(X_M, Z_M), expected[[2]])


def test_later_lines_have_later_echoes():
    array = Array(FLAT_M, SCALE, 5.0)
    later = array.later(7.5).arrival_sample(X_M, Z_M)
    np.testing.assert_allclose(later, array.arrival_sample(X_M, Z_M) + 7.5)


def test_a_region_tells_what_it_holds():
    region = Region((-5e-3, 5e-3), (30e-3, 50e-3))
    assert region.area_mm2 == pytest.approx(200)
    x_m, z_m = np.array([0, 5.1e-3, 0]), np.array([40e-3, 40e-3, 29e-3])
    assert region.holds(x_m, z_m).tolist() == [True, False, False]
    assert region.holds(x_m, z_m, 0.2e-3).tolist() == [True, True, False]
    with pytest.raises(InputError, match=r"depth_m from 0\.05 to 0\.03"):
        Region((-5e-3, 5e-3), (50e-3, 30e-3))


@pytest.mark.parametrize("array", [Array(FLAT_M, SCALE, -9.5, sent=Sent(0.2)), convex()])
@pytest.mark.parametrize("depth_m", [(5e-3, 12e-3), (-2e-3, 1e-3)])
def test_the_range_of_a_region_holds_all_its_arrivals(array, depth_m):
    region = Region((-5e-3, 3e-3), depth_m)
    x_m, z_m = (
        axis.ravel()
        for axis in np.meshgrid(
            *(np.linspace(*ends, 41) for ends in (region.lateral_m, region.depth_m))
        )
    )
    arrivals = array.arrival_sample(x_m, z_m)
    first, last = array.sample_range(region)
    assert first <= np.floor(arrivals.min())
    assert last >= np.floor(arrivals.max()) + 1
    assert last - first < 1.5 * np.ptp(arrivals)
