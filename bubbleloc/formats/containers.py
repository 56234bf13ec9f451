"""RF lines among the arrays of a file of HDF5, MATLAB or NumPy, and the numbers beside them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.lib.format import MAGIC_PREFIX

from bubbleloc.errors import InputError
from bubbleloc.files import check_zip
from bubbleloc.formats.plain import FACTS, OBJECTS, plain_recording
from bubbleloc.formats.recording import Hints, OpenFile, Recording
from bubbleloc.formats.volts import Volts
from bubbleloc.hdf5 import StoredArray, check_hdf5, check_own, visit

MOST_LISTED = 20  # arrays in a message


def read_arrays(file: OpenFile, hints: Hints) -> Recording:
    """Read the RF lines among the arrays of a file of HDF5, MATLAB or NumPy.

    Numbers beside the array are those of its own group or struct first, then outwards.
    """
    path = file.path
    match path.suffix.lower():
        case ".npy":
            return plain_recording(path, _load_npy(path), {}, hints)
        case ".npz":
            check_zip(path)
            with np.load(path, allow_pickle=False) as archive, _objects_refused(path):
                arrays = dict(archive)
            name = choose_array(path, _shapes(arrays), hints.key)
            return plain_recording(path, arrays[name], facts_beside(arrays, name)[0], hints)
        case ".mat" if not file.mat.is_hdf5:
            arrays = file.mat.arrays
            name = choose_array(path, _shapes(arrays), hints.key)
            facts, sources = facts_beside(arrays, name, ".")
            return plain_recording(path, arrays[name], facts, hints, sources)
        case suffix:
            return _read_hdf5(file, hints, backwards=suffix == ".mat")[0]


def _load_npy(path: Path) -> Any:
    """Return the array in a file, which is read when it is sliced."""
    with path.open("rb") as file:
        if file.read(len(MAGIC_PREFIX)) != MAGIC_PREFIX:
            raise InputError(
                f"{path} is no .npy file, whatever its name says: write it with numpy.save, or "
                "name a table of text .csv"
            )
    with _objects_refused(path):
        return np.load(path, mmap_mode="r", allow_pickle=False)


@contextmanager
def _objects_refused(path: Path) -> Iterator[None]:
    """Raise an InputError in place of what NumPy says of arrays of objects."""
    try:
        yield
    except ValueError as error:
        if "object" in str(error).lower():
            raise InputError(f"{path} {OBJECTS}") from error
        raise


def _shapes(arrays: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(array.shape) for name, array in arrays.items()}


def choose_array(path: Path, shapes: Mapping[str, tuple[int, ...]], key: str | None) -> str:
    """Return the name of the array with the RF lines: `key`, else ``rf``, else the only array.

    Vectors in groups or structs do not count as arrays where there are others.

    Raises:
        InputError: none, or several.
    """
    listed = ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:MOST_LISTED])
    listed += ", …" * (len(shapes) > MOST_LISTED)
    if key is None and "rf" in shapes:
        return "rf"
    if key is not None:
        names = [name for name in shapes if _plain_name(name) == _plain_name(key)]
        if len(names) != 1:
            raise InputError(f"{path} has no {key!r}; it holds {listed or 'nothing'}")
        return names[0]
    arrays = [name for name, shape in shapes.items() if len(shape) <= 3 and np.prod(shape) > 1]
    outside = [
        name
        for name in arrays
        if _plain_name(name) == name or sum(length > 1 for length in shapes[name]) > 1
    ]
    arrays = outside or arrays
    if len(arrays) != 1:
        raise InputError(f"{path} holds {listed or 'nothing'}; choose the RF lines with key=")
    return arrays[0]


def _plain_name(name: str) -> str:
    """Return a name with the parts of its path joined by blanks, however they were joined."""
    return name.strip("/").replace("/", " ").replace(".", " ")


def facts_beside(
    values: Mapping[str, Any], name: str, joint: str = "/"
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the numbers beside an array, the nearest of each name, and where they are.

    Args:
        values: all arrays of a file, by names whose parts a `joint` connects; attributes of an
            array or a group are values in it.
    """
    facts: dict[str, Any] = {}
    sources: dict[str, str] = {}
    parts = name.split(joint)
    for depth in range(len(parts), -1, -1):
        for written in FACTS:
            fact = "sampling_rate_hz" if written == "fs" else written
            place = joint.join([*parts[:depth], written])
            if fact not in facts and place in values and np.size(values[place]) == 1:
                facts[fact] = values[place]
                sources[fact] = place if 0 < depth < len(parts) else "file"
    return facts, sources


def _read_hdf5(
    file: OpenFile, hints: Hints, backwards: bool = False
) -> tuple[Recording, StoredArray]:
    """Read an array; facts of the lines are datasets of one number, or attributes."""
    datasets: dict[str, h5py.Dataset] = {}
    values: dict[str, Any] = dict(file.hdf5.attrs)

    def collect(name: str, item: Any) -> None:
        if name.startswith("#"):
            return
        values.update({f"{name}/{fact}": item.attrs[fact] for fact in FACTS if fact in item.attrs})
        if isinstance(item, h5py.Dataset) and is_array(item):
            datasets[name] = item
            if item.size == 1 and name.rpartition("/")[2] in FACTS:
                check_own(file.path, item)
                values.setdefault(name, item[()])

    visit(file.path, file.hdf5, collect)
    shapes = {n: d.shape[::-1] if backwards else d.shape for n, d in datasets.items()}
    dataset = datasets[choose_array(file.path, shapes, hints.key)]
    facts, sources = facts_beside(values, dataset.name[1:])
    array = StoredArray(file.path, dataset)
    return plain_recording(file.path, array, facts, hints, sources, backwards), array


def is_array(item: h5py.Dataset) -> bool:
    """Return whether a dataset holds numbers: real, or complex as NumPy or MATLAB stores them."""
    is_text = item.attrs.get("MATLAB_class") == b"char" or "MATLAB_empty" in item.attrs
    return not is_text and (item.dtype.kind in "fiuc" or item.dtype.names == ("real", "imag"))


def read_dataset(file: OpenFile, hints: Hints) -> Recording | None:
    """Read a dataset of this package: a frame of one element per signal.

    Raises:
        InputError: it is still being simulated.
    """
    done = file.hdf5.get("done")
    if "schema_version" not in file.hdf5.attrs or not isinstance(done, h5py.Dataset):
        return None
    check_hdf5(file.path, done, whole=True)
    if not np.all(done):
        raise InputError(f"{file.path} is incomplete; run bubbleloc simulate to finish it")
    recording, array = _read_hdf5(file, hints)
    if array.name != "/rf":
        return recording
    shape = (array.shape[0], 1, array.shape[1])
    volts = Volts(recording.source, shape, lambda frame, _: array[frame : frame + 1])
    return replace(recording, volts=volts)
