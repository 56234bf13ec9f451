"""Networks for others: ONNX and ``torch.export`` files, and safetensors with a card."""

import importlib.util
import logging
from pathlib import Path

import torch

from bubbleloc.errors import InputError
from bubbleloc.evaluation.release import write_release
from bubbleloc.files import atomic
from bubbleloc.nn import Localizer
from bubbleloc.training import runs

FORMATS = (".onnx", ".pt2", ".safetensors")


def export_run(run: Path, output: Path, checkpoint: str = "best") -> None:
    """Write the network of a run in the format that the suffix of ``output`` names.

    ``.safetensors`` keeps the continuous kernels and puts a YAML card beside the weights;
    ``.onnx`` and ``.pt2`` hold the sampled kernels, for programs that know nothing of this
    package.

    Raises:
        InputError: another suffix, no such run, or packages are missing.
    """
    if output.suffix not in FORMATS:
        raise InputError(f"output={output}: the name must end in {', '.join(FORMATS)}")
    if output.suffix == ".safetensors":
        write_release(run, output, checkpoint)
    else:
        export_network(runs.load_network(run, checkpoint), output)


def export_network(network: Localizer, output: Path) -> None:
    """Write a network with its kernels sampled, for any number and length of RF lines.

    Input ``rf`` (B, 1, L) in volts, output ``bubbles`` (B, 1, L).

    Args:
        output: ``.onnx`` or ``.pt2``.

    Raises:
        InputError: the ONNX packages are missing.
    """
    if output.suffix == ".onnx" and not importlib.util.find_spec("onnxscript"):
        raise InputError("ONNX export needs more packages: pip install bubbleloc[onnx]")
    logging.getLogger("onnxscript").setLevel(logging.WARNING)
    logging.getLogger("onnx_ir").setLevel(logging.WARNING)
    frozen = network.cpu().freeze()
    shortest = frozen.receptive_field // 2 + 1
    example = torch.zeros(2, 1, 2 * shortest + 64)
    axes = {0: torch.export.Dim("batch"), 2: torch.export.Dim("samples", min=shortest)}
    program = torch.export.export(frozen, (example,), dynamic_shapes=(axes,))
    with atomic(output) as unfinished:
        if output.suffix == ".onnx":
            torch.onnx.export(
                program,
                (example,),
                unfinished,
                input_names=["rf"],
                output_names=["bubbles"],
                external_data=False,
                verbose=False,
            )
        else:
            torch.export.save(program, unfinished)
