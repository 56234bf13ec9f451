"""What a network says of RF lines, and the bubbles that this stands for."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.formats.conditioning import resample
from bubbleloc.metrics.certainty import calibrated
from bubbleloc.metrics.detections import Detections, EmitterDetections, peaks_of_lines
from bubbleloc.metrics.mixture import bubbles_in
from bubbleloc.metrics.one_to_one import PEAK_THRESHOLDS
from bubbleloc.nn import Localizer
from bubbleloc.nn.heads import UNCALIBRATED, Calibration, EmitterHead
from bubbleloc.nn.inference import apply, apply_emitters, apply_fields
from bubbleloc.nn.resample import RateChange, linear

Outputs = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method says of b lines.

    Attributes:
        output: one value per sample, (b, L).
        emitters: the fields of `bubbleloc.nn.heads.Emitters`, (b, 4, samples of the network);
            None where the method has no head of emitters.
        calibration: the correction of the probabilities and errors of `emitters`.
        network_samples: the samples of `emitters` per sample of the lines.
    """

    output: Outputs
    emitters: Float32s | None = None
    calibration: Calibration = UNCALIBRATED
    network_samples: Fraction = Fraction(1)

    @property
    def needs_threshold(self) -> bool:
        """Whether a threshold has to be chosen; emitters are reported as they are."""
        return self.emitters is None

    def detections(self, threshold: float | None = None) -> list[Detections]:
        """Return the bubbles of each line, of a confidence above `threshold`.

        Without one, all emitters, or all peaks that are worth a look (`PEAK_THRESHOLDS`).
        """
        if self.emitters is None:
            peaks, line = peaks_of_lines(self.output, _least(threshold))
            return list(peaks.of_lines(line, len(self.output)))
        bubbles, line = emitters_in(self.emitters, self.calibration, threshold)
        per_sample = float(self.network_samples)
        bubbles = replace(
            bubbles, sample=bubbles.sample / per_sample, sigma=bubbles.sigma / per_sample
        )
        return list(bubbles.of_lines(line, len(self.output)))

    @property
    def expected(self) -> Floats:
        """The sum of the output of each line, (b,); of a head of emitters its bubbles."""
        return np.asarray(min(1.0, float(self.network_samples)) * self.output.sum(axis=1))


def answer(network: Localizer, rf: Float32s, network_samples: Fraction = Fraction(1)) -> Answer:
    """Apply a network to RF lines (b, L) in volts.

    Args:
        network_samples: the samples of the network per sample of the lines, which are resampled;
            for a head of emitters.
    """
    if not isinstance(network.head, EmitterHead):
        return Answer(apply(network, rf))
    output, emitters = apply_emitters(network, resample(rf, network_samples))
    if network_samples != 1:
        back = RateChange(1 / network_samples, linear, 1, counts=True)
        output = back(torch.from_numpy(output).unsqueeze(1)).squeeze(1).numpy()[:, : rf.shape[1]]
    return Answer(output, emitters, network.head.calibration, network_samples)


def field(network: Localizer, rf: Float32s) -> Float32s:
    """Return what `found` needs of a network's answer to RF lines (b, L) in volts.

    Returns:
        The fields of `Emitters`, (b, 4, L), or the counts of a head of counts, (b, 1, L).
    """
    if isinstance(network.head, EmitterHead):
        return apply_fields(network, rf)
    return apply(network, rf)[:, None]


def found(network: Localizer, said: Float32s, threshold: float | None) -> tuple[Detections, Ints]:
    """Return the bubbles of all lines, of a confidence above `threshold`, and the line of each.

    Args:
        said: the `field` of lines.
    """
    if isinstance(network.head, EmitterHead):
        return emitters_in(said, network.head.calibration, threshold)
    return peaks_of_lines(said[:, 0], _least(threshold))


def _least(threshold: float | None) -> float:
    return PEAK_THRESHOLDS[0] if threshold is None else threshold


def emitters_in(
    fields: Float32s, calibration: Calibration, threshold: float | None
) -> tuple[EmitterDetections, Ints]:
    """Return the bubbles of all lines, of a probability above `threshold`, and the line of each.

    Args:
        fields: those of `Emitters`, (b, 4, L).
    """
    bubbles, line = bubbles_in(fields)
    bubbles = calibrated(bubbles, calibration)
    if threshold is None:
        return bubbles, line
    kept = bubbles.confidence > threshold
    return bubbles.chosen(kept), line[kept]
