"""The bubble equation, integrated for many bubbles at once.

Bubbles are packed in blocks of LANES; the innermost loops run over the lanes of a block, which
the compiler turns into vector instructions. Nothing in them calls a scalar function: the
surface tension is a polynomial of a clipped argument, and w = (1 + x)^(−3κ) is carried along by
its own equation, dw/dt = −3κ·w·ẋ/(1 + x). A block is always full (the last one is padded), and
only bubbles that need it take the results of smaller steps, so a bubble's numbers do not depend
on which others it is integrated with.
"""

import numpy as np
from numba import njit

# Bubbles per block: enough independent lanes to hide the latency of divisions.
LANES = 16
# Rows of the coefficient array.
STEP, GAS, SOUND, TENSION, VISCOUS, SHELL, EXPONENT = range(7)
COEFFICIENTS = 7

# A step may change a radius by this part of itself: R(t) is then within 3e-4 of half the step.
# Coated bubbles pass at 4 ns but for ~1.5 µm at 250 kPa; hard collapses of clean gas do not.
LARGEST_CHANGE = 0.1
REFINEMENT, FINEST = 4, 256

FASTMATH = {"contract", "nsz"}  # fused multiply-add changes no result beyond round-off


@njit(nogil=True, error_model="numpy", fastmath=FASTMATH, inline="always")
def _slope(x, v, w, p, c, curve):  # type: ignore[no-untyped-def]
    """ẍ, ẇ and ẋ/(1 + x) of one bubble (Marmottant et al. 2005; docs/physics.md has the equation).

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
    return force * q, -exponent * w * vq, vq


@njit(nogil=True, error_model="numpy", fastmath=FASTMATH, inline="always")
def _cubic(t, before, left, right, after):  # type: ignore[no-untyped-def]
    """The cubic through samples at −1, 0, 1 and 2, at t from 0 to 1."""
    s = t - 1.0
    return (t + 1.0) * (s - 1.0) * (0.5 * s * left - 0.5 * t * right) + t * s * (
        (t + 1.0) * after - (s - 1.0) * before
    ) / 6.0


@njit(nogil=True, error_model="numpy", fastmath=FASTMATH)
def _march(drive, substeps, now, xs, vs, change, c, curve):  # type: ignore[no-untyped-def]
    """Classical RK4 through one block, ``substeps`` to a sample.

    ``drive`` (M + 2, LANES) is p_ac/P₀ with a guard row at either end. ``now`` (3, LANES) holds
    x, ẋ and w, ``xs`` and ``vs`` (M, LANES) receive x and ẋ, ``change`` (LANES,) the largest
    relative change of radius in a step, ``c`` is (COEFFICIENTS, LANES). One array for state and
    traces would do, but its rows then overlap in the compiler's eyes, and it does not vectorise.
    """
    for n in range(xs.shape[0] - 1):
        for m in range(substeps):
            t0, t1, t2 = m / substeps, (m + 0.5) / substeps, (m + 1.0) / substeps
            for i in range(LANES):
                h = c[STEP, i] / substeps
                a, b, d, e = drive[n, i], drive[n + 1, i], drive[n + 2, i], drive[n + 3, i]
                half = _cubic(t1, a, b, d, e)
                own = (
                    c[GAS, i],
                    c[SOUND, i],
                    c[TENSION, i],
                    c[VISCOUS, i],
                    c[SHELL, i],
                    c[EXPONENT, i],
                )
                x, v, w = now[0, i], now[1, i], now[2, i]
                a1, w1, rate = _slope(x, v, w, _cubic(t0, a, b, d, e), own, curve)
                v2 = v + 0.5 * h * a1
                a2, w2, _ = _slope(x + 0.5 * h * v, v2, w + 0.5 * h * w1, half, own, curve)
                v3 = v + 0.5 * h * a2
                a3, w3, _ = _slope(x + 0.5 * h * v2, v3, w + 0.5 * h * w2, half, own, curve)
                v4 = v + h * a3
                p2 = _cubic(t2, a, b, d, e)
                a4, w4, _ = _slope(x + h * v3, v4, w + h * w3, p2, own, curve)
                x += h / 6.0 * (v + 2.0 * (v2 + v3) + v4)
                v += h / 6.0 * (a1 + 2.0 * (a2 + a3) + a4)
                w += h / 6.0 * (w1 + 2.0 * (w2 + w3) + w4)
                now[0, i], now[1, i], now[2, i] = x, v, w
                xs[n + 1, i], vs[n + 1, i] = x, v
                change[i] = max(change[i], abs(h * rate))


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


@njit(nogil=True, error_model="numpy")
def _store(xs, vs, change, unsettled, strain, rate):  # type: ignore[no-untyped-def]
    """Transpose the traces of unsettled lanes into their bubbles' rows, and judge them."""
    for i in range(min(LANES, strain.shape[0])):
        if unsettled[i]:
            for n in range(xs.shape[0]):
                strain[i, n] = xs[n, i]
                rate[i, n] = vs[n, i]
            unsettled[i] = not (change[i] < LARGEST_CHANGE and np.isfinite(xs[-1, i]))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)
def integrate(pressure, coefficients, curve, steps_per_sample):  # type: ignore[no-untyped-def]
    """Radial strain x and its rate ẋ, both (B, M), in units of R₀ and √(ρR₀²/P₀).

    ``pressure`` (B, M) is p_ac/P₀ at every step, ``coefficients`` (COEFFICIENTS, B padded to
    whole blocks), ``curve`` the 15 numbers of the surface tension (see ``_slope``). Bubbles
    start at rest and take ``steps_per_sample``, or more where that changes a radius too much. A
    bubble that even the smallest step cannot follow is NaN.
    """
    bubbles, samples = pressure.shape
    strain = np.empty((bubbles, samples))
    rate = np.empty((bubbles, samples))
    drive = np.empty((samples + 2, LANES))
    xs = np.zeros((samples, LANES))
    vs = np.zeros((samples, LANES))
    now = np.empty((3, LANES))
    change = np.empty(LANES)
    for first in range(0, bubbles, LANES):
        _load_drive(pressure, first, drive)
        c = coefficients[:, first : first + LANES].copy()
        lanes = min(LANES, bubbles - first)
        unsettled = np.ones(LANES, dtype=np.bool_)
        substeps = steps_per_sample
        while substeps <= FINEST and unsettled[:lanes].any():
            now[:2], now[2], change[:] = 0.0, 1.0, 0.0
            _march(drive, substeps, now, xs, vs, change, c, curve)
            _store(xs, vs, change, unsettled, strain[first:], rate[first:])
            substeps *= REFINEMENT
        for i in range(lanes):
            if unsettled[i]:
                strain[first + i] = np.nan
    return strain, rate
