"""The same lines in another unit, order, type, file, batch or program: the same detections.

Two tables agree to a degree: the share of the detections of both that have a partner of the same
line in the other, within a distance in samples. A detection whose probability lies at the edge of
being reported may come and go with rounding.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from bubbleloc import localize_lines
from tests.conftest import localize_recording
from tests.console.test_bad_input import command

DOCS = Path(__file__).resolve().parents[2] / "docs"
RATE_HZ = 62.5e6
pytestmark = pytest.mark.filterwarnings("ignore:.*(shorter than 33 µs|rounded)")
some = settings(max_examples=10, derandomize=True)


@pytest.fixture(scope="module")
def expected(short_lines):
    """The detections of `small` and `robust-small` in the lines as they were simulated."""
    names = ("small", "robust-small")
    return {name: localize_lines(short_lines, model=name) for name in names}


def agreement(one: pd.DataFrame, other: pd.DataFrame, within: float = 0.01) -> float:
    """Return the share of detections, of two tables, with a partner in the other."""
    if not len(one) + len(other):
        return 1.0
    hits = 0
    for line in set(one["line"]) | set(other["line"]):
        a, b = (table.loc[table["line"] == line, "sample"].to_numpy() for table in (one, other))
        near = np.abs(np.subtract.outer(a, b)) <= within
        hits += near.any(axis=0).sum() + near.any(axis=1).sum()
    return hits / (len(one) + len(other))


def assert_alike(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Assert that two tables are the same but for rounding of 32 bit."""
    assert len(one) > 100
    assert agreement(one, other) >= 0.99
    if len(one) == len(other):
        np.testing.assert_allclose(one["probability"], other["probability"], atol=0.01)
        np.testing.assert_allclose(one["radius_um"], other["radius_um"], atol=0.01)


@some
@given(exponent=st.floats(-6, 8), offset=st.floats(-1, 1))
def test_unit_and_offset(short_lines, expected, exponent, offset):
    scaled = 10**exponent * (short_lines.astype(np.float64) + offset * short_lines.std())
    assert_alike(localize_lines(scaled, model="small"), expected["small"])


@some
@given(order=st.permutations(range(8)))
def test_order_of_lines(short_lines, expected, order):
    table = localize_lines(short_lines[list(order)], model="small")
    table["line"] = np.array(order)[table["line"]]
    table = table.sort_values(["line", "sample"], ignore_index=True)
    assert_alike(table, expected["small"])


@some
@given(chosen=st.lists(st.integers(0, 7), min_size=1, max_size=12))
def test_lines_alone_and_more_than_once(short_lines, expected, chosen):
    table = localize_lines(short_lines[chosen], model="small")
    for place, number in enumerate(chosen):
        own = table[table["line"] == place].assign(line=number)
        alone = expected["small"].query("line == @number")
        assert agreement(own, alone) >= 0.95


@some
@given(
    kind=st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<i4", ">i4"]),
    order=st.sampled_from("CF"),
    step=st.integers(1, 3),
)
def test_types_byte_orders_and_strides(short_lines, expected, kind, order, step):
    volts = short_lines / np.abs(short_lines).max(axis=1, keepdims=True)
    if "i" in kind:
        volts = np.rint(volts * 2**30)
    spaced = np.zeros((8 * step, 1690), kind, order)
    spaced[::step] = volts
    assert_alike(localize_lines(spaced[::step], model="small"), expected["small"])


@pytest.mark.parametrize("bits", [16, 14])
def test_rounding_to_whole_numbers(short_lines, expected, bits):
    """Full scale for the loudest line; `robust-small` was trained with noise."""
    counts = np.rint(short_lines / np.abs(short_lines).max() * (2 ** (bits - 1) - 1))
    table = localize_lines(counts.astype(np.int16), model="robust-small")
    assert agreement(table, expected["robust-small"], within=1.0) >= 0.97


@some
@given(size=st.integers(1, 9), threads=st.integers(1, 3))
def test_batches_and_threads(short_lines, expected, size, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        table = localize_lines(short_lines, model="small", batch_size=size)
    finally:
        torch.set_num_threads(before)
    assert_alike(table, expected["small"])


def _hdf5(name: str) -> Callable[[Path, np.ndarray], None]:
    """Write as MATLAB 7.3 does, whose last axis is stored first, or as everybody else does."""

    def write(path: Path, lines: np.ndarray) -> None:
        turned = lines.T if name == "mat" else lines
        with h5py.File(path, "w", userblock_size=512 if name == "mat" else 0) as file:
            file["rf"], file["fs"] = turned, RATE_HZ
        if name == "mat":
            with path.open("r+b") as file:
                file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")

    return write


def _text(path: Path, lines: np.ndarray) -> None:
    delimiter = "," if path.suffix == ".csv" else " "
    np.savetxt(path, lines, "%.9g", delimiter=delimiter)


FILES = {
    "a.npy": np.save,
    "a.npz": lambda path, lines: np.savez(path, rf=lines, fs=RATE_HZ),
    "a.csv": _text,
    "a.txt": _text,
    "v5.mat": lambda path, lines: savemat(path, {"rf": lines, "fs": RATE_HZ}),
    "v73.mat": _hdf5("mat"),
    "a.h5": _hdf5("h5"),
}


@pytest.mark.parametrize("name", FILES)
def test_files(short_lines, expected, tmp_path, name):
    FILES[name](tmp_path / name, short_lines)
    table = localize_lines(tmp_path / name, RATE_HZ, "small")
    assert_alike(table.assign(line=table["element"]), expected["small"])
    localize_recording(
        "bubbleloc:small", tmp_path / name, tmp_path / "b.csv", sampling_rate_hz=RATE_HZ
    )
    written = pd.read_csv(tmp_path / "b.csv")
    assert_alike(written.assign(line=written["element"]), expected["small"])


def test_command_and_onnx(short_lines, expected, tmp_path, monkeypatch, capfd):
    """The recipe of docs/models.md runs without the package, in a process that cannot import it."""
    pytest.importorskip("onnxscript", reason="pip install 'bubbleloc[onnx]'")
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    section = text.partition("## Use a network without this package")[2].partition("\n## ")[0]
    export, printed = re.findall(r"```(?:bash\nbubbleloc |text\n)(.*?)\n```", section, re.DOTALL)
    (recipe,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    command(*export.split())
    out, err = capfd.readouterr()
    assert (out.strip(), err) == (printed, "")
    np.save("rf.npy", short_lines)
    command("localize", "run=bubbleloc:small", "input=rf.npy", "sampling_rate_hz=62.5e6")
    table = pd.read_csv(tmp_path / "bubbles.csv")
    assert_alike(table.assign(line=table["element"]), expected["small"])
    tail = "import sys; assert not {'torch', 'bubbleloc', 'scipy'} & set(sys.modules)\n"
    tail += "np.savez('decoded.npz', *[np.column_stack(p) for p in zip(detections, depth_mm)])"
    subprocess.run([sys.executable, "-I", "-c", recipe + tail], cwd=tmp_path, check=True)
    decoded = np.load(tmp_path / "decoded.npz")
    columns = ["sample", "sample_sigma", "probability", "radius_um", "depth_mm"]
    tables = [
        pd.DataFrame(decoded[name], columns=columns).assign(line=line)
        for line, name in enumerate(decoded.files)
    ]
    found = pd.concat(tables, ignore_index=True)
    assert_alike(found, expected["small"])
    assert len(found) == len(expected["small"])
    for name in ("sample_sigma", "depth_mm"):
        np.testing.assert_allclose(found[name], expected["small"][name], rtol=0.01)
