"""Which runs to compare, what to call them, and what they were trained with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from bubbleloc.console.composition import leaves, settings_from_python
from bubbleloc.console.settings import Compare, Evaluate
from bubbleloc.errors import InputError, printable
from bubbleloc.evaluation.run import current_report, evaluate
from bubbleloc.models.run_folder import network_of
from bubbleloc.models.runs import Run, find_runs
from bubbleloc.report import Report, Results, check_comparison_folder, write_comparison
from bubbleloc.report.comparison import varied_parameters

Parameters = dict[str, Any]

_HOW_NOT_WHAT = {"resume", "workers", "loader.workers", "data.folder", "trainer.devices"}
"""Settings that say how a run was made and not what it is."""


def compare_runs(
    runs: str | Path | Sequence[str | Path], output: str | Path | None = None, **settings: Any
) -> Results:
    """Compare runs as ``bubbleloc compare`` does; return the comparison, with its tables.

    Args:
        runs: run directories, and sweep directories, whose runs are all taken.
        output: the folder of tables and figures.
        settings: any other setting of the command (docs/settings.md), such as ``evaluate=True``.

    Raises:
        InputError: fewer than two runs, one of them given twice, without a report of its
            checkpoint, or scored on other test data than the first; or `output` holds other files.
    """
    several = [runs] if isinstance(runs, str | Path) else list(runs)
    arguments = {"runs": several, "output": output, **settings}
    return Results(compare(settings_from_python(Compare, arguments)[0]))


def compare(settings: Compare) -> Path:
    """Compare evaluated runs; return the path of ``comparison.html``.

    F1 is drawn against every number that differs between the runs of a sweep, or between runs
    that differ in nothing else.

    Raises:
        InputError: as `compare_runs` raises.
    """
    runs = [run for name in settings.runs for run in find_runs(name)]
    folders = [Path(run.name) for run in runs]
    _check(folders)
    output = Path(settings.output)
    check_comparison_folder(output)  # before runs are evaluated
    reports = _reports_of(runs, settings)
    trained = [trained_with(run) for run in runs]
    is_sweep = all(Path(name) not in folders for name in settings.runs)
    names = setting_names(trained) if is_sweep else short_names(folders)
    parameters = dict(zip(names, trained, strict=True))
    swept = parameters if is_sweep or _differ_in_numbers(parameters) else None
    of_names = dict(zip(names, reports, strict=True))
    tolerance = reports[0].scale.tolerance_samples(settings.tolerance)
    return write_comparison(output, of_names, tolerance, parameters=swept)


def short_names(folders: Sequence[Path]) -> list[str]:
    """The shortest ends of paths that tell them all apart: ``a/run`` and ``b/run``, but ``c``."""
    parts = [folder.resolve().parts for folder in folders]
    names = []
    for own in parts:
        length = 1
        while sum(other[-length:] == own[-length:] for other in parts) > 1:
            length += 1
        names.append(printable("/".join(own[-length:])))
    return names


def setting_names(trained: Sequence[Parameters]) -> list[str]:
    """What differs between runs as their names, ``kernel=65, omega_0=20``; numbered if nothing."""
    varied = varied_parameters({str(i): values for i, values in enumerate(trained)})
    if len({values.get("seed") for values in trained}) > 1:
        varied.append("seed")
    names = [", ".join(f"{name}={values[name]}" for name in varied) for values in trained]
    return names if len(set(names)) == len(names) else [f"run {i}" for i in range(len(names))]


def trained_with(run: Run) -> Parameters:
    """Single values of a run's configuration by dotted name, its kernel as it really is."""
    network = network_of(run.config)
    plain = run.config.plain()
    plain.pop("kernel")  # of the model, which may have another default
    model = {key: value for key, value in plain.pop("model").items() if key not in plain}
    values = {
        "model": model.pop("name"),
        "kernel": network.kernel_samples,
        "parameters": network.parameter_count,
    }
    for group in ({"model": model}, plain):
        values |= {name: value for key in group for name, value in leaves(key, group[key])}
    return {key: value for key, value in values.items() if key not in _HOW_NOT_WHAT}


def _differ_in_numbers(parameters: Mapping[str, Parameters]) -> bool:
    """Whether all that differs between the runs are numbers."""
    varied = varied_parameters(parameters)
    return all(isinstance(run[name], Real) for run in parameters.values() for name in varied)


def _reports_of(runs: Sequence[Run], settings: Compare) -> list[Report]:
    """Reports of the runs' checkpoints; with `evaluate`, those that do not fit are made anew."""
    folder = settings.folder
    data = None if folder is None else Path(folder)
    problems: list[tuple[Run, InputError]] = []
    for run in runs:
        try:
            current_report(run, data)
        except InputError as error:
            problems.append((run, error))
    if problems and not settings.evaluate:
        run, problem = problems[0]
        on = "" if folder is None else f" folder={folder}"
        raise InputError(
            f"{problem} ({len(problems)} of {len(runs)} runs): run bubbleloc evaluate "
            f"run={run.name}{on}, or add evaluate=true"
        ) from problem
    for run, _ in problems:
        evaluate(run, Evaluate(run=run.name, folder=folder))
    return [current_report(run, data) for run in runs]


def _check(folders: Sequence[Path]) -> None:
    if len(folders) < 2:
        raise InputError(
            f"{len(folders)} run to compare: name two or more, runs=[a,b], or a sweep directory"
        )
    places = [run.resolve() for run in folders]
    for run, place in zip(folders, places, strict=True):
        if places.count(place) > 1:
            raise InputError(f"{run} is given twice: name every run once")
