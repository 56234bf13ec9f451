"""What the published networks reach, each trained and scored under its own condition.

Mean F1 over 960 test signals at tolerances of 0 to 9 samples, thresholds chosen on the training
signals: dilated CNNs of Blanken et al., IEEE TMI 41(9), 2022, with α = 0.01.
"""

from collections.abc import Mapping

from bubbleloc.data.noise import NO_NOISE, Noise

POLYDISPERSE = "polydisperse"
CONDITIONS: Mapping[str, Noise] = {
    "clean": NO_NOISE,
    **{f"noise {percent} %": Noise(percent / 100) for percent in (1, 2, 4, 8, 16, 32)},
    POLYDISPERSE: NO_NOISE,
}
"""Noise of the lines; bubbles are monodisperse but in the last condition."""

SPECIALISTS: Mapping[str, tuple[float, ...]] = {
    "clean": (0.427, 0.704, 0.853, 0.919, 0.944, 0.955, 0.960, 0.965, 0.968, 0.971),
    "noise 1 %": (0.397, 0.658, 0.815, 0.895, 0.928, 0.942, 0.950, 0.955, 0.960, 0.963),
    "noise 2 %": (0.390, 0.647, 0.805, 0.887, 0.922, 0.937, 0.946, 0.951, 0.956, 0.959),
    "noise 4 %": (0.385, 0.639, 0.796, 0.880, 0.916, 0.932, 0.942, 0.948, 0.953, 0.957),
    "noise 8 %": (0.371, 0.614, 0.771, 0.858, 0.898, 0.917, 0.927, 0.935, 0.940, 0.945),
    "noise 16 %": (0.340, 0.567, 0.724, 0.813, 0.861, 0.885, 0.900, 0.910, 0.918, 0.924),
    "noise 32 %": (0.314, 0.526, 0.677, 0.771, 0.824, 0.852, 0.872, 0.883, 0.893, 0.901),
    POLYDISPERSE: (0.265, 0.424, 0.536, 0.617, 0.676, 0.719, 0.752, 0.778, 0.799, 0.818),
}
