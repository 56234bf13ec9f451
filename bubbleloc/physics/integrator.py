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
# Samples to integrate a block over before its traces are stored: few enough for the cache.
TILE = 256
# Rows of the coefficient array.
STEP, GAS, SOUND, TENSION, VISCOUS, SHELL, EXPONENT = range(7)
COEFFICIENTS = 7

# A step may change a radius by this part of itself: R(t) is then within 3e-4 of half the step.
# Coated bubbles pass at 4 ns but for ~1.5 µm at 250 kPa; hard collapses of clean gas do not.
LARGEST_CHANGE = 0.1
REFINEMENT, FINEST = 4, 256

SIXTH = 1.0 / 6.0
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
    u2 = u * u
    u4 = u2 * u2
    low_powers = (c0 + c1 * u) + (c2 + c3 * u) * u2
    high_powers = (c4 + c5 * u) + (c6 + c7 * u) * u2
    sigma = (low_powers + high_powers * u4) + ((c8 + c9 * u) + c10 * u2) * (u4 * u4)
    sigma = min(sigma, top)
    vq = v * q
    others = gas * w * (1.0 - sound * v) - (1.0 + p) - vq * (viscous + shell * q) - 1.5 * v * v
    force = others - tension * q * sigma
    return force * q, -exponent * w * vq, vq


@njit(nogil=True, error_model="numpy", fastmath=FASTMATH, inline="always")
def _cubic(t):  # type: ignore[no-untyped-def]
    """Weights at t from 0 to 1 of the cubic through samples at −1, 0, 1 and 2."""
    s = t - 1.0
    outer, inner = t * s * SIXTH, 0.5 * (t + 1.0) * (s - 1.0)
    return -(s - 1.0) * outer, s * inner, -t * inner, (t + 1.0) * outer


@njit(nogil=True, error_model="numpy", fastmath=FASTMATH)
def _march(drive, steps, substeps, now, xs, vs, change, c, curve):  # type: ignore[no-untyped-def]
    """Classical RK4 through ``steps`` samples of one block, ``substeps`` to each.

    ``drive`` (TILE + 3, LANES) is p_ac/P₀ from one sample before the first. ``now`` (3, LANES)
    holds x, ẋ and w, ``xs`` and ``vs`` (TILE, LANES) receive x and ẋ, ``change`` (LANES,) the
    largest relative change of radius in a step, ``c`` is (COEFFICIENTS, LANES). One array for
    state and traces would do, but its rows then overlap in the compiler's eyes, and it does not
    vectorise.
    """
    part = 1.0 / substeps
    for n in range(steps):
        for m in range(substeps):
            at0, at1, at2 = _cubic(m * part), _cubic((m + 0.5) * part), _cubic((m + 1.0) * part)
            for i in range(LANES):
                h = c[STEP, i] * part
                a, b, d, e = drive[n, i], drive[n + 1, i], drive[n + 2, i], drive[n + 3, i]
                p0 = at0[0] * a + at0[1] * b + at0[2] * d + at0[3] * e
                p1 = at1[0] * a + at1[1] * b + at1[2] * d + at1[3] * e
                p2 = at2[0] * a + at2[1] * b + at2[2] * d + at2[3] * e
                own = (
                    c[GAS, i],
                    c[SOUND, i],
                    c[TENSION, i],
                    c[VISCOUS, i],
                    c[SHELL, i],
                    c[EXPONENT, i],
                )
                x, v, w = now[0, i], now[1, i], now[2, i]
                a1, w1, rate = _slope(x, v, w, p0, own, curve)
                v2 = v + 0.5 * h * a1
                a2, w2, _ = _slope(x + 0.5 * h * v, v2, w + 0.5 * h * w1, p1, own, curve)
                v3 = v + 0.5 * h * a2
                a3, w3, _ = _slope(x + 0.5 * h * v2, v3, w + 0.5 * h * w2, p1, own, curve)
                v4 = v + h * a3
                a4, w4, _ = _slope(x + h * v3, v4, w + h * w3, p2, own, curve)
                x += h * SIXTH * (v + 2.0 * (v2 + v3) + v4)
                v += h * SIXTH * (a1 + 2.0 * (a2 + a3) + a4)
                w += h * SIXTH * (w1 + 2.0 * (w2 + w3) + w4)
                now[0, i], now[1, i], now[2, i] = x, v, w
                xs[n, i], vs[n, i] = x, v
                change[i] = max(change[i], abs(h * rate))


