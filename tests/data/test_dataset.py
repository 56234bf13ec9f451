import pickle

import h5py
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from bubbleloc.console.settings.training import Augmentation, Loader
from bubbleloc.data import store
from bubbleloc.data.batches import (
    Crop,
    CropDataset,
    CropSampler,
    RFDataModule,
    check_crops,
    collate,
)
from bubbleloc.data.dataset import RFDataset, open_split
from bubbleloc.data.noise import Noise
from bubbleloc.errors import InputError
from bubbleloc.formats.srml import PUBLISHED
from bubbleloc.physics import Bubbles, Signal
from bubbleloc.physics.scene import BUBBLE_FIELDS


@pytest.fixture
def lines(tiny):
    return RFDataset(tiny / "train.h5")


def whole(lines, index):
    """A whole line as a training reads it."""
    return CropDataset(lines)[Crop(lines.signals[index], 0, lines.samples)]


def test_count_grid_holds_every_bubble_at_its_rounded_arrival(lines):
    for index in range(len(lines)):
        count = whole(lines, index)["count"].squeeze().numpy()
        arrivals = np.rint(lines.bubbles(index).arrival_sample).astype(int)
        assert count.sum() == arrivals.size
        assert set(np.flatnonzero(count)) == set(arrivals)


def test_workers_open_the_file_themselves(lines):
    lines.volts(0)  # opened here, must not travel
    restored = pickle.loads(pickle.dumps(lines))
    assert "file" not in vars(restored)
    assert np.array_equal(restored.volts(1), lines.volts(1))


def test_reading_processes_give_the_same_batches(lines):
    def volts(workers):
        crops = [Crop(signal, 0, lines.samples) for signal in lines.signals]
        loader = DataLoader(
            CropDataset(lines), 4, sampler=crops, collate_fn=collate, num_workers=workers
        )
        return torch.cat([batch["rf"] for batch in loader])

    assert torch.equal(volts(0), volts(2))


def test_crops_have_the_counts_of_their_window_and_the_whole_line(lines):
    crop = CropDataset(lines)[Crop(signal=2, start=500, samples=1000)]
    line = whole(lines, 2)
    assert torch.equal(crop["rf"], line["rf"])
    assert torch.equal(crop["count"], line["count"][:, 500:1500])
    assert crop["start"] == 500


def test_crops_have_the_bubbles_of_their_window_with_radii(lines):
    crop = CropDataset(lines)[Crop(signal=2, start=500, samples=1000)]
    arrival, radius_um = (crop[key].double().numpy() for key in ("arrival_sample", "radius_um"))
    assert len(arrival) == crop["count"].sum()
    np.testing.assert_array_equal(
        np.bincount(np.rint(arrival).astype(int), minlength=1000), crop["count"][0]
    )
    true = lines.bubbles(2)
    inside = (np.rint(true.arrival_sample) >= 500) & (np.rint(true.arrival_sample) < 1500)
    np.testing.assert_allclose(arrival, true.arrival_sample[inside] - 500, atol=1e-3)
    np.testing.assert_allclose(radius_um, 1e6 * true.radius_m[inside], rtol=1e-6)


def test_batches_fill_lines_of_fewer_bubbles_with_nan(lines):
    batch = collate([whole(lines, index) for index in range(3)])
    for name in ("arrival_sample", "radius_um"):
        assert batch[name].isfinite().sum(1).tolist() == lines.bubble_counts[:3].tolist()
        assert batch[name].shape == (3, max(lines.bubble_counts[:3]))


def test_augmented_crops_are_fresh_in_every_draw(lines):
    crops = CropDataset(lines, Augmentation(polarity=True, slope_db=12))
    first, again, other = (crops[Crop(2, 0, 1000, draw)] for draw in ((0, 1), (0, 1), (1, 1)))
    assert torch.equal(first["rf"], again["rf"])
    assert not torch.equal(first["rf"], other["rf"])
    assert torch.equal(first["count"], other["count"])


