"""Networks for others: ONNX and ``torch.export`` files, and safetensors with a card."""

import importlib.util
import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from bubbleloc.errors import InputError
from bubbleloc.files import atomic, check_output, fingerprint
from bubbleloc.models.card import write_card
from bubbleloc.models.runs import Run
from bubbleloc.nn import Localizer
from bubbleloc.nn.heads import Calibration, EmitterHead
from bubbleloc.nn.inference import counts_and_emitters
from bubbleloc.report import read_report

FORMATS = (".onnx", ".pt2", ".safetensors")
EMITTERS = (
    "(batch, 4, samples): of a Gaussian per sample the expected bubbles, the offset of their "
    "arrival from the sample and its standard deviation, in samples, and the logarithm of their "
    "radius in µm"
)
SHOWN_TOLERANCES = [0, 2, 4, 9]  # samples, of the scores in a card
SHOWN_SETTINGS = (
    *("data", "loss", "optimizer", "loader", "trainer", "augmentation", "seed"),
    *("noise", "snr_db", "noise_colour", "clean_share"),
)


def export_run(run: Run, output: Path) -> None:
    """Write the network of a run in the format that the suffix of ``output`` names.

    ``.safetensors`` keeps the continuous kernels and puts a YAML card beside the weights;
    ``.onnx`` and ``.pt2`` hold the sampled kernels, for programs that know nothing of this
    package.

    Raises:
        InputError: another suffix, a file that cannot be written, no such checkpoint, or packages
            are missing.
    """
    if output.suffix not in FORMATS:
        raise InputError(f"output={output}: the name must end in {', '.join(FORMATS)}")
    check_output(output)
    if output.suffix == ".safetensors":
        export_weights(run, output)
    else:
        export_network(run.network, output, facts_of(run))


def facts_of(run: Run) -> dict[str, str]:
    """Return what a program must know to use the outputs of an exported network, by name.

    docs/models.md explains the names.
    """
    card = run.card
    facts: dict[str, Any] = {
        "network": Path(run.name).name,
        "software": card.software,
        "sampling_rate_hz": card.scale.sampling_rate_hz,
        "speed_of_sound_m_s": card.scale.speed_of_sound_m_s,
        "shortest_samples": run.network.receptive_field // 2 + 1,
        "bubbles": "(batch, 1, samples): expected bubbles per sample",
    }
    if isinstance(run.network.head, EmitterHead):
        calibration = dict(zip(Calibration._fields, card.calibration, strict=True))
        facts |= {"emitters": EMITTERS, "calibration": json.dumps(calibration)}
    else:
        facts["thresholds"] = json.dumps(dict(card.thresholds))
    return {name: str(value) for name, value in facts.items()}


def export_weights(run: Run, output: Path) -> None:
    """Write an evaluated run as ``<name>.safetensors`` and its card as ``<name>.yaml``.

    Beside what every card holds, this one tells the test scores and the settings of the training.

    Raises:
        InputError: this checkpoint was not evaluated.
    """
    report = read_report(run.report_folder())
    if report.checkpoint != run.card.fingerprint:
        raise InputError(
            f"the report of {run.name} is of another checkpoint; run bubbleloc evaluate "
            f"run={run.name} checkpoint={run.checkpoint}"
        )
    f1 = report.scores.groupby("tolerance")["f1"].agg(["mean", "median"]).round(3)
    with atomic(output) as unfinished:
        save_file(run.network.state_dict(), unfinished)
        unfinished.chmod(0o644)
    training = run.config.plain()
    write_card(
        output.with_suffix(".yaml"),
        {"best": replace(run.card, fingerprint=fingerprint(output))},
        f1_test={tolerance: f1.loc[tolerance].to_dict() for tolerance in SHOWN_TOLERANCES},
        training={name: training[name] for name in SHOWN_SETTINGS},
        epochs=run.config.trainer.max_epochs,
    )


class WithEmitters(nn.Module):
    """A network with a head of emitters that returns counts and emitters.

    Shape: (B, 1, L) → (B, 1, L) and (B, 4, L).
    """

    def __init__(self, network: Localizer) -> None:
        super().__init__()
        self.network = network

    def forward(self, rf: Tensor) -> tuple[Tensor, Tensor]:
        """Map RF lines (B, 1, L)."""
        return counts_and_emitters(self.network, rf)


def export_network(
    network: Localizer, output: Path, facts: Mapping[str, str] | None = None
) -> None:
    """Write a network with its kernels sampled, for any number and length of RF lines.

    Input ``rf`` (B, 1, L) in volts, output ``bubbles`` (B, 1, L), and of a head of emitters
    ``emitters`` (B, 4, L), the fields of `bubbleloc.nn.heads.Emitters`.

    Args:
        output: ``.onnx`` or ``.pt2``.
        facts: what the file tells of the network, by name: the metadata of an ONNX file, and the
            extra file ``facts.json`` of the other.

    Raises:
        InputError: the ONNX packages are missing.
    """
    if output.suffix == ".onnx" and not importlib.util.find_spec("onnxscript"):
        raise InputError("ONNX export needs more packages: pip install bubbleloc[onnx]")
    for name in ("onnxscript", "onnx_ir", "torch.onnx"):  # they tell what is no user's concern
        logging.getLogger(name).setLevel(logging.ERROR)
    frozen = network.cpu().freeze()
    outputs = ["bubbles"]
    exported: nn.Module = frozen
    shortest = frozen.receptive_field // 2 + 1
    example = torch.zeros(2, 1, 2 * shortest + 64)
    axes = {0: torch.export.Dim("batch"), 2: torch.export.Dim("samples", min=shortest)}
    if isinstance(frozen.head, EmitterHead):
        exported, outputs = WithEmitters(frozen), ["bubbles", "emitters"]
    told = dict(facts or {})
    with atomic(output) as unfinished, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of PyTorch about itself
        program = torch.export.export(exported, (example,), dynamic_shapes=(axes,))
        if output.suffix == ".pt2":
            torch.export.save(program, unfinished, extra_files={"facts.json": json.dumps(told)})
            return
        onnx = torch.onnx.export(
            program, (example,), input_names=["rf"], output_names=outputs, verbose=False
        )
        assert onnx is not None  # it is where no name of a file is given
        onnx.model.metadata_props.update(told)
        onnx.save(unfinished, external_data=False)
