"""The start page, the tutorial and the example of fine-tuning run as they are written."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import run

DOCS = Path(__file__).resolve().parents[1] / "docs"
BLOCK = re.compile(
    r"^```(python|bash)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def run_blocks(page, folder):
    """Run the blocks of a page one after the other; return what they print."""
    names: dict[str, object] = {}
    shown = ""
    for language, block, expected in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(block, str(page), "exec"), names)
            output = printed.getvalue()
        else:
            _, command, *settings = shlex.split(block)
            done = run(folder, command, *settings)
            assert done.returncode == 0, done.stderr
            output = done.stdout + done.stderr
        assert not missing(expected, output)
        shown += output
    return shown


def missing(expected, output):
    """Return the lines below a block that it did not print, but for small changes of numbers."""
    printed = [plain(line) for line in output.splitlines()]
    return [
        line
        for line in expected.splitlines()
        if not any(
            NUMBER.sub("#", plain(line)) == NUMBER.sub("#", other)
            and numbers(other) == pytest.approx(numbers(line), rel=0.02, abs=2)
            for other in printed
        )
    ]


def plain(line):
    return re.sub(r"\[ +", "[", " ".join(line.split()))


def numbers(line):
    return [float(number) for number in NUMBER.findall(line)]


def test_every_block_of_the_start_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_blocks(DOCS / "index.md", tmp_path)
    assert len((tmp_path / "bubbles.csv").read_text().splitlines()) > 30


def test_every_block_of_the_tutorial_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = run_blocks(DOCS / "tutorial.md", tmp_path)
    assert "2 frames × 12 elements × 8190 samples at 62.5 MHz (Receive.decimSampleRate)" in shown
    assert "gain of" in shown
    assert "warning: 2 of 24 lines are constant, the first of frame 0, element 5" in shown
    assert "unlike" not in shown
    assert (tmp_path / "bubbles_line_0.png").is_file()
    assert "first sample at 4.096 µs: 2·Receive.startDepth" in shown
    counts = re.search(r"found (\d+) of (\d+); .* by (-?[\d.]+) µm", shown)
    assert counts is not None
    found, all_bubbles, off = counts.groups()
    assert int(found) > 0.6 * int(all_bubbles)
    assert abs(float(off)) == pytest.approx(0, abs=6)  # half a sample


def test_a_network_of_the_package_is_trained_further(tmp_path):
    page = tmp_path / "part.md"
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    page.write_text(text.partition("## Train further in PyTorch")[2].partition("\n## ")[0])
    shown = run_blocks(page, tmp_path)
    before, after = numbers(shown.replace("-log", ""))
    assert after < 0.6 * before
