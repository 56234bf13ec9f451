"""What all localization networks share: RF lines in volts in, one value per sample out."""

import copy
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import cast

from torch import Tensor, nn

from bubbleloc.nn.ckconv import CKConv1d, samples_taken
from bubbleloc.nn.resample import resampled_convolution
from bubbleloc.nn.scaling import InputScaling

Convolution = Callable[[int, int], nn.Module]  # from input channels and output channels


class Localizer(nn.Module):
    """Scaling, then a stack of layers that keeps the length by reflection padding.

    Args:
        layers: the layers between padding and output.
        input_scaling: ``"rms"`` or ``"none"``, see `InputScaling`.

    Shape: (B, 1, L) volts → (B, 1, L), for L above half the receptive field.
    """

    def __init__(self, layers: list[nn.Module], input_scaling: str) -> None:
        super().__init__()
        self.scaling = InputScaling(input_scaling)
        self.model = nn.Sequential(nn.ReflectionPad1d(reach(nn.Sequential(*layers))), *layers)
        self.head: nn.Module = nn.Identity()  # or bubbleloc.nn.emitters.EmitterHead

    def forward(self, rf: Tensor) -> Tensor:
        """Map RF lines (B, 1, L) to (B, 1, L)."""
        return self.outputs(self.padded(rf), rf.shape[-1])

    def padded(self, rf: Tensor) -> Tensor:
        """Scale RF lines (B, 1, L) and pad them by reflection, `context` samples in all."""
        output: Tensor = self.model[0](self.scaling(rf))
        return output

    def outputs(self, padded: Tensor, samples: int) -> Tensor:
        """Map lines with context (B, 1, samples + `context`) to (B, 1, samples)."""
        output: Tensor = self.head(self.readings(padded, samples))
        return output

    def readings(self, padded: Tensor, samples: int) -> Tensor:
        """Map lines with context to what the head reads, (B, 1 or more, samples)."""
        for layer in list(self.model)[1:]:
            padded = layer(padded)
        return padded

    @property
    def read_out(self) -> str:
        """Name of the last layer with weights, a convolution of one tap."""
        places = [
            i for i, layer in enumerate(self.model) if isinstance(layer, nn.Conv1d | nn.Conv2d)
        ]
        return f"model.{places[-1]}"

    @property
    def context(self) -> int:
        """Samples that `outputs` needs beside those that it returns."""
        return sum(cast(nn.ReflectionPad1d, self.model[0]).padding)

    @property
    def receptive_field(self) -> int:
        """Samples of the scaled RF line that one output sample sees, odd."""
        return 1 + 2 * reach(self)

    @property
    def sampling_rate_hz(self) -> float:
        """Of the RF lines that the network is for; the training sets it to that of its data."""
        return self.scaling.sampling_rate_hz

    @sampling_rate_hz.setter
    def sampling_rate_hz(self, value: float) -> None:
        self.scaling.sampling_rate_hz = value

    @property
    def parameter_count(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def kernel_samples(self) -> int:
        """Kernel size of the convolutions, the 1-tap read-out aside."""
        sizes = (getattr(module, "kernel_size", 1) for module in self.modules())
        return max(size[0] if isinstance(size, tuple) else int(size) for size in sizes)

    def freeze(self) -> "Localizer":
        """Return a copy with plain ``nn.Conv1d`` layers that hold the sampled kernels.

        Same output, in evaluation mode; for ``torch.export`` and ONNX, where a kernel network
        and FFTs have no place.
        """
        frozen = copy.deepcopy(self)
        for name, layer in self.named_modules():
            if isinstance(layer, CKConv1d):
                frozen.set_submodule(name, layer.sampled())
        return frozen.eval().requires_grad_(False)

    def at_sampling_rate(
        self, sampling_rate_hz: float, trained_at_hz: float | None = None
    ) -> "Localizer":
        """Return a frozen copy for RF lines of another sampling rate.

        Every kernel is resampled without changing its frequency response below both Nyquist
        rates, see `resample_kernel`. The layers in between are not linear, so the network's
        output at the same times is close but not equal; tolerances in samples scale.

        Args:
            trained_at_hz: the rate of its training data if the network does not know it.

        Raises:
            ValueError: the network reports emitters, whose positions are in its own samples.
        """
        if not isinstance(self.head, nn.Identity):
            raise ValueError("a network with head=emitters keeps its sampling rate; resample lines")
        trained_at_hz = trained_at_hz or self.sampling_rate_hz
        ratio = Fraction(sampling_rate_hz / trained_at_hz).limit_denominator(10_000)
        resampled = self.freeze()
        for name, layer in self.freeze().named_modules():
            if isinstance(layer, nn.Conv1d):
                resampled.set_submodule(name, resampled_convolution(layer, ratio))
        resampled.model[0] = nn.ReflectionPad1d(reach(resampled))
        resampled.sampling_rate_hz = sampling_rate_hz
        return resampled


def reach(layers: nn.Module) -> int:
    """Samples that valid convolutions in a row take from either end of a line."""
    return sum(samples_taken(layer) for layer in layers.modules()) // 2


def doubling(convolution: Callable[..., nn.Module], depth: int) -> list[Convolution]:
    """Return ``depth`` times a kind of convolution, of dilation 1, 2, 4, …"""
    return [partial(convolution, dilation=2**place) for place in range(depth)]


def stack(convolutions: Sequence[Convolution], channels: int) -> list[nn.Module]:
    """Return [convolution, batch normalisation, ReLU] for each, and a 1-tap read-out."""
    layers: list[nn.Module] = []
    for place, convolution in enumerate(convolutions):
        in_channels = 1 if place == 0 else channels
        layers += [convolution(in_channels, channels), nn.BatchNorm1d(channels), nn.ReLU()]
    return [*layers, nn.Conv1d(channels, 1, 1)]
