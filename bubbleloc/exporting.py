"""Networks for other programs: ONNX and ``torch.export`` files."""

import importlib.util
import logging
from pathlib import Path

import torch

from bubbleloc.errors import InputError
from bubbleloc.nn import Localizer

FORMATS = (".onnx", ".pt2")


def export_network(network: Localizer, output: Path) -> None:
    """Write a network with its kernels sampled, for any number and length of RF lines.

    Input ``rf`` (B, 1, L) in volts, output ``bubbles`` (B, 1, L).

    Args:
        output: ``.onnx`` or ``.pt2``.

    Raises:
        InputError: another suffix, or the ONNX packages are missing.
    """
    if output.suffix not in FORMATS:
        raise InputError(f"output={output}: the name must end in {' or '.join(FORMATS)}")
    if output.suffix == ".onnx" and not importlib.util.find_spec("onnxscript"):
        raise InputError("ONNX export needs more packages: pip install bubbleloc[onnx]")
    logging.getLogger("onnxscript").setLevel(logging.WARNING)
    logging.getLogger("onnx_ir").setLevel(logging.WARNING)
    frozen = network.cpu().freeze()
    shortest = frozen.receptive_field // 2 + 1
    example = torch.zeros(2, 1, 2 * shortest + 64)
    axes = {0: torch.export.Dim("batch"), 2: torch.export.Dim("samples", min=shortest)}
    program = torch.export.export(frozen, (example,), dynamic_shapes=(axes,))
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f"{output.stem}.partial{output.suffix}")
    try:
        if output.suffix == ".onnx":
            torch.onnx.export(
                program,
                (example,),
                temporary,
                input_names=["rf"],
                output_names=["bubbles"],
                external_data=False,
                verbose=False,
            )
        else:
            torch.export.save(program, temporary)
        temporary.replace(output)
    finally:
        temporary.unlink(missing_ok=True)
