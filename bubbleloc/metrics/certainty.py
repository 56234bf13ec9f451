"""Are probabilities and errors right that a network gives with its bubbles?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, logit

from bubbleloc.arrays import Floats
from bubbleloc.metrics.detections import EmitterDetections
from bubbleloc.metrics.matching import match_detections
from bubbleloc.metrics.thresholds import QUOTED_TOLERANCE

BINS = 12  # of probability in a reliability diagram
DROPPED = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)  # shares of bubbles that are left out
ONE_SIGMA = 0.6827  # of a normal distribution within ±1σ
FEWEST = 10  # true bubbles to calibrate by
MOST_SURE = 0.99  # what is closer to 1 or 0 counts as this
CALIBRATION_RADIUS_UM = 2.4  # unit of the radii in a calibration: the nine numbers depend on it
SMALLEST_ERROR = 1e-4  # samples: smaller ones count as this


def pair_table(
    lines: Sequence[EmitterDetections],
    arrival_sample: Sequence[Floats],
    threshold: float | None = None,
) -> pd.DataFrame:
    """Return a row per reported bubble of many lines, paired one to one with the true ones.

    Columns: ``line``, ``sample``, ``probability``, ``sigma``, ``bubble`` (the number of the true
    bubble within ±4 samples that it is, −1 for none), ``error`` (samples, NaN for none),
    ``radius_um`` and ``near``, see `EmitterDetections`.
    """
    rows = []
    for line, (detections, true) in enumerate(zip(lines, arrival_sample, strict=True)):
        reported = detections.above(threshold)
        matching = match_detections(reported, true, QUOTED_TOLERANCE)
        bubble, error = np.full(len(reported), -1), np.full(len(reported), np.nan)
        bubble[matching.detected], error[matching.detected] = matching.true, matching.error_samples
        columns = {
            "line": line,
            "sample": reported.sample,
            "probability": reported.confidence,
            "sigma": reported.sigma,
            "bubble": bubble,
            "error": error,
            "radius_um": reported.radius_um,
            "near": reported.near,
        }
        rows.append(pd.DataFrame(columns))
    return pd.concat(rows, ignore_index=True)


def root_mean_square(values: ArrayLike) -> float:
    """Return √(mean of squares) of the values that are not NaN; NaN without any."""
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[~np.isnan(numbers)]
    return float(np.sqrt(np.mean(np.square(numbers)))) if numbers.size else float("nan")


def log_odds(probability: Floats) -> Floats:
    """Return log(p / (1 − p)), with no p beyond 1 % and 99 %."""
    odds: Floats = logit(np.clip(probability, 1 - MOST_SURE, MOST_SURE))
    return odds


def calibrated(detections: EmitterDetections, calibration: Sequence[float]) -> EmitterDetections:
    """Return detections with the probabilities and errors of a calibration.

    Args:
        detections: those of one line.
        calibration: the nine numbers of `bubbleloc.nn.heads.Calibration`.
    """
    features = _features(
        detections.confidence, detections.sigma, detections.radius_um, detections.near
    )
    *of_odds, scale, power, radius_power = calibration
    sigma = scale * np.exp([power, radius_power] @ features[2:4])
    return replace(detections, confidence=expit(of_odds @ features), sigma=sigma)


def _features(probability: Floats, sigma: Floats, radius_um: Floats, near: Floats) -> Floats:
    """Return what calibrated log-odds depend on: 1, log-odds, log σ, log r, log m, log m · log r.

    Shape: (6, n) of n detections.
    """
    log_radius, log_near = np.log(radius_um / CALIBRATION_RADIUS_UM), np.log(near)
    odds, log_sigma = log_odds(probability), np.log(sigma)
    ones = np.ones(len(odds))
    return np.stack([ones, odds, log_sigma, log_radius, log_near, log_near * log_radius])


def calibrate(
    lines: Sequence[EmitterDetections], arrival_sample: Sequence[Floats]
) -> tuple[float, ...] | None:
    """Return the calibration, see `calibrated`, that fits these lines best.

    The log-odds are those of a logistic regression of whether a bubble is true (Platt 1999). The
    errors are fitted by a regression of the quantile (Koenker and Bassett 1978) so that 68 % of
    them lie within ±1σ. None with less than 10 true bubbles.
    """
    pairs = pair_table(lines, arrival_sample)
    true = pairs["bubble"].to_numpy() >= 0
    if true.sum() < FEWEST:
        return None
    columns = pairs[["probability", "sigma", "radius_um", "near"]]
    features = _features(*columns.to_numpy().T)
    log_error = np.log(np.abs(pairs["error"]) + SMALLEST_ERROR)[true]
    of_error = features[[0, 2, 3]][:, true]

    def surprise(weights: Floats) -> float:
        return float(np.mean(np.logaddexp(0, np.where(true, -1, 1) * (weights @ features))))

    def imbalance(weights: Floats) -> float:
        beyond = log_error - weights @ of_error
        return float(np.mean(np.maximum(ONE_SIGMA * beyond, (ONE_SIGMA - 1) * beyond)))

    of_odds = minimize(surprise, (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)).x
    of_sigma = minimize(imbalance, (0.0, 1.0, 0.0), method="Powell").x
    return (*of_odds.tolist(), float(np.exp(of_sigma[0])), *of_sigma[1:].tolist())


def reliability(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return stated probability against the share of true bubbles, a row per bin.

    Columns: ``probability`` (mean of the bin), ``true`` (share of its bubbles) and ``bubbles``.
    """
    edges = np.linspace(0, 1, BINS + 1)[1:-1]
    table = pd.DataFrame(
        {"probability": pairs["probability"], "true": (pairs["bubble"] >= 0).astype(float)}
    ).groupby(np.digitize(pairs["probability"], edges))
    return table.mean().assign(bubbles=table.size()).reset_index(drop=True)


