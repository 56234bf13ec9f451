"""A network of any probe on held-out setups: the lines, and what scores of known answers are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bubbleloc.console.settings import Evaluate
from bubbleloc.errors import InputError
from bubbleloc.evaluation import probes
from bubbleloc.evaluation.held_out import NOISE, SETUPS, of_edges, simulate_lines
from bubbleloc.evaluation.probes import evaluate_probes
from bubbleloc.metrics.detections import Detections
from bubbleloc.models.runs import open_run
from bubbleloc.physics import warnings_of
from bubbleloc.physics.probe import GRID_HZ
from bubbleloc.report.probes import FULL, GUESSES, PULSE, WIENER

L11 = "L11-5v"


def test_the_setups_span_what_users_have() -> None:
    assert len(SETUPS) >= 12
    frequency_mhz = [1e-6 * held.frequency_hz for held in SETUPS.values()]
    assert (min(frequency_mhz), max(frequency_mhz)) == (1.7, 9)
    assert {held.cycles for held in SETUPS.values()} == {1, 1.5, 2, 3}
    rates = [rate for held in SETUPS.values() for rate in held.rates]
    assert (min(rates), max(rates)) == (4, 37)
    for held in SETUPS.values():
        assert warnings_of(held.setup(held.rates[0])) == []


def test_edges_of_a_band_are_3_db_down_one_way() -> None:
    probe = of_edges(4e6, 7e6)
    for response in (probe.transmit, probe.receive):
        level = np.abs(response(GRID_HZ))
        edges = np.interp([4e6, 7e6], GRID_HZ, level) / level.max()
        np.testing.assert_allclose(edges, np.sqrt(0.5), rtol=1e-3)


def test_lines_of_other_rates_hold_the_same_bubbles_and_noise_is_a_part_of_them() -> None:
    coarse, fine = (simulate_lines(L11, rate, "sparse", 3) for rate in (4, 37))
    for a, b in zip(coarse.arrival_sample, fine.arrival_sample, strict=True):
        np.testing.assert_allclose(b / 37, a / 4)
    before = coarse.volts[:, :15].std(axis=1)  # before the first echo, at 4.25 wavelengths
    level = np.sqrt(np.square(coarse.volts).mean(axis=1))
    np.testing.assert_allclose(before / level, NOISE, rtol=0.6)


@pytest.mark.parametrize(("off", "f1"), [(0.99, 1.0), (1.01, 0.0)])
def test_bubbles_count_within_an_eighteenth_of_a_wavelength(
    monkeypatch: pytest.MonkeyPatch, off: float, f1: float
) -> None:
    """Told pulse and radius, every bubble is found, but off by part of λ/18 of the echo."""

    def find(volts: np.ndarray, rate_hz: float, told: object) -> list[Detections]:
        shift = off * rate_hz / told.centre_hz / 9  # there and back
        found = {len(simulated.volts): simulated for simulated in (one, empty)}[len(volts)]
        places = [true + shift for true in found.arrival_sample]
        return [Detections(place, np.ones(len(place))) for place in places]

    one, empty = simulate_lines(L11, 6, "sparse", 1), simulate_lines(L11, 6, "empty", 16)
    monkeypatch.setattr(probes, "COUNTS", {"sparse": (1, 30)})
    monkeypatch.setattr(probes, "EMPTY", 16)
    monkeypatch.setattr(probes, "simulate_lines", lambda *args: one if "sparse" in args else empty)
    (row,) = probes._scored(L11, 6, find, 1)
    assert row["told"] == FULL
    assert row["f1"] == f1
    assert row["false in empty lines"] == 0


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_setup_stands_in_the_report(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bubbleloc.models.card.Card.wants_standard_lines", True)
    run, setups = "bubbleloc:small", ("P4-1", L11)
    page = evaluate_probes(open_run(run), Evaluate(run=run), setups, lines=2)
    table = pd.read_csv(page.parent / "probes.csv")
    assert len(table) == 2 * (2 * 9 + 4)  # kinds × (tellings of both, and the other rates of one)
    assert set(table["setup"]) == set(setups)
    assert table["f1"].between(0, 1).all()
    first = table[table["lines"] == "sparse"].groupby("told")["f1"].mean()
    assert first[WIENER] > first[GUESSES] + 0.3
    of_p4_1 = table[table["setup"] == "P4-1"].set_index(["lines", "told"])["f1"]
    assert of_p4_1["dense", FULL] == of_p4_1["dense", PULSE]  # its bubbles are the usual ones
    assert {path.stem for path in (page.parent / "figures").iterdir()} == {"probes", "probes_rates"}
    with pytest.raises(InputError, match=r"noise=0.1: the conditions decide it"):
        evaluate_probes(open_run(run), Evaluate(run=run, noise=0.1))


def test_a_network_of_one_pulse_is_refused(place: Path) -> None:
    with pytest.raises(InputError, match="conditions=probes: bubbleloc:small knows the pulse"):
        evaluate_probes(open_run("bubbleloc:small"), Evaluate(run="bubbleloc:small"))