def test_epochs_differ_but_are_reproducible(lines):
    sampler = CropSampler(lines, Loader(crop=1000, crops_per_signal=3), seed=5)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    sampler.set_epoch(0)
    assert first == list(sampler) != second
    assert sorted(crop.signal for crop in first) == sorted(list(range(8)) * 3)
    assert {crop.samples for crop in first} == {1000}


def test_every_sample_is_scored_about_equally_often(lines):
    sampler = CropSampler(lines, Loader(crop=2048, crops_per_signal=2000), seed=0)
    scored = np.zeros(lines.samples)
    for crop in sampler:
        scored[crop.start : crop.start + crop.samples] += 1
    assert scored.min() > 0.45 * scored.mean()
    assert scored.max() < 1.65 * scored.mean()


def test_without_a_crop_lines_are_whole(lines):
    sampler = CropSampler(lines, Loader(crop=None, crops_per_signal=1), seed=0)
    assert {(crop.start, crop.samples) for crop in sampler} == {(0, lines.samples)}


def test_crops_longer_than_the_lines_are_whole_lines(lines, caplog):
    caplog.set_level("INFO")
    longer = Loader(crop=9000, shortest_crop=8500, crops_per_signal=2)
    sampler = CropSampler(lines, longer, seed=0)
    assert {(crop.start, crop.samples) for crop in sampler} == {(0, lines.samples)}
    check_crops(Loader(), lines.samples)
    assert not caplog.messages
    check_crops(longer, lines.samples)
    names = "loader.crop=9000 and loader.shortest_crop=8500"
    assert caplog.messages == [f"{names}: lines have 8446 samples and are taken whole"]


def test_crops_of_random_length_have_one_length_in_a_batch_and_lie_in_the_line(lines):
    loader = Loader(crop=None, crops_per_signal=500, shortest_crop=100, batch_size=16)
    sampler = CropSampler(lines, loader, seed=0)
    crops = list(sampler)
    batches = [crops[first : first + 16] for first in range(0, len(crops), 16)]
    assert all(len({crop.samples for crop in batch}) == 1 for batch in batches)
    assert all(0 <= crop.start <= lines.samples - crop.samples for crop in crops)
    lengths = np.array([batch[0].samples for batch in batches])
    assert lengths.min() >= 100
    # log-uniform from 100 to 2 · 8446: ln 2 / ln 169 of the lines are whole, as many up to 200
    for part in (lengths == lines.samples, lengths <= 200):
        assert part.mean() == pytest.approx(np.log(2) / np.log(168.92), abs=0.06)


def test_noise_is_the_same_every_time_and_of_the_given_level(tiny):
    quiet, noisy = RFDataset(tiny / "val.h5"), RFDataset(tiny / "val.h5", Noise(0.32))
    assert np.array_equal(noisy.volts(1), noisy.volts(1))
    assert not np.array_equal(
        noisy.volts(1), RFDataset(tiny / "val.h5", Noise(0.32), seed=1).volts(1)
    )
    # the low-pass keeps about the fraction 5.1/31.25 of white noise power
    difference = (noisy.volts(1) - quiet.volts(1)).std()
    assert 0.5 < difference / (0.32 * 9.65 * np.sqrt(5.1 / 31.25)) < 1.5


