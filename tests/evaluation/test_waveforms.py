"""A sweep over waveforms ends with one report, and goes on where it was cut."""

import pandas as pd
import pytest

from tests.conftest import run

pytestmark = pytest.mark.slow  # two trainings, ten evaluations

SWEEP = [
    "experiment=waveforms",
    "data.waveform=ref,luc",
    "compression=false",
    "data.signals={train: 4, val: 2, test: 2}",
    "data.count=[10,40]",
    "hidden_channels=2",
    "trainer.max_epochs=1",
]


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    trained = run(folder, "train", *SWEEP)
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.strip().splitlines()[-1] == (
        "report: outputs/waveforms/study/waveforms.html"
    )
    return folder / "outputs/waveforms"


def test_every_waveform_is_scored_at_every_level_on_the_same_scenes(studied):
    scores = pd.read_csv(studied / "study/scores.csv")
    assert set(scores["run"]) == {"ref", "luc"}
    assert set(scores["noise"]) == {0, 0.04, 0.16, 0.64, 2.56}
    assert (scores.groupby(["noise", "tolerance", "signal"])["bubbles"].nunique() == 1).all()
    assert (studied.parents[1] / "data/waveforms-luc/test.h5").is_file()


def test_the_same_command_goes_on(studied):
    kept = studied / "ref-compression_False-seed0/checkpoints/last.ckpt"
    (studied / "luc-compression_False-seed0/report/report.json").unlink()
    before, written = (studied / "study/scores.csv").read_bytes(), kept.stat().st_mtime
    again = run(studied.parents[1], "train", *SWEEP)
    assert again.returncode == 0, again.stderr
    assert kept.stat().st_mtime == written
    assert (studied / "study/scores.csv").read_bytes() == before
