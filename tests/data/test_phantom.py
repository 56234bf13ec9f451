"""Phantoms on disk: what a reader gets back, truth and lines that agree, and resuming."""

import h5py
import numpy as np
import pytest

from bubbleloc import formats
from bubbleloc.console.settings.mapping import Phantom
from bubbleloc.data import phantom as module
from bubbleloc.data.noise import REFERENCE_V
from bubbleloc.data.phantom import (
    PhantomPlan,
    settings_of,
    simulate_phantom,
    truth_of,
)
from bubbleloc.data.store import partial_path
from bubbleloc.errors import InputError
from bubbleloc.physics import Scene
from bubbleloc.physics.frames import heard, simulate_frame

SMALL = Phantom(
    phantom="crossing",
    density_mm2=3,
    duration_s=0.03,
    frame_rate_hz=200,
    angles_deg=[-6, 0],
    noise=0.04,
    elements=7,
    lateral_mm=(-5, 5),
    depth_mm=(30, 34),
)


def changed(**values) -> Phantom:
    return Phantom(**{**SMALL.model_dump(), **values})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return simulate_phantom(SMALL, tmp_path_factory.mktemp("phantom") / "crossing.h5", workers=1)


def test_a_phantom_is_read_as_a_recording(made):
    recording = formats.read(made)
    assert (recording.frames, recording.elements) == (6, 7)
    assert recording.sampling_rate_hz == 62.5e6
    assert recording.speed_of_sound_m_s == 1480
    assert recording.angle_rad == 0
    np.testing.assert_allclose(recording.element_m[:, 0], (np.arange(7) - 3) * 4e-3)
    steered = formats.read(made, transmit=0)
    assert steered.sent(1480).angle_rad == pytest.approx(np.radians(-6))
    assert steered.start_s == pytest.approx(recording.start_s)
    assert settings_of(made) == SMALL


@pytest.mark.parametrize(("wave", "degrees"), [(0, -6), (1, 0)])
def test_lines_are_those_of_the_true_bubbles(made, tmp_path, wave, degrees):
    """A frame without noise from the truth in the file, at the times that the recording tells."""
    silent = simulate_phantom(changed(noise=0), tmp_path / "silent.h5", workers=1)
    truth, recording = truth_of(silent), formats.read(silent, transmit=wave)
    here = truth[truth.frame == 4]
    rows = (1e-3 * here.z_mm, 1e-3 * here.x_mm, 1e-6 * here.radius_um)
    scene, setup = Scene(*(row.to_numpy() for row in rows), 100e3), PhantomPlan(SMALL).setup
    first = round(recording.start_s * 62.5e6)
    whole = simulate_frame(scene, setup, angle_rad=np.radians(degrees), directivity=True)
    cut = whole[:, first : first + recording.samples]
    np.testing.assert_allclose(recording.volts[4], cut, atol=1e-4 * np.abs(cut).max())
    assert np.abs(cut).max() == np.abs(whole).max()
    assert heard(np.full(1, 12e-3), np.full(1, 30e-3), setup) < 0.5  # of 4 mm wide elements
    assert truth_of(made).equals(truth)


def test_noise_is_of_the_level_asked_for(tmp_path):
    """4 % of 9.65 V, of which a filter at 5.1 MHz, forth and back, leaves what lies below."""
    lines = [
        formats.read(simulate_phantom(changed(noise=level), tmp_path / f"{level}.h5", 1)).volts[5]
        for level in (0, 0.04, 0.08)
    ]
    noise = lines[2] - lines[1]  # the signal passes the same filter in both
    assert np.std(noise) == pytest.approx(REFERENCE_V * 0.04 * np.sqrt(5.1 / 31.25), rel=0.1)
    twice = lines[1] - lines[0]
    assert np.abs(np.corrcoef(noise.ravel(), twice.ravel())[0, 1]) > 0.9


