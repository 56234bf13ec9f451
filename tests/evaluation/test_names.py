"""Names of folders that would write into the terminal, break a table, or be no text."""

import shutil
import unicodedata

import pytest

from bubbleloc import evaluate
from bubbleloc.console.settings import Compare, Evaluate
from bubbleloc.evaluation import run as run_module
from bubbleloc.evaluation.comparison import compare
from bubbleloc.models.runs import find_runs
from tests.test_nothing_stale import Facts, _no_pictures, make_run  # noqa: F401 (a fixture)

NAME = "a\n\x1b[31m<b>\u202e\udcff"
SHOWN = r"a\n\x1b[31m<b>\u202e\udcff"


def orders(text):
    """What a terminal or browser would obey, line ends and carriage returns aside."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs")} - {"\n", "\r"}


@pytest.fixture
def sweep(tmp_path):
    """A folder with two runs, one of them of that name, whose data has it too."""
    run = make_run(tmp_path, Facts())
    shutil.copytree(tmp_path / "data", tmp_path / NAME)
    sweep = tmp_path / "sweep"
    for name in (NAME, "b"):
        shutil.copytree(run, sweep / name)
    return sweep


def test_names_are_shown_and_not_obeyed(sweep, capsys):
    evaluate.main.__wrapped__(
        Evaluate.model_construct(run=str(sweep), folder=str(sweep.parent / NAME), baselines=[])
    )
    said = capsys.readouterr()
    assert not orders(said.out + said.err)
    assert f"report-{SHOWN}" in said.out
    page = sweep / NAME / f"report-{NAME}/report.html"
    for run in find_runs(sweep):
        run_module.evaluate(run, Evaluate(run=str(sweep), baselines=[]))
    runs, output = [str(sweep / NAME), str(sweep / "b")], str(sweep.parent / "out")
    compared = compare(Compare.model_construct(runs=runs, output=output))
    for path in (page, compared):
        html, markdown = path.read_text(), path.with_suffix(".md").read_text()
        assert not orders(html + markdown)
        assert SHOWN.replace("<b>", "&lt;b>") in markdown
        assert "<b>" not in markdown
        assert SHOWN.replace("<b>", "&lt;b&gt;") in html
