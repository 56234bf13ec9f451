"""Figures of one run and of many: each function takes arrays or tidy tables, returns a Figure."""

from bubbleloc.report.figures.breakdowns import error_figure, rates_figure
from bubbleloc.report.figures.comparison import run_violins
from bubbleloc.report.figures.line import Example, detected_line, example_line
from bubbleloc.report.figures.physics import arrivals_figure, bubble_figure, pulse_figure
from bubbleloc.report.figures.scores import f1_against, f1_violins
from bubbleloc.report.figures.style import save_figure
from bubbleloc.report.figures.sweep import noise_lines, sweep_heatmap, sweep_lines
from bubbleloc.report.figures.thresholds import f1_heatmap, precision_recall

__all__ = [
    "Example",
    "arrivals_figure",
    "bubble_figure",
    "detected_line",
    "error_figure",
    "example_line",
    "f1_against",
    "f1_heatmap",
    "f1_violins",
    "noise_lines",
    "precision_recall",
    "pulse_figure",
    "rates_figure",
    "run_violins",
    "save_figure",
    "sweep_heatmap",
    "sweep_lines",
]
