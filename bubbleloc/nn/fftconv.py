"""Channel-mixing 1-D convolution with long kernels, by overlap-save.

A line is cut into overlapping blocks of a few kernel lengths. Each block is transformed, every
frequency is one product of (C_out × C_in) with (C_in × blocks), and the valid part of each block
is transformed back. Work and memory grow with the line, not with line × kernel.

Two things make it fast. Lines are processed a few at a time, so that spectra stay in the cache;
and spectra lie as (frequency, channel, block), so that every product is one contiguous matrix
product and every change of layout a plain transposition. How to cut is in `fftconv_plan`.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from bubbleloc.nn.fftconv_plan import Plan, plan_convolution


def fft_conv1d(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Valid cross-correlation, equal to ``torch.nn.functional.conv1d``.

    Direct convolution is used where it is faster (tiny kernels). Half precision, autocast
    included, is computed in float32, because FFTs lose too much in less.

    >>> x, weight = torch.randn(2, 3, 1000), torch.randn(4, 3, 131)
    >>> output = fft_conv1d(x, weight)
    >>> output.shape
    torch.Size([2, 4, 870])
    >>> torch.allclose(output, functional.conv1d(x, weight), atol=1e-3)
    True

    Args:
        x: (B, C_in, L), or (C_in, L).
        weight: (C_out, C_in, K).
        bias: (C_out,) or None.

    Returns:
        (B, C_out, L − K + 1), or (C_out, L − K + 1).

    Raises:
        RuntimeError: shapes that do not fit, as from ``conv1d``, K > L among them.
    """
    plan = plan_convolution(tuple(x.shape), tuple(weight.shape), x.device.type)
    if plan is None or x.is_complex():
        return functional.conv1d(x, weight, bias)
    dtype = torch.get_autocast_dtype(x.device.type) if _autocast(x) else x.dtype
    precision = torch.promote_types(x.dtype, torch.float32)
    tensors = (None if t is None else t.to(precision) for t in (x, weight, bias))
    output: Tensor = _OverlapSave.apply(*tensors, plan)  # type: ignore[no-untyped-call]
    return output.to(dtype)


def _autocast(x: Tensor) -> bool:
    """Return whether ``conv1d`` would now run in reduced precision."""
    return torch.is_autocast_enabled(x.device.type) and x.dtype != torch.float64


