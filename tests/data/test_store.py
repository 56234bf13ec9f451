import hashlib

import h5py
import numpy as np
import pytest

from bubbleloc.data import store
from bubbleloc.errors import InputError
from bubbleloc.physics.scene import BUBBLE_FIELDS


def test_file_has_the_schema(tiny):
    with h5py.File(tiny / "train.h5") as file:
        assert file.attrs["schema_version"] == 1
        assert file.attrs["sampling_rate_hz"] == 62.5e6
        assert file.attrs["speed_of_sound_m_s"] == 1480
        assert file.attrs["split"] == "train"
        assert {"seed", "config", "software"} <= set(file.attrs)
        assert file["rf"].shape == (8, 8446)
        assert file["rf"].dtype == np.float32
        assert file["rf"].chunks == (1, 8446)
        assert file["done"].dtype == bool
        assert file["done"][:].all()
        offset = file["bubbles/offset"][:]
        assert offset.dtype == np.int64
        assert offset.shape == (9,)
        for field in BUBBLE_FIELDS:
            assert file[f"bubbles/{field}"].shape == (offset[-1],)
            assert file[f"bubbles/{field}"].dtype == np.float64


def test_arrival_is_the_time_of_flight(tiny):
    with h5py.File(tiny / "test.h5") as file:
        depth, lateral = file["bubbles/depth_m"][:], file["bubbles/lateral_m"][:]
        arrival = (depth + np.hypot(depth, lateral)) / 1480 * 62.5e6
        np.testing.assert_allclose(file["bubbles/arrival_sample"][:], arrival, rtol=1e-12)


def test_fingerprint_tells_datasets_apart(tiny):
    assert store.fingerprint(tiny / "val.h5") == store.fingerprint(tiny / "val.h5")
    assert store.fingerprint(tiny / "val.h5") != store.fingerprint(tiny / "test.h5")


IN_A_FINGERPRINT = [
    *("sampling_rate_hz", "speed_of_sound_m_s", "frequency_hz"),
    *("rf", "pressure_pa", *(f"bubbles/{field}" for field in BUBBLE_FIELDS)),
]


@pytest.mark.parametrize("name", IN_A_FINGERPRINT)
def test_a_fingerprint_holds_all_that_a_dataset_tells(tiny, tmp_path, name):
    path = tmp_path / "val.h5"
    path.write_bytes((tiny / "val.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        if name in file:
            file[name][..., -1] *= 1.01
        else:
            file.attrs[name] = 1.01 * file.attrs[name]
    changed, before = store.fingerprint(path), store.fingerprint(tiny / "val.h5")
    assert changed != before
    assert not store.same_data(changed, before)


def first_version(path):
    """The fingerprint of a dataset as version 0.1 noted it."""
    digest = hashlib.sha256()
    with h5py.File(path) as file:
        digest.update(np.array([62.5e6, 1480.0]).tobytes())
        for key in ("rf", "pressure_pa", "bubbles/offset", "bubbles/arrival_sample"):
            digest.update(file[key][:].tobytes())
    return digest.hexdigest()[:16]


def test_a_fingerprint_of_an_earlier_version_is_accepted_for_the_same_lines(tiny):
    val, test = tiny / "val.h5", tiny / "test.h5"
    for words in ("", " noise 0.1 of val"):
        assert store.same_data(store.fingerprint(val) + words, first_version(val) + words)
        assert store.same_data(first_version(val) + words, store.fingerprint(val) + words)
        assert not store.same_data(store.fingerprint(test) + words, first_version(val) + words)
    assert not store.same_data(store.fingerprint(val) + " noise 0.1", first_version(val))


def spoil(name, value):
    return lambda file: file.attrs.__setitem__(name, value)


def spoil_version(file):
    file.attrs["schema_version"] = 2


def spoil_keys(file):
    del file["bubbles/radius_m"]


def spoil_attributes(file):
    del file.attrs["schema_version"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_version, "schema version 2"),
        (spoil_keys, "'bubbles/radius_m' is missing"),
        (spoil_attributes, "not a bubbleloc dataset"),
        (spoil("sampling_rate_hz", 0), "sampling_rate_hz=0: give the rate in Hz"),
        (spoil("sampling_rate_hz", 62.5), "sampling_rate_hz=62.5: give the rate in Hz"),
        (spoil("speed_of_sound_m_s", -1480.0), "speed_of_sound_m_s=-1480: give the speed"),
        (spoil("speed_of_sound_m_s", np.nan), "speed_of_sound_m_s=nan: give the speed"),
        (spoil("speed_of_sound_m_s", 1.48), "speed_of_sound_m_s=1.48: give the speed"),
        (spoil("speed_of_sound_m_s", [1480, 1540]), "damaged"),
        (spoil("config", "physics: {frequency_hz: 1.7}"), "frequency_hz=1.7: give the frequency"),
        (spoil("config", "a: ["), "attribute config is not YAML"),
    ],
)
def test_foreign_files_are_refused_in_one_line(tiny, tmp_path, spoil, message):
    path = tmp_path / "train.h5"
    path.write_bytes((tiny / "train.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        spoil(file)
    with pytest.raises(InputError, match=message) as caught:
        store.open_dataset(path)
    assert "\n" not in str(caught.value)


def test_truncated_and_missing_files_are_refused(tiny, tmp_path):
    path = tmp_path / "train.h5"
    with pytest.raises(InputError, match="no dataset"):
        store.open_dataset(path)
    path.write_bytes((tiny / "train.h5").read_bytes()[:5000])
    with pytest.raises(InputError, match="not a readable HDF5 file"):
        store.open_dataset(path)
