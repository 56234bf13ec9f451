"""A wheel installed in an environment of its own trains from any folder."""

import os
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


def test_wheel_brings_its_configuration(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, CHECKOUT],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    report = ("templates/document.md", "templates/run.j2", "figures/house.mplstyle")
    assert {f"bubbleloc/report/{name}" for name in report} <= packed
    assert {f"bubbleloc/maps/viewer/page.{kind}" for kind in ("html", "css", "js")} <= packed
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True)
    # Dependencies come from this environment; a path file does not bring its editable checkout.
    (library,) = environment.glob("lib/python*/site-packages")
    (library / "dependencies.pth").write_text("\n".join(site.getsitepackages()))

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    where = [python, "-c", "import bubbleloc; print(bubbleloc.__file__)"]
    found = subprocess.run(
        where, cwd=elsewhere, env=clean, capture_output=True, text=True, check=True
    )
    assert str(environment) in found.stdout
    command = [
        python,
        "-m",
        "bubbleloc.train",
        "data=tiny",
        "hidden_channels=2",
        "kernel=15",
        "trainer.max_epochs=1",
        "hydra.run.dir=run",
    ]
    subprocess.run(command, cwd=elsewhere, env=clean, check=True)
    assert (elsewhere / "run/checkpoints/best.ckpt").is_file()
    assert (elsewhere / "data/tiny/train.h5").is_file()
