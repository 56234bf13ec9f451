"""Memory: what training, evaluating and localizing hold does not grow with the dataset."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest


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
from bubbleloc.models import provenance
from bubbleloc.nn.heads import UNCALIBRATED
from bubbleloc.training import session
provenance.fingerprint = lambda path: "left out, it reads line by line"
session.choose_on = lambda network, split: ({}, UNCALIBRATED)  # left out, it scores every line
def work(folder):
    few = ("+trainer.limit_train_batches=3", "+trainer.limit_val_batches=2")
    session.start(settings(folder, *SMALL, *few, "trainer.max_epochs=1"), folder / "run")
"""

EVALUATE = """
from itertools import islice
from bubbleloc.evaluation.scoring import predict
from bubbleloc.nn import build_model
from bubbleloc.data.dataset import open_split
from bubbleloc.data.noise import Noise
network = build_model("ckcnn", hidden_channels=2, kernel=15)
def work(folder):
    test = open_split(folder, "test", Noise())
    for _ in islice(predict(test, network, 16), 20):
        pass
"""

LOCALIZE = """
from itertools import islice
from bubbleloc.nn.inference import apply
from bubbleloc import formats
from bubbleloc.nn import build_model
network = build_model("ckcnn", hidden_channels=2, kernel=15)
def work(folder):
    for block in islice(formats.read(folder / "train.h5").blocks(16), 20):
        apply(network, block)
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


@pytest.mark.parametrize(
    "code",
    [pytest.param(TRAIN, marks=pytest.mark.slow), EVALUATE, LOCALIZE],
    ids=["train", "evaluate", "localize"],
)
def test_memory_does_not_grow_with_the_dataset(huge, code):
    """A tenth of the dataset's 2.2 GB would be too much already."""
    assert grown_bytes(code, huge) < 220e6
