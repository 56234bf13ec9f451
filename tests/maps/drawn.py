"""Tracks for maps, by hand."""

import numpy as np
import pandas as pd

from bubbleloc.tracking.tracks import TRACK_COLUMNS


def track(number, x_mm, z_mm, vx_mm_s=0.0, vz_mm_s=0.0, rate_hz=500.0, start=0):
    """One track, in successive frames."""
    x_mm, z_mm = np.broadcast_arrays(np.asarray(x_mm, float), np.asarray(z_mm, float))
    frame = start + np.arange(x_mm.size)
    columns = [number, frame, frame / rate_hz, x_mm, z_mm, vx_mm_s, vz_mm_s, 0.01, 0.01]
    return pd.DataFrame(dict(zip(TRACK_COLUMNS, columns, strict=True)))
