"""Continuous kernels over samples at irregular positions, summed directly."""

import torch
from torch import Tensor

from bubbleloc.nn.ckconv import CKConv1d

EDGE_SAMPLES = 1e-3  # positions off by rounding still meet the first and last tap


def irregular_conv1d(
    layer: CKConv1d,
    x: Tensor,
    positions: Tensor,
    at: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    """Apply a layer to samples at any positions: y(t) = b + Σ_i ψ(t_i − t) · x(t_i) · Δ_i.

    A continuous kernel ψ is known between its taps, too, so samples may be missing or lie
    anywhere (Romero et al. 2021, arXiv 2102.02611). ψ has its origin in the middle of the kernel
    and is zero beyond (K − 1)/2 samples from it. At positions 0, 1, …, L − 1 this is the layer
    itself, zero-padded to keep the length.

    Differentiable in everything but the choice of pairs within reach. Memory grows as
    C_in · C_out times the number of these pairs.

    Args:
        layer: not dilated.
        x: samples (B, C_in, N).
        positions: where they lie (N,), in any order, in samples of the rate that the layer
            knows (one τ step each); in float64 for long lines.
        at: where to evaluate (M,); ``positions`` if None.
        weights: length of line Δ_i (N,) in samples that each sample stands for, such as
            ``torch.gradient(positions)[0]`` of sorted positions, which makes the sum approximate
            the integral over all samples; 1 if None, which leaves out what is missing.

    Returns:
        (B, C_out, M).

    Raises:
        ValueError: a dilated layer, or positions that are not one per sample.
    """
    if layer.dilation > 1:
        raise ValueError(f"dilation {layer.dilation} must be 1")
    if positions.shape != x.shape[-1:]:
        raise ValueError(f"positions {tuple(positions.shape)} must be one per sample of {x.shape}")
    at = positions if at is None else at
    reach = (layer.kernel_size - 1) / 2
    outputs, inputs = _pairs(positions.detach(), at.detach(), reach + EDGE_SAMPLES)
    step = (layer.tau[-1] - layer.tau[0]) / max(1, layer.kernel_size - 1)
    offset = (positions[inputs] - at[outputs]).clamp(-reach, reach)
    kernel = layer.values_at(offset.to(layer.tau) * step)
    weighted = x if weights is None else x * weights
    terms = torch.einsum("oip,bip->bop", kernel, weighted[..., inputs])
    total = terms.new_zeros(*terms.shape[:2], len(at)).index_add(-1, outputs, terms)
    return total + layer.bias.unsqueeze(-1)


def _pairs(positions: Tensor, at: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Indices (P,) into ``at`` and into ``positions`` of all pairs within ``reach``."""
    ordered, order = positions.sort()
    first = torch.searchsorted(ordered, at - reach)
    count = torch.searchsorted(ordered, at + reach, right=True) - first
    outputs = torch.repeat_interleave(count)
    within = torch.arange(len(outputs), device=at.device) - (count.cumsum(0) - count)[outputs]
    return outputs, order[first[outputs] + within]
