"""Full widths at half maximum of the isolated bubbles of an image."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.signal import peak_widths
from scipy.spatial import cKDTree

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.imaging.beamforming import ArrayLines, Grid
from bubbleloc.physics import Scene

SEARCH_M = 0.5e-3  # from the bubble, where its peak is looked for
DEPTH_STEP_M, LATERAL_STEP_M = 0.005e-3, 0.02e-3
PROFILE_M, PROFILE_STEP_M = 4e-3, 0.004e-3  # from the peak, to both sides
SIZES = ("axial_fwhm_um", "lateral_fwhm_um", "depth_error_um", "lateral_error_um")


def nearest_m(bubbles: Scene) -> Floats:
    """Distance (B,) of every bubble from the next one; infinite for a single bubble."""
    positions = np.column_stack([bubbles.depth_m, bubbles.lateral_m])
    distance, _ = cKDTree(positions).query(positions, k=[2])
    return np.ravel(distance)


def measure_widths(
    images: Mapping[str, ArrayLines], bubbles: Scene, grid: Grid, isolation_m: float
) -> pd.DataFrame:
    """Measure the bubbles of a grid's region that have no other within ``isolation_m``.

    Images around each bubble are computed on finer grids, so that widths do not depend on pixels.

    Returns:
        A row per image and bubble, in the order of depth: ``image``, ``depth_mm``,
        ``lateral_mm``, ``nearest_mm``, the widths at half of the peak along both axes
        (``axial_fwhm_um``, ``lateral_fwhm_um``; NaN where the profile does not fall to half
        within 4 mm), and by how much the peak lies too deep or too far right
        (``depth_error_um``, ``lateral_error_um``).
    """
    apart_m = nearest_m(bubbles)
    chosen = apart_m > isolation_m
    for place_m, axis_m in ((bubbles.lateral_m, grid.lateral_m), (bubbles.depth_m, grid.depth_m)):
        chosen &= (place_m >= axis_m[0]) & (place_m <= axis_m[-1])
    rows = [
        {
            "image": name,
            "depth_mm": 1e3 * bubbles.depth_m[bubble],
            "lateral_mm": 1e3 * bubbles.lateral_m[bubble],
            "nearest_mm": 1e3 * apart_m[bubble],
            **_measure(lines, bubbles.lateral_m[bubble], bubbles.depth_m[bubble]),
        }
        for name, lines in images.items()
        for bubble in np.argsort(bubbles.depth_m)
        if chosen[bubble]
    ]
    return pd.DataFrame(rows, columns=["image", "depth_mm", "lateral_mm", "nearest_mm", *SIZES])


def summarize_widths(widths: pd.DataFrame) -> pd.DataFrame:
    """Return the number of bubbles and the median of every size, a row per image.

    Errors are summarized by their size, whatever their sign.
    """
    sizes = widths.assign(**{name: widths[name].abs() for name in SIZES})
    grouped = sizes.groupby("image", sort=False)
    medians = grouped[list(SIZES)].median().reset_index()
    medians.insert(1, "bubbles", grouped.size().to_numpy())
    return medians


def _measure(lines: ArrayLines, lateral_m: float, depth_m: float) -> dict[str, float]:
    """Widths and position errors, in µm, of the peak nearest to a bubble."""
    deeper, farther = _around(SEARCH_M, DEPTH_STEP_M), _around(SEARCH_M, LATERAL_STEP_M)
    patch = lines.image(Grid(lateral_m + farther, depth_m + deeper))
    row, column = np.unravel_index(patch.argmax(), patch.shape)
    peak_depth_m, peak_lateral_m = depth_m + deeper[row], lateral_m + farther[column]
    profile, step_um = _around(PROFILE_M, PROFILE_STEP_M), 1e6 * PROFILE_STEP_M
    axial = lines.image(Grid(np.array([peak_lateral_m]), peak_depth_m + profile))[:, 0]
    lateral = lines.image(Grid(peak_lateral_m + profile, np.array([peak_depth_m])))[0]
    values = (
        step_um * full_width(axial, len(profile) // 2),
        step_um * full_width(lateral, len(profile) // 2),
        1e6 * deeper[row],
        1e6 * farther[column],
    )
    return dict(zip(SIZES, map(float, values), strict=True))


def _around(reach_m: float, step_m: float) -> Floats:
    steps = round(reach_m / step_m)
    return np.asarray(np.arange(-steps, steps + 1) * step_m)


def full_width(profile: Float32s, peak: int) -> float:
    """Width in samples, between them by linear interpolation, at half of ``profile[peak]``.

    NaN where the profile (n,) does not fall to half on both sides.
    """
    values, last = np.asarray(profile, dtype=np.float64), len(profile) - 1
    above_zero = values[[peak]], np.array([0]), np.array([last])  # not above the higher valley
    width, _, left, right = np.ravel(peak_widths(values, [peak], 0.5, above_zero))
    return float(width) if left > 0 and right < last else float("nan")
