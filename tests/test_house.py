"""The layout of the package: layers of imports, and the sizes of files and functions."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "bubbleloc"
FILES = sorted(PACKAGE.rglob("*.py"))
COMMANDS = {
    "simulate",
    "convert",
    "train",
    "evaluate",
    "compare",
    "localize",
    "image",
    "map",
    "export",
}
ROOMS = {
    *("console", "process", "matfile", "tables", "errors", "files", "hdf5", "units", "arrays"),
    "digits",
    *("physics", "nn", "metrics", "formats", "data"),
    *("models", "training", "report", "evaluation", "localization", "imaging", "examples"),
    *("tracking", "maps"),
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


def private_names(tree):
    """Private names in a file that are not its own: ``x._name``, ``from x import _name``."""
    nodes = list(ast.walk(tree))
    stored = {
        n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
    }
    stored |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    stored |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    for node in nodes:
        if isinstance(node, ast.Attribute):
            of_parent = ast.unparse(node.value) == "super()"
            names = [node.attr] if of_parent or node.attr not in stored else []
        elif isinstance(node, ast.ImportFrom | ast.Import):
            whole = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            names = [part for name in whole for part in name.split(".")]
        else:
            names = []
        yield from (name for name in names if re.match("_[^_]", name))


def test_private_names_of_dependencies_are_listed():
    """In CONTRIBUTING.md, "When a dependency is upgraded"; what Python documents is not private."""
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## When a dependency is upgraded")[2].partition("\n## ")[0]
    rows = [
        re.findall("`([^`]+)`", row.rpartition("|")[0].rpartition("|")[0])
        for row in table.splitlines()
        if row.startswith("| `")
    ]
    listed = {(file, name.rpartition(".")[2]) for name, *files in rows for file in files}
    sources = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in FILES}
    used = {
        (file, name)
        for file, source in sources.items()
        for name in private_names(ast.parse(source))
    }
    documented = {"_exit", "_replace", "_asdict", "_fields", "_make"}
    assert {(file, name) for file, name in used if name not in documented} <= listed
    assert {(file, name) for file, name in listed if name not in sources.get(file, "")} == set()


def test_settings_are_typed_objects_outside_the_console():
    """Nobody looks a setting up by its name, as ``settings["noise"]`` would."""
    lookups = []
    for path in FILES:
        if path.relative_to(PACKAGE).parts[0] == "console":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Subscript(value=owner, slice=ast.Constant(value=str()), ctx=ast.Load()):
                    pass
                case ast.Call(
                    func=ast.Attribute(value=owner, attr="get" | "pop"),
                    args=[ast.Constant(value=str()), *_],
                ):
                    pass
                case _:
                    continue
            if ast.unparse(owner).rpartition(".")[2] in ("settings", "config"):
                lookups.append(f"{path.relative_to(PACKAGE)}:{node.lineno} {ast.unparse(node)}")
    assert not lookups, "\n".join(lookups)
