"""The files that others' tools read agree with ``pyproject.toml``."""

import re
import tomllib
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
NAMES_IN_CONDA = {"matplotlib": "matplotlib-base", "seaborn": "seaborn-base", "torch": "pytorch"}


def read(name):
    return yaml.safe_load((CHECKOUT / name).read_text())


def test_the_recipe_for_conda_asks_for_the_same():
    recipe = read("conda/meta.yaml")
    needed = {f"python {PROJECT['requires-python']}"}
    for requirement in PROJECT["dependencies"]:
        name, bounds = re.fullmatch(r"([\w-]+)(.*)", requirement).groups()
        needed.add(f"{NAMES_IN_CONDA.get(name, name)} {bounds}")
    assert set(recipe["requirements"]["run"]) == needed
    assert recipe["package"] == {"name": PROJECT["name"], "version": PROJECT["version"]}
    (entry,) = recipe["build"]["entry_points"]
    assert entry == f"bubbleloc = {PROJECT['scripts']['bubbleloc']}"
    assert recipe["about"]["summary"] == PROJECT["description"]
    assert recipe["about"]["license"] == PROJECT["license"]


def test_the_citation_names_this_version():
    citation = read("CITATION.cff")
    assert str(citation["version"]) == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]


def test_the_workflow_runs_what_a_developer_runs():
    jobs = read(".github/workflows/test.yml")["jobs"]
    commands = {step["run"] for job in jobs.values() for step in job["steps"] if "run" in step}
    targets = set(re.findall(r"^(\w+):", (CHECKOUT / "Makefile").read_text(), re.M))
    assert commands == {"make test", "make docs"}
    assert {command.removeprefix("make ") for command in commands} <= targets
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert oldest in jobs["test"]["strategy"]["matrix"]["python"]


def test_the_hooks_run_the_tools_of_make_install():
    (hooks,) = (repository["hooks"] for repository in read(".pre-commit-config.yaml")["repos"])
    tools = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    development = " ".join(PROJECT["optional-dependencies"]["dev"])
    assert all(tool in development for tool in tools)
