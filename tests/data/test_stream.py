import numpy as np
import pytest

from bubbleloc.console.settings.training import Loader
from bubbleloc.data.batches import CropDataset, CropSampler
from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.noise import Noise
from bubbleloc.data.stream import StreamedLines
from bubbleloc.models.runs import open_run
from bubbleloc.physics import simulate_rf
from bubbleloc.physics.scene import BUBBLE_FIELDS
from bubbleloc.training import session
from tests.conftest import changed
from tests.training.test_learner import settings


@pytest.fixture
def stream(tiny_plan):
    return StreamedLines(tiny_plan, epochs=2, workers=1)


def test_the_first_epoch_is_the_training_split_and_no_epoch_repeats(stream, tiny):
    file = RFDataset(tiny / "train.h5")
    stream.begin(0)
    for index in range(8):
        assert np.array_equal(stream.volts(index), file.volts(index))
        assert np.array_equal(stream.count(index), file.count(index))
    stream.begin(1)
    setup = stream.plan.setup()
    expected = simulate_rf(stream.plan.scene("train", 8 + 3, setup), setup)
    assert np.array_equal(stream.volts(3), expected.volts)
    assert np.array_equal(stream.bubbles(3).arrival_sample, expected.arrival_sample)


def test_a_stream_answers_with_its_own_lines_and_needs_no_file(tiny_plan, tmp_path):
    """Not with those of the validation split, which has other bubbles and pressures."""
    plan = changed(tiny_plan, folder=str(tmp_path / "nowhere"))
    stream = StreamedLines(plan, epochs=1, workers=1)
    stream.begin(0)
    file = RFDataset(tiny_plan.path("train"))
    assert (stream.samples, stream.scale, len(stream)) == (file.samples, file.scale, len(file))
    np.testing.assert_array_equal(stream.pressure_pa, file.pressure_pa)
    for index in range(8):
        ours, stored = stream.bubbles(index), file.bubbles(index)
        for field in BUBBLE_FIELDS:
            np.testing.assert_array_equal(getattr(ours, field), getattr(stored, field))
        scene = ours.scene(stream.pressure_pa[index])
        np.testing.assert_array_equal(scene.depth_m, plan.scene("train", index).depth_m)


def test_an_epoch_is_the_same_after_a_resumption_and_for_any_number_of_workers(tiny_plan):
    resumed = StreamedLines(tiny_plan, 2, Noise(0.1), seed=3, workers=2)
    whole = StreamedLines(tiny_plan, 2, Noise(0.1), seed=3, workers=1)
    whole.begin(0)
    loader = Loader(crop=1000, crops_per_signal=2)
    samplers = [CropSampler(lines, loader, seed=3) for lines in (whole, resumed)]
    for sampler in samplers:
        sampler.set_epoch(1)
    lines, again = CropDataset(whole), CropDataset(resumed)
    for crop, same in zip(*samplers, strict=True):
        assert np.array_equal(lines[crop]["rf"], again[same]["rf"])
        assert np.array_equal(lines[crop]["count"], again[same]["count"])


@pytest.mark.parametrize("readers", [0, 1])
def test_a_training_needs_no_training_file(tiny, tmp_path, readers):
    for name in ("val", "test"):
        (tmp_path / f"{name}.h5").write_bytes((tiny / f"{name}.h5").read_bytes())
    small = ["hidden_channels=3", "kernel=15", "trainer.max_epochs=2", f"loader.workers={readers}"]
    streamed = settings(tmp_path, *small, "data=tiny", "data.stream=true", "workers=1")
    session.start(streamed, tmp_path / "run")
    assert not (tmp_path / "train.h5").exists()
    assert open_run(tmp_path / "run").card.thresholds
