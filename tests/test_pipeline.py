"""The whole way, as commands: simulate, train, resume, evaluate, compare, and the notebook."""

from tests.conftest import SMALL_RUN, run


def test_training_simulates_what_is_missing(workplace):
    names = sorted(path.name for path in (workplace / "data/tiny").iterdir())
    assert names == ["test.h5", "train.h5", "val.h5"]


def test_runs_are_compared(workplace):
    compared = run(workplace, "compare", "runs=[outputs/a,outputs/b]")
    assert compared.returncode == 0, compared.stderr
    assert compared.stdout.strip().endswith("comparison.html")


def test_a_finished_run_resumes_to_nothing_and_is_not_overwritten(workplace):
    assert run(workplace, "train", "resume=outputs/a").returncode == 0
    refused = run(workplace, "train", *SMALL_RUN, "hydra.run.dir=outputs/a")
    assert refused.returncode == 2
    assert "resume=outputs/a" in refused.stderr
