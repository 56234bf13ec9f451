"""Input scaling: the first, parameter-free step of every network."""

from torch import Tensor, nn

RMS_FLOOR_V = 1e-12  # an all-zero RF line stays zero instead of becoming NaN


class InputScaling(nn.Module):
    """Bring RF lines in volts to the range a network expects.

    Args:
        mode: ``"rms"`` divides each line by its root mean square, ``"none"`` keeps volts.
    """

    MODES = ("rms", "none")

    def __init__(self, mode: str = "rms") -> None:
        super().__init__()
        if mode not in self.MODES:
            raise ValueError(f"input scaling must be one of {', '.join(self.MODES)}, not {mode!r}")
        self.mode = mode

    def forward(self, rf: Tensor, rms: Tensor | None = None) -> Tensor:
        """Scale ``rf`` (B, 1, L); crops of lines need ``rms`` (B,) of the whole lines."""
        if self.mode == "none":
            return rf
        if rms is None:
            rms = rf.square().mean(dim=(1, 2)).sqrt()
        return rf / rms.clamp_min(RMS_FLOOR_V).view(-1, 1, 1)

    def extra_repr(self) -> str:
        """Show the mode in ``print(network)``."""
        return self.mode
