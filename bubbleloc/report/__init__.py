"""Reports of one run and comparisons of many: tables, figures, Markdown and HTML in a folder."""

from bubbleloc.report.comparison import check_comparison_folder, write_comparison
from bubbleloc.report.figures.line import Example
from bubbleloc.report.run import Report, Results, read_report, write_report
from bubbleloc.report.scores import Evaluation

__all__ = [
    "Evaluation",
    "Example",
    "Report",
    "Results",
    "check_comparison_folder",
    "read_report",
    "write_comparison",
    "write_report",
]
