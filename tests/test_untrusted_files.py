"""A file from a stranger runs no code, fills no memory, and is refused with our error alone."""

import contextlib
import pickle
import shutil
import warnings
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bubbleloc import files, formats
from bubbleloc.data.dataset import RFDataset
from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.formats.readers import suffixes
from bubbleloc.formats.srml import PUBLISHED, read_signal
from bubbleloc.models import runs
from bubbleloc.physics import Setup
from bubbleloc.physics.probe import read_response
from bubbleloc.tables import read_row
from bubbleloc.training import session
from bubbleloc.training.checkpoints import checkpoint_to_resume
from bubbleloc.training.learner import Learner
from bubbleloc.training.losses import DualLoss
from tests.conftest import localize_recording
from tests.formats import written
from tests.formats.test_urx import write_urx
from tests.training.test_learner import SMALL
from tests.training.test_learner import settings as train_settings


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    session.start(train_settings(tiny, *SMALL), folder)
    return folder


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def use_run(run: Path, use: str) -> None:
    if use == "evaluate":
        evaluate_run(run)
    elif use == "localize":
        np.savez(run / "rf.npz", rf=np.ones(8446), fs=62.5e6)
        localize_recording(str(run), run / "rf.npz", run / "x.csv", threshold=0.5)
    else:
        session.resume(run)


@pytest.mark.parametrize("form", ["zip", "pickle", "legacy"])
@pytest.mark.parametrize("use", ["evaluate", "localize", "resume"])
def test_a_checkpoint_that_would_run_code_is_refused(trained, tmp_path, use, form):
    run = shutil.copytree(trained, tmp_path / "run")
    content = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    content["callbacks"]["bomb"] = Bomb(tmp_path / "exploded")
    for path in (run / "checkpoints").iterdir():
        if form == "pickle":
            path.write_bytes(pickle.dumps(content))
        else:
            torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(InputError, match=r"ckpt is damaged"):
        use_run(run, use)
    assert not (tmp_path / "exploded").exists()
    if form == "zip":  # the bomb is a real one
        torch.load(run / "checkpoints/last.ckpt", weights_only=False)
        assert (tmp_path / "exploded").exists()


