"""Types that settings share, each defined once with its bounds."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticUndefined

LARGEST_SEED = 2**32 - 1  # NumPy and Lightning accept no larger one

Item = TypeVar("Item")


class Group(BaseModel):
    """Settings that belong together; their defaults are in the class."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


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


def _to_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _ascending(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] >= value[1]:
        raise ValueError("give the smaller number first, such as [10, 70]")
    return value


def _from_zero(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] < 0:
        raise ValueError("give a number, 0 or more, for both ends")
    return value


Number = Annotated[float, WrapValidator(_keep)]
Positive = Annotated[float, Field(gt=0), WrapValidator(_keep)]
NotNegative = Annotated[float, Field(ge=0), WrapValidator(_keep)]
Probability = Annotated[float, Field(ge=0, lt=1), WrapValidator(_keep)]
LearningRate = Annotated[float, Field(gt=0, le=1e30), WrapValidator(_keep)]  # PyTorch overflows
AboveOne = Annotated[float, Field(gt=1), WrapValidator(_keep)]

Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Count = Annotated[int, Field(ge=1)]
CountFromZero = Annotated[int, Field(ge=0)]
Channels = Annotated[int, Field(ge=1, le=4096)]  # more would fill the memory
Kernel = Annotated[int, Field(ge=1, le=2**20)]
Blocks = Annotated[int, Field(ge=1, le=32)]
Levels = Annotated[int, Field(ge=1, le=12)]
Elements = Annotated[int, Field(ge=2, le=4096)]

Text = Annotated[str, Field(min_length=1)]
PathName = Annotated[
    str,
    Field(min_length=1, json_schema_extra={"format": "path"}),
    BeforeValidator(_number_to_text),
]
Listed = Annotated[list[Item], BeforeValidator(_to_list)]
Interval = Annotated[tuple[Item, Item], Field(strict=False), AfterValidator(_ascending)]
Depths = Annotated[Interval[Number], AfterValidator(_from_zero)]

Checkpoint = Literal["best", "last"]
Split = Literal["train", "val", "test"]
KernelStart = Literal["balanced", "published"]
