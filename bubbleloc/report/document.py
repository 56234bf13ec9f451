"""A page of sections, as Markdown and as one self-contained HTML file, with their tables.

Sections are made by functions that compute and know no folder; `write_document` writes them and
computes nothing.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from matplotlib.figure import Figure
from tqdm import tqdm

from bubbleloc.files import write_text
from bubbleloc.report.figures.style import save_figure
from bubbleloc.tables import to_markdown, to_readable, without_html, write_csv, write_table

FIGURES = "figures"
WIDE_INCHES = 5.0  # figures beyond it have a row of the page to themselves

_environment = Environment(
    loader=PackageLoader("bubbleloc.report"),
    undefined=StrictUndefined,
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_environment.filters |= {
    "markdown": to_markdown,
    "readable": to_readable,
    "plain": without_html,
}


class Picture(NamedTuple):
    """A figure: what it shows, and the function that draws it."""

    caption: str
    draw: Callable[[], Figure]


class Table(NamedTuple):
    """A table that is written as CSV and, with a caption, as Markdown and LaTeX.

    Attributes:
        frame: the numbers with full digits.
        caption: what the table shows; None for CSV alone.
        shown: what Markdown and LaTeX show; None for all of it.
    """

    frame: pd.DataFrame
    caption: str | None = None
    shown: pd.DataFrame | None = None


@dataclass(frozen=True)
class Section:
    """A part of a page, and the tables behind it.

    Attributes:
        title: the heading.
        text: a paragraph.
        figures: pictures by the name of their file.
        table: what the page shows as a table.
        files: tables by the name of their file, without its suffix, in the folder of the page.
        links: pages beside this one by what the link says.
    """

    title: str
    text: str
    figures: Mapping[str, Picture] = field(default_factory=dict)
    table: pd.DataFrame | None = None
    files: Mapping[str, Table] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


def prose(page: str, section: str, **values: Any) -> str:
    """Return the words of a section: a macro of ``templates/<page>.j2``, with these values."""
    words = getattr(_environment.get_template(f"{page}.j2").module, section)(**values)
    return " ".join(str(words).split())


def write_document(
    path: Path,
    title: str,
    summary: str,
    sections: Iterable[Section | None],
    facts: Mapping[str, str],
) -> Path:
    """Write the HTML page `path`, its Markdown twin, figures (PNG, SVG) and tables; return `path`.

    The Markdown refers to the PNG files beside it; the HTML carries them inside.

    Args:
        sections: those that are None are left out.
        facts: how the page was made, by name.
    """
    shown = [section for section in sections if section is not None]
    for name, table in ((n, t) for section in shown for n, t in section.files.items()):
        _write_table(path.parent / name, table)
    pictures = [(n, p) for section in shown for n, p in section.figures.items()]
    wide = set()
    for name, picture in tqdm(pictures, f"draw {path.name}", unit="figure"):
        figure = picture.draw()
        save_figure(figure, path.parent / FIGURES, name)
        if figure.get_figwidth() > WIDE_INCHES:
            wide.add(name)

    def embedded(figure: str) -> str:
        content = base64.b64encode((path.parent / FIGURES / f"{figure}.png").read_bytes())
        return f"data:image/png;base64,{content.decode('ascii')}"

    content = {"title": title, "summary": summary, "sections": shown, "facts": facts}
    for kind in ("md", "html"):
        text = _environment.get_template(f"document.{kind}").render(
            content, wide=wide, embedded=embedded
        )
        write_text(path.with_suffix(f".{kind}"), text)
    return path


def _write_table(path: Path, table: Table) -> None:
    if table.caption is None:
        write_csv(table.frame, path.with_name(f"{path.name}.csv"))
    else:
        write_table(table.frame, path.parent, path.name, table.caption, table.shown)
