"""Commands as a user types them, in processes of their own."""

import errno
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from bubbleloc import convert
from bubbleloc.console import cli
from bubbleloc.console.arguments import typed_values
from bubbleloc.console.cli import for_hydra
from bubbleloc.console.composition import known_settings
from bubbleloc.console.messages import show_warning, suggestion
from bubbleloc.console.settings import COMMANDS, Localize, check
from bubbleloc.errors import InputError
from tests.conftest import run


def test_help_lists_the_settings(tmp_path):
    shown = run(tmp_path, "train", "--help")
    assert shown.returncode == 0
    assert "bubbleloc train" in shown.stdout
    assert "Settings" in shown.stdout


@pytest.mark.parametrize("module", ["bubbleloc", "bubbleloc.train"])
def test_help_may_be_read_in_part(tmp_path, module):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", module, "--help"]
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            command, stdout=closed, stderr=subprocess.PIPE, cwd=tmp_path, text=True, check=True
        )
    assert not done.stderr


def test_help_does_not_import_heavy_libraries(tmp_path):
    code = (
        "import sys, bubbleloc.train\n"
        "heavy = {'torch', 'lightning', 'numba', 'pandas', 'matplotlib'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def ends_with(monkeypatch, error):
    """Let the command convert end with an error, and return its exit code."""

    def fail(*_):
        raise error

    monkeypatch.setattr(sys, "argv", ["convert"])
    monkeypatch.setattr(cli.process, "stop_on_signals", lambda: None)
    monkeypatch.setattr(cli, "typed_values", fail)
    with pytest.raises(SystemExit) as ended:
        convert.main()
    return ended.value.code


def test_an_interrupt_in_compiled_code_ends_as_any_other(monkeypatch, capsys):
    error = SystemError("<function f> returned a result with an exception set")
    error.__cause__ = KeyboardInterrupt()  # as CPython makes it
    assert ends_with(monkeypatch, error) == 130
    error.__cause__ = cli.process.Terminated(143)
    assert ends_with(monkeypatch, error) == 143
    assert capsys.readouterr().err == (
        "interrupted; finished work is kept\nterminated; finished work is kept\n"
    )


def test_an_object_that_a_signal_leaves_half_made_says_nothing(tmp_path):
    (tmp_path / "convert.py").write_text(
        """
import os, signal
from bubbleloc.console import cli

class Bar:
    def __init__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        self.place = 0

    def __del__(self):
        self.place

cli.typed_values = lambda *_: Bar()
cli.command(lambda settings: None)()
"""
    )
    done = subprocess.run(
        [sys.executable, "convert.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 143
    assert done.stderr == "terminated; finished work is kept\n"


@pytest.mark.parametrize("number", [errno.EFBIG, errno.ENOSPC, errno.EROFS])
def test_errors_of_the_system_are_explained(monkeypatch, capsys, number):
    assert ends_with(monkeypatch, OSError(number, "no more", "a.csv")) == 2
    remedy = "choose" if number == errno.EROFS else "free space, or choose"
    assert capsys.readouterr().err == f"error: a.csv: no more; {remedy} another place\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EMFILE, "Too many open files", "a.csv"), "too many open files; allow more"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), "out of memory"),
        (MemoryError(), "out of memory; choose a smaller batch size"),
    ],
)
def test_too_little_memory_or_too_few_files_is_one_line(monkeypatch, capsys, error, said):
    assert ends_with(monkeypatch, error) == 2
    assert capsys.readouterr().err.startswith(f"error: {said}")


def test_no_control_character_reaches_the_terminal(monkeypatch, capsys):
    name = "a\x1b[31m\n\x9b2J\r\udcff.csv"
    escaped = r"a\x1b[31m\n\x9b2J\r\udcff.csv"
    assert ends_with(monkeypatch, OSError(errno.EROFS, "no", name)) == 2
    assert capsys.readouterr().err.startswith(f"error: {escaped}: no;")
    show_warning(UserWarning("see \x1b[31m"))
    assert capsys.readouterr().err == "warning: see \\x1b[31m\n"
    with pytest.raises(InputError, match="give the name of a file or folder"):
        check(Localize, {"input": "a\x1b[31m.npy"})


def test_lists_may_be_typed_without_brackets():
    for typed in ("noise=0.1,0.2", "noise=[0.1,0.2]"):
        assert typed_values("evaluate", [typed]) == {"noise": [0.1, 0.2]}
    assert typed_values("compare", ["runs=a,b=1"]) == {"runs": ["a", "b=1"]}
    assert for_hydra("simulate", "splits=train,val") == "splits=[train,val]"
    for argument in ("noise=0.1,0.2", "kernel=65,131", "--multirun", "data.folder=a,b"):
        assert for_hydra("train", argument) == argument  # a sweep


def test_names_of_files_are_taken_as_they_stand():
    for name in ("a b=c/my rf=1.npy", "{x}.npy", "[x].npy", "5", "#1", "é: ü.csv"):
        assert typed_values("localize", [f"input={name}"]) == {"input": name}
    assert typed_values("localize", ["input='a b'", "key=null"]) == {"input": "a b", "key": None}
    assert for_hydra("train", "start_from=a=b") == "start_from='a=b'"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("rf.npy", "rf.npy: write name=value, such as input=rf.npy; see --help"),
        ("--input", "--input: write input=…, without dashes"),
        ("--inputt=x", "--inputt=x: write name=…, without dashes"),
        ("+keys=rf", "unknown setting '+keys', did you mean 'key'?"),
        ("frames=[1", "frames=[1: give two numbers"),
        ("input.x=1", "unknown setting 'input.x'"),
    ],
)
def test_what_is_no_setting_is_refused_in_our_words(typed, message):
    with pytest.raises(InputError, match=re.escape(message)):
        typed_values("localize", [typed])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("kernl", "kernel"),
        ("shell", "data.physics.shell"),
        ("physics.shell", "data.physics.shell"),
        ("data.shel", "data.physics.shell"),
        ("max_epochs", "trainer.max_epochs"),
    ],
)
def test_suggestions_can_be_typed(typed, meant):
    assert suggestion(typed, known_settings("train")) == f", did you mean {meant!r}?"