class FixedKernel:
    """A kernel that convolves many lines: its spectrum is computed once per block length.

    For inference; no gradients.

    >>> convolve = FixedKernel(torch.randn(4, 3, 131))
    >>> [tuple(convolve(torch.randn(2, 3, samples)).shape) for samples in (500, 1000)]
    [(2, 4, 370), (2, 4, 870)]

    Args:
        weight: (C_out, C_in, K).
    """

    def __init__(self, weight: Tensor) -> None:
        self.weight = weight.detach()
        self._spectra: dict[int, Tensor] = {}

    def __call__(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve ``x`` (B, C_in, L) as `fft_conv1d` does."""
        plan = plan_convolution(tuple(x.shape), tuple(self.weight.shape), x.device.type)
        if plan is None or x.dtype != self.weight.dtype or _autocast(x):
            return fft_conv1d(x, self.weight, bias)
        if plan.block not in self._spectra:
            self._spectra[plan.block] = _kernel_spectra(self.weight, plan)
        return _convolve(x, self._spectra[plan.block], bias, plan)


class FFTConv1d(nn.Conv1d):
    """``torch.nn.Conv1d`` computed by `fft_conv1d`: same parameters, same result.

    >>> layer, x = FFTConv1d(3, 4, kernel_size=131), torch.randn(2, 3, 1000)
    >>> torch.equal(layer(x), fft_conv1d(x, layer.weight, layer.bias))
    True

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
    """Keeps its inputs and the kernels' spectra; spectra of lines are computed again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, plan: Plan) -> Tensor:
        kernels = _kernel_spectra(weight, plan)
        ctx.save_for_backward(x, kernels)
        ctx.plan = plan
        return _convolve(x, kernels, bias, plan)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, kernels = ctx.saved_tensors
        plan: Plan = ctx.plan
        wanted_x, wanted_weight, wanted_bias, _ = ctx.needs_input_grad
        grad_x = torch.empty_like(x, memory_format=torch.contiguous_format) if wanted_x else None
        spectra = torch.zeros_like(kernels) if wanted_weight else None
        for lines in plan.chunks(x.shape[0]):
            upstream = _spectra(_pieces(grad[lines], plan))
            if grad_x is not None:
                grad_x[lines] = _overlap_add(_signals(kernels @ upstream, plan), plan)
            if spectra is not None:
                spectra.baddbmm_(_spectra(_blocks(x[lines], plan)), upstream.mH)
        grad_weight = None if spectra is None else _kernels(spectra, plan)
        grad_bias = grad.sum((0, 2)) if wanted_bias else None
        return grad_x, grad_weight, grad_bias, None


def _convolve(x: Tensor, kernels: Tensor, bias: Tensor | None, plan: Plan) -> Tensor:
    """Convolve lines (B, C_in, L) with kernel spectra (frequency, C_in, C_out)."""
    output = x.new_empty(x.shape[0], kernels.shape[-1], plan.valid)
    for lines in plan.chunks(x.shape[0]):
        product = kernels.mH @ _spectra(_blocks(x[lines], plan))
        pieces = _signals(product, plan)[..., : plan.step]
        line = pieces.unflatten(1, (-1, plan.blocks)).flatten(2)[..., : plan.valid]
        output[lines] = line.transpose(0, 1)
    return output if bias is None else output.add_(bias.unsqueeze(-1))


def _blocks(x: Tensor, plan: Plan) -> Tensor:
    """Cut lines (B, C, L) into overlapping blocks (C, B, blocks, block)."""
    padded = functional.pad(x.transpose(0, 1), (0, plan.covered - plan.length))
    return padded.unfold(-1, plan.block, plan.step)


def _pieces(grad: Tensor, plan: Plan) -> Tensor:
    """Cut lines (B, C, valid) into adjoining, zero-padded pieces (C, B, blocks, block)."""
    padded = functional.pad(grad.transpose(0, 1), (0, plan.blocks * plan.step - plan.valid))
    return functional.pad(padded.unflatten(-1, (plan.blocks, plan.step)), (0, plan.kernel - 1))


def _overlap_add(pieces: Tensor, plan: Plan) -> Tensor:
    """Sum pieces (C, B·blocks, block), one every ``step`` samples, to lines (B, C, L)."""
    pieces = pieces.unflatten(1, (-1, plan.blocks))
    channels, lines = pieces.shape[:2]
    total = pieces.new_zeros(channels, lines, -(-plan.covered // plan.step), plan.step)
    for start in range(0, plan.block, plan.step):
        part = pieces[..., start : start + plan.step]
        row = start // plan.step
        total[:, :, row : row + plan.blocks, : part.shape[-1]] += part
    return total.flatten(2)[..., : plan.length].transpose(0, 1)


def _spectra(blocks: Tensor) -> Tensor:
    """Transform blocks (C, …, block) to (frequency, C, blocks)."""
    spectra = torch.fft.rfft(blocks.contiguous())
    channels, frequencies = spectra.shape[0], spectra.shape[-1]
    return spectra.view(-1, frequencies).t().contiguous().view(frequencies, channels, -1)


def _signals(spectra: Tensor, plan: Plan) -> Tensor:
    """Transform (frequency, C, blocks) back to (C, blocks, block)."""
    frequencies, channels, _ = spectra.shape
    rows = spectra.reshape(frequencies, -1).t().contiguous()
    return torch.fft.irfft(rows, plan.block).view(channels, -1, plan.block)


def _kernel_spectra(weight: Tensor, plan: Plan) -> Tensor:
    """Transform kernels (C_out, C_in, K) to (frequency, C_in, C_out)."""
    padded = functional.pad(weight.transpose(0, 1), (0, plan.block - plan.kernel))
    return _spectra(padded)


def _kernels(spectra: Tensor, plan: Plan) -> Tensor:
    """Transform (frequency, C_in, C_out) back to kernels (C_out, C_in, K)."""
    return _signals(spectra, plan)[..., : plan.kernel].transpose(0, 1)
