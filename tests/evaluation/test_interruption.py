"""Kills while runs are evaluated or compared: one whole report, and nothing left behind."""

import random
import shutil
import time
from pathlib import Path

import pytest

from bubbleloc.training import session
from tests.processes import contents, kill, start
from tests.test_nothing_stale import Facts, make_run, write_weights

# command → folder of its report, arguments, and two more that give different reports
COMMANDS = {
    "evaluate": ("run/report", ["run=run"], ["noise=0", "noise=0.5"]),
    "compare": ("out", ["runs=[run,other]", "output=out"], ["tolerance=4", "tolerance=2"]),
}


def wait_until_it_writes(process, report):
    while process.poll() is None and not report.with_name(f".{report.name}.new").exists():
        time.sleep(0.01)


def finish(process, report):
    """Wait for a command and return the seconds until it wrote, and those it wrote."""
    begun = time.perf_counter()
    wait_until_it_writes(process, report)
    wrote = time.perf_counter()
    errors = process.communicate(timeout=300)[1].decode()
    assert process.returncode == 0, errors
    return wrote - begun, time.perf_counter() - wrote


def report_at(place):
    """The report that a killed command left; between its two renames the old one lies beside."""
    return contents(place if place.exists() else place.with_name(f".{place.name}.old"))


@pytest.fixture
def place(tmp_path):
    """A folder with two runs, run and other, which are evaluated."""
    run = make_run(tmp_path, Facts())
    other = Path(shutil.copytree(run, tmp_path / "other"))
    write_weights(other, seed=3)
    session.write_run_card(other, tmp_path / "data")
    for each in (run, other):
        finish(start(tmp_path, "evaluate", f"run={each.name}", "baselines=[]"), each / "report")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_sigkill_at_any_moment_leaves_one_whole_report(name, place):
    where, fixed, choices = COMMANDS[name]
    report, whole = place / where, []
    for choice in choices:
        seconds = finish(start(place, name, *fixed, choice), report)
        whole.append(contents(report))
    assert whole[0] != whole[1]
    names = contents(place).keys()
    moments, kills = random.Random(0), 0
    for writing in (False, False, True, True, True):
        new = 1 - whole.index(report_at(report))
        process = start(place, name, *fixed, choices[new])
        if writing:
            wait_until_it_writes(process, report)
        time.sleep(seconds[writing] * moments.uniform(0, 1))
        kills += kill(process)
        assert report_at(report) in whole
    assert kills >= 3
    for choice, expected in zip(choices, whole, strict=True):
        finish(start(place, name, *fixed, choice), report)
        assert contents(report) == expected
        assert contents(place).keys() == names
