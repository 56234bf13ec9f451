"""Lines of the simulator look like themselves; changed in any way that matters, they do not."""

import h5py
import numpy as np
import pytest
import yaml
from scipy.signal import resample_poly

from bubbleloc.data.noise import Noise
from bubbleloc.models.likeness import Likeness
from bubbleloc.models.runs import open_run
from bubbleloc.physics import Setup, draw_scene, simulate_rf

RATE = 62.5e6


@pytest.fixture(scope="module")
def lines(tiny):
    """Sixteen lines that no network was trained on."""
    found = []
    for split in ("train", "val", "test"):
        with h5py.File(tiny / f"{split}.h5") as file:
            found.append(file["rf"][:])
    return np.concatenate(found)


@pytest.fixture(scope="module")
def known():
    return open_run("bubbleloc:small").card.likeness


def unlike(known, lines, rate_hz=RATE):
    """Share of lines with a feature outside its range."""
    return np.any(list(known.compare([lines], rate_hz)[1].values()), axis=0).mean()


def noise(shape):
    return np.random.default_rng(0).normal(size=shape)


def clipped(lines, share):
    top = share * np.abs(lines).max(axis=1, keepdims=True)
    return np.clip(lines, -top, top)


def test_lines_of_the_training_look_alike(known, lines):
    assert unlike(known, lines) <= 1 / 16
    assert unlike(known, 1e-3 * lines + 7.0) <= 1 / 16
    assert unlike(known, np.rint(lines / np.abs(lines).max() * 32767)) <= 1 / 16
    assert unlike(known, lines[:, 500:6000]) <= 2 / 16
    slow = resample_poly(lines, 16, 25, axis=1, padtype="line")
    assert unlike(known, slow, 40e6) <= 2 / 16


CHANGES = {
    "another rate": lambda lines: resample_poly(lines, 4, 5, axis=1),
    "clipped": lambda lines: clipped(lines, 0.6),
    "backwards": lambda lines: lines[:, ::-1],
    "polarity": lambda lines: -lines,
    "noise of 64 %": lambda lines: Noise(0.64)(lines, np.random.default_rng(0), RATE),
    "white noise": lambda lines: lines + noise(lines.shape) * lines.std(),
    "noise alone": lambda lines: noise(lines.shape),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_lines_do_not(known, lines, change):
    assert unlike(known, CHANGES[change](lines)) >= 15 / 16


@pytest.mark.parametrize("change", ["another rate", "clipped", "backwards", "polarity"])
def test_a_network_that_knows_noise_knows_changed_lines_too(lines, change):
    known = open_run("bubbleloc:robust").card.likeness
    assert unlike(known, lines) <= 1 / 16
    assert unlike(known, CHANGES[change](lines)) >= 15 / 16


@pytest.mark.parametrize("waveform", ["s2.5", "l1.7", "suc"])
def test_lines_of_another_pulse_do_not(known, waveform):
    rng, setup = np.random.default_rng(1), Setup(waveform=waveform)
    scenes = [draw_scene(rng, "monodisperse", count=(50, 300)) for _ in range(3)]
    volts = np.stack([simulate_rf(scene, setup).volts for scene in scenes])
    assert unlike(known, volts) == 1


def test_what_cannot_be_measured_is_left_out(known, lines):
    assert known.compare([lines[:, :900]], RATE) == ({}, {})
    assert known.compare([np.zeros((2, 8446))], RATE) == ({}, {})
    some = np.concatenate([lines[:2], np.full((3, 8446), 5.0)])
    assert {len(flags) for flags in known.compare([some], RATE)[1].values()} == {2}
    assert Likeness.of_lines([lines], RATE) is None  # too few


def test_quiet_lines_are_held_against_quiet_ones_whatever_the_noise_of_the_training(lines):
    noisy = Noise(0.3)(lines, np.random.default_rng(0), RATE)
    known = Likeness.of_lines([lines] * 4, RATE, [lines, noisy] * 4)
    assert unlike(known, lines) == 0
    assert unlike(known, -lines) >= 14 / 16  # its range with noise has no lower end to speak of
    assert known.ranges["direction"][0] < known.quiet["direction"][0]
    assert known.ranges["share_db@5.5"][1] == known.quiet["share_db@5.5"][1]
    assert known.ranges["share_db@0.5"][1] > known.quiet["share_db@0.5"][1]


def test_lines_that_look_like_their_opposite_do_not_hide_inverted_ones(lines):
    known = Likeness.of_lines([lines] * 9 + [-lines], RATE)
    assert unlike(known, lines) == 0
    assert unlike(known, -lines) >= 15 / 16


def test_a_card_tells_it_as_it_was(lines):
    found = Likeness.of_lines([lines] * 4, RATE)
    assert found.ranges == found.quiet
    again = Likeness.of_plain(yaml.safe_load(yaml.safe_dump(found.plain())))
    assert again.ranges.keys() == found.ranges.keys()
    for name, ends in found.ranges.items():
        assert again.ranges[name] == pytest.approx(ends, abs=1e-3)
    np.testing.assert_allclose(again.phases, found.phases, atol=1e-3)
    plain = found.plain()
    assert plain["ranges"]["crest_db"] == pytest.approx(found.ranges["crest_db"], abs=1e-3)
    for part in ("ranges", "quiet"):  # as cards were written before
        plain[part] = {
            name: f"{low:.3f} to {high:.3f}" for name, (low, high) in plain[part].items()
        }
    assert Likeness.of_plain(plain).ranges == again.ranges
    assert unlike(again, lines) == 0
