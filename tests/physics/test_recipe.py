"""A new waveform, by the recipe of CONTRIBUTING.md: its row in ``WAVEFORMS``."""

import re
from pathlib import Path

import pytest

from bubbleloc.console.settings import catalogue, physics
from bubbleloc.console.settings.physics import WAVEFORMS, Sine
from bubbleloc.errors import InputError
from bubbleloc.physics import Setup, unit_pulse
from bubbleloc.physics.waveforms import waveform
from tests.conftest import planned

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(physics.WAVEFORMS, "toy", Sine(2.2e6, 2))


def test_a_row_is_a_waveform_of_setups_and_datasets(toy: None, tmp_path: Path) -> None:
    setup = Setup(waveform="Toy")
    assert setup.carrier_hz == 2.2e6
    assert setup.sent == waveform("toy", setup)
    assert abs(unit_pulse(setup)[0]).max() == pytest.approx(1, abs=1e-3)
    plan = planned(tmp_path, "data.waveform=TOY")
    assert plan.setup() == setup
    assert plan.physics["waveform"] == "toy"  # a name, not a file


def test_messages_know_it(toy: None) -> None:
    with pytest.raises(InputError, match=r"nosuch: no such file; give .* tristate, .*, dpt, toy"):
        Setup(waveform="nosuch")
    with pytest.raises(InputError, match="waveform=toy sets its own frequency"):
        Setup(waveform="toy", cycles=2)


def test_settings_and_documents_list_them_all() -> None:
    listed = catalogue("simulate")["data.waveform"].description
    assert listed == f"{', '.join(WAVEFORMS)}, or a file"
    text = (DOCS / "waveforms.md").read_text(encoding="utf-8")
    table = text[text.index("| name | drive |") :].split("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert [name for row in rows for name in re.findall(r"`(\S+)`", row)] == list(WAVEFORMS)
