"""What the report of a mapping says of a method: how fine its map is, and how right."""

from dataclasses import replace

import numpy as np
import pandas as pd

from bubbleloc.maps.grids import FlowMap
from bubbleloc.maps.resolution import ring_correlation
from bubbleloc.maps.results import MapResult
from bubbleloc.maps.saturation import Saturation, saturation, saturation_fit
from bubbleloc.maps.scores import dice, smallest_pair_um, vessel_mask
from bubbleloc.maps.source import Source
from bubbleloc.metrics.positions import (
    TOLERANCES,
    Bounds,
    FrameAnswer,
    by_chance,
    match_frames,
    pooled,
)
from bubbleloc.tracking.scores import score_tracks

CHANCE = 20  # what randomness is for, in the key of its seed


def scored(source: Source, result: MapResult, halves: tuple[FlowMap, FlowMap]) -> MapResult:
    """Return a result with its scores, its saturation, and its Fourier ring correlation.

    Args:
        halves: the maps of the even and of the odd tracks.
    """
    whole = halves[0].together(halves[1])
    rings = ring_correlation(halves[0].density, halves[1].density, whole.pixel_m)
    filled = _filling(source, whole)
    truth, vessels = source.truth, source.vessels
    scores = {"resolution_um": rings.resolution_um()}
    if truth is not None:
        scores |= position_scores(result.positions, truth, source)
        if vessels is not None:
            half_axes_m = source.wavelength_m * np.array(TOLERANCES["λ/4 × λ/4"])
            links = score_tracks(result.tracks, truth, half_axes_m)
            scores |= {"links": links.precision, "velocity_error": 100 * links.velocity_error}
    if vessels is not None:
        mask = vessel_mask(vessels, source.region, whole.pixel_m)
        scores["dice"] = dice(whole.density > 0, mask)
    if filled is not None:
        scores["filled_s"] = filled.filled_s
    if vessels is not None and source.phantom is not None and source.phantom.phantom == "pair":
        scores["smallest_pair_um"] = smallest_pair_um(result.tracks, vessels)
    return replace(
        result,
        scores=scores,
        frc=rings.to_table(),
        saturation=None if filled is None else filled.to_table(),
    )


def position_scores(
    positions: pd.DataFrame, truth: pd.DataFrame, source: Source
) -> dict[str, float]:
    """Score all positions as they are, within λ/4 to the side and in depth."""
    half_axes_m = source.wavelength_m * np.array(TOLERANCES["λ/4 × λ/4"])
    first = source.recording.first_frame
    numbers = range(first, first + source.recording.frames)
    frames = _answers(positions, truth, numbers)
    matching = pooled(match_frames(frames, -np.inf, half_axes_m))
    bounds = Bounds(source.region.lateral_m, source.region.depth_m)
    rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(CHANCE,)))
    chance = pooled(match_frames(by_chance(frames, bounds, rng), -np.inf, half_axes_m))
    lateral_m, axial_m = matching.rmse_m
    return {
        "f1": matching.f1,
        "random_f1": chance.f1,
        "precision": matching.precision,
        "recall": matching.recall,
        "rmse_lateral_um": 1e6 * lateral_m,
        "rmse_axial_um": 1e6 * axial_m,
    }


def _answers(positions: pd.DataFrame, truth: pd.DataFrame, numbers: range) -> list[FrameAnswer]:
    """Put the positions of every frame beside its bubbles."""
    found, true = (table.groupby("frame").indices for table in (positions, truth))
    places = [1e-3 * table[["x_mm", "z_mm"]].to_numpy(np.float64) for table in (positions, truth)]
    confidence = positions["probability"].fillna(positions["height"]).to_numpy(np.float64)
    none = np.zeros(0, dtype=np.int64)
    return [
        FrameAnswer(places[0][mine], confidence[mine], places[1][theirs])
        for mine, theirs in ((found.get(f, none), true.get(f, none)) for f in numbers)
    ]


def _filling(source: Source, flow: FlowMap) -> Saturation | None:
    """How the vessels of a phantom fill, or those that the tracks show; None without tracks."""
    recording, rate_hz = source.recording, source.frame_rate_hz
    duration_s = recording.frames / rate_hz
    first_s = flow.first_s - recording.first_frame / rate_hz  # frames count in the whole file
    if source.vessels is not None:
        mask = vessel_mask(source.vessels, source.region, flow.pixel_m)
        return saturation(first_s, mask, duration_s)
    try:
        return saturation_fit(first_s, duration_s)
    except RuntimeError:  # too few tracks for a fit
        return None
