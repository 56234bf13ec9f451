"""Types that settings share: bounds, and what a value may be, in words, as the title."""

import operator
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticUndefined

from bubbleloc.errors import InputError

LARGEST_SEED = 2**32 - 1  # NumPy and Lightning accept no larger one
NAME = "the name of a file or folder"
AXES = ("frames", "elements", "samples")  # of an array of RF lines, in the order of reading
SMALLER_FIRST = "give the smaller number first, such as [10, 70]"

Item = TypeVar("Item")


class Group(BaseModel):
    """Settings that belong together; their defaults are in the class."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)

    @classmethod
    def of(cls, values: object) -> Self:
        """Return the settings that plain values tell, such as those stored in a dataset.

        Raises:
            InputError: an unknown name, or a value of the wrong kind.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            name = ".".join([cls.__name__.lower(), *map(str, problem["loc"])])
            raise InputError(f"{name}={problem['input']!r}: {problem['msg']}") from None

    def plain(self) -> dict[str, Any]:
        """Return the values as plain data for a file; numbers as they were given."""
        return self.model_dump(exclude_unset=True, warnings=False)


class HydraGroup(Group):
    """A group whose defaults are the files in ``conf/<group>/``."""


def setting(description: str, default: Any = PydanticUndefined) -> Any:
    """Declare a setting: what it means, and its default; without a default it must be given."""
    return Field(default, description=description)


def _keep(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Check a number and keep it as given: 20 stays 20 in the names of runs, not 20.0."""
    check(value)
    return value


def _number_to_text(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _ends(fit: Callable[[float, float], bool], remedy: str) -> AfterValidator:
    """Check the two ends of a range."""

    def check(ends: tuple[float, float]) -> tuple[float, float]:
        if not fit(*ends):
            raise ValueError(remedy)
        return ends

    return AfterValidator(check)


def _different(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError("give each axis once")
    return values


def _axes(value: Any) -> Any:
    """Return the names of axes that are given by their first letters, or with commas."""
    if not isinstance(value, str):
        return value
    names = value.split(",") if "," in value or value in AXES else list(value)
    return [next((axis for axis in AXES if name == axis[0]), name.strip()) for name in names]


AsGiven = WrapValidator(_keep)
Real = Annotated[float, Strict()]  # no text, in groups that are dataclasses either
Number = Annotated[Real, Field(title="a number"), AsGiven]
Positive = Annotated[Real, Field(gt=0, title="a number above 0"), AsGiven]
NotNegative = Annotated[Real, Field(ge=0, title="a number, 0 or more"), AsGiven]
Probability = Annotated[
    float, Field(strict=True, ge=0, lt=1, title="a number, 0 or more and below 1"), AsGiven
]
LearningRate = Annotated[
    float, Field(strict=True, gt=0, le=1e30, title="a number above 0"), AsGiven
]
AboveOne = Annotated[Real, Field(gt=1, title="a number above 1"), AsGiven]
# The bounds of these are wide; they catch values in another unit.
Rate = Annotated[
    float, Field(strict=True, ge=1e5, le=1e10, title="a rate in Hz, 1e5 to 1e10"), AsGiven
]
Frequency = Annotated[
    float, Field(strict=True, ge=1e4, le=1e9, title="a frequency in Hz, 1e4 to 1e9"), AsGiven
]
Speed = Annotated[
    float, Field(strict=True, ge=100, le=10_000, title="a speed in m/s, 100 to 10000"), AsGiven
]
Pressure = Annotated[float, Field(ge=1e3, le=1e8, title="a pressure in Pa, 1e3 to 1e8"), AsGiven]
Angle = Annotated[
    float, Field(strict=True, gt=-60, lt=60, title="an angle in degrees, −60 to 60"), AsGiven
]
# Zorgdrager et al. 2025 (IEEE TUFFC, arXiv 2501.18375): noise levels 4–256 % of 9.65 V.
Noise = Annotated[
    float, Field(strict=True, ge=0, le=2.56, title="a number, 0 or more, up to 2.56"), AsGiven
]

Count = Annotated[int, Field(ge=1, title="a whole number, 1 or more")]
CountFromZero = Annotated[int, Field(ge=0, title="a whole number, 0 or more")]
Tolerance = (
    CountFromZero
    | Annotated[
        str,
        Field(pattern=r"^\d+(\.\d+)?(um|µm|μm)$", title="a depth in micrometres such as 47um"),
    ]
)
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED, title=f"0 to {LARGEST_SEED}")]
Channels = Annotated[int, Field(ge=1, le=4096, title="1 to 4096")]  # more would fill the memory
Kernel = Annotated[int, Field(ge=1, le=2**20, title="1 to 1048576")]
Blocks = Annotated[int, Field(ge=1, le=32, title="1 to 32")]
Levels = Annotated[int, Field(ge=1, le=12, title="1 to 12")]
Elements = Annotated[int, Field(ge=2, le=4096, title="2 to 4096")]

Flag = Annotated[bool, Field(title="true or false")]
Lightning = Annotated[Any, Field(title="a value that Lightning accepts")]
Text = Annotated[str, Field(min_length=1, title="a word")]
PathName = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", title=NAME),
    BeforeValidator(_number_to_text),
]
Listed = Annotated[
    list[Item], BeforeValidator(lambda value: value if isinstance(value, list) else [value])
]
Range = Annotated[
    tuple[Item, Item],
    Field(strict=False, title="two numbers, such as [10, 70]"),
    _ends(operator.le, SMALLER_FIRST),
]
Interval = Annotated[Range[Item], _ends(operator.lt, SMALLER_FIRST)]
MeanAndSpread = Annotated[
    tuple[Positive, NotNegative],
    Field(strict=False, title="a mean and a standard deviation, such as [1.5, 0.15]"),
    _ends(
        lambda mean, spread: 0.05 <= mean <= 50 and spread <= mean / 2,
        "give a mean of 0.05 to 50 µm and a standard deviation of at most half of it, such as "
        "[1.5, 0.15]",
    ),
]
Axes = Annotated[
    tuple[Literal["frames", "elements", "samples"], ...],
    Field(strict=False, min_length=1, max_length=3, title="axes, such as [samples, frames] or sf"),
    BeforeValidator(_axes),
    AfterValidator(_different),
]
Depths = Annotated[
    Interval[Number], _ends(lambda low, _: low >= 0, "give a number, 0 or more, for both ends")
]
Pressures = Annotated[
    Range[NotNegative],
    _ends(lambda _, high: high == 0 or 1e3 <= high <= 1e8, "give Pa, such as [5e3, 250e3]"),
]
NoiseRange = Annotated[
    Interval[Noise],
    Field(title="a range above 0, such as [0.02, 0.5]"),
    _ends(lambda low, _: low > 0, "give a number above 0 for both ends, such as [0.005, 0.4]"),
]
Shares = Annotated[
    dict[str, Probability],
    Field(title="shares, such as {monodisperse: 0.5, polydisperse: 0.5}"),
]

Checkpoint = Literal["best", "last"]
Split = Literal["train", "val", "test"]
KernelStart = Literal["balanced", "published"]
