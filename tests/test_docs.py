"""The documentation names only files, sections, modules and functions that exist."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

from bubbleloc.console.composition import known_settings
from bubbleloc.console.settings import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
NAME = re.compile(r"\bbubbleloc(?:\.[A-Za-z]\w*)+")
SOURCE = re.compile(r"\b(?:bubbleloc|tests|conf|benchmarks)/[\w/]+\.\w+")
COMMAND = re.compile(r"bubbleloc[. ](?:examples\.)?(\w+)((?: +(?:'[^']*'|[^\s`'|#])+)*)")
TEST = re.compile(r"`((?:\w+/)*test_\w+\.py)`")  # docs/reliability.md names them below tests/


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    for file, section in LINK.findall(text):
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not section or section in sections(target), f"{file}#{section}"
    files = [ROOT / name for name in SOURCE.findall(text)]
    files += [ROOT / "tests" / name for name in TEST.findall(text) if "tests/" not in name]
    assert not [str(file) for file in files if not file.exists()]
    for name in set(NAME.findall(text)):
        pkgutil.resolve_name(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_have_the_settings_that_a_page_gives_them(page):
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for command, given in COMMAND.findall(text):
        names = re.findall(r"\s'?(?!hydra)([a-z][\w.]*)=", given)
        assert command not in COMMANDS or set(names) <= known_settings(command)


def test_every_page_is_in_the_menu():
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    places = [page.relative_to(ROOT / "docs" if page.suffix == ".md" else ROOT) for page in pages]
    assert not [place for place in places if f": {place.as_posix()}\n" not in menu]


# what users are promised, by the page of the reference
PROMISED = {
    "functions": (
        "bubbleloc: simulate_dataset train_network evaluate_run compare_runs localize_lines load "
        "plot_detections"
    ),
    "physics": (
        "bubbleloc.physics: Scene draw_scene Setup simulate_rf RFLine bubble_response "
        "BubbleResponse unit_pulse compress matched_filter"
    ),
    "formats": "bubbleloc.formats: read Recording",
    "nn": (
        "bubbleloc.nn: fft_conv1d FFTConv1d SIREN CKConv1d DilatedCNN CKCNN build_model "
        "load_released irregular_conv1d"
    ),
    "metrics": "bubbleloc.metrics: tolerance_sweep match_detections Detections",
}


@pytest.mark.parametrize("page", PROMISED)
def test_promised_names_are_in_the_reference(page):
    text = (ROOT / "docs/api" / f"{page}.md").read_text(encoding="utf-8")
    module, _, names = PROMISED[page].partition(": ")
    assert f"::: {module}\n" in text
    module = importlib.import_module(module)
    for name in names.split():
        assert name in module.__all__
        assert inspect.getdoc(getattr(module, name))


def sections(page):
    """Return the headings of a page as links name them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
