"""How large the page of the viewer is: true bubbles of a phantom, cut into tracks of equal length.

python benchmarks/viewer.py
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc.console.settings.mapping import Phantom
from bubbleloc.data.phantom import PhantomPlan
from bubbleloc.imaging.array import Region
from bubbleloc.maps.grids import FlowMap
from bubbleloc.maps.viewer import write_viewer

PIXEL_M = 40e-6
SIGMA_MM = 0.005  # of the positions, about the error of tracks that are smoothed


def true_tracks(phantom: Phantom, length: int) -> pd.DataFrame:
    """Return tracks of `length` frames each: the bubbles of a phantom, a little off."""
    plan, rate_hz = PhantomPlan(phantom), phantom.frame_rate_hz
    frames = plan.bubbles(range(plan.frames), rate_hz)
    table = pd.concat([carried.to_table(frame) for frame, carried in enumerate(frames)])
    table = table.sort_values(["bubble", "frame"], ignore_index=True)
    table["time_s"] = table["frame"] / rate_hz
    rng = np.random.default_rng(0)
    table[["x_mm", "z_mm"]] += rng.normal(0, SIGMA_MM, (len(table), 2))
    nth = table.groupby("bubble").cumcount() // length
    table["track"] = table.groupby(["bubble", nth]).ngroup()
    return table[table.groupby("track")["frame"].transform("size") == length]


def main() -> None:
    """Write a page and print what it holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=20_000)
    parser.add_argument("--frames", type=int, default=30, help="of a track")
    parser.add_argument("--seconds", type=float, default=14.0, help="of the phantom")
    parser.add_argument("--output", type=Path, default=Path("outputs/viewer.html"))
    options = parser.parse_args()
    phantom = Phantom(phantom="tree", duration_s=options.seconds)
    tracks = true_tracks(phantom, options.frames)
    tracks = tracks[tracks["track"].isin(tracks["track"].unique()[: options.tracks])]
    flow = FlowMap.empty(Region(*PhantomPlan(phantom).region), PIXEL_M)
    flow.draw(tracks)
    facts = {"recording": f"the true bubbles of {options.seconds:g} s of the phantom tree"}
    page = write_viewer(options.output, tracks, flow.shown, facts, "Bubbles of a tree")
    size = page.stat().st_size
    count = tracks["track"].nunique()
    print(f"{page}: {count:,} tracks, {len(tracks):,} points, {1e-6 * size:.1f} MB")


if __name__ == "__main__":
    main()
