"""``bubbleloc simulate data=demo`` writes ``data/demo/{train,val,test}.h5``."""

from pathlib import Path
from typing import Any

from bubbleloc.console.cli import command
from bubbleloc.console.settings import Simulate


@command
def main(settings: Simulate) -> None:
    """Simulate what is missing of a dataset, or draw what its settings mean."""
    print(f"{'preview' if settings.preview else 'dataset'}: {_simulate(settings)}")


def simulate_dataset(
    data: str = "demo",
    *,
    folder: str | Path | None = None,
    seed: int | None = None,
    bubbles: str | None = None,
    workers: int | None = None,
    **settings: Any,
) -> Path:
    """Simulate what is missing of a dataset, as ``bubbleloc simulate`` does.

    Args:
        data: dataset, a file of ``conf/data``.
        folder: of the dataset; by default ``data/<name>``.
        seed: of the scenes.
        bubbles: ``monodisperse``, ``polydisperse``, or a file of radii in µm.
        workers: processes; one per core by default.
        settings: any other setting of the command (docs/settings.md), such as
            ``splits=["val"]`` or ``**{"data.physics.shell": "marmottant"}``.

    Returns:
        The folder of the dataset.

    Raises:
        InputError: a setting that makes no sense, or files made with other settings.
    """
    from bubbleloc.console.composition import settings_from_python

    shortcuts = {"data.folder": folder, "seed": seed, "bubbles": bubbles, "workers": workers}
    return _simulate(settings_from_python(Simulate, {"data": data} | shortcuts | settings)[0])


def _simulate(settings: Simulate) -> Path:
    from bubbleloc.data.generate import ensure_dataset
    from bubbleloc.data.plan import DatasetPlan

    shortcuts = {"seed": settings.seed, "bubbles": settings.bubbles}
    plan = DatasetPlan(settings.data.model_copy(update=shortcuts)).only(settings.splits)
    if settings.preview:
        from bubbleloc.report.preview import preview

        return preview(plan)
    ensure_dataset(plan, settings.workers, settings.executor, settings.address)
    return plan.folder


if __name__ == "__main__":
    main()
