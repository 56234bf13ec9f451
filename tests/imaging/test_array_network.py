import numpy as np
import torch

from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.array_network import ArrayMethod
from bubbleloc.imaging.clean import Clean
from bubbleloc.imaging.echoes import lines_of, simulated_echo
from bubbleloc.physics import Setup


class Brightest(torch.nn.Module):
    """Is certain of a bubble in the middle of the brightest cell of the whole."""

    def forward(self, images):
        bright = images[:, :16].unflatten(1, (8, 2)).sum((1, 2))
        readings = torch.zeros(len(images), 5, *bright.shape[1:])
        readings[:, 0] = torch.where(bright == bright.max(), 1.0, -20.0)
        return readings


def test_what_the_network_says_of_a_cell_is_a_position():
    setup = Setup(elements=32)
    array = Array(setup.probe.element_positions_m(32), setup.scale)
    region = Region((-1e-3, 1e-3), (19e-3, 21e-3))
    clean = Clean(array, region, simulated_echo(Setup(), "monodisperse", 1e5))
    x_m, z_m = 0.31e-3, 20.17e-3
    found = ArrayMethod(clean, Brightest())(lines_of(clean.echo, array, x_m, z_m, 2500))
    wavelength_m = 1480 / 1.7e6
    assert abs(found.x_m[0] - x_m) < wavelength_m / 6
    assert abs(found.z_m[0] - z_m) < wavelength_m / 12
    np.testing.assert_allclose(found.probability[0], 1)
