"""What all localization networks share: RF lines in volts in, one value per sample out."""

from torch import Tensor, nn

from bubbleloc.nn.scaling import InputScaling


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


def activated(convolution: nn.Module, channels: int) -> list[nn.Module]:
    """Return a convolution followed by batch normalisation and ReLU."""
    return [convolution, nn.BatchNorm1d(channels), nn.ReLU()]
