import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bubbleloc.errors import InputError
from bubbleloc.metrics.statistics import _interval, compare_pairs, signed_rank, summarize


def scores_of(**f1):
    """Tidy scores at tolerances 0 and 4, the latter 0.1 higher."""
    rows = [
        {"run": run, "signal": signal, "tolerance": tolerance, "f1": value + 0.1 * (tolerance == 4)}
        for run, values in f1.items()
        for signal, value in enumerate(values)
        for tolerance in (0, 4)
    ]
    return pd.DataFrame(rows)


def test_summary_has_median_mean_and_intervals():
    rng = np.random.default_rng(0)
    f1 = rng.normal(0.6, 0.1, 400)
    table = summarize(scores_of(a=f1, b=f1 - 0.2)).set_index(["run", "tolerance"])
    row = table.loc[("a", 4)]
    assert row["signals"] == 400
    assert row["mean"] == pytest.approx(f1.mean() + 0.1)
    assert row["median"] == pytest.approx(np.median(f1) + 0.1)
    assert row["mean_low"] < row["mean"] < row["mean_high"]
    half = 1.96 * f1.std() / 20
    assert row["mean_high"] - row["mean_low"] == pytest.approx(2 * half, rel=0.15)
    assert table.loc[("b", 0), "mean"] == pytest.approx(f1.mean() - 0.2)


def test_summary_of_one_signal_has_no_interval_and_repeats_itself():
    assert np.isnan(summarize(scores_of(a=[0.5]))["mean_low"]).all()
    scores = scores_of(a=np.linspace(0, 1, 30))
    pd.testing.assert_frame_equal(summarize(scores), summarize(scores))


def test_pairs_agree_with_scipy_and_are_corrected():
    rng = np.random.default_rng(1)
    a = rng.random(50)
    b, c = a - 0.05 + 0.1 * rng.random(50), a - 0.2
    pairs = compare_pairs(scores_of(a=a, b=b, c=c)).set_index(["tolerance", "run_a", "run_b"])
    assert len(pairs) == 6
    row = pairs.loc[(0, "a", "b")]
    assert row["p"] == pytest.approx(stats.wilcoxon(a, b).pvalue)
    assert (pairs["p_holm"] >= pairs["p"]).all()
    assert pairs.loc[(4, "a", "c"), "effect"] == pytest.approx(1)
    assert pairs.loc[(4, "a", "c"), "median_difference"] == pytest.approx(0.2)


def test_effect_is_the_rank_biserial_correlation():
    difference = np.array([3.0, -1.0, 2.0, 0.0, -4.0])
    effect, p = signed_rank(difference)
    assert effect == pytest.approx((3 + 2 - 1 - 4) / 10)
    assert p == pytest.approx(stats.wilcoxon([3.0, -1.0, 2.0, -4.0]).pvalue)
    assert signed_rank(np.zeros(5)) == (0, 1)


def test_pairs_refuse_what_cannot_be_paired():
    with pytest.raises(InputError, match="two runs or more"):
        compare_pairs(scores_of(a=[0.1, 0.2]))
    with pytest.raises(InputError, match="same test data"):
        compare_pairs(scores_of(a=[0.1, 0.2], b=[0.1]))


@pytest.mark.parametrize("n", [6, 10, 13])
def test_p_is_exact_with_ties_and_zeros(n):
    """Over all 2ⁿ choices of signs, as often as the rank sum is as far from its mean."""
    rng = np.random.default_rng(n)
    difference = rng.integers(-3, 4, n) / 10 + 0.3 - 0.2 - 0.1  # ties but for rounding
    changed = np.round(difference, 7)
    changed = changed[changed != 0]
    rank = stats.rankdata(np.abs(changed))
    signs = np.array(np.meshgrid(*[[0, 1]] * len(rank))).reshape(len(rank), -1)
    sums = rank @ signs
    far = np.abs(sums - rank.sum() / 2) >= abs(rank[changed > 0].sum() - rank.sum() / 2) - 1e-9
    assert signed_rank(difference)[1] == pytest.approx(far.mean())


@pytest.mark.parametrize("signals", [60, 960])
def test_a_95_percent_interval_of_the_mean_holds_it_in_95_percent_of_draws(signals):
    rng = np.random.default_rng(0)
    draws = rng.beta(8, 2, (1000, signals))  # of mean 0.8, skewed as F1 is
    inside = [low <= 0.8 <= high for low, high in (_interval(f1, np.mean, 300) for f1 in draws)]
    assert 0.93 <= np.mean(inside) <= 0.97
