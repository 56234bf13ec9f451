"""What bash completes after ``bubbleloc``."""

import shutil
import subprocess

import pytest

from bubbleloc.console.help import bash_completion

TYPED = [
    (["sim"], {"simulate"}),
    (["train", "mod"], {"model=", "model.init=", "model.kernel="}),
    (["train", "model", "="], {"ckcnn", "ckcnn_local", "dilated_cnn"}),
    (["train", "data", "=", "st"], {"study", "study_polydisperse"}),
    (["train", "logger", "=", "m"], {"mlflow"}),
    (["localize", "checkpoint", "="], {"best", "last"}),
    (["localize", "input", "=", "rf"], set()),  # a file
    (["train", "model=ckcnn_m"], {"model=ckcnn_multirate"}),  # as zsh divides words
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(("words", "expected"), TYPED)
def test_bash_completes(words: list[str], expected: set[str]) -> None:
    typed = " ".join(f"'{word}'" for word in ("bubbleloc", *words))
    ask = f"compopt() {{ :; }}; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _bubbleloc"
    script = f"{bash_completion()}\n{ask}; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    offered = set(done.stdout.split())
    assert expected <= offered
    assert all(word.startswith(words[-1].lstrip("=")) for word in offered)
    assert bool(offered) == bool(expected)
