"""What makes a file a dataset of schema version 1, checked before anything is read from it."""

import math

import h5py
import numpy as np

SCHEMA_VERSION = 1
ATTRIBUTES = ("sampling_rate_hz", "speed_of_sound_m_s", "config")  # those that readers need
BUBBLE_FIELDS = ("arrival_sample", "depth_m", "lateral_m", "radius_m")
KINDS = {"rf": "f", "pressure_pa": "fiu", "done": "bu", "bubbles/offset": "iu"}  # NumPy's letters
MOST_SAMPLES = 2**24  # of a line; a file that claims more would fill the memory
MOST_SIGNALS = 2**28


def schema_problem(file: h5py.File) -> str | None:
    """Say what keeps a file from being a dataset, or None."""
    if "schema_version" not in file.attrs:
        return "not a bubbleloc dataset (no schema_version)"
    if file.attrs["schema_version"] != SCHEMA_VERSION:
        return f"schema version {file.attrs['schema_version']} is not {SCHEMA_VERSION}"
    for name in ATTRIBUTES:
        if name not in file.attrs:
            return f"attribute {name!r} is missing"
    kinds = KINDS | {f"bubbles/{field}": "fiu" for field in BUBBLE_FIELDS}
    for key, kind in kinds.items():
        if not isinstance(file.get(key), h5py.Dataset):
            return f"dataset {key!r} is missing"
        if file[key].dtype.kind not in kind:
            return f"{key} holds {file[key].dtype}, not numbers of the right kind"
    for name in ("sampling_rate_hz", "speed_of_sound_m_s"):
        value = float(file.attrs[name])
        if not (math.isfinite(value) and value > 0):
            return f"attribute {name} is {value:g}, not a positive number"
    if file["rf"].ndim != 2:
        return f"rf has shape {file['rf'].shape}, not (signals, samples)"
    signals = file["rf"].shape[0]
    if signals == 0:
        return "it holds no signals"
    if signals > MOST_SIGNALS or not 0 < file["rf"].shape[1] <= MOST_SAMPLES:
        return f"rf has shape {file['rf'].shape}, more than can be"
    bubbles = int(file["bubbles/offset"][-1]) if file["bubbles/offset"].size else 0
    lengths = {"pressure_pa": signals, "done": signals, "bubbles/offset": signals + 1}
    lengths |= {f"bubbles/{field}": bubbles for field in BUBBLE_FIELDS}
    for key, length in lengths.items():
        if file[key].shape != (length,):
            return f"{key} has shape {file[key].shape}, not ({length},)"
    offset = file["bubbles/offset"][:].astype(np.int64)
    if offset[0] != 0 or (np.diff(offset) < 0).any():
        return "bubbles/offset does not rise from 0"
    return None