def test_clutter_is_of_the_level_asked_for_and_moves_slowly(tmp_path):
    """Its level over the bubbles' lines, rms over frames at 0, 1, 2 and 3 s."""
    slow = {"noise": 0, "frame_rate_hz": 1, "duration_s": 4, "angles_deg": [0]}
    lines = []
    for level in (None, 20):
        path = tmp_path / f"{level}.h5"
        simulate_phantom(changed(**slow, clutter_db=level), path, workers=1)
        lines.append(np.stack(list(formats.read(path).volts)))
    clutter = lines[1] - lines[0]
    assert 20 * np.log10(clutter.std() / lines[0].std()) == pytest.approx(20, abs=0.01)
    fast = changed(**slow | {"frame_rate_hz": 500, "duration_s": 0.004}, clutter_db=20)
    one, other = formats.read(simulate_phantom(fast, tmp_path / "fast.h5", workers=1)).volts
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99


def test_clutter_needs_bubbles_to_be_louder_than(tmp_path):
    empty = changed(density_mm2=1e-9, clutter_db=20)
    with pytest.raises(InputError, match=r"clutter_db=20 is a level over .* raise density_mm2"):
        simulate_phantom(empty, tmp_path / "empty.h5", workers=1)


def test_a_frame_does_not_depend_on_how_many_there_are(made, tmp_path):
    short = simulate_phantom(changed(duration_s=0.01), tmp_path / "short.h5", workers=1)
    with h5py.File(short) as one, h5py.File(made) as other:
        np.testing.assert_array_equal(one["data/raw_data"][:], other["data/raw_data"][:2])
    truth = truth_of(made)
    assert truth_of(short).equals(truth[truth.frame < 2].reset_index(drop=True))


def test_an_interrupted_phantom_goes_on_to_the_same_bytes(made, tmp_path, monkeypatch):
    path, written = tmp_path / "crossing.h5", []

    def interrupted(file, frame, volts):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(frame)
        write(file, frame, volts)

    write = module._write
    monkeypatch.setattr(module, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulate_phantom(SMALL, path, workers=1)
    assert not path.exists()
    monkeypatch.setattr(module, "_write", lambda *given: (written.append(given[1]), write(*given)))
    with pytest.raises(InputError, match=r"was made with seed=0, not 1; give that"):
        simulate_phantom(changed(seed=1), path, workers=1)
    simulate_phantom(SMALL, path, workers=1)
    assert sorted(written) == list(range(6))
    assert not partial_path(path).exists()
    assert path.read_bytes() == made.read_bytes()
    simulate_phantom(SMALL, path)
    assert len(written) == 6


@pytest.mark.slow
def test_workers_change_nothing(made, tmp_path):
    path = simulate_phantom(SMALL, tmp_path / "crossing.h5", workers=2)
    assert path.read_bytes() == made.read_bytes()


def test_uniform_bubbles_are_new_in_every_frame(tmp_path):
    path = simulate_phantom(changed(phantom="uniform"), tmp_path / "uniform.h5", workers=1)
    truth = truth_of(path)
    assert (truth.groupby("frame").size() == 3 * 10 * 4).all()
    assert truth.bubble.is_unique
    assert truth.x_mm.is_unique
    assert (truth.vessel == -1).all()


def test_large_bubbles_are_warned_of_once(tmp_path):
    (tmp_path / "radii.csv").write_text("7.0\n")
    large = changed(bubbles=str(tmp_path / "radii.csv"), duration_s=0.01)
    with pytest.warns(UserWarning, match="radii above 6 µm") as warned:
        path = simulate_phantom(large, tmp_path / "large.h5", workers=1)
    assert len(warned) == 1
    assert (truth_of(path).radius_um == 7).all()


def test_other_files_are_no_phantoms(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["rf"] = np.zeros((2, 3))
    for ask in (truth_of, settings_of):
        with pytest.raises(InputError, match="is no phantom"):
            ask(tmp_path / "a.h5")
