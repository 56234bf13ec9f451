"""Tables as files: CSV, Markdown and LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bubbleloc.files import atomic, write_text

if TYPE_CHECKING:  # takes half a second, and whoever has a table has it
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table without its index; equal tables give equal bytes."""
    return write_long_csv([frame], path)


def write_long_csv(parts: Iterable[pd.DataFrame], path: Path) -> Path:
    """Write a table that comes in parts, as if it were one."""
    with atomic(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="\n") as file:
        for i, part in enumerate(parts):
            part.to_csv(file, header=i == 0, index=False, float_format="%.8g", lineterminator="\n")
    return path


def write_table(
    frame: pd.DataFrame, folder: Path, name: str, caption: str, shown: pd.DataFrame | None = None
) -> None:
    """Write a table as CSV with full digits, and what is `shown` of it as Markdown and LaTeX."""
    write_csv(frame, folder / f"{name}.csv")
    readable = to_readable(frame if shown is None else shown)
    write_text(folder / f"{name}.md", f"{caption}\n\n{to_markdown(readable)}\n")
    latex = readable.to_latex(index=False, escape=True, caption=caption, label=f"tab:{name}")
    write_text(folder / f"{name}.tex", latex)


def with_intervals(frame: pd.DataFrame) -> pd.DataFrame:
    """Join every ``x``, ``x_low``, ``x_high`` into one column of text, ``x [95 %]``."""
    joined = frame.copy()
    for name in [str(column) for column in frame if f"{column}_low" in frame]:
        ends = [f"{name}_low", f"{name}_high"]
        value, low, high = (frame[column].map("{:.3f}".format) for column in (name, *ends))
        joined[name] = value + " [" + low + ", " + high + "]"
        joined = joined.drop(columns=ends).rename(columns={name: f"{name} [95 %]"})
    return joined


def to_markdown(frame: pd.DataFrame) -> str:
    """Render a table as GitHub Markdown."""
    return to_readable(frame).to_markdown(index=False, disable_numparse=True)


def to_readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn every cell into text, with the digits a reader can use."""
    readable = frame.astype(object)
    for place, (name, column) in enumerate(frame.items()):
        is_p = name in ("p", "p_holm")
        readable.isetitem(place, [_readable(value, is_p=is_p) for value in column])
    return readable


def _readable(value: object, *, is_p: bool) -> str:
    if not isinstance(value, float):
        return str(value)
    if value != value:
        return "–"
    if is_p:
        return f"{value:.2g}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.3f}" if abs(value) >= 5e-4 or value == 0 else f"{value:.1e}"
