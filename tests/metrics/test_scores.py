import numpy as np
import pandas as pd
import pytest

from bubbleloc.metrics import Scores
from bubbleloc.metrics.scores import (
    COLUMNS,
    baselines_in,
    from_public,
    of_method,
    score_table,
    to_public,
)


def scores_of(seed):
    """Scores of 3 signals at 2 tolerances."""
    rng = np.random.default_rng(seed)
    f1, precision, recall = rng.random((3, 3, 2))
    return Scores(f1, precision, recall, np.array([0.1, 0.2]), np.array([0, 4]))


@pytest.fixture
def tidy():
    signals = np.array([10, 20, 30]), np.array([1e5, 2e5, np.nan])
    methods = ("network", "random", "wiener")
    tables = [score_table(name, scores_of(i), *signals) for i, name in enumerate(methods)]
    return pd.concat(tables, ignore_index=True)


def test_a_row_is_a_method_signal_and_tolerance(tidy):
    assert list(tidy.columns) == COLUMNS
    assert len(tidy) == 3 * 3 * 2
    assert baselines_in(tidy) == ["random", "wiener"]
    row = of_method(tidy, "wiener").query("signal == 1 and tolerance == 4").iloc[0]
    assert row["f1"] == scores_of(2).f1[1, 1]
    assert (row["threshold"], row["bubbles"], row["pressure_pa"]) == (0.2, 20, 2e5)


def test_public_files_have_a_column_per_baseline(tidy):
    public = to_public(tidy)
    measured = ["threshold", "f1", "precision", "recall", "random_f1", "wiener_f1"]
    assert list(public.columns) == ["signal", "tolerance", *measured, "bubbles", "pressure_pa"]
    np.testing.assert_array_equal(public["wiener_f1"], scores_of(2).f1.ravel())


def test_a_public_file_is_read_back_as_a_tidy_table(tidy):
    read = from_public(to_public(tidy))
    pd.testing.assert_frame_equal(of_method(read), of_method(tidy))
    same = ["method", "signal", "tolerance", "f1", "bubbles", "pressure_pa"]
    pd.testing.assert_frame_equal(read[same], tidy[same])
    assert of_method(read, "random")["precision"].isna().all()  # which the file does not tell
