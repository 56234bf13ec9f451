"""The part of a comparison about what a sweep varied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations
from numbers import Real
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.errors import InputError
from bubbleloc.physics.scale import Scale
from bubbleloc.report.document import Section
from bubbleloc.report.figures.style import tolerance_words
from bubbleloc.report.figures.sweep import sweep_heatmap, sweep_lines
from bubbleloc.report.tables import write_csv


def sweep_section(
    folder: Path,
    summary: pd.DataFrame,
    parameters: Mapping[str, Mapping[str, object]],
    tolerance: int,
    scale: Scale,
) -> list[Section]:
    """Draw F1 against every number that differs between runs; no section where none does.

    ``sweep.csv`` in `folder` has a row per run: `parameters` by its name, and F1 at `tolerance`.
    Seeds count as repetition.
    """
    varied = varied_parameters(parameters)
    numbers = [name for name in varied if _is_number(parameters, name)]
    if not numbers:
        return []
    settings = pd.DataFrame.from_dict(dict(parameters), orient="index")[varied]
    at = summary[summary["tolerance"] == tolerance]
    missing = set(at["run"]) - set(settings.index)
    if missing:
        raise InputError(f"no parameters for run {min(missing)}: give them for every run or none")
    table = settings.merge(at, left_index=True, right_on="run")
    write_csv(table, folder / "sweep.csv")
    label = f"F1 within {tolerance_words(tolerance, scale)}"
    figures: dict[str, tuple[str, Figure]] = {}
    for name in numbers:
        others = [other for other in varied if other != name]
        figures[f"f1_{name}"] = (f"F1 against {name}", sweep_lines(table, name, others, label))
    for across, down in combinations(numbers, 2):
        words = f"F1 over {across} and {down}"
        figures[f"f1_{across}_{down}"] = (words, sweep_heatmap(table, across, down))
    figures = {re.sub(r"\W", "_", name): figure for name, figure in figures.items()}
    return [Section("What the sweep varied", f"Varied: {', '.join(varied)}.", figures)]


def varied_parameters(parameters: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Names of the settings that every run has and that differ between runs.

    Seeds aside; the number of parameters too where the model differs, which says it better.
    """
    runs = list(parameters.values())
    shared = [name for name in runs[0] if name != "seed" and all(name in run for run in runs)]
    varied = [name for name in shared if len({str(run[name]) for run in runs}) > 1]
    return [name for name in varied if name != "parameters" or "model" not in varied]


def _is_number(parameters: Mapping[str, Mapping[str, object]], name: str) -> bool:
    values = [run[name] for run in parameters.values()]
    return all(isinstance(value, Real) and not isinstance(value, bool) for value in values)
