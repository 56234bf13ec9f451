import numpy as np
import pytest
import torch

from bubbleloc.metrics import tolerance_sweep
from bubbleloc.nn import load_released
from bubbleloc.physics import draw_scene, simulate_rf

LIMITS = {"small": 30_000}


@pytest.mark.parametrize("name", LIMITS)
def test_released_network_finds_bubbles_in_new_signals(name):
    network = load_released(name)
    assert sum(p.numel() for p in network.parameters()) <= LIMITS[name]
    f1 = []
    for seed in range(6):
        line = simulate_rf(draw_scene(np.random.default_rng(1000 + seed)))
        count = np.bincount(np.rint(line.arrival_sample).astype(int), minlength=line.volts.size)
        with torch.inference_mode():
            output = network(torch.from_numpy(line.volts)[None, None]).squeeze(1)
        f1.append(tolerance_sweep(output, count[None], [0.2], [4]).f1.item())
    assert np.mean(f1) > 0.9


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="choose one of"):
        load_released("huge")
