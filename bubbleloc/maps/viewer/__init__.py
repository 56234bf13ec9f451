"""A page that shows the maps and lets the bubbles flow: one HTML file without a server.

The page carries the tracks as packed integers, and the maps as one picture of four channels, see
`bubbleloc.maps.viewer.packing`. Its scripts and styles are the files beside this one.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined

from bubbleloc.errors import InputError
from bubbleloc.files import write_text
from bubbleloc.maps.results import Grids
from bubbleloc.maps.viewer.packing import pack_grids, pack_tracks, speeds_mm_s

MOST_POINTS = 600_000  # of all tracks: a page of 3 to 4 MB, which telephones draw fluently
SCRIPTS = ("tracks.js", "colours.js", "painter.js", "rulers.js", "page.js")
_FOLDER = Path(__file__).parent
_FASTEST = 0.98  # share of the points whose speed has a colour of its own


def write_viewer(
    path: Path, tracks: pd.DataFrame, grids: Grids, facts: Mapping[str, str], title: str
) -> Path:
    """Write the page `path`; it opens from a folder and asks for nothing elsewhere.

    Args:
        tracks: a row per point, with the columns ``track``, ``frame``, ``time_s``, ``x_mm``,
            ``z_mm``, ``vx_mm_s`` and ``vz_mm_s``. Of more than `MOST_POINTS` points, the longest
            tracks are shown.
        grids: the maps of all tracks.
        facts: what the page tells about the recording, by name.

    Raises:
        InputError: there is no track.
    """
    shown = longest_tracks(tracks)
    counts = [f"{table['track'].nunique():,}" for table in (shown, tracks)]
    of_all = f"the {counts[0]} longest of {counts[1]}" if len(shown) < len(tracks) else counts[0]
    fastest_mm_s = float(f"{max(np.quantile(speeds_mm_s(shown), _FASTEST), 1e-6):.2g}")
    data = {
        "tracks": pack_tracks(shown),
        "fastest_mm_s": fastest_mm_s,
        "grid": pack_grids(grids, fastest_mm_s),
        "facts": dict(facts),
        "summary": f"{of_all} tracks with {len(shown):,} points",
    }
    page = Environment(undefined=StrictUndefined, autoescape=True).from_string(_asset("page.html"))
    text = page.render(
        title=title,
        data=json.dumps(data).replace("<", "\\u003c"),  # no name ends the script
        style=_asset("page.css"),
        script="\n".join(_asset(name) for name in SCRIPTS),
    )
    return write_text(path, text)


def _asset(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def longest_tracks(tracks: pd.DataFrame, most_points: int = MOST_POINTS) -> pd.DataFrame:
    """Return the points of the longest tracks that have `most_points` together, in their order.

    Raises:
        InputError: there is no track.
    """
    if tracks.empty:
        raise InputError("no tracks to show: lower the threshold or the least length of a track")
    lengths = tracks["track"].value_counts()
    kept = lengths.index[lengths.cumsum() <= max(most_points, lengths.iloc[0])]
    return tracks[tracks["track"].isin(kept)].sort_values(["track", "frame"], kind="stable")
