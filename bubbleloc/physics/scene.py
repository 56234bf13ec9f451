"""What is insonified: where the bubbles are, how large, and how hard the pulse is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.errors import InputError, require_between
from bubbleloc.tables import read_row

MONODISPERSE = "monodisperse"
DISTRIBUTIONS = (MONODISPERSE, "polydisperse", "none")  # of radii, by name
Kind = str | tuple[float, float]  # one of these, a file, or mean and standard deviation in m
RadiusDistribution = Kind | Mapping[str, float] | Mapping[Kind, float]  # or several with shares
COUNT = (10, 1000)  # fewest and most bubbles, as published
PRESSURE_PA = (5e3, 250e3)
MEAN_RADIUS_M = 2.4e-6
RADIUS_SPREAD = 0.05  # standard deviation over mean
# Bubbles keep this far from both ends of the record, so that no echo is cut.
MARGIN_M = 0.0037
# SonoVue: p(R) ∝ R² exp(−2.19 R), R in µm (Blanken et al. 2022).
SONOVUE_DECAY_PER_UM = 2.19
SONOVUE_RANGE_UM = (0.5, 6.0)


@dataclass(frozen=True, eq=False)
class Scene:
    """B bubbles and the amplitude of the pulse that meets them.

    Raises InputError unless the three rows have one length and physical values.
    """

    depth_m: Floats  # (B,), distance from the transducer's face
    lateral_m: Floats  # (B,), distance from the transducer's axis
    radius_m: Floats  # (B,), at rest
    pressure_pa: float  # transmitted amplitude

    def __post_init__(self) -> None:
        for name in ("depth_m", "lateral_m", "radius_m"):
            row = np.atleast_1d(np.asarray(getattr(self, name), dtype=np.float64))
            if row.ndim != 1 or not np.isfinite(row).all():
                raise InputError(f"scene: {name} of shape {row.shape}; give a row of finite values")
            object.__setattr__(self, name, row)
        sizes = (len(self.depth_m), len(self.lateral_m), len(self.radius_m))
        if len(set(sizes)) != 1:
            raise InputError(f"scene: rows of lengths {sizes}; depth, lateral, radius must agree")
        if (self.depth_m < 0).any():
            raise InputError(f"scene: depth_m={self.depth_m.min():g}; depths are not negative")
        if (self.radius_m <= 0).any() or (self.radius_m > 1e-4).any():
            raise InputError("scene: radius_m outside 0–100 µm; give metres, such as 2.4e-6")
        if not (np.isfinite(self.pressure_pa) and self.pressure_pa >= 0):
            raise InputError(f"scene: pressure_pa={self.pressure_pa!r}; give Pa, not negative")
        object.__setattr__(self, "pressure_pa", float(self.pressure_pa))

    def __len__(self) -> int:
        return len(self.depth_m)


def _unknown() -> Floats:
    return np.asarray(np.nan)


@dataclass(frozen=True, eq=False)
class Bubbles:
    """The B true bubbles of an RF line, (B,) float64 each; what is not known of them is NaN.

    One number stands for all of them. Indexing chooses some by a slice, a mask or their numbers.

    Attributes:
        arrival_sample: sample at which the echo arrives, zero-based, not rounded.
        radius_m: radius at rest.
        depth_m: distance from the transducer's face.
        lateral_m: distance from the transducer's axis.
    """

    arrival_sample: Floats
    radius_m: Floats = field(default_factory=_unknown)
    depth_m: Floats = field(default_factory=_unknown)
    lateral_m: Floats = field(default_factory=_unknown)

    def __post_init__(self) -> None:
        size = np.size(self.arrival_sample)
        for name in BUBBLE_FIELDS:
            row = np.asarray(getattr(self, name), dtype=np.float64)
            if row.shape not in ((), (size,)):
                raise InputError(f"bubbles: {name} of shape {row.shape}, arrivals of {size}")
            object.__setattr__(self, name, np.broadcast_to(row, size))

    def __len__(self) -> int:
        return self.arrival_sample.size

    def __getitem__(self, chosen: slice | Ints | NDArray[np.bool_]) -> "Bubbles":
        return Bubbles(*(getattr(self, name)[chosen] for name in BUBBLE_FIELDS))

    @classmethod
    def concatenate(cls, parts: Sequence["Bubbles"]) -> "Bubbles":
        """Return the bubbles of several lines in a row."""
        return cls(*(np.concatenate([getattr(b, name) for b in parts]) for name in BUBBLE_FIELDS))

    def within(self, start: int, samples: int) -> NDArray[np.bool_]:
        """Return which of them arrive, rounded, in ``samples`` samples from ``start`` on, (B,)."""
        place = np.rint(self.arrival_sample) - start
        return (place >= 0) & (place < samples)

    def count(self, samples: int) -> Float32s:
        """Return the number of bubbles per sample, (samples,), each at its rounded arrival.

        Raises:
            InputError: an arrival outside the line.
        """
        if not self.within(0, samples).all():
            raise InputError(f"an arrival outside the {samples} samples of its line")
        arrival = np.rint(self.arrival_sample).astype(np.int64)
        return np.bincount(arrival, minlength=samples).astype(np.float32)

    def scene(self, pressure_pa: float) -> Scene:
        """Return them as the scene that a pulse of this amplitude meets.

        Raises:
            InputError: depth, lateral position or radius of a bubble is not known.
        """
        return Scene(self.depth_m, self.lateral_m, self.radius_m, pressure_pa)


BUBBLE_FIELDS = tuple(field.name for field in fields(Bubbles))


def draw_scene(
    rng: np.random.Generator,
    bubbles: RadiusDistribution = "monodisperse",
    *,
    count: tuple[int, int] = COUNT,
    count_power: float = 1.0,
    pressure_pa: tuple[float, float] = PRESSURE_PA,
    depth_m: float = 0.1,
    width_m: float = 0.028,
) -> Scene:
    """A random scene, unless told otherwise as published: count, pressure and positions uniform.

    ``bubbles`` is monodisperse (2.4 µm ± 5 %, clipped to 0.5–1.5 times the mean), a mean and a
    standard deviation in m (clipped likewise), polydisperse (SonoVue), or a file of measured radii
    in µm (``.npy``, or one per line) to draw from with replacement; ``none`` is a scene without
    bubbles. A mapping of these to shares of 1 chooses one for the scene. Depths stay 3.7 mm inside
    0…``depth_m``, lateral positions within ``width_m`` around the axis. The count lies a part
    u^``count_power``, u uniform, of the way from the fewest to the most.

    The order of draws is part of the datasets' reproducibility and must not change: kind of
    bubbles where several are given, count, pressure, depths, lateral positions, radii.

    Raises:
        InputError: ends of a range that make no sense, shares that are not of 1, or no such file.
    """
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"scene: rng={rng!r}; give a generator, such as np.random.default_rng(0)")
    for name, ends in (("count", count), ("pressure_pa", pressure_pa)):
        if np.shape(ends) != (2,):
            raise InputError(f"scene: {name}={ends}; give (lowest, highest), such as (40, 40)")
    low, high = count
    if not 0 <= low <= high:
        raise InputError(f"scene: count={count}; give (fewest, most), not negative")
    if not 0 <= pressure_pa[0] <= pressure_pa[1]:
        raise InputError(f"scene: pressure_pa={pressure_pa}; give (lowest, highest) in Pa")
    if depth_m <= 2 * MARGIN_M:
        raise InputError(f"scene: depth_m={depth_m}; give more than {2 * MARGIN_M} m")
    if isinstance(bubbles, Mapping):
        bubbles = list(bubbles)[rng.choice(len(bubbles), p=_checked_shares(bubbles))]
    size = round(low + (high - low) * rng.uniform() ** count_power) if bubbles != "none" else 0
    pressure = rng.uniform(*pressure_pa)
    depth = rng.uniform(MARGIN_M, depth_m - MARGIN_M, size)
    lateral = rng.uniform(-width_m / 2, width_m / 2, size)
    return Scene(depth, lateral, draw_radii(rng, bubbles, size), pressure)


def _checked_shares(bubbles: Mapping[str, float] | Mapping[Kind, float]) -> Floats:
    shares = np.asarray(list(bubbles.values()), dtype=np.float64)
    if shares.size == 0 or (shares < 0).any() or abs(shares.sum() - 1) > 1e-6:
        raise InputError(f"bubbles={dict(bubbles)}: give every kind its share; their sum is 1")
    return shares / shares.sum()


def draw_radii(rng: np.random.Generator, bubbles: RadiusDistribution, size: int) -> Floats:
    """Resting radii (size,) in m; ``bubbles`` as in draw_scene, shares being those of bubbles.

    Raises:
        InputError: no file of radii, or no bubbles at all.
    """
    shares = bubbles if isinstance(bubbles, Mapping) else {bubbles: 1.0}
    shares = {kind: share for kind, share in shares.items() if kind != "none" and share}
    if size and not shares:
        raise InputError("bubbles=none: lines without bubbles have no radii; choose other bubbles")
    if isinstance(bubbles, Mapping):
        sizes = rng.multinomial(size, np.divide(list(shares.values()), sum(shares.values())))
        parts = zip(shares, sizes.tolist(), strict=True)
        return np.concatenate([draw_radii(rng, kind, part) for kind, part in parts])
    if size == 0:
        return np.empty(0)
    if bubbles == MONODISPERSE:
        return _normal(rng, MEAN_RADIUS_M, RADIUS_SPREAD, size)
    if isinstance(bubbles, tuple):
        mean_m, deviation_m = bubbles
        require_between("scene", "mean radius", mean_m, 5e-8, 5e-5)
        require_between("scene", "deviation of radii", deviation_m, 0, mean_m / 2)
        return _normal(rng, mean_m, deviation_m / mean_m, size)
    if bubbles == "polydisperse":
        radius_um, cumulative = _sonovue()
        return 1e-6 * np.interp(rng.uniform(size=size), cumulative, radius_um)
    if not Path(bubbles).is_file():
        names = ", ".join(DISTRIBUTIONS)
        raise InputError(f"bubbles={bubbles}: no such file; give {names} or a file of radii")
    file = Path(bubbles).resolve()
    return rng.choice(_measured_radii(file, file.stat().st_mtime_ns), size)


def _normal(rng: np.random.Generator, mean_m: float, spread: float, size: int) -> Floats:
    """Radii (size,) in m of normal distribution; ``spread`` is standard deviation over mean."""
    radius = mean_m * (1 + spread * rng.standard_normal(size))
    return np.clip(radius, 0.5 * mean_m, 1.5 * mean_m)


@lru_cache(maxsize=1)
def _sonovue() -> tuple[Floats, Floats]:
    """Radii in µm and their cumulative distribution, both (n,), finely tabulated."""
    radius = np.linspace(*SONOVUE_RANGE_UM, 5501)
    density = radius**2 * np.exp(-SONOVUE_DECAY_PER_UM * radius)
    cumulative = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return radius, cumulative / cumulative[-1]


@lru_cache(maxsize=8)
def _measured_radii(file: Path, changed_ns: int) -> Floats:
    """Radii (n,) in m of a file, which is read again once it was changed."""
    radius_um = read_row(file)
    if radius_um.size == 0 or not ((radius_um > 0.05) & (radius_um < 100)).all():
        raise InputError(f"{file}: radii outside 0.05–100; give radii in µm, one per line")
    return radius_um * 1e-6
