"""Classical localization, to stand beside the networks.

Each method takes RF lines (n, L) and the echo of one bubble (M,), both in volts, and returns what
a network returns: (n, L), positive where it sees a bubble and zero elsewhere. Peaks are weighed by
their distance, as spherical spreading weakens echoes, and scaled to 1 for the strongest of a line.
The same thresholds, metrics and figures then apply.

An echo template starts at the bubble's time of flight: template[t] is the voltage t samples after
the arrival sample, so that every method answers in arrival samples, as the truth does.
"""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.optimize import minimize
from scipy.signal import argrelmax, fftconvolve

from bubbleloc.arrays import Floats
from bubbleloc.physics import Scene, Setup, simulate_rf


def echo_template(
    setup: Setup | None = None,
    depth_m: float = 0.05,
    radius_m: float = 2.4e-6,
    pressure_pa: float = 127.5e3,
    length: int = 400,
) -> Floats:
    """Simulated echo of one bubble on the axis from its arrival on, (length,) volts.

    The defaults are the mean bubble, depth and pressure of the published scenes; 400 samples hold
    all of its echo.
    """
    bubble = Scene(np.array([depth_m]), np.zeros(1), np.array([radius_m]), pressure_pa)
    line = simulate_rf(bubble, setup or Setup())
    start = int(np.rint(line.arrival_sample[0]))
    return line.volts[start : start + length].astype(np.float64)


def matched_filter(rf: Floats, template: Floats) -> Floats:
    """Peaks of the correlation of each line with the echo.

    The best detector of one bubble in white noise; echoes that overlap interfere.
    """
    return _peaks_only(fftconvolve(rf, template[None, ::-1], axes=1)[:, len(template) - 1 :])


def wiener_deconvolution(rf: Floats, template: Floats, noise: float = 1e-4) -> Floats:
    """Peaks of the Wiener estimate of the train of impulses that gave each line.

    `noise` is the power of noise over that of the echo at its strongest frequency. Where the echo
    is weaker than this, frequencies are left out instead of blown up.
    """
    length = rf.shape[1]
    size = next_fast_len(length + len(template), real=True)
    response = rfft(template, size)
    power = np.abs(response) ** 2
    inverse = response.conj() / (power + noise * power.max())
    return _peaks_only(irfft(rfft(rf, size) * inverse, size)[:, :length])


def sparse_deconvolution(
    rf: Floats, template: Floats, sparsity: float = 1e-3, iterations: int = 200
) -> Floats:
    """Peaks of the sparsest train of positive impulses that explains each line.

    Minimizes ½‖h ∗ x − rf‖² + λ Σx over x ≥ 0: with x positive the ℓ1 norm is smooth, so SciPy's
    L-BFGS-B solves it, in a tenth of a second per line. λ is `sparsity` times its smallest
    value at which x = 0 is the solution.
    """
    length = rf.shape[1]
    size = next_fast_len(length + len(template), real=True)
    response = rfft(template, size)

    def solve(line: Floats) -> Floats:
        def objective(x: Floats) -> tuple[float, Floats]:
            misfit = irfft(rfft(x, size) * response, size)[:length] - line
            gradient = irfft(rfft(misfit, size) * response.conj(), size)[:length] + weight
            return 0.5 * float(misfit @ misfit) + weight * float(x.sum()), gradient

        start, bounds = np.zeros(length), [(0, None)] * length
        weight = 0.0
        weight = sparsity * float(np.abs(objective(start)[1]).max())
        solution = minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": iterations},
        )
        return np.asarray(solution.x)

    return _peaks_only(np.array([solve(line) for line in rf]))


def _peaks_only(response: Floats) -> Floats:
    """Keep the positive local maxima of each line, with time gain, relative to the highest."""
    peaks = np.zeros_like(response)
    padded = np.pad(response, ((0, 0), (1, 1)))  # so that a line may peak at its ends
    line, sample = argrelmax(padded, axis=1)
    height = np.maximum(padded[line, sample], 0.0)
    peaks[line, sample - 1] = height * sample  # an echo falls with its distance, so with time
    highest = peaks.max(axis=1, keepdims=True)
    return np.divide(peaks, highest, out=peaks, where=highest > 0)