@njit(nogil=True, error_model="numpy", fastmath=FASTMATH)
def _load_drive(pressure, first, start, drive):  # type: ignore[no-untyped-def]
    """Transpose pressures (B, M) of a block from sample ``start − 1`` on into ``drive``.

    A parabola extrapolates to the samples before the first and after the last.
    """
    last, end = pressure.shape[0] - 1, pressure.shape[1] + 1 - start
    for k in range(max(0, 1 - start), min(drive.shape[0], end)):
        for i in range(LANES):
            drive[k, i] = pressure[min(first + i, last), start - 1 + k]
    if start == 0:
        drive[0] = 3.0 * (drive[1] - drive[2]) + drive[3]
    if end < drive.shape[0]:
        drive[end] = 3.0 * (drive[end - 1] - drive[end - 2]) + drive[end - 3]


@njit(nogil=True, error_model="numpy")
def _store(xs, vs, unsettled, strain, rate):  # type: ignore[no-untyped-def]
    """Transpose the traces of unsettled lanes into their bubbles' rows."""
    lanes = min(LANES, strain.shape[0])
    for n in range(strain.shape[1]):
        for i in range(lanes):
            if unsettled[i]:
                strain[i, n], rate[i, n] = xs[n, i], vs[n, i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)
def integrate(pressure, coefficients, curve, steps_per_sample):  # type: ignore[no-untyped-def]
    """Radial strain x and its rate ẋ, both (B, M), in units of R₀ and √(ρR₀²/P₀).

    ``pressure`` (B, M) is p_ac/P₀ at every step, ``coefficients`` (COEFFICIENTS, B padded to
    whole blocks), ``curve`` the 15 numbers of the surface tension (see ``_slope``). Bubbles
    start at rest and take ``steps_per_sample``, or more where that changes a radius too much. A
    bubble that even the smallest step cannot follow is NaN.
    """
    bubbles, samples = pressure.shape
    strain, rate = np.zeros((bubbles, samples)), np.zeros((bubbles, samples))
    drive = np.empty((TILE + 3, LANES))
    xs, vs = np.empty((TILE, LANES)), np.empty((TILE, LANES))
    now, change = np.empty((3, LANES)), np.empty(LANES)
    for first in range(0, bubbles, LANES):
        c = coefficients[:, first : first + LANES].copy()
        lanes = min(LANES, bubbles - first)
        unsettled = np.ones(LANES, dtype=np.bool_)
        substeps = steps_per_sample
        while substeps <= FINEST and unsettled[:lanes].any():
            now[:2], now[2], change[:] = 0.0, 1.0, 0.0
            for start in range(0, samples - 1, TILE):
                steps = min(TILE, samples - 1 - start)
                _load_drive(pressure, first, start, drive)
                _march(drive, steps, substeps, now, xs, vs, change, c, curve)
                rows, columns = slice(first, first + lanes), slice(start + 1, start + 1 + steps)
                _store(xs, vs, unsettled, strain[rows, columns], rate[rows, columns])
            for i in range(lanes):
                unsettled[i] &= not (change[i] < LARGEST_CHANGE and np.isfinite(now[0, i]))
            substeps *= REFINEMENT
        for i in range(lanes):
            if unsettled[i]:
                strain[first + i] = np.nan
    return strain, rate
