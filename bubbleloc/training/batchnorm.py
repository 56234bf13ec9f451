"""Batch normalisation over the whole batch when several processes share it."""

from typing import Any

import torch
from lightning.pytorch.plugins import LayerSync
from torch import Tensor, distributed, nn


class _Sum(torch.autograd.Function):
    """Sum over processes, whose gradient is the sum of their gradients."""

    @staticmethod
    def forward(ctx: Any, input: Tensor) -> Tensor:
        total = input.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return sum_over_processes(gradients[0])


def sum_over_processes(input: Tensor) -> Tensor:
    """Return the sum of the tensors that all processes give."""
    total: Tensor = _Sum.apply(input)  # type: ignore[no-untyped-call]
    return total


class GlobalBatchNorm1d(nn.BatchNorm1d):
    """Takes mean and variance over the batches of all processes, which are of one size.

    PyTorch's ``SyncBatchNorm`` does the same on GPUs only.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, C, L)."""
        if not self.training:
            return super().forward(input)
        processes = distributed.get_world_size()
        mean = sum_over_processes(input.mean((0, 2))) / processes
        centred = input - mean[:, None]
        variance = sum_over_processes(centred.square().mean((0, 2))) / processes
        self._remember(mean.detach(), variance.detach(), processes * input[:, 0].numel())
        scale = self.weight * (variance + self.eps).rsqrt()
        return centred * scale[:, None] + self.bias[:, None]

    def _remember(self, mean: Tensor, variance: Tensor, values: int) -> None:
        """Move the running statistics, as batch normalisation does, with the unbiased variance."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (values / (values - 1)), self.momentum)


class GlobalBatchNorm(LayerSync):
    """Swaps the class of batch normalisation layers, so that weights and names stay the same."""

    def apply(self, model: nn.Module) -> nn.Module:
        """Let layers work over all processes."""
        return _swap(model, nn.BatchNorm1d, GlobalBatchNorm1d)

    def revert(self, model: nn.Module) -> nn.Module:
        """Let layers work alone again."""
        return _swap(model, GlobalBatchNorm1d, nn.BatchNorm1d)


def _swap(model: nn.Module, old: type[nn.Module], new: type[nn.Module]) -> nn.Module:
    for module in model.modules():
        if type(module) is old:
            module.__class__ = new
    return model
