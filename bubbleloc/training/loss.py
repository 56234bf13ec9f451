"""The dual loss of Blanken et al., IEEE TMI 2022: blurred L1 distance plus soft Dice."""

import torch
from torch import Tensor, nn
from torch.nn import functional

HALF_WIDTH = 29  # samples of the Gaussian on either side of its centre, as published
BLOCK = 32  # samples that are blurred at a time


class DualLoss(nn.Module):
    """ε₁ · L1(z ∗ G, y ∗ G) + ε₂ · Dice(clip(z, 0, 1), clip(y, 0, 1)).

    G(i) = exp(−α i²) for |i| ≤ 29 blurs both lines, so that a near miss still attracts; Dice
    per line, 1 − 2Σzy / (Σ(z + y) + 1e-6), then averaged, rewards sparse, exact answers.

    Args:
        alpha: sharpness of the Gaussian, per sample²; 0.01 served the dilated CNN best, 0.1
            the CKCNN study.
        soft_weight: ε₁.
        dice_weight: ε₂.
    """

    blur: Tensor

    def __init__(
        self, alpha: float = 0.1, soft_weight: float = 1.0, dice_weight: float = 1.6
    ) -> None:
        super().__init__()
        self.soft_weight, self.dice_weight = soft_weight, dice_weight
        offset = torch.arange(BLOCK + 2 * HALF_WIDTH) - HALF_WIDTH - torch.arange(BLOCK).view(-1, 1)
        blur = torch.exp(-alpha * offset.square()) * (offset.abs() <= HALF_WIDTH)
        self.register_buffer("blur", blur.unsqueeze(1), persistent=False)

    def forward(self, prediction: Tensor, count: Tensor) -> Tensor:
        """Loss of ``prediction`` (B, 1, L) against the bubble ``count`` (B, 1, L), a scalar."""
        with torch.autocast(prediction.device.type, enabled=False):  # sums over whole lines
            return self._loss(prediction.to(self.blur), count)

    def _loss(self, prediction: Tensor, count: Tensor) -> Tensor:
        soft = self._blurred(prediction - count).abs().mean()
        dice = dice_distance(prediction.clamp(0, 1), count.clamp(0, 1)).mean()
        return self.soft_weight * soft + self.dice_weight * dice

    def _blurred(self, error: Tensor) -> Tensor:
        """Convolve (B, 1, L) with G: one matrix product of overlapping blocks, (B, L)."""
        samples = error.shape[-1]
        padded = functional.pad(error, (HALF_WIDTH, HALF_WIDTH + -samples % BLOCK))
        blocks = functional.conv1d(padded, self.blur, stride=BLOCK)  # (B, BLOCK, blocks)
        return blocks.mT.flatten(1)[:, :samples]


def dice_distance(prediction: Tensor, truth: Tensor) -> Tensor:
    """1 − 2Σzy / (Σ(z + y) + 1e-6) of each line: (B, …) → (B,)."""
    overlap = (prediction * truth).flatten(1).sum(1)
    total = (prediction + truth).flatten(1).sum(1)
    return 1 - 2 * overlap / (total + 1e-6)
