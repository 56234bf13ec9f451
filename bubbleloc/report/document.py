"""A report as a list of sections, written as Markdown and as one self-contained HTML file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from bubbleloc.files import write_text
from bubbleloc.report.figures.style import save_figure
from bubbleloc.report.tables import to_markdown, to_readable

FIGURES = "figures"


@dataclass(frozen=True)
class Section:
    """A heading, a paragraph, figures by name with what they show, and perhaps a table."""

    title: str
    text: str
    figures: Mapping[str, tuple[str, Figure]] = field(default_factory=dict)
    table: pd.DataFrame | None = None


@dataclass(frozen=True)
class Document:
    """What a reader sees: title, summary, sections, and the facts of the run at the end."""

    title: str
    summary: str
    sections: Sequence[Section]
    facts: Mapping[str, str]


def write_document(folder: Path, name: str, document: Document) -> Path:
    """Write the figures (PNG, SVG), ``name.md`` and ``name.html``; return the HTML's path.

    The Markdown refers to the PNG files beside it; the HTML carries them inside.
    """
    for section in document.sections:
        for figure_name, (_, figure) in section.figures.items():
            save_figure(figure, folder / FIGURES, figure_name)
    environment = Environment(
        loader=PackageLoader("bubbleloc.report"),
        undefined=StrictUndefined,
        autoescape=lambda template: template is not None and template.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["markdown"] = to_markdown
    environment.filters["readable"] = to_readable
    environment.filters["embedded"] = lambda figure: _embedded(folder / FIGURES / f"{figure}.png")
    for kind in ("md", "html"):
        text = environment.get_template(f"document.{kind}").render(document=document)
        path = write_text(folder / f"{name}.{kind}", text)
    return path


def discard_old(folder: Path, patterns: Sequence[str]) -> None:
    """Remove files that an earlier page showed and this one may not, by patterns in `folder`."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            path.unlink()


def _embedded(picture: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode("ascii")
