"""Random changes of a line that leave its bubbles where they are, for training."""

from dataclasses import dataclass

import numpy as np

from bubbleloc.arrays import Float32s


@dataclass(frozen=True)
class Augmentation:
    """What varies from one receiver to another; calling it changes a line at random.

    Attributes:
        gain_db: the line is amplified by up to ± so much.
        slope_db: the gain rises or falls by up to so much from the start to the end of the line, as
            after an imperfect time-gain compensation.
        polarity: half of the lines are inverted.
    """

    gain_db: float = 0.0
    slope_db: float = 0.0
    polarity: bool = False

    def __call__(self, volts: Float32s, rng: np.random.Generator) -> Float32s:
        """Return an RF line (L,) in volts with a random gain, slope and polarity."""
        gain, slope = rng.uniform(-1, 1, 2) * (self.gain_db, self.slope_db)
        decibels = gain + slope * np.linspace(-0.5, 0.5, volts.size)
        sign = -1 if self.polarity and rng.random() < 0.5 else 1
        return np.asarray(sign * volts * 10 ** (decibels / 20), dtype=np.float32)


NO_AUGMENTATION = Augmentation()
