"""Which runs to compare, what to call them, and what they were trained with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from bubbleloc.errors import InputError, printable
from bubbleloc.evaluation.reports import current_report
from bubbleloc.evaluation.run import evaluate_run
from bubbleloc.models import runs as run_directories
from bubbleloc.report import Report, check_comparison_folder, write_comparison
from bubbleloc.report.comparison import varied_parameters

Parameters = dict[str, Any]

_HOW_NOT_WHAT = {"resume", "workers", "loader.workers", "data.folder", "trainer.devices"}
"""Settings that say how a run was made and not what it is."""


def compare_runs(
    runs: str | Sequence[str],
    output: str | Path,
    *,
    folder: str | Path | None = None,
    tolerance: int = 4,
    evaluate: bool = False,
) -> Path:
    """Compare evaluated runs in the folder `output`; return the path of ``comparison.html``.

    F1 is drawn against every number that differs between the runs of a sweep, or between runs
    that differ in nothing else.

    Args:
        runs: run directories, and sweep directories, whose runs are all taken.
        folder: dataset that the runs were scored on, as given to evaluate; None for their own.
        tolerance: samples, at which figures are drawn and the page's tables are cut.
        evaluate: evaluate runs that have no report of their checkpoint yet, with the defaults of
            evaluate.

    Raises:
        InputError: fewer than two runs, one of them given twice, without a report of its
            checkpoint, or scored on other test data than the first; or `output` holds other files.
    """
    given = [Path(run) for run in ([runs] if isinstance(runs, str) else runs)]
    folders = [run for folder in given for run in run_directories.find_runs(folder)]
    _check(folders)
    check_comparison_folder(Path(output))  # before runs are evaluated
    data = None if folder is None else Path(folder)
    reports = _reports_of(folders, data, evaluate)
    trained = [trained_with(run) for run in folders]
    is_sweep = all(folder not in folders for folder in given)
    names = setting_names(trained) if is_sweep else short_names(folders)
    parameters = dict(zip(names, trained, strict=True))
    swept = parameters if is_sweep or _differ_in_numbers(parameters) else None
    of_names = dict(zip(names, reports, strict=True))
    return write_comparison(Path(output), of_names, tolerance, parameters=swept)


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


def trained_with(run: Path) -> Parameters:
    """Single values of a run's configuration by dotted name, its kernel as it really is."""
    config = run_directories.read_config(run)
    network = run_directories.network_of(config)
    model = config.pop("model")
    values = {
        "model": model.pop("name"),
        "kernel": network.kernel_samples,
        "parameters": network.parameter_count,
    }
    own = {f"model.{key}": value for key, value in model.items() if key not in config}
    values |= own | {key: value for key, value in _leaves(config) if key != "kernel"}
    return {key: value for key, value in values.items() if key not in _HOW_NOT_WHAT}


def _leaves(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _differ_in_numbers(parameters: Mapping[str, Parameters]) -> bool:
    """Whether all that differs between the runs are numbers."""
    varied = varied_parameters(parameters)
    return all(isinstance(run[name], Real) for run in parameters.values() for name in varied)


def _reports_of(folders: Sequence[Path], data: Path | None, evaluate: bool) -> list[Report]:
    """Reports of the runs' checkpoints; with `evaluate`, those that do not fit are made anew."""
    problems: dict[Path, InputError] = {}
    for run in folders:
        try:
            current_report(run, data)
        except InputError as error:
            problems[run] = error
    if problems and not evaluate:
        run, problem = next(iter(problems.items()))
        on = "" if data is None else f" folder={data}"
        raise InputError(
            f"{problem} ({len(problems)} of {len(folders)} runs): run python -m bubbleloc.evaluate "
            f"run={run}{on}, or add evaluate=true"
        ) from problem
    for run in problems:
        evaluate_run(run, folder=data)
    return [current_report(run, data) for run in folders]


def _check(folders: Sequence[Path]) -> None:
    if len(folders) < 2:
        raise InputError(
            f"{len(folders)} run to compare: name two or more, runs=[a,b], or a sweep directory"
        )
    places = [run.resolve() for run in folders]
    for run, place in zip(folders, places, strict=True):
        if places.count(place) > 1:
            raise InputError(f"{run} is given twice: name every run once")
