import numpy as np
import pandas as pd
import pytest

from bubbleloc.metrics import Scores
from bubbleloc.metrics.scores import METRICS, baselines_in, score_table


def scores_of(seed):
    """Scores of 3 signals at 2 tolerances."""
    rng = np.random.default_rng(seed)
    f1, precision, recall = rng.random((3, 3, 2))
    return Scores(f1, precision, recall, np.array([0.1, 0.2 + seed]), np.array([0, 4]))


@pytest.fixture
def table():
    methods = {name: scores_of(i) for i, name in enumerate(("network", "random", "wiener"))}
    return score_table(methods, np.array([10, 20, 30]), np.array([1e5, 2e5, np.nan]))


def test_a_row_is_a_signal_and_tolerance_with_the_scores_of_every_method(table):
    measured = ["threshold", "f1", "precision", "recall"]
    of_methods = [f"{prefix}{name}" for prefix in ("", "random_", "wiener_") for name in measured]
    assert list(table) == ["signal", "tolerance", *of_methods, "bubbles", "pressure_pa"]
    assert len(table) == 3 * 2
    assert baselines_in(table) == ["random", "wiener"]
    row = table.query("signal == 1 and tolerance == 4").iloc[0]
    assert (row["threshold"], row["bubbles"], row["pressure_pa"]) == (0.2, 20, 2e5)
    assert row["wiener_threshold"] == 2.2
    for prefix, seed in (("", 0), ("random_", 1), ("wiener_", 2)):
        for name in METRICS:
            assert row[f"{prefix}{name}"] == getattr(scores_of(seed), name)[1, 1]


def test_a_file_holds_the_table_as_it_is(table, tmp_path):
    table.to_csv(tmp_path / "scores.csv", index=False)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "scores.csv"), table)
