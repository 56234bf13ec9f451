"""HDF5 files of a stranger hold what is read of them, and not too much of it."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from bubbleloc import formats, hdf5
from bubbleloc.data.dataset import RFDataset
from bubbleloc.errors import InputError


def elsewhere(path: Path, how: str) -> None:
    """Write a file whose RF lines lie in another one, which a stranger would like to see."""
    secret = path.with_name("secret")
    lines = np.random.default_rng(0).normal(size=(1, 8446)).astype(np.float32)
    lines.tofile(secret)
    with h5py.File(path.with_name("secret.h5"), "w") as file:
        file["lines"] = lines
    with h5py.File(path, "w") as file:
        file.attrs["fs"] = 62.5e6
        if how == "external storage":
            stored = [(str(secret), 0, lines.nbytes)]
            file.create_dataset("rf", lines.shape, np.float32, external=stored)
        elif how == "virtual":
            layout = h5py.VirtualLayout(lines.shape, np.float32)
            layout[:] = h5py.VirtualSource(secret.with_suffix(".h5"), "lines", lines.shape)
            file.create_virtual_dataset("rf", layout)
        else:
            file["rf"] = h5py.ExternalLink(str(secret.with_suffix(".h5")), "lines")


@pytest.mark.parametrize("how", ["external storage", "virtual", "link"])
@pytest.mark.parametrize("suffix", [".h5", ".mat", ".uff"])
def test_no_other_file_is_read_in_the_name_of_one(tmp_path, how, suffix):
    path = tmp_path / f"a{suffix}"
    elsewhere(path, how)
    with pytest.raises(InputError, match=r"lie in another file|holds nothing"):
        formats.read(path).volts.lines(0, 1)


@pytest.mark.parametrize("how", ["external storage", "virtual", "link"])
def test_no_other_file_is_read_as_a_dataset(tiny, tmp_path, how):
    path = Path(shutil.copy(tiny / "test.h5", tmp_path))
    elsewhere(tmp_path / "a.h5", how)
    with h5py.File(path, "r+") as file, h5py.File(tmp_path / "a.h5") as other:
        del file["rf"]
        if how == "link":
            file["rf"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "lines")
        else:
            other.copy("rf", file)
    with pytest.raises(InputError, match="lie in another file"):
        RFDataset(path)


def test_groups_without_end_are_refused_at_once(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "deep.h5", "w") as file:
        group = file
        for _ in range(300):
            group = group.create_group("g")
        group["rf"] = np.ones((1, 500))
    looked = []
    refused = pytest.raises(InputError, match="or 64 in each other: copy the RF lines")
    with h5py.File(tmp_path / "deep.h5") as file, refused:
        hdf5.visit(Path("a"), file, lambda name, _: looked.append(name))
    assert len(looked) == 64
    monkeypatch.setattr(hdf5, "MOST_OBJECTS", 20)
    with h5py.File(tmp_path / "wide.h5", "w") as file:
        for number in range(30):
            file.create_group(f"g{number}")
    for name in ("deep.h5", "wide.h5"):
        with pytest.raises(InputError, match="holds more than 20 groups and arrays"):
            formats.read(tmp_path / name, sampling_rate_hz=62.5e6)
