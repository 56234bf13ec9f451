"""Memory: what training, evaluating and localizing hold does not grow with the dataset."""

import gc
import shutil
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from bubbleloc.data.noise import Noise
from bubbleloc.evaluation.run import evaluate_at
from bubbleloc.metrics import MeanSweep, best_thresholds, scores_at, tolerance_sweep
from bubbleloc.metrics.statistics import summarize
from bubbleloc.nn import build_model
from bubbleloc.physics import Setup
from bubbleloc.report import Evaluation, content
from bubbleloc.report.sections import report_document
from bubbleloc.report.tables import write_long_csv


@pytest.fixture(scope="module")
def huge(tiny, tmp_path_factory):
    """A dataset of 64,000 lines, 2.2 GB, whose file holds only the last one."""
    folder = tmp_path_factory.mktemp("huge")
    signals, samples = 64_000, 8446
    with h5py.File(tiny / "train.h5") as source, h5py.File(folder / "train.h5", "w") as file:
        file.attrs.update(source.attrs)
        file.attrs["config"] = "source: imported"
        file.create_dataset("rf", (signals, samples), np.float32, chunks=(1, samples))
        file["rf"][-1] = source["rf"][0]
        file["pressure_pa"] = np.full(signals, 1e5)
        file["done"] = np.ones(signals, dtype=bool)
        file["bubbles/offset"] = np.arange(signals + 1)
        for field in ("arrival_sample", "depth_m", "lateral_m", "radius_m"):
            file[f"bubbles/{field}"] = np.full(signals, 1e-3)
        file["bubbles/arrival_sample"][:] = 4000.0
    for split in ("val", "test"):
        (folder / f"{split}.h5").symlink_to(folder / "train.h5")
    return folder


# not ru_maxrss, which a process inherits from the one that starts it
PEAK = """
import re, sys
from pathlib import Path
def peak_kb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
{code}
before = peak_kb()
work(*map(Path, sys.argv[1:]))
print(peak_kb() - before)
"""

TRAIN = """
from tests.training.test_learner import SMALL, settings
from bubbleloc.training import provenance, session
provenance.fingerprint = lambda path: "left out, it reads line by line"
def work(folder):
    few = ("+trainer.limit_train_batches=3", "+trainer.limit_val_batches=2")
    session.fit(settings(folder, *SMALL, *few, "trainer.max_epochs=1"), folder / "run")
"""

EVALUATE = """
from itertools import islice
from bubbleloc.evaluation.scoring import predict
from bubbleloc.nn import build_model
from bubbleloc.physics import Setup
from bubbleloc.data.splits import open_split
from bubbleloc.data.noise import Noise
network = build_model("ckcnn", hidden_channels=2, kernel=15)
def work(folder):
    test = open_split(folder, "test", Noise())
    for _ in islice(predict(network, test, 16), 20):
        pass
"""

LOCALIZE = """
from itertools import islice
from bubbleloc.nn.inference import apply
from bubbleloc.formats import open_lines
from bubbleloc.nn import build_model
from bubbleloc.physics import Setup
network = build_model("ckcnn", hidden_channels=2, kernel=15)
def work(folder):
    for block in islice(open_lines(folder / "train.h5").blocks(16), 20):
        apply(network, block)
"""


EVALUATE_RUN = """
from bubbleloc.evaluation import evaluate_run
def work(run, folder):
    evaluate_run(run, folder=folder, noise=[0, 0.1], baselines=["matched_filter"])
"""


