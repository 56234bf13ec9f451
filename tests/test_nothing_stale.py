"""Nothing stale: every number that depends on a physical fact follows it, in every output.

A run here is a tiny untrained network on hand-made lines; what is read back is what users read:
the card, the tables and texts of a report and a comparison, and the file of localized bubbles.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from bubbleloc.data import store
from bubbleloc.data.generate import ensure_dataset
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.evaluation.comparison import compare_runs
from bubbleloc.evaluation.export import export_run
from bubbleloc.files import write_yaml
from bubbleloc.models import provenance, run_folder, runs
from bubbleloc.physics import Bubbles, Signal
from bubbleloc.training import session
from bubbleloc.units import Scale
from tests.conftest import localize_recording, without_pictures
from tests.training.test_learner import settings

SAMPLES = 1000
NETWORK = ("data=tiny", "model=ckcnn", "hidden_channels=2", "kernel=9", "trainer.max_epochs=1")


@dataclass(frozen=True)
class Facts:
    """Physical facts of a run and its data."""

    rate_hz: float = 62.5e6
    sound_m_s: float = 1480.0
    frequency_hz: float | None = 1.7e6
    noise: float = 0.0

    @property
    def um(self):
        return 1e6 * self.sound_m_s / (2 * self.rate_hz)

    @property
    def wavelengths(self):
        return None if self.frequency_hz is None else self.frequency_hz / (2 * self.rate_hz)


@pytest.fixture(scope="module", autouse=True)
def _no_pictures():
    """Figures take seconds and are tested in tests/report; here only what is written counts."""

    with without_pictures():
        yield


def write_data(folder: Path, facts: Facts, seed: int = 0) -> Path:
    """Write a dataset of four lines per split, imported as it were."""
    config = {"source": "imported", "physics": {"frequency_hz": facts.frequency_hz}}
    for number, split in enumerate(("train", "val", "test")):
        rng = np.random.default_rng((seed, number))
        with store.create(
            folder / f"{split}.h5",
            samples=SAMPLES,
            scale=Scale(facts.rate_hz, facts.sound_m_s, facts.frequency_hz),
            seed=0,
            split=split,
            config=yaml.safe_dump(config),
        ) as file:
            for _ in range(4):
                arrival = np.sort(rng.uniform(20, SAMPLES - 20, 12))
                volts = rng.normal(0, 0.05, SAMPLES)
                volts[np.rint(arrival).astype(int)] += 1
                bubbles = Bubbles(arrival, *np.zeros((3, 12)))
                store.append_signal(file, Signal(volts.astype(np.float32), bubbles, 1e5))
    return folder


def write_weights(run: Path, seed: int) -> None:
    torch.manual_seed(seed)
    network = run_folder.network_of(runs.open_run(run).config)
    state = {f"network.{name}": value for name, value in network.state_dict().items()}
    for name in ("best", "last"):
        path = run / "checkpoints" / f"{name}.ckpt"
        path.parent.mkdir(exist_ok=True)
        torch.save({"state_dict": state, "epoch": 0}, path)


def make_run(folder: Path, facts: Facts, seed: int = 2) -> Path:
    """A run as a training leaves it: configuration, provenance, checkpoints, card."""
    data, run = write_data(folder / "data", facts), folder / "run"
    run.mkdir()
    plain = settings(data, *NETWORK, f"noise={facts.noise}").plain()
    write_yaml(run / run_folder.CONFIG_FILE, plain)
    provenance.write(run, 0, data, "")
    write_weights(run, seed)
    session.write_run_card(run, data)
    return run


class Outputs:
    """Every output of a run, made through the functions that the commands call."""

    def __init__(self, run: Path, tolerance: int = 4) -> None:
        self.run, self.tolerance = run, tolerance
        self.data = Path(runs.open_run(run).config.data.folder)
        self.page = evaluate_run(run, baselines=[]).page.with_suffix(".md").read_text()
        other = Path(shutil.copytree(run, run.with_name("other")))
        compared = run.parent / "compared"
        page = compare_runs([str(run), str(other)], compared, tolerance=tolerance).page
        self.compared = page.with_suffix(".md").read_text()
        shutil.rmtree(other)
        self.card = yaml.safe_load((run / "card.yaml").read_text())
        found = run.parent / "found.csv"
        localize_recording(str(run), self.data / "test.h5", found, tolerance=tolerance)
        self.found = pd.read_csv(found).query("sample > 0")

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.run / "report" / name)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return Outputs(make_run(tmp_path_factory.mktemp("base"), Facts()))


def ratio(table, numerator, denominator):
    """The one ratio of two columns, over all rows that tell it."""
    values = (table[numerator] / table[denominator]).replace([np.inf, -np.inf], np.nan).dropna()
    assert len(values)
    np.testing.assert_allclose(values, values.iloc[0], rtol=1e-5)
    return values.iloc[0]


def said(text, pattern):
    (value,) = set(re.findall(pattern, text))
    return float(value)


# output → (what it says, what it should be by the facts, how exactly)
IN_DEPTH = {
    "summary.csv µm": (
        lambda o: ratio(o.table("summary.csv"), "um", "tolerance"), lambda f: f.um, 1e-6),
    "matched.csv RMSE µm": (
        lambda o: ratio(o.table("matched.csv"), "rmse_um", "rmse_samples"), lambda f: f.um, 1e-5),
    "matched_test.csv bias µm": (
        lambda o: ratio(o.table("matched_test.csv"), "bias_um", "bias_samples"),
        lambda f: f.um, 1e-5),
    "rates_depth.csv mm": (
        lambda o: o.table("figures/rates_depth.csv")["high"].max() / deepest(o),
        lambda f: 1e-3 * f.um, 1e-6),
    "report.md µm": (
        lambda o: said(o.page, r"±4 samples \((\d+) µm"), lambda f: round(4 * f.um), 1e-9),
    "comparison.md µm": (
        lambda o: said(o.compared, r"±4 samples \((\d+) µm"), lambda f: round(4 * f.um), 1e-9),
    "localized depth mm": (
        lambda o: ratio(o.found, "depth_mm", "sample"), lambda f: 1e-3 * f.um, 1e-5),
    "localized time µs": (
        lambda o: ratio(o.found, "time_us", "sample"), lambda f: 1e6 / f.rate_hz, 1e-5),
    "card rate": (lambda o: o.card["sampling_rate_hz"], lambda f: f.rate_hz, 0),
    "card speed of sound": (lambda o: o.card["speed_of_sound_m_s"], lambda f: f.sound_m_s, 0),
}  # fmt: skip
IN_WAVELENGTHS = {
    "summary.csv λ": (
        lambda o: ratio(o.table("summary.csv"), "wavelengths", "tolerance"), 1e-6),
    "matched.csv RMSE λ": (
        lambda o: ratio(o.table("matched.csv"), "rmse_wavelengths", "rmse_samples"), 1e-5),
    "report.md λ": (lambda o: said(o.page, r"µm, ([\d.]+) λ\)") / 4, 1e-2),
}  # fmt: skip


def deepest(outputs):
    """Sample of the last bubble or false detection, at which the depth axis ends."""
    with h5py.File(outputs.data / "test.h5") as file:
        last = file["bubbles/arrival_sample"][:].max()
    threshold = outputs.table("matched.csv").set_index("tolerance").loc[4, "threshold"]
    found = outputs.run.parent / "all.csv"
    localize_recording(str(outputs.run), outputs.data / "test.h5", found, threshold=threshold)
    return max(last, pd.read_csv(found)["sample"].max())


@pytest.mark.parametrize(
    "facts",
    [
        Facts(rate_hz=50e6),
        Facts(sound_m_s=1540.0),
        Facts(frequency_hz=3e6),
        Facts(frequency_hz=None),
    ],
    ids=["sampling rate", "speed of sound", "frequency", "frequency unknown"],
)
def test_depths_times_and_wavelengths_follow(tmp_path, facts):
    outputs = Outputs(make_run(tmp_path, facts))
    for name, (read, expected, rtol) in IN_DEPTH.items():
        assert read(outputs) == pytest.approx(expected(facts), rel=rtol), name
    assert outputs.card["frequency_hz"] == facts.frequency_hz
    if facts.frequency_hz is not None:
        for name, (read, rtol) in IN_WAVELENGTHS.items():
            assert read(outputs) == pytest.approx(facts.wavelengths, rel=rtol), name
        return
    tables = [outputs.table(name) for name in ("summary.csv", "matched.csv", "matched_test.csv")]
    assert not [name for table in tables for name in table if "wavelengths" in name]
    assert "λ" not in outputs.page
    assert not (outputs.run / "report/figures/rates_density.csv").exists()


def test_other_noise_is_in_card_report_and_scores(base, tmp_path):
    outputs = Outputs(make_run(tmp_path, Facts(noise=0.1)))
    assert outputs.card["noise"]["level"] == 0.1
    assert "| noise | 0.1 (standard deviation 0.965 V) |" in outputs.page
    assert not outputs.table("f1_test.csv").equals(base.table("f1_test.csv"))
    with pytest.raises(InputError, match="different test data"):
        compare_runs([str(outputs.run), str(base.run)], tmp_path / "mixed")


@pytest.mark.parametrize("tolerance", [1, 9])
def test_another_tolerance_has_its_own_threshold_and_words(base, tmp_path, tolerance):
    thresholds = base.table("matched.csv").set_index("tolerance")["threshold"]
    assert base.card["checkpoints"]["best"]["thresholds"] == pytest.approx(dict(thresholds))
    target = tmp_path / "found.csv"
    test = base.data / "test.h5"
    found = localize_recording(str(base.run), test, target, tolerance=tolerance)
    assert found.threshold == pytest.approx(thresholds[tolerance])
    other = shutil.copytree(base.run, tmp_path / "other")
    page = compare_runs([str(base.run), str(other)], tmp_path / "out", tolerance=tolerance).page
    um = round(tolerance * Facts().um)
    assert f"±{tolerance} samples ({um} µm)" in page.with_suffix(".md").read_text()


@pytest.fixture
def own(base, tmp_path):
    """A copy of the evaluated run, to change."""
    return Path(shutil.copytree(base.run, tmp_path / "run"))


USES = {
    "compare": lambda run, other, to: compare_runs([str(run), str(other)], to / "compared"),
    "export": lambda run, other, to: export_run(runs.open_run(run), to / "network.safetensors"),
    "localize": lambda run, other, to: localize_recording(
        str(run), Path(runs.open_run(run).config.data.folder) / "test.h5", to / "found.csv"
    ),
}


@pytest.mark.parametrize(
    ("use", "refusal"),
    [
        ("compare", "describes an earlier checkpoint .*evaluate=true"),
        ("export", "of another checkpoint; run bubbleloc evaluate"),
        ("localize", "no threshold .*chosen for this checkpoint: give threshold="),
    ],
)
def test_nothing_of_an_earlier_checkpoint_is_used(base, own, tmp_path, use, refusal):
    USES[use](own, base.run, tmp_path)  # as it was evaluated
    write_weights(own, seed=3)
    with pytest.raises(InputError, match=refusal):
        USES[use](own, base.run, tmp_path)


def test_a_new_checkpoint_is_scored_anew(base, own, tmp_path):
    write_weights(own, seed=3)
    compare_runs([str(own), str(base.run)], tmp_path / "compared", evaluate=True)
    session.write_run_card(own, base.data)
    after = pd.read_csv(own / "report/f1_test.csv")
    assert not after.equals(base.table("f1_test.csv"))
    scores = pd.read_csv(tmp_path / "compared/scores.csv")
    mine = scores.loc[scores["run"] == scores["run"].iloc[0], "f1"].to_numpy()
    np.testing.assert_array_equal(mine, after["f1"])
    for use in USES:
        USES[use](own, base.run, tmp_path)


@pytest.mark.parametrize("facts", [Facts(rate_hz=50e6), Facts(sound_m_s=1540.0), Facts()])
def test_a_report_on_other_data_leaves_the_run_as_it_was(base, own, tmp_path, facts):
    other = write_data(tmp_path / "other", facts, seed=3)
    before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    page = evaluate_run(own, folder=other, baselines=[], resample=True).page
    assert page == own / "report-other/report.html"
    assert f"±4 samples ({4 * facts.um:.0f} µm" in page.with_suffix(".md").read_text()
    assert all(path.read_bytes() == content for path, content in before.items())
    target = tmp_path / "found.csv"
    localize_recording(str(own), base.data / "test.h5", target, tolerance=4)
    assert target.read_bytes() == (base.run.parent / "found.csv").read_bytes()


def test_the_runs_own_data_may_not_change_below_it(tmp_path):
    run = make_run(tmp_path, Facts())
    evaluate_run(run, baselines=[])
    with h5py.File(tmp_path / "data/test.h5", "r+") as file:
        file.attrs["sampling_rate_hz"] = 50e6
    with pytest.raises(InputError, match=r"is not the data that .* was trained beside"):
        evaluate_run(run, baselines=[])


def test_the_waveform_of_the_lines_is_on_the_card_and_gives_wavelengths(tmp_path):
    few = [f"data.signals.{split}=2" for split in ("train", "val", "test")]
    config = settings(tmp_path / "data", *NETWORK, *few, "data.waveform=s2.5", "workers=1")
    ensure_dataset(DatasetPlan(config.data), workers=1)
    session.start(config, tmp_path / "run")
    outputs = Outputs(tmp_path / "run")
    assert outputs.card["waveform"] == "s2.5"
    assert outputs.card["frequency_hz"] == 2.5e6
    wavelengths = outputs.table("summary.csv").set_index("tolerance")["wavelengths"]
    assert wavelengths[4] == pytest.approx(4 * 2.5e6 / (2 * 62.5e6))