def test_a_missing_probe_matters_only_to_noise_that_it_receives(tiny, tmp_path):
    path = tmp_path / "val.h5"
    path.write_bytes((tiny / "val.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["config"] += "\nphysics: {transducer: gone.npz}"
    for noise in (Noise(), Noise(0.1), Noise(snr_db=10)):
        lines = RFDataset(path, noise)
        assert np.array_equal(lines.volts(1), RFDataset(tiny / "val.h5", noise).volts(1))
    with pytest.raises(InputError, match=r"gone\.npz"):
        RFDataset(path, Noise(0.1, colour="receive"))


def test_white_noise_is_the_same_every_time(tiny):
    lines = RFDataset(tiny / "val.h5", Noise(snr_db=10))
    noise = lines.volts(2) - RFDataset(tiny / "val.h5").volts(2)
    assert np.array_equal(lines.volts(2), lines.volts(2))
    assert not np.array_equal(
        lines.volts(2), RFDataset(tiny / "val.h5", Noise(snr_db=10), seed=1).volts(2)
    )
    ratio_db = 10 * np.log10(np.mean(RFDataset(tiny / "val.h5").volts(2) ** 2) / np.mean(noise**2))
    assert abs(ratio_db - 10) < 0.3


@pytest.mark.parametrize("seed", range(4))
def test_no_two_splits_share_noise(tiny, tmp_path, seed):
    """All splits are the same lines here, so that equal lines would mean equal noise."""
    for name in ("train", "val", "test"):
        (tmp_path / f"{name}.h5").write_bytes((tiny / "val.h5").read_bytes())
    data = RFDataModule(tmp_path, Loader(crop=None), noise=Noise(0.1), seed=seed)
    fixed = [open_split(tmp_path, name, Noise(0.1)) for name in ("train", "val", "test")]
    lines = [split.volts(0) for split in (*fixed, data.train)]
    lines += [crop["rf"].squeeze(0).numpy() for crop in training_lines(data, [0], signal=0)]
    assert len({line.tobytes() for line in lines}) == (7 if seed == 0 else 8)  # train has seed 0
    assert np.array_equal(data.val.volts(0), fixed[1].volts(0))  # whatever the seed


def training_lines(data, epochs, signal):
    """The crops of a signal that training sees in some epochs."""
    sampler = data.train_dataloader().sampler
    crops = CropDataset(data.train)
    for epoch in epochs:
        sampler.set_epoch(epoch)
        yield from (crops[crop] for crop in sampler if crop.signal == signal)


def test_training_noise_is_fresh_in_every_draw_and_exact_after_a_resume(tiny):
    noisy = {"noise": Noise(0.1), "seed": 3}
    data = RFDataModule(tiny, Loader(crop=None), **noisy)
    seen = [line["rf"] for line in training_lines(data, [0, 1], signal=2)]
    assert len({rf.numpy().tobytes() for rf in seen}) == len(seen) == 8
    resumed = RFDataModule(tiny, Loader(crop=None, workers=2), **noisy)
    loaders = data.train_dataloader(), resumed.train_dataloader()
    for loader in loaders:
        loader.sampler.set_epoch(1)
    for batch, again in zip(*loaders, strict=True):
        assert torch.equal(batch["rf"], again["rf"])


def test_batches_hold_the_lines_and_their_truth_in_order(tiny):
    split = open_split(tiny, "train", Noise(0.1))
    batches = list(split.batches(3))
    assert [len(batch.rf) for batch in batches] == [3, 3, 2]
    rf, count = (np.concatenate([getattr(b, name) for b in batches]) for name in ("rf", "count"))
    bubbles = [of_line for batch in batches for of_line in batch.bubbles]
    for index in range(8):
        assert np.array_equal(rf[index], split.volts(index))
        assert np.array_equal(count[index], split.count(index))
        for field in BUBBLE_FIELDS:
            stored = getattr(split.bubbles(index), field)
            assert np.array_equal(getattr(bubbles[index], field), stored)
    assert rf.dtype == np.float32
    assert [len(of_line) for of_line in bubbles] == split.bubble_counts.tolist()
    assert (split.samples, split.path) == (8446, tiny / "train.h5")
    assert split.pressure_pa.shape == (8,)


@pytest.mark.parametrize(
    ("arrivals", "counted"),
    [
        ([[], []], [{}, {}]),
        ([[5.0, 5.0, 5.2], [7.0]], [{5: 3}, {7: 1}]),
        ([[8445.0, 8445.49], [-0.4]], [{8445: 2}, {0: 1}]),
        ([[3.0]], [{3: 1}]),
    ],
    ids=["no bubbles", "coincident", "at the ends", "one signal"],
)
def test_unusual_lines_are_counted(tmp_path, arrivals, counted):
    path, samples = tmp_path / "test.h5", 8446
    about = {"scale": PUBLISHED, "seed": 0, "split": "test", "config": "source: imported"}
    with store.create(path, samples=samples, **about) as file:
        for row in map(np.array, arrivals):
            bubbles = Bubbles(*[row.astype(float)] * 4)
            store.append_signal(file, Signal(np.zeros(samples, np.float32), bubbles, 1e5))
    for noise in (Noise(0.1), Noise(snr_db=10)):
        (batch,) = open_split(tmp_path, "test", noise).batches()
        assert np.isfinite(batch.rf).all()
        found = [{int(i): int(row[i]) for i in np.flatnonzero(row)} for row in batch.count]
        assert found == counted


def imported(tiny, folder):
    """A folder with one imported file: the signals of tiny's train split."""
    path = folder / "train.h5"
    path.write_bytes((tiny / "train.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["config"] = "source: imported"
    return folder


def test_a_fifth_is_held_out_where_imported_data_have_no_validation(tiny, tmp_path):
    data = RFDataModule(imported(tiny, tmp_path), Loader(crop=500), seed=3)
    again = RFDataModule(tmp_path, Loader(), seed=4)
    assert data.val.signals == again.val.signals
    assert sorted([*data.train.signals, *data.val.signals]) == list(range(8))
    assert len(data.val) == 2
    drawn = {crop.signal for crop in data.train_dataloader().sampler}
    assert drawn == set(data.train.signals)
    validated = torch.cat([batch["rf"] for batch in data.val_dataloader()])
    lines = RFDataset(tiny / "train.h5")
    held_out = torch.stack([whole(lines, signal)["rf"] for signal in data.val.signals])
    assert torch.equal(validated, held_out)


def test_nothing_is_held_out_beside_a_validation_split(tiny, tmp_path):
    folder = imported(tiny, tmp_path)
    (folder / "val.h5").write_bytes((tiny / "val.h5").read_bytes())
    data = RFDataModule(folder, Loader())
    assert (len(data.train), len(data.val)) == (8, 4)
    assert len(data.train_dataloader().sampler) == 8 * 4


def test_a_missing_validation_split_of_ours_is_named(tiny, tmp_path):
    (tmp_path / "train.h5").write_bytes((tiny / "train.h5").read_bytes())
    with pytest.raises(InputError, match=r"no dataset at .*val.h5"):
        RFDataModule(tmp_path, Loader())


def test_one_imported_signal_is_too_few(tiny, tmp_path):
    path = imported(tiny, tmp_path) / "train.h5"
    with h5py.File(path, "r+") as file:
        bubbles = int(file["bubbles/offset"][1])
        for name in ("rf", "done", "pressure_pa"):
            file[name].resize(1, axis=0)
        file["bubbles/offset"].resize(2, axis=0)
        for field in BUBBLE_FIELDS:
            file[f"bubbles/{field}"].resize(bubbles, axis=0)
    with pytest.raises(InputError, match=r"one signal and no val.h5"):
        RFDataModule(tmp_path, Loader())


def test_bad_values_are_refused_by_name(tiny, tmp_path):
    path = tmp_path / "train.h5"
    path.write_bytes((tiny / "train.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        file["rf"][2, 7] = np.nan
    with pytest.raises(InputError, match="signal 2 has NaN"):
        RFDataset(path).volts(2)
    with h5py.File(path, "r+") as file:
        file["done"][0] = False
    with pytest.raises(InputError, match="incomplete"):
        RFDataset(path)
    with h5py.File(path, "r+") as file:
        file["done"][0] = True
        file["bubbles/arrival_sample"][0] = 8446.0
    with pytest.raises(InputError, match="signal 0 has an arrival outside its 8446 samples"):
        RFDataset(path).count(0)
