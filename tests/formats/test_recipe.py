"""A new format, by the recipe of CONTRIBUTING.md: a reader and its row in `FORMATS`."""

import re
from pathlib import Path

import numpy as np
import pytest

from bubbleloc import formats
from bubbleloc.errors import InputError
from bubbleloc.formats import readers
from bubbleloc.formats.plain import plain_recording

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINES = np.arange(12, dtype=np.float32).reshape(3, 4)


def read_toy(file, hints):
    """Two numbers, the shape, then the samples."""
    rows, samples = np.fromfile(file.path, np.float32, 2).astype(int)
    if rows != 3:
        return None  # of another kind
    lines = np.fromfile(file.path, np.float32, offset=8).reshape(rows, samples)
    return plain_recording(file.path, lines, {"fs": 40e6}, hints)


@pytest.fixture
def toy(monkeypatch):
    row = readers.Format("toys", (".toy",), read_toy, "three lines")
    monkeypatch.setattr(readers, "FORMATS", [*readers.FORMATS, row])


def test_a_row_opens_the_format(toy, tmp_path):
    np.concatenate([[3, 4], LINES.ravel()]).astype(np.float32).tofile(tmp_path / "a.toy")
    recording = formats.read(tmp_path / "a.toy", start_s=1e-6, receive_delay_s=0.2e-6)
    np.testing.assert_array_equal(recording.volts[0], LINES)
    assert (recording.sampling_rate_hz, recording.start_s) == (40e6, pytest.approx(0.8e-6))
    np.float32([2, 6]).tofile(tmp_path / "b.toy")
    with pytest.raises(InputError, match=r"b.toy is none of the kinds of .toy that are read: toys"):
        formats.read(tmp_path / "b.toy")


def test_messages_and_documents_know_it(toy, tmp_path):
    (tmp_path / "a.wav").write_text("")
    with pytest.raises(InputError, match=r"cannot read .wav; give .mat, .* or .toy"):
        formats.read(tmp_path / "a.wav")
    assert "| toys (`.toy`) | three lines |" in readers.markdown()


def test_the_documented_formats_are_those_that_are_read():
    text = (DOCS / "recordings.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| file \| what is read \|\n(?:\|.*\n)+", text, re.MULTILINE)
    assert table.strip() == readers.markdown()  # of bubbleloc.formats.readers: print it there
