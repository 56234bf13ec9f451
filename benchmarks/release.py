"""Put a trained network into the package: its weights, its card, its scores on the test split.

bubbleloc train experiment=robust hydra.run.dir=outputs/robust
python benchmarks/release.py outputs/robust robust
"""

import sys
from dataclasses import replace
from pathlib import Path

from safetensors.torch import save_file

from bubbleloc import evaluate_run
from bubbleloc.files import fingerprint
from bubbleloc.models.card import write_card
from bubbleloc.models.runs import open_run
from bubbleloc.nn.released import WEIGHTS

TOLERANCES = (0, 2, 4)  # whose scores the card tells


def release(folder: str, name: str) -> Path:
    """Write weights and card; return the path of the card."""
    run, card_path = open_run(folder), Path(str(WEIGHTS / f"{name}.yaml"))
    weights = card_path.with_suffix(".safetensors")
    save_file(run.network.state_dict(), weights)
    f1 = evaluate_run(folder).scores.groupby("tolerance")["f1"].agg(["mean", "median"])
    scores = f1.loc[list(TOLERANCES)].round(3).to_dict("index")
    training = run.config.model_dump(mode="json", exclude={"model"})
    card = replace(run.card, fingerprint=fingerprint(weights))
    write_card(card_path, {"best": card}, f1_test=scores, training=training)
    return card_path


if __name__ == "__main__":
    print(release(*sys.argv[1:]))
