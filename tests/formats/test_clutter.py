"""Tissue is taken out of frames, and what moves otherwise stays."""

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.formats import clutter, recording_of_array
from bubbleloc.formats.clutter import cut, without_clutter

RNG = np.random.default_rng(3)
FRAMES, ELEMENTS, SAMPLES = 64, 5, 300


def recording(frames):
    return recording_of_array("a", frames.astype(np.float32), facts={"fs": 50e6})


def volts_of(filtered):
    return np.stack([filtered.volts[n] for n in range(filtered.frames)])


def orthonormal(count, frames=FRAMES):
    """Patterns over frames, (frames, count)."""
    return np.linalg.qr(RNG.standard_normal((frames, count)))[0]


def parts(energies, frames=FRAMES):
    """Frames whose singular values are roots of energies, and what each adds to them."""
    patterns = orthonormal(len(energies), frames)
    lines = np.linalg.qr(RNG.standard_normal((ELEMENTS * SAMPLES, len(energies))))[0].T
    lines = np.sqrt(energies)[:, None] * lines
    return (patterns.T[..., None] * lines[:, None]).reshape(-1, frames, ELEMENTS, SAMPLES)


BUBBLES = 2.0 * np.arange(1, 41.0) ** -0.5


def test_static_tissue_is_taken_out_and_orthogonal_bubbles_stay():
    bubbles = parts(BUBBLES).sum(axis=0)
    bubbles -= bubbles.mean(axis=0)  # what does not change would be taken for tissue
    tissue = 10 * RNG.standard_normal((ELEMENTS, SAMPLES))
    bubbles[..., :100] = tissue[:, 100:] = 0  # each has samples of its own
    filtered = without_clutter(recording(tissue + bubbles))
    np.testing.assert_allclose(volts_of(filtered), bubbles, atol=2e-5)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
def test_the_cut_is_the_number_of_strong_patterns(count):
    tissue = parts(1e5 * 0.3 ** np.arange(count)).sum(axis=0)
    bubbles = parts(BUBBLES).sum(axis=0)
    assert clutter.find_clutter(recording(tissue + bubbles).volts).patterns.shape[1] == count


def test_it_equals_the_svd_of_the_whole_matrix():
    frames = (parts(1e4 * 0.2 ** np.arange(4)).sum(axis=0)) + parts(BUBBLES).sum(axis=0)
    filtered = without_clutter(recording(frames))
    matrix = frames.reshape(FRAMES, -1)
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    values[: cut(values**2)] = 0
    expected = ((left * values) @ right).reshape(frames.shape)
    np.testing.assert_allclose(volts_of(filtered), expected, atol=2e-5)


def test_reading_in_parts_changes_nothing(monkeypatch):
    frames = parts(1e4 * 0.2 ** np.arange(4)).sum(axis=0) + parts(BUBBLES).sum(axis=0)
    whole = volts_of(without_clutter(recording(frames)))
    monkeypatch.setattr(clutter, "HELD_BYTES", 4 * FRAMES * SAMPLES * 2)  # two elements
    filtered = without_clutter(recording(frames))
    np.testing.assert_allclose(volts_of(filtered), whole, atol=1e-6)
    # any lines, in any order, as a reader that is resumed asks for them
    rows = whole.reshape(-1, SAMPLES)
    for start, stop in ((FRAMES * ELEMENTS - 7, FRAMES * ELEMENTS), (3, 12), (40, 41)):
        np.testing.assert_allclose(filtered.volts.lines(start, stop), rows[start:stop], atol=1e-6)


def test_every_block_is_filtered_as_if_it_were_alone():
    frames = np.concatenate(
        [parts(1e4 * 0.2 ** np.arange(k)).sum(axis=0) + parts(BUBBLES).sum(axis=0) for k in (2, 5)]
    )
    filtered = without_clutter(recording(frames), block_frames=FRAMES)
    halves = [without_clutter(recording(half)) for half in np.split(frames, 2)]
    expected = np.concatenate([volts_of(half) for half in halves])
    np.testing.assert_allclose(volts_of(filtered), expected, atol=1e-6)
    assert filtered.steps == ("tissue filtered out in 2 blocks of 64 frames (SVD)",)


def test_frames_of_tissue_alone_and_of_zeros_become_zeros():
    still = np.tile(1e-6 * RNG.standard_normal((ELEMENTS, SAMPLES)), (FRAMES, 1, 1))
    assert np.abs(volts_of(without_clutter(recording(still)))).max() < 1e-11
    assert not volts_of(without_clutter(recording(0 * still))).any()


def test_too_few_frames_are_refused():
    with pytest.raises(InputError, match="blocks of 16 frames or more, not 9: give more"):
        without_clutter(recording(np.ones((9, 2, 100))))
