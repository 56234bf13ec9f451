#!/usr/bin/env bash
# The same number of frames in two trackers: trackpy's memory=m bridges m missing frames, LapTrack's
# gap_closing_max_frame_count=g bridges g − 1, as it is the distance of the two frames that are linked.
# One would guess that 1 bridges one missing frame; in LapTrack it bridges none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check trackpy==0.7 laptrack==0.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

import pandas as pd
import trackpy
from laptrack import LapTrack

warnings.simplefilter("ignore")
trackpy.quiet()
print("trackpy", version("trackpy"), "laptrack", version("laptrack"))


def resting(missing):
    """One particle at rest, in three frames, then not in some, then in three again."""
    frames = [0, 1, 2, *(missing + n for n in (3, 4, 5))]
    return pd.DataFrame({"frame": frames, "x": 0.0, "y": 0.0})


def by_trackpy(table, most):
    return trackpy.link(table, 1.0, memory=most)["particle"].nunique() == 1


def by_laptrack(table, most):
    tracker = LapTrack(cutoff=1.0, gap_closing_cutoff=1.0, gap_closing_max_frame_count=most)
    return tracker.predict_dataframe(table, ["x", "y"])[0]["track_id"].nunique() == 1


bridged = {}
for name, links in (("trackpy", by_trackpy), ("LapTrack", by_laptrack)):
    for most in (1, 2, 3):
        bridged[name, most] = max(n for n in range(6) if links(resting(n), most))
        print(f"{name:8} {most}: bridges {bridged[name, most]} missing frames")
assert [bridged["trackpy", n] for n in (1, 2, 3)] == [1, 2, 3], "trackpy counts otherwise"
assert [bridged["LapTrack", n] for n in (1, 2, 3)] == [0, 1, 2], "LapTrack counts otherwise"
PYTHON