def grown_bytes(code, *paths):
    """How far the memory of a process grows while it does the `work` defined in `code`."""
    if not Path("/proc/self/status").exists():
        pytest.skip("no system that says so")
    done = subprocess.run(
        [sys.executable, "-c", PEAK.format(code=code), *map(str, paths)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return 1024 * int(done.stdout.split()[-1])


@pytest.mark.parametrize("code", [TRAIN, EVALUATE, LOCALIZE], ids=["train", "evaluate", "localize"])
def test_memory_does_not_grow_with_the_dataset(huge, code):
    """A tenth of the dataset's 2.2 GB would be too much already."""
    assert grown_bytes(code, huge) < 220e6


# A test signal of 8446 samples is 34 kB, its scores at every tolerance and threshold are 6 kB. Of
# these 8 bytes × 10 tolerances × (F1, precision, recall, F1 of random output and of each classical
# method) are kept, 0.5 kB with two; bubbles, pressure and the like add 50 bytes. Drawing takes 1 kB
# while it lasts, 1.4 kB if no garbage is collected.
KEPT_BYTES = 1000
DRAWN_BYTES = 2000


def short_lines(folder, signals, samples=128, bubbles=4):
    """A dataset of lines too short to fill the memory, so that only what is kept of them counts."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    with h5py.File(folder / "test.h5", "w") as file:
        file.attrs.update(schema_version=1, sampling_rate_hz=62.5e6, speed_of_sound_m_s=1480.0)
        file.attrs["config"] = "source: imported"
        file["rf"] = rng.standard_normal((signals, samples), dtype=np.float32)
        file["pressure_pa"] = rng.uniform(5e3, 250e3, signals)
        file["done"] = np.ones(signals, dtype=bool)
        file["bubbles/offset"] = np.arange(0, bubbles * signals + 1, bubbles)
        for field in ("arrival_sample", "depth_m", "lateral_m", "radius_m"):
            file[f"bubbles/{field}"] = rng.uniform(0, samples - 1, bubbles * signals)
    for split in ("train", "val"):
        (folder / f"{split}.h5").symlink_to(folder / "test.h5")
    return folder


def peak_bytes(work):
    """What `work` allocates at most; garbage counts, so that it counts alike every time."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.enable()


def test_scoring_does_not_keep_what_it_scores(tmp_path):
    network = build_model("ckcnn", hidden_channels=2, kernel=15)
    evaluate = partial(evaluate_at, Noise(), network=network, baselines=["matched_filter"])

    def peak(signals):
        folder = short_lines(tmp_path / str(signals), signals)
        return peak_bytes(partial(evaluate, folder=folder))

    peak(10)  # what is loaded once
    few, many = peak(100), peak(400)
    assert (many - few) / 300 < KEPT_BYTES


def scored(signals):
    """An evaluation of so many signals, out of thin air."""
    rng = np.random.default_rng(0)
    z, count = rng.random((2, 50)), rng.random((2, 50)) < 0.1
    sweep = tolerance_sweep(z, count)
    chosen = best_thresholds(sweep)
    few = scores_at(sweep, chosen)
    f1 = rng.beta(5, 2, (signals, 10))
    return Evaluation(
        selection=MeanSweep.of([sweep]),
        selection_split="val",
        test=replace(few, f1=f1, precision=f1, recall=f1),
        random_f1=f1 / 2,
        baselines={"wiener": f1 / 3, "matched_filter": f1 / 4},
        bubbles=rng.integers(10, 1000, signals),
        pressure_pa=rng.uniform(5e3, 250e3, signals),
        test_fingerprint="thin air",
        facts={},
        scale=Setup().scale,
    )


def test_noise_levels_are_not_kept(monkeypatch):
    monkeypatch.setattr(content, "summarize", partial(summarize, resamples=20))  # soon done

    def peak(levels):
        evaluations = ((float(level), scored(1000)) for level in range(levels))
        return peak_bytes(partial(content.noise_curve, evaluations))

    peak(1)
    few, many = peak(2), peak(8)
    assert (many - few) / (6 * 1000) < 100


def test_tables_and_figures_are_made_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "summarize", partial(summarize, resamples=20))  # soon done

    def work(evaluation):
        write_long_csv(content.score_tables(evaluation), tmp_path / "f1_test.csv")
        report_document(evaluation, content.summary_table(evaluation), [], 4)

    def peak(signals):
        return peak_bytes(partial(work, scored(signals)))

    peak(10)
    few, many = peak(500), peak(2500)
    assert (many - few) / 2000 < DRAWN_BYTES


@pytest.mark.slow
def test_a_whole_evaluation_does_not_grow_with_the_signals(workplace, tmp_path):
    """What Python does not see counts here: HDF5, the network, pictures."""
    run = shutil.copytree(workplace / "outputs/a", tmp_path / "run")

    def grown(signals):
        folder = short_lines(tmp_path / str(signals), signals, samples=512)
        return grown_bytes(EVALUATE_RUN, run, folder)

    few, many = grown(1000), grown(5000)
    assert (many - few) / 4000 < KEPT_BYTES + DRAWN_BYTES
