"""Microbubble localization in single-channel ultrasound RF lines.

Data flow: scene → echoes → RF line → dataset file → network → detections → scores → figures.
The functions below and the subpackages are imported when they are first used, so that
``import bubbleloc`` takes no time.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bubbleloc.evaluate import evaluate_run
    from bubbleloc.evaluation.comparison import compare_runs
    from bubbleloc.localization import localize_lines
    from bubbleloc.models.runs import load
    from bubbleloc.report.figures.line import plot_detections
    from bubbleloc.simulate import simulate_dataset
    from bubbleloc.train import train_network

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "compare_runs",
    "evaluate_run",
    "load",
    "localize_lines",
    "plot_detections",
    "simulate_dataset",
    "train_network",
]

_MODULES = {
    "simulate_dataset": "bubbleloc.simulate",
    "train_network": "bubbleloc.train",
    "evaluate_run": "bubbleloc.evaluate",
    "compare_runs": "bubbleloc.evaluation.comparison",
    "load": "bubbleloc.models.runs",
    "localize_lines": "bubbleloc.localization",
    "plot_detections": "bubbleloc.report.figures.line",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'bubbleloc' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
