"""Input scaling: the first, parameter-free step of every network."""

from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bubbleloc.nn.fftconv import fft_conv1d
from bubbleloc.nn.resample import resample_kernel

PUBLISHED_RATE_HZ = 62.5e6  # of the published acquisition
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1e5, 1e10
CUTOFF_HZ = 0.35e6  # passes half of the amplitude
HALF_WIDTH_S = 3.84e-6  # of the low-pass kernel, 240 samples at 62.5 MHz
KAISER_BETA = 5.0  # of its window: ripples of 0.1 %


class InputScaling(nn.Module):
    """Bring RF lines in volts to the range a network expects.

    ``"rms"`` removes the mean and what lies below the band of ultrasound, then divides each line
    by its root mean square: neither the unit nor an offset or a slow drift of a recording matters.
    At 0.1 MHz less than 2 % of the amplitude passes; from 0.8 MHz on, at most 0.3 % is lost.
    ``"none"`` keeps volts as they are, because the published networks expect them so.

    With a matched filter, see `compress_with`, lines are correlated with it after that.

    The cut-off is in physical time. The sampling rate comes back with the weights.

    >>> scaled = InputScaling()(5 + 50 * torch.randn(2, 1, 500))
    >>> torch.allclose(scaled.square().mean(-1), torch.ones(2, 1))
    True

    Args:
        mode: ``"rms"`` or ``"none"``.
        sampling_rate_hz: sampling rate of the RF lines.

    Shape: (B, 1, L), kept.
    """

    MODES = ("rms", "none")
    rate: Tensor
    low_pass: Tensor
    matched: Tensor  # (1, 1, 2N − 1), its origin in the middle; (1, 1, 1) is none

    def __init__(self, mode: str = "rms", sampling_rate_hz: float = PUBLISHED_RATE_HZ) -> None:
        super().__init__()
        if mode not in self.MODES:
            raise ValueError(f"input scaling must be one of {', '.join(self.MODES)}, not {mode!r}")
        self.mode = mode
        # whole Hz, because conversions of a network to another precision leave integers alone
        self.register_buffer("rate", torch.tensor(round(sampling_rate_hz)))
        self.register_buffer("low_pass", _low_pass(sampling_rate_hz), persistent=False)
        self.register_buffer("matched", torch.ones(1, 1, 1))

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate of the RF lines that the network expects."""
        return float(self.rate)

    @sampling_rate_hz.setter
    def sampling_rate_hz(self, value: float) -> None:
        self.low_pass = _low_pass(value).to(self.low_pass)
        if self.matched.numel() > 1:
            self.matched = resample_kernel(self.matched, Fraction(round(value), int(self.rate)))
        self.rate = torch.full_like(self.rate, round(value))

    def compress_with(self, matched_filter: Tensor) -> None:
        """Correlate lines with ``matched_filter`` (N,), sampled at the rate of the lines.

        What is beyond the end of a line counts as silence. The filter is saved with the weights.
        """
        taps = functional.pad(matched_filter.to(self.matched), (matched_filter.numel() - 1, 0))
        self.matched = taps.view(1, 1, -1)

    def forward(self, rf: Tensor) -> Tensor:
        """Scale whole lines (B, 1, L)."""
        line = rf if self.mode == "none" else self._scaled(rf)
        return line if self.matched.numel() == 1 else self._correlated(line, self.matched)

    def _scaled(self, rf: Tensor) -> Tensor:
        peak = rf.abs().amax((1, 2), keepdim=True)
        line = self.in_band(rf / torch.where(peak > 0, peak, 1.0))  # its squares are finite
        rms = line.square().mean((1, 2), keepdim=True).sqrt()
        return line / torch.where(rms > 0, rms, 1.0)

    def in_band(self, line: Tensor) -> Tensor:
        """Remove mean and low frequencies of whole lines (B, 1, L)."""
        line = line - line[..., :1]  # exact: a constant becomes 0, a large offset costs no digits
        line = line - line.mean(-1, keepdim=True)
        return line - self._correlated(line, self.low_pass) / self._seen(line.shape[-1])

    def _correlated(self, line: Tensor, kernel: Tensor) -> Tensor:
        """Correlate lines with a centred kernel (1, 1, K), with zeros beyond their ends."""
        # an FFT rounds a line alike in every batch; exported programs have no place for one
        convolve = functional.conv1d if torch.compiler.is_compiling() else fft_conv1d
        half = kernel.shape[-1] // 2
        with torch.autocast(line.device.type, enabled=False):
            correlated: Tensor = convolve(functional.pad(line, (half, half)), kernel)
        return correlated

    def _seen(self, samples: int) -> Tensor:
        """Return the sum (L,) of the taps that lie on the line, which is less at its ends."""
        total = functional.pad(self.low_pass.flatten().cumsum(0), (1, 0))
        taps, sample = total.shape[0] - 1, torch.arange(samples, device=total.device)
        first, last = taps // 2 - sample, taps // 2 + samples - sample
        return total[last.clamp(max=taps)] - total[first.clamp(min=0)]

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *args: Any) -> None:
        state.setdefault(f"{prefix}rate", self.rate)  # published weights do not tell it
        state.setdefault(f"{prefix}matched", self.matched)  # nor do those of before 0.1
        self.matched = torch.empty_like(state[f"{prefix}matched"], device=self.matched.device)
        super()._load_from_state_dict(state, prefix, *args)
        self.sampling_rate_hz = float(self.rate)

    def extra_repr(self) -> str:
        """Show the mode in ``print(network)``."""
        return self.mode


def _low_pass(sampling_rate_hz: float) -> Tensor:
    """Return the taps (1, 1, K) of a windowed sinc of sum 1."""
    if not LOWEST_RATE_HZ <= sampling_rate_hz <= HIGHEST_RATE_HZ:
        raise ValueError(f"sampling rate {sampling_rate_hz:g}: give it in Hz")
    reach = round(HALF_WIDTH_S * sampling_rate_hz)
    lag = torch.arange(-reach, reach + 1, dtype=torch.float64)
    window = torch.kaiser_window(2 * reach + 1, False, KAISER_BETA, dtype=torch.float64)
    taps = torch.sinc(2 * CUTOFF_HZ / sampling_rate_hz * lag) * window
    return (taps / taps.sum()).to(torch.get_default_dtype()).view(1, 1, -1)