CONFIGS = {
    "python object": "model: !!python/object/apply:os.system [touch exploded]",
    "a class to instantiate": "model: {_target_: os.system, command: touch exploded}",
    "a model of another package": "model: {name: os.system}",
    "a huge network": "model: {name: ckcnn, hidden_channels: 100000}",
    "a huge kernel": "model: {name: ckcnn, kernel: 2000000001}",
    "aliases that unfold": "\n".join(
        ["a: &a [1,1,1,1,1,1,1,1,1]", *(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]"
         for a, b in zip("abcdefgh", "bcdefghi", strict=True)), "seed: *i"]
    ),
    "a list": "- 1",
    "nothing": "",
    "bytes": "\x00\xff",
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_the_configuration_of_a_stranger_is_data(trained, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    run = shutil.copytree(trained, tmp_path / "run")
    lines = (run / "config.yaml").read_text()
    key = CONFIGS[name].split(":")[0]
    config = yaml.safe_load(lines)
    config.pop(key, None)
    text = CONFIGS[name]
    if key in ("model", "a"):
        config.pop("seed" if key == "a" else "model", None)
        text = yaml.safe_dump(config) + text
    (run / "config.yaml").write_text(text)
    with pytest.raises(InputError) as refused:
        _ = runs.open_run(run).network
    assert len(str(refused.value)) < 1000
    assert not (tmp_path / "exploded").exists()


# --- files that claim more than memory holds


def npz_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rf.npy", bytes(2**20))


def mat_bomb(path: Path) -> None:
    scipy.io.savemat(path, {"rf": np.zeros((16, 2**14))}, do_compression=True)


def mat_cell_bomb(path: Path) -> None:
    cells = np.empty((1, 1), dtype=object)
    cells[0, 0] = np.zeros((16, 2**14))
    scipy.io.savemat(path, {"RcvData": cells}, do_compression=True)


def mat_bomb_that_lies(path: Path) -> None:
    """Within the packed variable its size is said to be 8 bytes."""
    mat_cell_bomb(path)
    head, packed = path.read_bytes()[:132], path.read_bytes()[136:]
    whole = zlib.decompress(packed)
    packed = zlib.compress(whole[:4] + (8).to_bytes(4, "little") + whole[8:])
    path.write_bytes(head + len(packed).to_bytes(4, "little") + packed)


def h5_long_line(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("rf", (4, 2**40), np.float32, chunks=(1, 2**10))


def h5_large_chunk(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("rf", (4, 2**20), np.float64, chunks=(1, 2**20), compression="gzip")


def npy_without_data(path: Path) -> None:
    np.save(path, np.zeros(4))
    path.write_bytes(path.read_bytes().replace(b"(4,)", b"(9999999999999,)", 1))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("rf.npz", npz_bomb),
        ("rf.mat", mat_bomb),
        ("rcv.mat", mat_cell_bomb),
        ("rcv.mat", mat_bomb_that_lies),
        ("rf.h5", h5_long_line),
        ("rf.h5", h5_large_chunk),
        ("rf.npy", npy_without_data),
    ],
)
def test_a_file_that_claims_too_much_is_refused(tmp_path, monkeypatch, name, make):
    monkeypatch.setattr(files, "MOST_BYTES", 2**19)
    make(tmp_path / name)
    assert (tmp_path / name).stat().st_size < 2**19
    with pytest.raises(InputError, match=name):
        formats.read(tmp_path / name).volts.lines(0, 1)
    if name.endswith(".mat"):
        with pytest.raises(InputError, match=r"in one piece"):
            read_response(tmp_path / name, "Tfit")
        with pytest.raises(InputError):
            read_signal(tmp_path / name, PUBLISHED)


def test_matlab_4_files_are_read(tmp_path):
    rf = np.random.default_rng(0).normal(size=(2, 300))
    scipy.io.savemat(tmp_path / "rf.mat", {"rf": rf, "fs": 62.5e6}, format="4")
    found = formats.read(tmp_path / "rf.mat").volts.lines(0, 2)
    np.testing.assert_allclose(found, rf, rtol=1e-6)


def test_a_dataset_that_claims_too_much_is_refused(tiny, tmp_path):
    path = tmp_path / "train.h5"
    shutil.copy(tiny / "train.h5", path)
    with h5py.File(path, "r+") as file:
        del file["rf"]
        file.create_dataset("rf", (8, 2**40), np.float32, chunks=(1, 2**10))
    with pytest.raises(InputError, match=r"rf has shape .*, more than can be"):
        RFDataset(path)


# --- fuzzing: damage real files, and see nothing but our error


def damaged(sources: list[bytes]) -> st.SearchStrategy[bytes]:
    """Real files cut short, with bytes flipped, or with a piece written over; and noise."""

    def hurt(source: bytes) -> st.SearchStrategy[bytes]:
        where = st.integers(0, len(source) - 1)
        flips = st.lists(st.tuples(where, st.integers(0, 255)), max_size=20)
        return st.tuples(flips, where, st.booleans()).map(lambda drawn: _apply(source, *drawn))

    return st.one_of(*(hurt(source) for source in sources), st.binary(max_size=300))


def _apply(source: bytes, flips: list[tuple[int, int]], end: int, cut: bool) -> bytes:
    spoiled = bytearray(source)
    for place, value in flips:
        spoiled[place] = value
    return bytes(spoiled[:end] if cut else spoiled)


def sources(tmp_path: Path, suffix: str) -> list[bytes]:
    """Small files that the readers accept."""
    rf = np.sin(np.arange(400.0)).reshape(2, 200)
    path = tmp_path / f"source{suffix}"
    response = {"f": np.arange(0, 5e6, 1e5), "Tfit": np.ones(50) + 1j, "rf": rf}
    match suffix:
        case ".npy":
            np.save(path, rf)
        case ".npz":
            np.savez_compressed(path, **response)
        case ".mat":
            structs = {
                "RF": {"V": rf[0], "fs": 62.5e6},
                "bubble": {"z": 1e-3, "x": 0.0, "R0": 1e-6},
            }
            fields = {"pfield": {"PA": 1e5}, "domain": {"c": 1480.0}, "TW": {"Wvfm1Wy": rf[0]}}
            fields["Trans"] = {
                "IR1wy": np.diff(np.hanning(99)),
                "numelements": 96.0,
                "spacingMm": 0.3,
                "frequency": 2.5,
            }
            scipy.io.savemat(path, response | structs | fields, do_compression=True)
        case ".csv":
            np.savetxt(path, rf, delimiter=",")
        case ".yaml":
            numbers = "center_hz: 5e6\nfractional_bandwidth: 0.7\naperture_m: 0.02\n"
            path.write_text(f"{numbers}f: [0, 2e6, 4e6, 8e6]\nHfit: [0, 1, 2.5, 0]\n")
        case ".txt":
            rows = "".join(f"{i % 50 == 0:d},{v:.3f},100000\n" for i, v in enumerate(rf[0]))
            path.write_text("a\nb\nc\nd\n" + rows)
        case ".urx":
            write_urx(path, written.Acquisition(frames=1, samples=64))
        case ".h5" | ".hdf5" | ".uff":
            with h5py.File(path, "w") as file:
                file["rf"] = rf
                file.attrs["fs"] = 62.5e6
    return [path.read_bytes()]


def read_lines(path: Path) -> None:
    for _ in formats.read(path).blocks(2):
        pass


READERS = {
    "localize": (read_lines, tuple(suffixes())),
    "convert": (lambda path: read_signal(path, PUBLISHED), (".txt", ".mat")),
    "response": (lambda path: read_response(path, "Tfit"), (".npz", ".mat", ".csv")),
    "radii": (read_row, (".npy", ".csv")),
    "waveform": (lambda path: Setup(waveform=str(path)).sent, (".npy", ".csv", ".txt", ".mat")),
    "transducer": (lambda path: Setup(transducer=path).probe, (".npz", ".mat", ".yaml")),
}
CASES = [(reader, suffix) for reader, (_, kinds) in READERS.items() for suffix in kinds]
FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@pytest.mark.parametrize(("reader", "suffix"), CASES)
def test_readers_raise_nothing_but_our_error(tmp_path, reader, suffix):
    read, path = READERS[reader][0], tmp_path / f"fuzzed{suffix}"
    whole = sources(tmp_path, suffix)
    if reader == "convert" or (reader == "localize" and suffix != ".txt"):
        path.write_bytes(whole[0])
        read(path)  # undamaged it is fine; the text is of the published simulator

    @FUZZ
    @given(damaged(whole))
    def fuzz(content: bytes) -> None:
        path.write_bytes(content)
        with contextlib.suppress(InputError):
            read(path)

    with warnings.catch_warnings(action="ignore"):
        fuzz()


def write_must(path, made):
    param = {"fs": 2e6, "fc": 1.5e6, "t0": made.begin_s, "pitch": 3e-4, "TXdelay": made.delay_s}
    scipy.io.savemat(path, {"RF": 1 + made.volts().T, "param": param}, do_compression=True)


MEASURED = {
    "v5.mat": lambda path, made: written.write_v5(path, written.workspace(made)),
    "v73.mat": lambda path, made: written.write_v73(path, written.workspace(made)),
    "a.uff": written.write_uff,
    "zea.h5": written.write_zea,
    "a.urx": write_urx,
    "must.mat": write_must,
}


@pytest.mark.parametrize("name", MEASURED)
def test_damaged_recordings_raise_nothing_but_our_error(tmp_path, name):
    path = tmp_path / name
    MEASURED[name](path, written.Acquisition(frames=1, samples=64))
    whole = path.read_bytes()
    read_lines(path)

    @settings(FUZZ, max_examples=40)
    @given(damaged([whole]))
    def fuzz(content: bytes) -> None:
        path.write_bytes(content)
        with contextlib.suppress(InputError):
            read_lines(path)

    with warnings.catch_warnings(action="ignore"):
        fuzz()


def test_damaged_datasets_raise_nothing_but_our_error(tiny, tmp_path):
    path = tmp_path / "fuzzed.h5"
    with h5py.File(tiny / "val.h5") as source, h5py.File(tmp_path / "small.h5", "w") as file:
        file.attrs.update(source.attrs)
        for key in ("rf", "pressure_pa", "done", "bubbles"):
            source.copy(key, file)
    content = (tmp_path / "small.h5").read_bytes()

    @FUZZ
    @given(damaged([content]))
    def fuzz(spoiled: bytes) -> None:
        path.write_bytes(spoiled)
        with contextlib.suppress(InputError):
            lines = RFDataset(path)
            for index in range(min(len(lines), 4)):
                lines.volts(index)
                lines.count(index)

    fuzz()


def test_damaged_runs_raise_nothing_but_our_error(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    config = (run / "config.yaml").read_bytes()
    checkpoint = (run / "checkpoints/best.ckpt").read_bytes()
    opened = runs.open_run(run)
    learner = Learner(opened.network, DualLoss(), opened.config.optimizer)

    @FUZZ
    @given(damaged([config]), damaged([checkpoint]), st.booleans())
    def fuzz(spoiled_config: bytes, spoiled_checkpoint: bytes, which: bool) -> None:
        (run / "config.yaml").write_bytes(spoiled_config if which else config)
        (run / "checkpoints/best.ckpt").write_bytes(checkpoint if which else spoiled_checkpoint)
        (run / "checkpoints/last.ckpt").write_bytes(spoiled_checkpoint)
        (run / "checkpoints/previous.ckpt").unlink(missing_ok=True)
        with contextlib.suppress(InputError):
            _ = runs.open_run(run).network
        with contextlib.suppress(InputError):
            checkpoint_to_resume(run, learner)

    fuzz()
