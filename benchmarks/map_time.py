"""How soon the vessels of a map are filled, and how close a pair may be: learned, conventional.

    python benchmarks/map_time.py [--workers 2] [--work outputs/map_time] [--seeds 3]

Each method maps the phantoms ``tree`` and ``pair`` at several densities of bubbles, as
``bubbleloc map`` does. The best density of a method is that with which the tree is filled soonest
with the first seed; it is mapped with the other seeds, too. Mappings in ``--work`` that are
finished are kept. Writes docs/results/map_time.csv, a row per mapping.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bubbleloc.console.settings import Map, check
from bubbleloc.maps.run import map_vessels
from bubbleloc.tables import write_csv

TABLE = Path(__file__).resolve().parents[1] / "docs" / "results" / "map_time.csv"
FRAME_RATE_HZ = 250
SCORES = [
    *("f1", "precision", "recall", "links", "velocity_error", "dice", "resolution_um"),
    *("filled_s", "smallest_pair_um"),
]


class Tried(NamedTuple):
    """What is tried of a method: densities in bubbles per mm² of the vessels, and how long."""

    densities_mm2: tuple[float, ...]
    tree_s: float
    pair_s: float


METHODS = {
    "conventional": Tried((0.5, 1, 2, 4), tree_s=16, pair_s=8),
    "learned": Tried((5, 10, 20), tree_s=2, pair_s=2),
}


def mapped(
    work: Path, workers: int, method: str, phantom: str, density_mm2: float, seed: int
) -> dict[str, object]:
    """Map a phantom, unless that is done; return a row of the table."""
    tried = METHODS[method]
    duration_s = tried.tree_s if phantom == "tree" else tried.pair_s
    settings = {
        "phantom": phantom,
        "method": [method],
        "density_mm2": density_mm2,
        "duration_s": duration_s,
        "frame_rate_hz": FRAME_RATE_HZ,
        "seed": seed,
        "workers": workers,
        "output": str(work / f"{phantom}-{method}-{density_mm2:g}-{seed}"),
    }
    (result,) = map_vessels(check(Map, settings)).results
    told = {name: settings[name] for name in ("phantom", "density_mm2", "seed", "duration_s")}
    filled = float("nan") if result.saturation is None else result.saturation["share"].iloc[-1]
    scores = {name: result.scores.get(name, float("nan")) for name in SCORES}
    mapping = f"{method}, {density_mm2:g}"
    return {
        "mapping": mapping,
        "method": method,
        **told,
        **scores,
        "filled": filled,
        "seconds": result.seconds,
    }


def main() -> None:
    """Run all mappings."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("outputs/map_time"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--table", type=Path, default=TABLE)
    asked = parser.parse_args()
    rows: list[dict[str, object]] = []

    def add(*what: object) -> dict[str, object]:
        rows.append(mapped(asked.work, asked.workers, *what))  # type: ignore[arg-type]
        write_csv(pd.DataFrame(rows), asked.table)
        return rows[-1]

    for method in asked.methods:
        trees = [add(method, "tree", d, 0) for d in METHODS[method].densities_mm2]
        ranked = pd.DataFrame(trees).sort_values(["filled_s", "filled"], ascending=[True, False])
        best = float(ranked["density_mm2"].iloc[0])
        for seed in range(1, asked.seeds):
            add(method, "tree", best, seed)
        for seed in range(asked.seeds):
            add(method, "pair", best, seed)


if __name__ == "__main__":
    main()
