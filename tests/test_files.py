import errno
import os
import subprocess

import pytest

from bubbleloc.console.messages import explain
from bubbleloc.errors import InputError
from bubbleloc.files import (
    WRITTEN,
    atomic,
    atomic_folder,
    exclusive,
    explain_write_errors,
    write_yaml,
)


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "made" / "a.npz"
    with atomic(path) as unfinished:
        assert unfinished.suffix == ".npz"
        unfinished.write_text("all of it")
        assert not path.exists()
    assert [file.name for file in path.parent.iterdir()] == ["a.npz"]
    assert path.read_text() == "all of it"


def test_what_fails_leaves_the_file_that_was_there(tmp_path):
    path = write_yaml(tmp_path / "a.yaml", {"ω₀": 30, "kernel": 131})
    assert path.read_bytes() == "ω₀: 30\nkernel: 131\n".encode()
    with pytest.raises(UnicodeEncodeError), atomic(path) as unfinished:
        unfinished.write_text("half of …", encoding="ascii")
    assert [file.name for file in tmp_path.iterdir()] == ["a.yaml"]
    assert path.read_text(encoding="utf-8").startswith("ω₀: 30")


@pytest.mark.parametrize("writing", [atomic, exclusive])
def test_temporary_files_of_dead_processes_are_removed_by_the_next_write(tmp_path, writing):
    with atomic(tmp_path / "a.csv") as unfinished:
        ours = unfinished.name
        unfinished.touch()
    gone = subprocess.Popen(["true"])
    gone.wait()
    stale = ours.replace(str(os.getpid()), str(gone.pid))
    running = ours.replace(str(os.getpid()), str(os.getppid()))
    foreign = f".{gone.pid}-notes.csv"
    for name in (stale, running, foreign):
        (tmp_path / name).touch()
    with writing(tmp_path / "b.csv"):
        left = {path.name for path in tmp_path.iterdir()} - {"b.csv.lock"}
        (tmp_path / ours.replace("a.csv", "b.csv")).touch()
    assert left == {running, foreign, "a.csv"}


def test_what_is_refused_leaves_no_empty_folder(tmp_path):
    (tmp_path / "there").mkdir()
    for write in (atomic, exclusive):
        for folder in ("there", "new", "newer/still"):
            with pytest.raises(InputError), write(tmp_path / folder / "a.h5"):
                raise InputError("no")
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_a_file_that_grows_too_large_is_explained(tmp_path):
    error = OSError(errno.EFBIG, os.strerror(errno.EFBIG), "x.h5")
    assert explain(error) == "x.h5: File too large; free space, or choose another place"
    with (
        pytest.raises(InputError, match=r"cannot write .*x.h5: File too large"),
        explain_write_errors(tmp_path / "x.h5"),
    ):
        raise error


@pytest.mark.parametrize("name", [".git/HEAD", "summary.docx", "figures/mine.psd", "empty/"])
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_folder_is_replaced_only_if_all_in_it_was_written_by_the_package(tmp_path, name, is_ours):
    folder = tmp_path / "report"
    if is_ours:
        for text in ("first", "second"):
            with atomic_folder(folder) as unfinished:
                (unfinished / "figures").mkdir()
                (unfinished / f"{text}.csv").write_text(text)
        assert {path.name for path in folder.iterdir()} == {"figures", "second.csv", WRITTEN}
    mine = folder / name
    if name.endswith("/"):
        mine.mkdir(parents=True)
    else:
        mine.parent.mkdir(parents=True, exist_ok=True)
        mine.write_text("mine")
    before = sorted(folder.rglob("*"))
    first = name.split("/")[0] if not name.startswith("figures") or not is_ours else name
    refused = pytest.raises(InputError, match=f"holds {first}; choose another folder")
    with refused, atomic_folder(folder):
        pytest.fail("the work began")
    assert sorted(folder.rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_file_that_comes_while_a_folder_is_written_is_kept(tmp_path):
    folder = tmp_path / "report"
    with atomic_folder(folder) as unfinished:
        (unfinished / "a.csv").write_text("first")

    def write_again():
        with atomic_folder(folder) as unfinished:
            (unfinished / "a.csv").write_text("second")
            (folder / "notes.txt").write_text("mine")

    with pytest.raises(InputError, match=r"holds notes\.txt"):
        write_again()
    assert (folder / "a.csv").read_text() == "first"
    assert (folder / "notes.txt").read_text() == "mine"
