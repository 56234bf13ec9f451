"""The bubble equation, integrated for many bubbles at once.

Bubbles are packed in blocks of LANES; the innermost loops run over the lanes of a block, which
the compiler turns into vector instructions. Nothing in them calls a scalar function: the
surface tension is a polynomial of a clipped argument, and w = (1 + x)^(−3κ) is carried along by
its own equation, dw/dt = −3κ·w·ẋ/(1 + x). A block is always full (the last one is padded), so
a bubble's numbers do not depend on which others it is integrated with.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

# Bubbles per block: enough independent lanes to hide the latency of divisions.
LANES = 16
# Rows of the coefficient array.
STEP, GAS, SOUND, TENSION, VISCOUS, SHELL, EXPONENT = range(7)
COEFFICIENTS = 7

FASTMATH = {"contract", "nsz"}  # fused multiply-add changes no result beyond round-off

FloatArray = npt.NDArray[np.float64]


@njit(nogil=True, error_model="numpy", fastmath=FASTMATH, inline="always")
def _acceleration(x, v, w, q, p, gas, sound, tension, viscous, shell, curve):  # type: ignore[no-untyped-def]
    """ẍ of the Rayleigh–Plesset equation, PHYSICS in docs/physics.md; q = 1/(1 + x)."""
    (c10, c9, c8, c7, c6, c5, c4, c3, c2, c1, c0, area, low, high, top) = curve
    r = 1.0 + x
    u = min(max(area * r * r - 1.0, low), high)
    sigma = c9 + u * c10
    sigma = c8 + u * sigma
    sigma = c7 + u * sigma
    sigma = c6 + u * sigma
    sigma = c5 + u * sigma
    sigma = c4 + u * sigma
    sigma = c3 + u * sigma
    sigma = c2 + u * sigma
    sigma = c1 + u * sigma
    sigma = min(c0 + u * sigma, top)
    vq = v * q
    loss = vq * (viscous + shell * q)
    return (gas * w * (1.0 - sound * v) - 1.0 - tension * sigma * q - loss - p - 1.5 * v * v) * q


@njit(nogil=True, error_model="numpy", fastmath=FASTMATH)
def _march(drive, now, xs, vs, c, curve):  # type: ignore[no-untyped-def]
    """Classical RK4 through one block.

    ``drive`` (M + 2, LANES) is p_ac/P₀ with a guard row at either end; pressures half-way are
    the cubic through four samples. ``now`` (3, LANES) holds x, ẋ and w, ``xs`` and ``vs``
    (M, LANES) receive x and ẋ, ``c`` is (COEFFICIENTS, LANES). One array for state and traces
    would do, but its rows then overlap in the compiler's eyes, and it does not vectorise.
    """
    for n in range(xs.shape[0] - 1):
        for i in range(LANES):
            h, gas, sound, tension = c[STEP, i], c[GAS, i], c[SOUND, i], c[TENSION, i]
            viscous, shell, k = c[VISCOUS, i], c[SHELL, i], c[EXPONENT, i]
            p0, p1 = drive[n + 1, i], drive[n + 2, i]
            half = 0.5625 * (p0 + p1) - 0.0625 * (drive[n, i] + drive[n + 3, i])
            x0, v0, w0 = now[0, i], now[1, i], now[2, i]

            q = 1.0 / (1.0 + x0)
            a1 = _acceleration(x0, v0, w0, q, p0, gas, sound, tension, viscous, shell, curve)
            w1 = k * w0 * v0 * q

            x, v, w = x0 + 0.5 * h * v0, v0 + 0.5 * h * a1, w0 - 0.5 * h * w1
            q = 1.0 / (1.0 + x)
            a2 = _acceleration(x, v, w, q, half, gas, sound, tension, viscous, shell, curve)
            v2, w2 = v, k * w * v * q

            x, v, w = x0 + 0.5 * h * v2, v0 + 0.5 * h * a2, w0 - 0.5 * h * w2
            q = 1.0 / (1.0 + x)
            a3 = _acceleration(x, v, w, q, half, gas, sound, tension, viscous, shell, curve)
            v3, w3 = v, k * w * v * q

            x, v, w = x0 + h * v3, v0 + h * a3, w0 - h * w3
            q = 1.0 / (1.0 + x)
            a4 = _acceleration(x, v, w, q, p1, gas, sound, tension, viscous, shell, curve)
            w4 = k * w * v * q

            sixth = h / 6.0
            x = x0 + sixth * (v0 + 2.0 * (v2 + v3) + v)
            v = v0 + sixth * (a1 + 2.0 * (a2 + a3) + a4)
            now[0, i], now[1, i] = x, v
            now[2, i] = w0 - sixth * (w1 + 2.0 * (w2 + w3) + w4)
            xs[n + 1, i], vs[n + 1, i] = x, v


@njit(nogil=True, error_model="numpy", fastmath=FASTMATH)
def _load_drive(pressure, first, drive):  # type: ignore[no-untyped-def]
    """Transpose the block's pressures (B, M) into ``drive``; guard rows extrapolate a parabola."""
    samples = pressure.shape[1]
    for i in range(LANES):
        row = pressure[min(first + i, pressure.shape[0] - 1)]
        for n in range(samples):
            drive[n + 1, i] = row[n]
        drive[0, i] = 3.0 * (row[0] - row[1]) + row[2]
        drive[samples + 1, i] = 3.0 * (row[samples - 1] - row[samples - 2]) + row[samples - 3]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)
def integrate(pressure, coefficients, curve):  # type: ignore[no-untyped-def]
    """Radial strain x and its rate ẋ, both (B, M), in units of R₀ and √(ρR₀²/P₀).

    ``pressure`` (B, M) is p_ac/P₀ at every step, ``coefficients`` (COEFFICIENTS, B padded to
    whole blocks), ``curve`` the 15 numbers of the surface tension (see ``_acceleration``).
    Bubbles start at rest.
    """
    bubbles, samples = pressure.shape
    strain = np.empty((bubbles, samples))
    rate = np.empty((bubbles, samples))
    drive = np.empty((samples + 2, LANES))
    xs = np.zeros((samples, LANES))
    vs = np.zeros((samples, LANES))
    now = np.empty((3, LANES))
    for first in range(0, bubbles, LANES):
        _load_drive(pressure, first, drive)
        now[:2] = 0.0
        now[2] = 1.0
        _march(drive, now, xs, vs, coefficients[:, first : first + LANES].copy(), curve)
        for i in range(min(LANES, bubbles - first)):
            for n in range(samples):
                strain[first + i, n] = xs[n, i]
                rate[first + i, n] = vs[n, i]
    return strain, rate
