"""Dataset files: HDF5, schema version 1, checked before anything else is read.

An unfinished file has the suffix ``.partial``; it is renamed when every signal is done. Files
survive a killed process and a full disk: storage of the RF lines is allocated, and written, when
the file is created. Filling them in later changes raw data only, so a killed process leaves a
readable file, and a full disk is noticed before anything is simulated.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml
from numpy.typing import ArrayLike

from bubbleloc import __version__
from bubbleloc.arrays import Float32s
from bubbleloc.console.settings.physics import TRISTATE, UNIVERSAL, WAVEFORMS, Physics
from bubbleloc.errors import InputError
from bubbleloc.files import MOST_SAMPLES, atomic, explain_write_errors
from bubbleloc.hdf5 import check_own
from bubbleloc.physics import Bubbles, Setup, Signal
from bubbleloc.physics.scene import BUBBLE_FIELDS
from bubbleloc.physics.told import STANDARD_HZ
from bubbleloc.physics.transducer import P4_1, Response
from bubbleloc.units import Scale

SCHEMA_VERSION = 1
SPLITS = ("train", "val", "test")  # a split's place here is part of its signals' random key
ATTRIBUTES = ("sampling_rate_hz", "speed_of_sound_m_s", "config")  # those that readers need
KINDS = {"rf": "f", "pressure_pa": "fiu", "done": "bu", "bubbles/offset": "iu"}  # NumPy's letters
KINDS |= {f"bubbles/{field}": "fiu" for field in BUBBLE_FIELDS}
MOST_SIGNALS = 2**28
BUBBLE_CHUNK = 4096  # bubbles stored side by side
SIGNAL_CHUNK = 1024
_NUMBERS_AT_A_TIME = 2**16  # read for a fingerprint


def partial_path(path: Path) -> Path:
    """Return the name of a file that is not complete."""
    return path.with_name(path.name + ".partial")


def open_dataset(path: Path, mode: str = "r") -> h5py.File:
    """Open and check a dataset file.

    Raises:
        InputError: missing, unreadable, of another schema, or locked by another process.
    """
    if not path.is_file():
        raise InputError(
            f"no dataset at {path}; simulate it with bubbleloc simulate or import it with "
            "bubbleloc convert"
        )
    try:
        file = h5py.File(path, mode)
    except BlockingIOError as error:
        raise InputError(f"{path} is in use by another process; wait for it or stop it") from error
    except PermissionError as error:
        raise InputError(f"{path}: {error.strerror}; change its permissions") from error
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path} is not a readable HDF5 file ({reason}); remove it and make it again"
        ) from error
    try:
        problem = _header_problem(file) or _shape_problem(file)
    except Exception as error:  # HDF5 meets damage with many types, undocumented
        problem = f"damaged ({error})".splitlines()[0]
    if problem:
        file.close()
        raise InputError(f"{path}: {problem}; remove it and simulate or import it again")
    return file


def _header_problem(file: h5py.File) -> str | None:
    """Return what is wrong with a file's attributes and the types of its datasets, or None."""
    if "schema_version" not in file.attrs:
        return "not a bubbleloc dataset (no schema_version)"
    if file.attrs["schema_version"] != SCHEMA_VERSION:
        return f"schema version {file.attrs['schema_version']} is not {SCHEMA_VERSION}"
    for name in ATTRIBUTES:
        if name not in file.attrs:
            return f"attribute {name!r} is missing"
    try:
        scale_of(file)
    except InputError as error:
        return f"attribute {error}"
    for key, kind in KINDS.items():
        if not isinstance(file.get(key), h5py.Dataset):
            return f"dataset {key!r} is missing"
        if file[key].dtype.kind not in kind:
            return f"{key} holds {file[key].dtype}, not numbers of the right kind"
        check_own(Path(file.filename), file[key])
    return None


def _shape_problem(file: h5py.File) -> str | None:
    """Return what is wrong with the shapes of a file's datasets, or None."""
    shape = file["rf"].shape
    if len(shape) != 2:
        return f"rf has shape {shape}, not (signals, samples)"
    if shape[0] == 0:
        return "it holds no signals"
    if shape[0] > MOST_SIGNALS or not 0 < shape[1] <= MOST_SAMPLES:
        return f"rf has shape {shape}, more than can be"
    bubbles = int(file["bubbles/offset"][-1]) if file["bubbles/offset"].size else 0
    lengths = {"pressure_pa": shape[0], "done": shape[0], "bubbles/offset": shape[0] + 1}
    lengths |= {f"bubbles/{field}": bubbles for field in BUBBLE_FIELDS}
    for key, length in lengths.items():
        if file[key].shape != (length,):
            return f"{key} has shape {file[key].shape}, not ({length},)"
    offset = file["bubbles/offset"][:].astype(np.int64)
    if offset[0] != 0 or (np.diff(offset) < 0).any():
        return "bubbles/offset does not rise from 0"
    return None


