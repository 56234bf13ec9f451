"""The network that localizes, and what must be known to use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bubbleloc.data.plan import plan_of
from bubbleloc.errors import InputError
from bubbleloc.nn import Localizer
from bubbleloc.physics.scale import Scale
from bubbleloc.report import read_report
from bubbleloc.training import runs


@dataclass(frozen=True)
class Model:
    """A trained network.

    Attributes:
        name: what to call it.
        scale: sampling rate and speed of sound of the lines it was trained on.
        thresholds: best threshold per tolerance in samples; empty without a report.
    """

    name: str
    network: Localizer
    scale: Scale
    thresholds: Mapping[int, float]

    def threshold(self, tolerance: int) -> float:
        """Best threshold at a tolerance.

        Raises:
            InputError: it is not known.
        """
        if tolerance not in self.thresholds:
            raise InputError(
                f"{self.name} has no report with a threshold for tolerance {tolerance}: give "
                f"threshold=, or run python -m bubbleloc.evaluate run={self.name}"
            )
        return self.thresholds[tolerance]


def open_model(source: str, checkpoint: str = "best") -> Model:
    """Open the model that `source` names: a run directory, or ``bubbleloc:small``.

    Raises:
        InputError: there is no such run, checkpoint or network of the package.
    """
    run = Path(source)
    return _released(run) if runs.is_released(run) else _of_run(run, checkpoint)


def _released(run: Path) -> Model:
    network, card = runs.load_network(run), runs.card_of(run)
    scale = Scale(card["sampling_rate_hz"], card["speed_of_sound_m_s"], card["frequency_hz"])
    return Model(str(run), network, scale, card["checkpoints"]["best"]["thresholds"])


def _of_run(run: Path, checkpoint: str) -> Model:
    network = runs.load_network(run, checkpoint)
    report = run / "report"
    if (report / "report.json").is_file():
        table = pd.read_csv(report / "thresholds.csv")
        thresholds = dict(zip(table["tolerance"], table["threshold"], strict=True))
        return Model(str(run), network, read_report(report).scale, thresholds)
    scale = plan_of(runs.read_config(run)["data"]).setup().scale
    return Model(str(run), network, scale, {})