def certainty_scores(pairs: pd.DataFrame) -> dict[str, float]:
    """Return how far probabilities and errors can be trusted.

    ``calibration_error`` is the mean distance between probability and share of true bubbles over
    the bins of `reliability`, weighted by their bubbles (Naeini et al., AAAI 2015);
    ``within_1_sigma`` and ``within_2_sigma`` are shares of the errors; ``median_sigma`` and
    ``rmse`` are in samples. What no bubble tells is NaN.
    """
    bins, matched = reliability(pairs), pairs[pairs["bubble"] >= 0]
    away = np.abs(matched["error"] / matched["sigma"])
    distance = (bins["probability"] - bins["true"]).abs()
    calibration_error = np.average(distance, weights=bins["bubbles"]) if len(bins) else np.nan
    return {
        "calibration_error": float(calibration_error),
        "within_1_sigma": float(np.mean(away <= 1)),
        "within_2_sigma": float(np.mean(away <= 2)),
        "median_sigma": float(pairs["sigma"].median()),
        "rmse": root_mean_square(matched["error"]),
    }


def risk_coverage(pairs: pd.DataFrame, bubbles: int) -> pd.DataFrame:
    """Return scores after the least probable bubbles are left out, a row per share.

    Args:
        bubbles: number of true ones in all lines.
    """
    ranked = pairs.sort_values("probability", ascending=False, kind="stable")
    rows = []
    for share in DROPPED:
        kept = ranked.iloc[: round(len(ranked) * (1 - share))]
        true = int((kept["bubble"] >= 0).sum())
        rows.append(
            {
                "dropped": share,
                "precision": true / len(kept) if len(kept) else np.nan,
                "recall": true / max(bubbles, 1),
                "f1": 2 * true / max(len(kept) + bubbles, 1),
                "rmse_samples": root_mean_square(kept["error"]),
            }
        )
    return pd.DataFrame(rows)
