"""What a network says of RF lines, and the bubbles that this stands for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bubbleloc.arrays import Float32s
from bubbleloc.metrics.certainty import calibrated
from bubbleloc.metrics.detections import Detections, pick_peaks
from bubbleloc.metrics.mixture import bubbles_in
from bubbleloc.metrics.one_to_one import PEAK_THRESHOLDS
from bubbleloc.nn import Localizer
from bubbleloc.nn.heads import UNCALIBRATED, Calibration, EmitterHead
from bubbleloc.nn.inference import apply, apply_emitters

Outputs = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method says of b lines.

    Attributes:
        output: one value per sample, (b, L).
        emitters: the fields of `bubbleloc.nn.heads.Emitters`, (b, 4, L); None where the method
            has no head of emitters.
        calibration: the correction of the probabilities and errors of `emitters`.
    """

    output: Outputs
    emitters: Float32s | None = None
    calibration: Calibration = UNCALIBRATED

    @property
    def needs_threshold(self) -> bool:
        """Whether a threshold has to be chosen; emitters are reported as they are."""
        return self.emitters is None

    def detections(self, threshold: float | None = None) -> list[Detections]:
        """Return the bubbles of each line, of a confidence above `threshold`.

        Without one, all emitters, or all peaks that are worth a look (`PEAK_THRESHOLDS`).
        """
        if self.emitters is None:
            least = PEAK_THRESHOLDS[0] if threshold is None else threshold
            return [pick_peaks(line, least) for line in self.output]
        fields = self.emitters.astype(np.float64)
        lines = [calibrated(bubbles_in(field), self.calibration) for field in fields]
        return [line.above(threshold) for line in lines]


def answer(network: Localizer, rf: Float32s) -> Answer:
    """Apply a network to RF lines (b, L) in volts."""
    if not isinstance(network.head, EmitterHead):
        return Answer(apply(network, rf))
    output, emitters = apply_emitters(network, rf)
    return Answer(output, emitters, network.head.calibration)
