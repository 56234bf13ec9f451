"""Scores of network outputs: tolerance F1, thresholds, detections, matching, statistics."""

from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.matching import Matching, match_detections
from bubbleloc.metrics.thresholds import (
    QUOTED_TOLERANCE,
    THRESHOLDS,
    TOLERANCES,
    Scores,
    Sweep,
    best_thresholds,
    scores_at,
)
from bubbleloc.metrics.tolerance import tolerance_sweep

__all__ = [
    "QUOTED_TOLERANCE",
    "THRESHOLDS",
    "TOLERANCES",
    "Detections",
    "Matching",
    "Scores",
    "Sweep",
    "best_thresholds",
    "match_detections",
    "scores_at",
    "tolerance_sweep",
]