def settings_of(path: Path) -> dict[str, Any]:
    """Return the configuration a dataset was made with."""
    with open_dataset(path) as file:
        return _settings(file)


def _settings(file: h5py.File) -> dict[str, Any]:
    try:
        content = yaml.safe_load(str(file.attrs["config"]))
    except yaml.YAMLError as error:
        raise InputError("config is not YAML") from error
    return content if isinstance(content, dict) else {}


def scale_of(file: h5py.File) -> Scale:
    """Return what a sample is worth; an imported file may not say the frequency of the pulse."""
    content = _settings(file)
    frequency_hz = _physics(content).get("frequency_hz", file.attrs.get("frequency_hz"))
    if frequency_hz is None and content.get("source") != "imported":
        frequency_hz = WAVEFORMS[TRISTATE].frequency_hz  # files of before 0.1 do not tell
    if "told" in file:  # lines on one scale
        frequency_hz = STANDARD_HZ
    rate, sound = (float(file.attrs[name]) for name in ("sampling_rate_hz", "speed_of_sound_m_s"))
    return Scale(rate, sound, frequency_hz)


def waveform_name(path: Path) -> str | None:
    """Return the name of the waveform that a dataset was simulated with, None if imported.

    ``universal`` stands for lines of which each tells its own pulse.
    """
    with open_dataset(path) as file:
        if "told" in file:
            return UNIVERSAL
        content = _settings(file)
    if content.get("source") == "imported":
        return None
    physics = _physics(content)
    return physics.get("waveform", "drive" if physics.get("drive") else TRISTATE)


def _physics(content: Mapping[str, Any]) -> dict[str, Any]:
    physics = content.get("physics")
    return dict(physics) if isinstance(physics, dict) else {}


def physics_of(content: Mapping[str, Any]) -> tuple[Physics, str]:
    """Return the physics and the waveform that a dataset was simulated with.

    Args:
        content: what `settings_of` returns.

    Raises:
        InputError: unknown names or values in it.
    """
    physics = _physics(content)
    name = str(physics.pop("waveform", TRISTATE))
    return Physics.of(physics), name


def receive_response(file: h5py.File) -> Response:
    """Return the receive response that the lines were made with; the P4-1's if imported."""
    settings = _settings(file)
    return Setup.load(*physics_of(settings)).probe.receive if _physics(settings) else P4_1.receive


def is_imported(path: Path) -> bool:
    """Return whether a dataset was made elsewhere, so that no settings of ours define it."""
    return settings_of(path).get("source") == "imported"


def is_finished(path: Path) -> bool:
    """Return whether a dataset is there with all its lines."""
    if not path.exists():
        return False
    with open_dataset(path) as file:
        return bool(file["done"][:].all())


def fingerprint(path: Path) -> str:
    """Return two short hashes of a dataset's content, with a hyphen between them.

    The first is of sampling rate, speed of sound, RF lines, pressures and arrival samples; version
    0.1 noted it alone. The second is of the pulse's frequency, radii, depths and lateral positions.
    """
    with open_dataset(path) as file:
        scale = scale_of(file)
        scale_of_lines = np.array([scale.sampling_rate_hz, scale.speed_of_sound_m_s])
        lines = hashlib.sha256(scale_of_lines.tobytes())
        for row in range(file["rf"].shape[0]):
            lines.update(file["rf"][row].tobytes())
        for key in ("pressure_pa", "bubbles/offset", "bubbles/arrival_sample"):
            _add(lines, file[key])
        rest = hashlib.sha256(np.array(scale.frequency_hz or np.nan).tobytes())
        for key in ("bubbles/radius_m", "bubbles/depth_m", "bubbles/lateral_m"):
            _add(rest, file[key])
    return f"{lines.hexdigest()[:16]}-{rest.hexdigest()[:16]}"


def _add(digest: "hashlib._Hash", numbers: h5py.Dataset) -> None:
    for first in range(0, len(numbers), _NUMBERS_AT_A_TIME):
        digest.update(numbers[first : first + _NUMBERS_AT_A_TIME].tobytes())


