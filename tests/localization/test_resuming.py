"""A localization that is interrupted goes on where it stopped and ends with the same files."""

import time

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.files import exclusive
from bubbleloc.localization.finder import BubbleFinder
from tests.conftest import localize_recording, run
from tests.processes import contents, kill, start

RATE, LINES, FINISHED = 62.5e6, 6, 3
SETTINGS = {"sampling_rate_hz": RATE, "threshold": 0.5, "batch_size": 1}


def localize(output, **settings):
    localize_recording("bubbleloc:small", "rf.npy", output, **(SETTINGS | settings))


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Numbers of the lines that were localized in a folder with a recording; line 1 is silent."""
    lines = np.random.default_rng(0).standard_normal((LINES, 2000)).astype(np.float32)
    lines[1] = 0
    np.save(tmp_path / "rf.npy", lines)
    monkeypatch.chdir(tmp_path)
    numbers, table = [], BubbleFinder.table

    def noted(self, said, start_s, first_line):
        numbers.append(first_line)
        return table(self, said, start_s, first_line)

    monkeypatch.setattr(BubbleFinder, "table", noted)
    return numbers


@pytest.fixture
def interrupted(found, monkeypatch):
    """A function that localizes the first lines only."""

    def stopped(self, said, start_s, first_line, table=BubbleFinder.table):
        if first_line == FINISHED:
            raise KeyboardInterrupt
        return table(self, said, start_s, first_line)

    def interrupt(output):
        with monkeypatch.context() as patch:
            patch.setattr(BubbleFinder, "table", stopped)
            with pytest.raises(KeyboardInterrupt):
                localize(output)
        found.clear()

    return interrupt


@pytest.mark.parametrize("name", ["b.csv", "b.h5", "b.parquet"])
def test_the_same_call_goes_on_and_writes_the_same_bytes(
    found, interrupted, tmp_path, capsys, name
):
    if name == "b.parquet":
        pytest.importorskip("pyarrow", reason="pip install 'bubbleloc[parquet]'")
    localize(name)
    expected = contents(tmp_path)
    (tmp_path / name).unlink()
    interrupted(name)
    assert set(contents(tmp_path)) == {"rf.npy", f"{name}.partial"}
    capsys.readouterr()
    localize(name)
    assert found == [3, 4, 5]
    said = capsys.readouterr().err
    assert "localize rf.npy:  50%|" in said
    assert " 0%|" not in said
    assert contents(tmp_path) == expected


def test_a_batch_that_was_cut_off_is_localized_again(found, interrupted, tmp_path):
    localize("b.csv")
    expected = contents(tmp_path)
    partial = tmp_path / "b.csv.partial"
    for share in (0.99, 0.6, 0.1):
        interrupted("b.csv")
        whole = partial.read_bytes()
        partial.write_bytes(whole[: int(share * len(whole))])
        localize("b.csv")
        assert found == list(range(found[0], LINES))
        assert found[0] < FINISHED
        assert contents(tmp_path) == expected


@pytest.mark.parametrize("changed", ["setting", "recording", "network"])
def test_what_does_not_fit_is_not_reused(found, interrupted, tmp_path, monkeypatch, changed):
    interrupted("b.csv")
    settings = {"threshold": 0.6} if changed == "setting" else {}
    if changed == "recording":
        np.save("rf.npy", np.random.default_rng(1).standard_normal((LINES, 2000), np.float32))
    model = "large" if changed == "network" else "small"
    with pytest.warns(UserWarning, match=r"b.csv.partial was left by other settings, or of"):
        localize_recording(f"bubbleloc:{model}", "rf.npy", "b.csv", **(SETTINGS | settings))
    assert found == list(range(LINES))
    assert set(contents(tmp_path)) == {"rf.npy", "b.csv"}


def test_nothing_is_left_where_nothing_was_found(found, tmp_path):
    np.save("rf.npy", np.full((2, 2000), np.nan))
    with pytest.raises(InputError, match="NaN"):
        localize("new/b.csv")
    assert set(contents(tmp_path)) == {"rf.npy"}


def test_an_output_is_written_by_one_process(found, tmp_path):
    with exclusive(tmp_path / "b.csv"), pytest.raises(InputError, match="by another process"):
        localize(tmp_path / "b.csv")


@pytest.mark.slow
def test_a_killed_command_goes_on_and_writes_the_same_files(tmp_path):
    lines = np.random.default_rng(0).standard_normal((200, 4000)).astype(np.float32)
    np.save(tmp_path / "rf.npy", lines)
    command = ["localize", "run=bubbleloc:small", "input=rf.npy", "output=out/b.h5"]
    command += [f"sampling_rate_hz={RATE}", "batch_size=1", "report=true", "picture=7"]
    assert run(tmp_path, *command).returncode == 0
    out = tmp_path / "out"
    expected = contents(out)
    for path in out.rglob("*"):
        if path.is_file():
            path.unlink()
    partial = out / "b.h5.partial"
    for lines_more in (20, 40):
        size = partial.stat().st_size if partial.exists() else 0
        killed = start(tmp_path, *command)
        deadline = time.monotonic() + 300
        while not partial.exists() or partial.stat().st_size < size + 500 * lines_more:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert kill(killed)
        assert not (out / "b.h5").exists()
    done = run(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    assert " 0/200" not in done.stderr
    assert contents(out) == expected
