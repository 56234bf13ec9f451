"""The layout of the package: layers of imports, and the sizes of files and functions."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "bubbleloc"
FILES = sorted(PACKAGE.rglob("*.py"))
COMMANDS = {"simulate", "convert", "train", "evaluate", "compare", "localize", "image", "export"}
ROOMS = {
    *("console", "process", "matfile", "tables", "errors", "files", "units", "arrays"),
    *("physics", "nn", "metrics", "formats", "data"),
    *("models", "training", "report", "evaluation", "localization", "imaging", "examples"),
}
LONGEST_FILE, LONGEST_FUNCTION = 400, 50  # lines: what one reads in one sitting, and on one screen


def test_imports_run_downwards_only(monkeypatch, capsys):
    """Layers and forbidden imports of ``[tool.importlinter]`` in pyproject.toml."""
    from importlinter.cli import lint_imports

    monkeypatch.chdir(PACKAGE.parent)
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


def test_the_top_of_the_package_is_the_layout_of_contributing():
    rooms = {path.stem for path in PACKAGE.glob("[!_]*") if path.name != "py.typed"}
    assert rooms == COMMANDS | ROOMS  # CONTRIBUTING.md says what each is for


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_are_short(path):
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= LONGEST_FILE
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    lines = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    assert {name: n for name, n in lines.items() if n > LONGEST_FUNCTION} == {}
