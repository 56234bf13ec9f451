"""A new network, by the recipe of CONTRIBUTING.md: a class, its configuration, its test."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
CLASS = '''

@network("toy")
class Toy(Localizer):
    """``layers`` × [CKConv, batch norm, ReLU] and a 1-tap read-out."""

    def __init__(
        self,
        hidden_channels: int = 4,
        kernel: int = 31,
        layers: int = 4,
        head: str = "counts",
        input_scaling: str = "rms",
        **kernels: Unpack[Kernels],
    ) -> None:
        check_range(1, 8, layers=layers)
        convolution = partial(CKConv1d, kernel_size=kernel, **kernels)
        stacked = stack(convolution, hidden_channels, dilations=[1] * layers)
        super().__init__(stacked, head=head, input_scaling=input_scaling)
'''
CONFIGURATION = """# A CKCNN of any depth; 6,557 parameters.
name: toy
head: counts
hidden_channels: ${hidden_channels}
kernel: ${kernel}
omega_0: ${omega_0}
layers: 4                    # convolutions, 1 to 8
input_scaling: rms
"""
TEST = '    "toy": 6_557,\n'


COMMANDS = """
import sys
from bubbleloc.console.help import help_text
from bubbleloc.errors import InputError
from bubbleloc.train import train_network

print(help_text("train", ["model=toy"]))
tiny = {"data": "tiny", "data.folder": sys.argv[1], "trainer": {"max_epochs": 1}}
for wrong in ({"model.layers": "two"}, {"model.layers": 9}, {"model.layer": 1}):
    try:
        train_network("toy", **tiny, **wrong)
    except InputError as error:
        print(error)
train_network("toy", folder="run", **tiny, **{"model.layers": 2})
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A checkout in which the recipe was followed."""
    copy = tmp_path_factory.mktemp("checkout")
    unwanted = shutil.ignore_patterns("__pycache__")
    for folder in ("bubbleloc", "conf", "tests"):
        shutil.copytree(CHECKOUT / folder, copy / folder, ignore=unwanted)
    networks, tests = copy / "bubbleloc/nn/networks.py", copy / "tests/nn/test_networks.py"
    networks.write_text(networks.read_text() + CLASS)
    (copy / "conf/model/toy.yaml").write_text(CONFIGURATION)
    head, table, rest = tests.read_text().partition("PARAMETERS = {  # with default settings\n")
    tests.write_text(head + table + TEST + rest)
    return copy


def run(copy, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_tests_of_all_networks_test_it(copy):
    tested = run(copy, "-m", "pytest", "-q", "tests/nn/test_networks.py", "-k", "toy or every")
    assert tested.returncode == 0, tested.stdout


def test_the_command_knows_its_settings_and_trains_it(copy, tiny):
    done = run(copy, "-c", COMMANDS, str(tiny))
    assert done.returncode == 0, done.stderr
    assert re.search("model.layers=4 +convolutions, 1 to 8", done.stdout)
    for message in (
        "model.layers=two: give a whole number",
        "layers=9 must be 1 to 8",
        "unknown setting 'model.layer', did you mean 'model.layers'?",
    ):
        assert message in done.stdout
    card = yaml.safe_load((copy / "run/card.yaml").read_text())
    assert (card["model"]["name"], card["model"]["layers"]) == ("toy", 2)
