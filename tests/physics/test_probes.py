"""Probes by name, against the bands that data sheets state of their echoes."""

from pathlib import Path

import numpy as np
import pytest

from bubbleloc.console.settings.probes import P4_1 as MEASURED
from bubbleloc.console.settings.probes import PROBES, markdown
from bubbleloc.errors import InputError
from bubbleloc.physics import P4_1, Setup, warnings_of
from bubbleloc.physics.probe import GRID_HZ, named
from tests.conftest import planned
from tests.physics.reference import loaded

DOCS = Path(__file__).resolve().parents[2] / "docs"
# Edges of the band of echoes at −6 dB, MHz, as Verasonics' Trans.Bandwidth states them.
EDGES = {
    "p4-2v": (1.71, 3.73),
    "c5-2v": (2.15, 4.99),
    "l7-4": (4, 7),
    "l11-4v": (3.85, 10.63),
    "l11-5v": (4.68, 10.52),
    "l12-5-38mm": (5, 11),
    "l22-8v": (8, 21.5),
}


@pytest.mark.parametrize("name", EDGES)
def test_echoes_have_the_stated_band(name: str) -> None:
    probe = named(name)
    echo = np.abs(probe.transmit(GRID_HZ) * probe.receive(GRID_HZ))
    within = 1e-6 * GRID_HZ[echo >= echo.max() / 2]
    np.testing.assert_allclose((within[0], within[-1]), EDGES[name], atol=0.06)


def test_every_probe_suits_the_usual_lines() -> None:
    for name, probe in PROBES.items():
        setup = Setup(transducer=name)
        assert warnings_of(setup) == []
        assert setup.carrier_hz == setup.probe.center_hz == probe.center_hz
        assert setup.probe.aperture_m == pytest.approx(probe.elements * probe.pitch_m)
    (line,) = warnings_of(Setup(transducer="l11-4v", sampling_rate_hz=20e6))
    assert line.endswith("give a sampling_rate_hz above 24.1 MHz")


def test_names_are_read_as_users_write_them(tmp_path: Path) -> None:
    assert Setup(transducer="P4-1").probe is named(MEASURED) is P4_1
    assert Setup(transducer="GE9LD") == Setup(transducer="ge9l-d") != Setup(transducer="l7-4")
    assert loaded({"transducer": "L12-5 38mm"}).probe.aperture_m == pytest.approx(0.038, abs=1e-4)
    plan = planned(tmp_path, "data.physics.transducer=L11-4V")
    assert plan.physics["transducer"] == "l11-4v"
    assert plan.input_files() == {}
    assert plan.setup() == Setup(transducer="l11-4v")
    with pytest.raises(
        InputError, match=r"l11-9: no such probe; give a file or one of p4-1, .*14v"
    ):
        Setup(transducer="l11-9")
    with pytest.raises(InputError, match=r"l11-4v.mat: no such file"):
        Setup(transducer="l11-4v.mat")


def test_documents_list_them_all() -> None:
    assert markdown() in (DOCS / "waveforms.md").read_text(encoding="utf-8")