def test_no_suggestion_says_the_same_word():
    for command in COMMANDS:
        for name in known_settings(command):
            assert f"{name!r}" not in suggestion(name, known_settings(command))


def test_suggestions_are_settings_of_the_same_command():
    for key in ("data.count", "data.pressure_pa"):
        for command in ("simulate", "train"):
            assert suggestion(key, known_settings(command)) == ""
    assert suggestion("data.count", known_settings("train")) == ""
    assert suggestion("cout", known_settings("image")) == ", did you mean 'count'?"


def test_warnings_are_one_line(capsys):
    show_warning(UserWarning("too\n  loud"), UserWarning, "file.py", 3)
    assert capsys.readouterr().err == "warning: too loud\n"


def test_users_see_warnings_in_one_line(tmp_path):
    where = ["data=tiny", "splits=[val]", "data.signals.val=1", f"data.folder={tmp_path}"]
    warned = run(tmp_path, "simulate", *where, "data.physics.medium.viscosity_pa_s=2e-3")
    assert warned.returncode == 0, warned.stderr
    lines = [line for line in warned.stderr.splitlines() if "Segers" in line]
    assert lines == ["warning: " + lines[0].removeprefix("warning: ")]
    assert ".py:" not in warned.stderr


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_has_gone_does_not_end_the_work(tmp_path, stream):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(2, 3000)))
    read, write = os.pipe()
    os.close(read)
    words = ["localize", "input=a.npy", "sampling_rate_hz=62.5e6", "output=a.csv"]
    with os.fdopen(write, "wb") as closed:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: closed}
        command = [sys.executable, "-m", "bubbleloc", *words]
        done = subprocess.run(command, **streams, cwd=tmp_path, text=True, check=True)
    assert (tmp_path / "a.csv").is_file()
    assert "Traceback" not in (done.stderr or "")