def same_data(one: str, other: str) -> bool:
    """Return whether two texts that begin with a `fingerprint` and are else alike tell of one data.

    Where one of them has the first hash alone, as version 0.1 noted it, that hash decides.
    """
    (hashes, _, rest), (others, _, other_rest) = one.partition(" "), other.partition(" ")
    if ("-" in hashes) != ("-" in others):
        hashes, others = hashes.partition("-")[0], others.partition("-")[0]
    return (hashes, rest) == (others, other_rest)


@contextlib.contextmanager
def create(
    path: Path,
    *,
    samples: int,
    scale: Scale,
    seed: int,
    split: str,
    config: str,
) -> Iterator[h5py.File]:
    """Open a new dataset file of no signals, which appears at ``path`` when the block ends.

    The caller holds the lock of the file.

    Args:
        samples: of an RF line.
        scale: what one of them is worth.
        config: resolved YAML that defines the content; a resumed file must have the same.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    with (
        explain_write_errors(path),
        atomic(path) as unfinished,
        h5py.File(unfinished, "w") as file,
    ):
        file.attrs.update(
            schema_version=SCHEMA_VERSION,
            sampling_rate_hz=scale.sampling_rate_hz,
            speed_of_sound_m_s=scale.speed_of_sound_m_s,
            seed=seed,
            split=split,
            config=config,
            software=f"bubbleloc {__version__}",
        )
        if scale.frequency_hz is not None:
            file.attrs["frequency_hz"] = scale.frequency_hz
        _allocate(file, "rf", np.float32, (1, samples))
        _allocate(file, "done", np.bool_, (SIGNAL_CHUNK,))
        _allocate(file, "pressure_pa", np.float64, (SIGNAL_CHUNK,))
        file.create_group("bubbles")
        _allocate(file, "bubbles/offset", np.int64, (SIGNAL_CHUNK,))
        file["bubbles/offset"].resize(1, axis=0)
        for field in BUBBLE_FIELDS:
            _allocate(file, f"bubbles/{field}", np.float64, (BUBBLE_CHUNK,))
        yield file


def _allocate(file: h5py.File, name: str, dtype: type, chunk: tuple[int, ...]) -> None:
    """Create a growing dataset of zeros whose storage exists as soon as it grows."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    settings.set_fill_time(h5py.h5d.FILL_TIME_ALLOC)
    settings.set_chunk(chunk)
    space = h5py.h5s.create_simple((0, *chunk[1:]), (h5py.h5s.UNLIMITED, *chunk[1:]))
    kind = h5py.h5t.py_create(dtype, logical=True)
    h5py.h5d.create(file.id, name.encode(), kind, space, settings)


def append_truth(file: h5py.File, pressure_pa: Sequence[float], bubbles: Sequence[Bubbles]) -> None:
    """Add the pressure and the bubbles of signals after those that are there."""
    ends = np.cumsum([len(of_signal) for of_signal in bubbles])
    _append(file["pressure_pa"], pressure_pa)
    _append(file["bubbles/offset"], file["bubbles/offset"][-1] + ends)
    together = Bubbles.concatenate(bubbles)
    for field in BUBBLE_FIELDS:
        _append(file[f"bubbles/{field}"], getattr(together, field))


def append_signal(file: h5py.File, signal: Signal) -> None:
    """Add a finished signal."""
    append_truth(file, [signal.pressure_pa], [signal.bubbles])
    _append(file["rf"], [signal.volts])
    _append(file["done"], [True])


def reserve_lines(file: h5py.File, told: tuple[int, int] | None = None) -> None:
    """Allocate an RF line, not done, for every signal whose truth is there.

    Args:
        told: number and samples of the echoes that are kept of every line, where any are.
    """
    if told:
        _allocate(file, "told", np.float32, (1, *told))
    for name in ("rf", "done", *(["told"] if told else [])):
        file[name].resize(file["pressure_pa"].shape[0], axis=0)


def _append(dataset: h5py.Dataset, rows: ArrayLike) -> None:
    count = len(np.asarray(rows))
    dataset.resize(dataset.shape[0] + count, axis=0)
    if count:
        dataset[-count:] = rows


def write_line(file: h5py.File, index: int, line: Mapping[str, Float32s]) -> None:
    """Fill in the RF line of a signal, and what is kept with it, and mark it done.

    Raises:
        InputError: the write failed; the signal then does not count as done.
    """
    with explain_write_errors(Path(file.filename)):
        for name, samples in line.items():
            file[name][index] = samples
        file.flush()  # the line is on its way to the disk before it counts as done
        file["done"][index] = True


@contextlib.contextmanager
def closing(file: h5py.File) -> Iterator[h5py.File]:
    """Close a file at the end of a block, where the last writes may fail."""
    try:
        yield file
    finally:
        with explain_write_errors(Path(file.filename)):
            file.close()
