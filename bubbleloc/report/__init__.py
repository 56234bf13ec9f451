"""Reports of one run and comparisons of many: tables, figures, Markdown and HTML in a folder."""

from bubbleloc.report.comparison import write_comparison
from bubbleloc.report.content import Evaluation, NoiseCurve, OneToOne, noise_curve
from bubbleloc.report.figures.line import Example
from bubbleloc.report.run import Report, read_report, write_report

__all__ = [
    "Evaluation",
    "Example",
    "NoiseCurve",
    "OneToOne",
    "Report",
    "noise_curve",
    "read_report",
    "write_comparison",
    "write_report",
]
