"""``python docs/try/bundle.py site/try`` adds network, runtime and example line to the page."""

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from bubbleloc.evaluation.export import export_run
from bubbleloc.metrics.certainty import CALIBRATION_RADIUS_UM, MOST_SURE
from bubbleloc.metrics.mixture import FAINTEST, LEAST_EXPECTED, LEAST_F1, WINDOW
from bubbleloc.metrics.thresholds import QUOTED_TOLERANCE
from bubbleloc.models.runs import open_run
from bubbleloc.physics import Setup, draw_scene, simulate_rf

NETWORK = "bubbleloc:robust"
RUNTIME = "onnxruntime-web@1.30.0"
RUNTIME_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")


def network_facts() -> dict[str, object]:
    """Return what the page needs to know of its network."""
    trained = open_run(NETWORK)
    return {
        "name": NETWORK,
        "mm_per_sample": trained.card.scale.um_per_sample / 1e3,
        "shortest_samples": trained.network.receptive_field // 2 + 1,
        "window": WINDOW,
        "least_expected": LEAST_EXPECTED,
        "least_f1": LEAST_F1,
        "faintest": FAINTEST,
        "tolerance": QUOTED_TOLERANCE,
        "most_sure": MOST_SURE,
        "radius_um": CALIBRATION_RADIUS_UM,
        "calibration": trained.card.calibration,
    }


def add_network(folder: Path) -> None:
    """Write the network as ONNX, and the facts about it."""
    export_run(open_run(NETWORK), folder / "network.onnx")
    (folder / "network.json").write_text(json.dumps(network_facts()), encoding="utf-8")


def add_runtime(folder: Path) -> None:
    """Unpack the files of onnxruntime-web that run a network on a processor."""
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run(
            ["npm", "pack", "--silent", RUNTIME], cwd=temporary, check=True, capture_output=True
        )
        (archive,) = Path(temporary).glob("*.tgz")
        with tarfile.open(archive) as files:
            for name in RUNTIME_FILES:
                source = files.extractfile(f"package/dist/{name}")
                assert source is not None
                (folder / name).write_bytes(source.read())


def add_example(folder: Path) -> None:
    """Simulate a line of 60 bubbles with a little noise."""
    rng = np.random.default_rng(3)
    scene = draw_scene(rng, count=(60, 60), pressure_pa=(100e3, 100e3))
    volts = simulate_rf(scene, Setup()).volts
    noise = rng.normal(0, 0.02 * volts.std(), volts.shape)
    np.save(folder / "example.npy", (volts + noise).astype(np.float32))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    add_network(target)
    add_runtime(target)
    add_example(target)
