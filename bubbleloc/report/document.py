"""A report as a list of sections, written as Markdown and as one self-contained HTML file."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from matplotlib.figure import Figure

from bubbleloc.files import write_text
from bubbleloc.report.figures.style import save_figure
from bubbleloc.tables import to_markdown, to_readable

FIGURES = "figures"


@dataclass(frozen=True)
class Section:
    """A heading, a paragraph, figures by name with what they show, and perhaps a table."""

    title: str
    text: str
    figures: Mapping[str, tuple[str, Figure]] = field(default_factory=dict)
    table: pd.DataFrame | None = None


def write_document(
    path: Path, title: str, summary: str, sections: Sequence[Section], facts: Mapping[str, str]
) -> Path:
    """Write the HTML page `path`, its Markdown twin, and the figures (PNG, SVG); return `path`.

    The Markdown refers to the PNG files beside it; the HTML carries them inside.
    """
    folder = path.parent / FIGURES
    for section in sections:
        for name, (_, figure) in section.figures.items():
            save_figure(figure, folder, name)

    def embedded(figure: str) -> str:
        picture = base64.b64encode((folder / f"{figure}.png").read_bytes())
        return f"data:image/png;base64,{picture.decode('ascii')}"

    environment = Environment(
        loader=PackageLoader("bubbleloc.report"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"markdown": to_markdown, "readable": to_readable, "embedded": embedded}
    content = {"title": title, "summary": summary, "sections": sections, "facts": facts}
    for kind in ("md", "html"):
        text = environment.get_template(f"document.{kind}").render(content)
        write_text(path.with_suffix(f".{kind}"), text)
    return path
