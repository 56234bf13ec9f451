"""Channel-mixing 1-D convolution with long kernels: overlap-save blocks, one FFT size.

The line is cut into blocks of a few kernel lengths. Each block is transformed, every
frequency is one (blocks × C_in) by (C_in × C_out) matrix product, and the valid part is
transformed back. Work and memory then grow with the line, not with line × kernel.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST_BLOCK = 256  # samples; below this the matrix products get too small to be efficient
BLOCK_PER_KERNEL = 4  # longer blocks waste memory, shorter ones recompute more overlap


def fft_conv1d(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Valid cross-correlation, equal to ``torch.nn.functional.conv1d``.

    Args:
        x: (B, C_in, L) float32 or float64.
        weight: (C_out, C_in, K) with K ≤ L.
        bias: (C_out,) or None.

    Returns:
        (B, C_out, L − K + 1).
    """
    output: Tensor = _OverlapSave.apply(x, weight)  # type: ignore[no-untyped-call]
    return output if bias is None else output + bias.unsqueeze(-1)


class FFTConv1d(nn.Conv1d):
    """``torch.nn.Conv1d`` computed by `fft_conv1d`: same arguments, parameters and result.

    Shape: (B, in_channels, L) → (B, out_channels, L − kernel_size + 1).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, bias: bool = True
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve ``input`` (B, in_channels, L)."""
        return fft_conv1d(input, self.weight, self.bias)


class _OverlapSave(torch.autograd.Function):
    """Keeps only its inputs for the backward pass and computes their spectra again there."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        block = block_length(weight.shape[-1], x.shape[-1])
        step = block - weight.shape[-1] + 1
        length = x.shape[-1] - weight.shape[-1] + 1
        kernels = torch.fft.rfft(weight, block).conj().permute(2, 1, 0)  # (F, C_in, C_out)
        product = _block_spectra(x, block, step, length) @ kernels
        return _from_spectra(product, x.shape[0], block)[..., :step].flatten(2)[..., :length]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        kernel = weight.shape[-1]
        block = block_length(kernel, x.shape[-1])
        step = block - kernel + 1
        grad_spectra = _to_spectra(_split(grad, step), block)  # (F, B·blocks, C_out)
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            kernels = torch.fft.rfft(weight, block).permute(2, 0, 1)  # (F, C_out, C_in)
            pieces = _from_spectra(grad_spectra @ kernels, x.shape[0], block)
            grad_x = _overlap_add(pieces, step)[..., : x.shape[-1]]
        if ctx.needs_input_grad[1]:
            blocks = _block_spectra(x, block, step, grad.shape[-1])
            spectra = grad_spectra.mH @ blocks  # (F, C_out, C_in)
            grad_weight = torch.fft.irfft(spectra.permute(1, 2, 0), block)[..., :kernel]
        return grad_x, grad_weight


def block_length(kernel: int, length: int) -> int:
    """FFT length for a kernel: about four kernels, a power of two, no longer than needed."""
    wanted = max(SMALLEST_BLOCK, BLOCK_PER_KERNEL * kernel)
    return 1 << (min(wanted, length + kernel) - 1).bit_length()


def _block_spectra(x: Tensor, block: int, step: int, length: int) -> Tensor:
    """Spectra of overlapping blocks of ``x`` (B, C, L) → (F, B·blocks, C)."""
    blocks = -(-length // step)
    padded = functional.pad(x, (0, (blocks - 1) * step + block - x.shape[-1]))
    return _to_spectra(padded.unfold(-1, block, step), block)


def _split(x: Tensor, step: int) -> Tensor:
    """Cut ``x`` (B, C, L) into pieces (B, C, blocks, step), the last one zero-padded."""
    padded = functional.pad(x, (0, -x.shape[-1] % step))
    return padded.unflatten(-1, (-1, step))


def _to_spectra(pieces: Tensor, block: int) -> Tensor:
    """(B, C, blocks, n) → (F, B·blocks, C)."""
    return torch.fft.rfft(pieces, block).permute(3, 0, 2, 1).flatten(1, 2)


def _from_spectra(spectra: Tensor, batch: int, block: int) -> Tensor:
    """(F, B·blocks, C) → (B, C, blocks, block)."""
    return torch.fft.irfft(spectra.unflatten(1, (batch, -1)).permute(1, 3, 2, 0), block)


def _overlap_add(pieces: Tensor, step: int) -> Tensor:
    """Sum pieces (B, C, blocks, block) placed every ``step`` samples."""
    batch, channels, blocks, block = pieces.shape
    total = functional.fold(
        pieces.permute(0, 1, 3, 2).reshape(batch * channels, block, blocks),
        output_size=(1, (blocks - 1) * step + block),
        kernel_size=(1, block),
        stride=(1, step),
    )
    return total.view(batch, channels, -1)
