import pytest

from bubbleloc.files import atomic, write_yaml


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
