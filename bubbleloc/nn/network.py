"""What all localization networks share: RF lines in volts in, one value per sample out."""

import copy
from collections.abc import Callable
from fractions import Fraction

from torch import Tensor, nn

from bubbleloc.nn.ckconv import CKConv1d
from bubbleloc.nn.resample import resampled_convolution
from bubbleloc.nn.scaling import InputScaling

Layer = Callable[[int, int, int], nn.Module]

TRAINING_RATE_HZ = 62.5e6  # of the published acquisition


class Localizer(nn.Module):
    """Scaling, then a stack of layers that keeps the length by reflection padding.

    Args:
        layers: the layers between padding and output.
        receptive_field: samples of the RF line that one output sample sees, odd.
        input_scaling: ``"rms"`` or ``"none"``, see `InputScaling`.

    Shape: (B, 1, L) volts → (B, 1, L), for L above half the receptive field.
    """

    def __init__(self, layers: list[nn.Module], receptive_field: int, input_scaling: str) -> None:
        super().__init__()
        self.receptive_field = receptive_field
        self.scaling = InputScaling(input_scaling)
        self.model = nn.Sequential(nn.ReflectionPad1d(receptive_field // 2), *layers)

    def forward(self, rf: Tensor, rms: Tensor | None = None) -> Tensor:
        """Map RF lines (B, 1, L) to (B, 1, L); give ``rms`` (B,) where ``rf`` holds crops."""
        output: Tensor = self.model(self.scaling(rf, rms))
        return output

    @property
    def parameter_count(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

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
        self, sampling_rate_hz: float, trained_at_hz: float = TRAINING_RATE_HZ
    ) -> "Localizer":
        """Return a frozen copy for RF lines of another sampling rate.

        Every kernel is resampled without changing its frequency response below both Nyquist
        rates, see `resample_kernel`. The layers in between are not linear, so the network's
        output at the same times is close but not equal; tolerances in samples scale.
        """
        ratio = Fraction(sampling_rate_hz / trained_at_hz).limit_denominator(10_000)
        resampled = self.freeze()
        reach = 0
        for name, layer in self.freeze().named_modules():
            if isinstance(layer, nn.Conv1d):
                convolution = resampled_convolution(layer, ratio)
                resampled.set_submodule(name, convolution)
                reach += convolution.dilation[0] * (convolution.kernel_size[0] // 2)
        resampled.receptive_field = 2 * reach + 1
        resampled.model[0] = nn.ReflectionPad1d(reach)
        return resampled


def stack(convolution: Layer, depth: int, channels: int) -> list[nn.Module]:
    """Return ``depth`` × [convolution, batch normalisation, ReLU] and a 1-tap read-out.

    Args:
        convolution: makes a layer from its input channels, output channels and place (0, 1, …).
    """
    layers: list[nn.Module] = []
    for place in range(depth):
        in_channels = 1 if place == 0 else channels
        layers += [convolution(in_channels, channels, place), nn.BatchNorm1d(channels), nn.ReLU()]
    return [*layers, nn.Conv1d(channels, 1, 1)]
