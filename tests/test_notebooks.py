from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_made_with_the_site_and_not_stored(path):
    assert "mkdocs-jupyter: { execute: true" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    assert not [cell.source for cell in cells if cell.get("outputs")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_on_a_finished_report(path, workplace, monkeypatch):
    monkeypatch.setenv("BUBBLELOC_REPORT", str(workplace / "outputs/a/report"))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": path.parent}}).execute()
