"""Positions of a recording, block by block."""

from functools import partial

import numpy as np
import pandas as pd
from pandas.testing import assert_frame_equal

from bubbleloc.data.execution import run_workers
from bubbleloc.formats import recording_of_array
from bubbleloc.formats.recording import Hints
from bubbleloc.imaging.positions import POSITION_COLUMNS, Positions
from bubbleloc.maps.blocks import FRAMES, Blocks


def loudest(rf):
    """A method that takes the loudest sample of every line for a bubble."""
    at = np.abs(rf).argmax(axis=1)
    return Positions(np.arange(len(rf)) * 1e-3, at * 1e-5, height=np.abs(rf).max(axis=1))


def prepare(volts):
    hints = Hints(axes=("frames", "elements", "samples"), sampling_rate_hz=62.5e6)
    return recording_of_array("volts", volts, hints), loudest


def expected(volts):
    tables = [loudest(frame).to_table(i) for i, frame in enumerate(volts)]
    return pd.concat(tables, ignore_index=True)


def test_blocks_are_the_frames_in_order_whatever_was_there(tmp_path):
    volts = np.random.default_rng(0).standard_normal((2 * FRAMES + 5, 3, 50)).astype(np.float32)
    blocks = Blocks(tmp_path / "made", len(volts))
    assert [len(block) for block in blocks.missing] == [FRAMES, FRAMES, 5]
    with run_workers(3, workers=1):
        blocks.fill(partial(prepare, volts), "loudest")
    assert blocks.missing == []
    whole = pd.concat(list(blocks), ignore_index=True)
    assert list(whole) == POSITION_COLUMNS
    assert_frame_equal(whole, expected(volts))

    files = sorted((tmp_path / "made").iterdir())
    kept = files[0].stat().st_mtime_ns
    files[1].unlink()
    assert blocks.missing == [range(FRAMES, 2 * FRAMES)]
    with run_workers(1, workers=1):
        blocks.fill(partial(prepare, volts), "loudest")
    assert_frame_equal(pd.concat(list(blocks), ignore_index=True), whole)
    assert files[0].stat().st_mtime_ns == kept


def test_frames_without_bubbles_make_an_empty_table(tmp_path):
    blocks = Blocks(tmp_path / "made", 2)
    nothing = partial(without_bubbles, np.zeros((2, 3, 50), dtype=np.float32))
    with run_workers(1, workers=1):
        blocks.fill(nothing, "nothing")
    assert pd.concat(list(blocks)).empty


def without_bubbles(volts):
    recording, _ = prepare(volts)
    return recording, find_nothing


def find_nothing(rf):
    return Positions(np.zeros(0), np.zeros(0))
