"""Make the published dilated CNN a run directory, which evaluate and compare take like any other.

python benchmarks/published_run.py <folder with dilated_cnn_HS_001.pt> outputs/HS_001
bubbleloc evaluate run=outputs/HS_001
"""

import argparse
from pathlib import Path

import torch

from bubbleloc.console.composition import settings_from_python
from bubbleloc.console.settings import Train
from bubbleloc.models import provenance
from bubbleloc.models.run_folder import CHECKPOINTS, begin

WEIGHTS = "dilated_cnn_HS_001.pt"


def main(published: Path, run: Path) -> None:
    """Write configuration, checkpoint and origin of the run."""
    weights = torch.load(published / WEIGHTS, map_location="cpu", weights_only=True)
    settings, _ = settings_from_python(Train, {"experiment": "srml"})
    begin(run, settings)
    state = {f"network.{name}": value for name, value in weights.items()}
    torch.save({"state_dict": state}, run / CHECKPOINTS / "best.ckpt")
    provenance.write(run, settings.seed, Path(settings.data.folder))
    print(f"run: {run}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("published", type=Path, help=f"folder with {WEIGHTS}")
    parser.add_argument("run", type=Path, help="run directory to write")
    main(**vars(parser.parse_args()))
