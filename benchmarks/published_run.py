"""Make the published dilated CNN a run directory, which evaluate and compare take like any other.

python benchmarks/published_run.py <folder with dilated_cnn_HS_001.pt> outputs/HS_001
bubbleloc evaluate run=outputs/HS_001
"""

import argparse
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from bubbleloc.console.cli import config_folder
from bubbleloc.models import runs
from bubbleloc.training import provenance

WEIGHTS = "dilated_cnn_HS_001.pt"


def main(published: Path, run: Path) -> None:
    """Write configuration, checkpoint and origin of the run."""
    weights = torch.load(published / WEIGHTS, map_location="cpu", weights_only=True)
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = OmegaConf.to_container(compose("train", ["experiment=srml"]), resolve=True)
    assert isinstance(config, dict)
    runs.begin(run, {str(key): value for key, value in config.items()})
    state = {f"network.{name}": value for name, value in weights.items()}
    torch.save({"state_dict": state}, run / runs.CHECKPOINTS / "best.ckpt")
    provenance.write(run, config["seed"], Path(config["data"]["folder"]))
    print(f"run: {run}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("published", type=Path, help=f"folder with {WEIGHTS}")
    parser.add_argument("run", type=Path, help="run directory to write")
    main(**vars(parser.parse_args()))
