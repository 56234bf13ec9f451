import numpy as np
import pytest
import torch

from bubbleloc.metrics import tolerance_sweep
from bubbleloc.nn import load_released, released_card
from bubbleloc.physics import draw_scene, simulate_rf

LIMITS = {"small": 30_000, "large": 137_729}


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


@pytest.mark.parametrize("name", LIMITS)
def test_card_tells_what_is_needed_to_use_and_judge_it(name):
    card, network = released_card(name), load_released(name)
    assert card["parameters"] == sum(p.numel() for p in network.parameters())
    assert set(card["checkpoints"]["best"]["thresholds"]) == set(range(1, 10))
    assert card["sampling_rate_hz"] == 62.5e6
    assert card["f1_test"][4]["mean"] > 0.94
