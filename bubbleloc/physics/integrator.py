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
def _slope(x, v, w, p, c, curve):  # type: ignore[no-untyped-def]
    """ẍ and ẇ of one bubble (Marmottant et al. 2005; docs/physics.md has the equation).

    ``c`` holds the bubble's coefficients without the step; ``curve`` the surface tension's
    polynomial, highest power first, then A₀, u_min, u_max and the largest tension.
    """
    gas, sound, tension, viscous, shell, exponent = c
    (c10, c9, c8, c7, c6, c5, c4, c3, c2, c1, c0, area, low, high, top) = curve
    r = 1.0 + x
    q = 1.0 / r
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
    force = gas * w * (1.0 - sound * v) - 1.0 - tension * sigma * q - loss - p - 1.5 * v * v
    return force * q, -exponent * w * vq


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
            h = c[STEP, i]
            own = (
                c[GAS, i],
                c[SOUND, i],
                c[TENSION, i],
                c[VISCOUS, i],
                c[SHELL, i],
                c[EXPONENT, i],
            )
            p0, p1 = drive[n + 1, i], drive[n + 2, i]
            half = 0.5625 * (p0 + p1) - 0.0625 * (drive[n, i] + drive[n + 3, i])
            x, v, w = now[0, i], now[1, i], now[2, i]
            a1, w1 = _slope(x, v, w, p0, own, curve)
            v2 = v + 0.5 * h * a1
            a2, w2 = _slope(x + 0.5 * h * v, v2, w + 0.5 * h * w1, half, own, curve)
            v3 = v + 0.5 * h * a2
            a3, w3 = _slope(x + 0.5 * h * v2, v3, w + 0.5 * h * w2, half, own, curve)
            v4 = v + h * a3
            a4, w4 = _slope(x + h * v3, v4, w + h * w3, p1, own, curve)
            x += h / 6.0 * (v + 2.0 * (v2 + v3) + v4)
            v += h / 6.0 * (a1 + 2.0 * (a2 + a3) + a4)
            w += h / 6.0 * (w1 + 2.0 * (w2 + w3) + w4)
            now[0, i], now[1, i], now[2, i] = x, v, w
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
    whole blocks), ``curve`` the 15 numbers of the surface tension (see ``_slope``).
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
