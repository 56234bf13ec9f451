"""Tables of the documentation hold the numbers of the CSV files beside them.

A comment above a table names its file in docs/results and says how the table is read from it:

* ``<!-- table1.csv: kernel -->``: first cells are values of ``kernel``, headings are columns.
* ``<!-- scores.csv, tolerance=4: method × condition = f1 -->``: a cell is the mean ``f1`` of the
  rows with tolerance 4 whose method is its first cell and whose condition is its heading. A first
  cell or a heading that names a column of the file makes this column the value instead.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs/results"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FILE, FILTERS = r"(\w+\.csv)", r"((?:, \w+=[^,:]+)*)"
MARKER = re.compile(
    rf"^<!-- {FILE}{FILTERS}: ([^×\n]+?)(?: × ([^=\n]+?) = (.+?))? -->\n\n((?:\|.*\n)+)",
    re.MULTILINE,
)


class Table(NamedTuple):
    """A table of a page and the comment above it."""

    file: str
    filters: str
    rows: str
    columns: str
    value: str
    text: str


def tables(page: Path) -> list[Table]:
    return [Table(*match) for match in MARKER.findall(page.read_text(encoding="utf-8"))]


def name(text: str) -> str:
    """Return a label without markup, signs and case: ``**±4**`` and ``4`` are one name."""
    text = text.replace("µ", "u").replace("σ", "sigma").lower()
    return re.sub(r"\W+", "_", text).strip("_")


def cells(line: str) -> list[str]:
    return [re.sub(r"[*`]", "", cell).strip() for cell in line.strip().strip("|").split("|")]


def expected(data: pd.DataFrame, table: Table, label: str, heading: str) -> str:
    """Return what a cell should say, in full digits."""
    value = table.value
    if table.columns:
        chosen = pd.Series(True, index=data.index)
        for key, word in ((table.rows, label), (table.columns, heading)):
            names = {name(column): column for column in data}
            if name(word) in names:
                value = names[name(word)]
            else:
                chosen &= data[key].map(name) == name(word)
        data = data[chosen]
    else:
        data = data[data[table.rows].map(name) == name(label)]
        value = {name(column): column for column in data}[name(heading)]
    texts = data[value].dropna()
    assert len(data), f"{table.file} has no row for {label}, {heading}"
    if texts.nunique() <= 1:
        return texts.iloc[0] if len(texts) else ""
    return str(texts.astype(float).mean())


def agree(shown: str, full: str) -> bool:
    """Tell whether a cell is the number in full digits, rounded to the digits that it shows."""
    shown = shown.replace("−", "-").replace(",", "")
    if not re.fullmatch(r"[-+]?\d*\.?\d+", shown):
        return shown.strip("–") == re.sub(r"\b0\.", ".", full)
    digits = len(shown.partition(".")[2])
    return full != "" and abs(float(shown) - float(full)) <= 0.5 * 10**-digits + 1e-9


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_tables_agree_with_their_files(page):
    wrong = []
    for table in tables(page):
        data = pd.read_csv(RESULTS / table.file, dtype=str)
        for key, value in re.findall(r", (\w+)=([^,:]+)", table.filters):
            data = data[data[key] == value]
        heading, _, *body = (cells(line) for line in table.text.splitlines())
        for label, *shown in body:
            for column, cell in zip(heading[1:], shown, strict=True):
                full = expected(data, table, label, column)
                if not agree(cell, full):
                    wrong.append(f"{table.file}: {label}, {column} is {full}, not {cell}")
    assert not wrong


def test_every_file_has_a_table_and_every_comment_is_read():
    marked = [table.file for page in PAGES for table in tables(page)]
    assert set(marked) == {path.name for path in RESULTS.glob("*.csv")}
    comments = [re.findall(r"^<!-- \w+\.csv", page.read_text("utf-8"), re.M) for page in PAGES]
    assert len(marked) == sum(map(len, comments))


@pytest.mark.parametrize(
    ("shown", "full", "fits"),
    [
        (".928", "0.92849", True),
        (".928", "0.92851", False),
        ("−.014", "-0.013740783", True),
        ("29,976", "29976", True),
        ("–", "", True),
        ("–", "0.5", False),
        (".5", "", False),
        (".875 to .904", "0.875 to 0.904", True),
        (".875 to .905", "0.875 to 0.904", False),
    ],
)
def test_a_cell_is_the_number_rounded(shown, full, fits):
    assert agree(shown, full) is fits
