"""Where the reports of a run are, and whether they describe its checkpoint as it is now."""

from pathlib import Path

from bubbleloc.errors import InputError
from bubbleloc.files import fingerprint
from bubbleloc.models import runs
from bubbleloc.report import Report, read_report
from bubbleloc.training import provenance


def report_folder(run: Path, dataset: Path | None = None) -> Path:
    """Return where the report of a run is.

    That of a network of the package is in outputs/.

    Args:
        dataset: folder that the run is scored on, if not its own data; such a report lies apart.
    """
    released = str(run).removeprefix(runs.RELEASED_PREFIX)
    place = Path("outputs", f"bubbleloc-{released}") if runs.is_released(run) else run
    return place / ("report" if dataset is None else f"report-{dataset.resolve().name}")


def current_report(run: Path, dataset: Path | None = None) -> Report:
    """Read the report of a run, see `report_folder`.

    Raises:
        InputError: there is none, it is damaged, or it is of an earlier checkpoint or other data.
    """
    folder = report_folder(run, dataset)
    report = read_report(folder)
    which = report.facts.get("checkpoint", "best")
    if report.checkpoint != weights_fingerprint(run, which):
        raise InputError(f"{folder} describes an earlier checkpoint of the run")
    own = provenance.read(run).get("dataset", {}).get("test", "")
    if dataset is None and not report.test_fingerprint.startswith(own):
        raise InputError(f"{folder} describes other test data than the run's")
    return report


def weights_fingerprint(run: Path, checkpoint: str) -> str:
    """Return the fingerprint of the weights of a run, as they are now."""
    if runs.is_released(run):
        return runs.open_run(run).card.fingerprint
    return fingerprint(runs.checkpoint_path(run, checkpoint))
