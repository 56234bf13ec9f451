"""A network of standard lines is told the pulse: by Python, settings or the file, or nobody."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from bubbleloc import localize_lines
from bubbleloc.arrays import Float32s
from bubbleloc.console.settings import Image, Localize, check
from bubbleloc.console.settings.physics import UNIVERSAL
from bubbleloc.errors import InputError
from bubbleloc.evaluation.run import at_rate_of
from bubbleloc.formats import recording_of_array
from bubbleloc.imaging.run import image_array
from bubbleloc.localization.output import key_of
from bubbleloc.localization.pulse import pulse_of
from bubbleloc.models.runs import ReleasedRun
from bubbleloc.nn import Localizer
from bubbleloc.physics import Scene, Setup, gaussian, simulate_rf
from tests.conftest import localize_recording

pytestmark = pytest.mark.filterwarnings("ignore:the network does not tell how")
RUN, LEVEL = "bubbleloc:robust-small", 0.3
DEPTHS = 5 + 6 * np.arange(4)  # in wavelengths, and up to 3 more


@pytest.fixture(autouse=True)
def of_standard_lines(monkeypatch):
    """A network that wants standard lines, and returns them: bubbles are their peaks."""
    card = replace(ReleasedRun(RUN).card, waveform=UNIVERSAL, likeness=None)
    plain = {name: ReleasedRun(f"bubbleloc:{name}").card for name in ("small", "robust")}
    cards = property(lambda run: plain.get(run.released_name, card))
    monkeypatch.setattr(ReleasedRun, "card", cards)
    read_out = torch.nn.Conv1d(1, 1, 1, bias=False)
    torch.nn.init.ones_(read_out.weight)
    network = Localizer([read_out], input_scaling="rms")
    monkeypatch.setattr("bubbleloc.models.runs.Run.network", network)


def setup_of(center_hz: float, per_wavelength: float) -> Setup:
    """One cycle of a Gaussian probe, 30 wavelengths deep."""
    return Setup(
        transducer=gaussian(center_hz, 0.8),
        sampling_rate_hz=per_wavelength * center_hz,
        depth_m=30 * 1480 / center_hz,
    )


def simulated(setup: Setup, count: int = 4, every: int = 1) -> tuple[Float32s, list[np.ndarray]]:
    """Lines (count, L) of four bubbles each, or every second, and their depths in mm."""
    lines, depths = [], []
    for number in range(count):
        late = np.random.default_rng(number).uniform(0, 3, 4)
        depth_m = ((DEPTHS + late) * 1480 / setup.carrier_hz)[::every]
        none = 0 * depth_m
        scene = Scene(depth_m, none, none + 1.2e-6, 50e3)
        lines.append(simulate_rf(scene, setup).volts)
        depths.append(1e3 * depth_m)
    return np.stack(lines), depths


def missed(table: pd.DataFrame, depths_mm: list[np.ndarray], setup: Setup) -> float:
    """The share of bubbles that are not among the strongest peaks, within λ/18."""
    table = table.assign(strength=table["height"] * table["depth_mm"])  # as echoes fade
    reach_mm = 1e3 * 1480 / setup.carrier_hz / 18
    best = [
        of_line.nlargest(len(depths_mm[0]), "strength")["depth_mm"].to_numpy()
        for _, of_line in table.groupby("line")
    ]
    far = [
        np.abs(np.subtract.outer(true, found)).min(axis=1) > reach_mm
        for true, found in zip(depths_mm, best, strict=True)
    ]
    return float(np.mean(far))


@pytest.mark.parametrize(
    ("center_hz", "per_wavelength"), [(2.5e6, 25), (2.5e6, 9.3), (6e6, 4), (6e6, 37)]
)
def test_depths_are_right_at_any_rate_of_any_probe(center_hz, per_wavelength):
    setup = setup_of(center_hz, per_wavelength)
    lines, depths_mm = simulated(setup)
    told = {"setup": setup, "radius_m": 1.2e-6, "pressure_pa": 50e3}
    table = localize_lines(lines, setup.sampling_rate_hz, RUN, threshold=LEVEL, **told)
    assert missed(table, depths_mm, setup) == 0
    alone = localize_lines(lines[1], setup.sampling_rate_hz, RUN, threshold=LEVEL, **told)
    of_all = table[table["line"] == 1]
    np.testing.assert_allclose(alone["sample"], of_all["sample"], atol=1e-2)


def test_the_command_finds_what_python_does(tmp_path):
    setup = setup_of(5e6, 8)
    lines, _ = simulated(setup)
    np.save(tmp_path / "rf.npy", lines)
    rate = {"sampling_rate_hz": setup.sampling_rate_hz, "threshold": LEVEL}
    probe = {"transducer": "gaussian", "center_hz": 5e6, "fractional_bandwidth": 0.8}
    done = localize_recording(
        RUN, tmp_path / "rf.npy", tmp_path / "b.csv", **probe, radius_um=1.2, **rate
    )
    assert done.why == ("pulse: told by transducer=gaussian, 1 cycle at 5 MHz, bubbles of 1.2 µm")
    setup = Setup(transducer=gaussian(5e6, 0.8))
    table = localize_lines(lines, model=RUN, setup=setup, radius_m=1.2e-6, **rate)
    written = pd.read_csv(tmp_path / "b.csv")
    np.testing.assert_allclose(written["depth_mm"], table["depth_mm"], rtol=1e-5)
    assert done.doubts == [doubt for doubt in done.doubts if "does not tell" in doubt]


def test_detections_of_another_pulse_are_not_taken_for_those_of_this_one(tmp_path):
    """The file of the probe changes, its name does not."""
    recording = recording_of_array("a", simulated(setup_of(5e6, 8))[0])
    keys = []
    for width in (0.8, 0.6, 0.8):
        (tmp_path / "probe.yaml").write_text(f"center_hz: 5e6\nfractional_bandwidth: {width}")
        settings = check(
            Localize,
            {"input": "a", "sampling_rate_hz": 4e7, "transducer": str(tmp_path / "probe.yaml")},
        )
        recording = replace(recording, sampling_rate_hz=4e7)
        told = pulse_of(recording, settings).told
        keys.append(key_of(tmp_path, ReleasedRun(RUN).card, settings, told))
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]


@pytest.mark.filterwarnings("ignore:lines shorter than")
def test_the_network_is_the_one_that_fits(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("bubbleloc.localization.choice.ANY_PULSE", RUN)
    setup = setup_of(5e6, 12)
    np.save(tmp_path / "5 MHz.npy", simulated(setup, count=8, every=2)[0])

    def why(path, **settings):
        done = localize_recording("auto", path, tmp_path / "b.csv", threshold=LEVEL, **settings)
        return done.why

    assert why(tiny / "test.h5") == (
        "network: bubbleloc:robust, which was trained on lines like these"
    )
    told = why(tiny / "test.h5", transducer="p4-1", radius_um=2.4)
    assert told.startswith(f"network: {RUN}, since it is told the pulse; pulse: told by transducer")
    rate = {"sampling_rate_hz": setup.sampling_rate_hz}
    assert why(tmp_path / "5 MHz.npy", **rate) == (
        f"network: {RUN}, since bubbleloc:robust knows other rates or frequencies; "
        "pulse: heard in 16 echoes of lone bubbles"
    )


def test_commands_that_cannot_tell_the_pulse_refuse_its_network(tiny):
    run = ReleasedRun(RUN)
    for attempt in (
        lambda: image_array(check(Image, {"run": RUN})),
        lambda: at_rate_of(tiny, run, False),
    ):
        with pytest.raises(InputError, match=f"run={RUN} has to be told the pulse"):
            attempt()


@pytest.mark.parametrize("factor", [0.7, 1.3])
@pytest.mark.parametrize("per_wavelength", [4, 9])
def test_a_pulse_of_another_frequency_is_doubted(factor, per_wavelength):
    setup = setup_of(5e6, per_wavelength)
    lines, _ = simulated(setup)
    rate = {"sampling_rate_hz": setup.sampling_rate_hz, "threshold": LEVEL, "model": RUN}
    with warnings.catch_warnings(action="error", category=UserWarning):
        warnings.filterwarnings("ignore", "the network does not tell how")
        localize_lines(lines, setup=setup, **rate)
    other = Setup(transducer=gaussian(factor * 5e6, 0.8))
    with pytest.warns(UserWarning, match=r"the pulse that is told has echoes around .* MHz"):
        localize_lines(lines, setup=other, **rate)


def test_an_unknown_pulse_is_heard_in_sparse_lines_and_guessed_in_few(tmp_path):
    setup = setup_of(5e6, 12)
    lines, depths_mm = simulated(setup, count=8, every=2)
    with pytest.warns(UserWarning, match="nothing tells the pulse: its phase and time 0 are guess"):
        localize_lines(lines[:2], setup.sampling_rate_hz, RUN, threshold=LEVEL)
    np.save(tmp_path / "rf.npy", lines)
    rate = {"sampling_rate_hz": setup.sampling_rate_hz, "threshold": LEVEL}
    done = localize_recording(RUN, tmp_path / "rf.npy", tmp_path / "b.csv", **rate)
    assert done.why == "pulse: heard in 16 echoes of lone bubbles"
    assert any("may be off by the same fraction of a wavelength" in text for text in done.doubts)
    table = pd.read_csv(tmp_path / "b.csv").assign(line=lambda found: found["element"])
    first = table[table["line"] == 0].nlargest(1, "height")["depth_mm"].item()
    late_mm = first - depths_mm[0][0]
    assert abs(late_mm) < 1e3 * 1480 / 5e6 / 4
    assert missed(table.assign(depth_mm=table["depth_mm"] - late_mm), depths_mm, setup) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"waveform": "s2.5"}, "nothing tells the probe"),
        ({"setup": Setup(), "cycles": 2}, "setup= tells the pulse: leave out transducer="),
        ({"model": "small", "setup": Setup()}, "setup=: bubbleloc:small knows the pulse of its"),
        ({"model": "small", "radius_um": 1.5}, "radius_um=: bubbleloc:small knows the pulse of"),
        ({"transducer": "gaussian"}, "give center_hz and fractional_bandwidth"),
        ({"calibrate": 20.0}, "calibrate= needs to know the pulse"),
    ],
)
def test_pulses_that_cannot_be_told_are_refused(settings, message):
    lines = simulated(setup_of(5e6, 8))[0]
    with pytest.raises(InputError, match=message):
        localize_lines(lines, 4e7, **({"model": RUN, "threshold": 0.3} | settings))
