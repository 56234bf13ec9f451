"""Methods that find the bubbles of a frame, by their names."""

from collections.abc import Callable

from bubbleloc.errors import InputError
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.clean import Clean
from bubbleloc.imaging.conventional import Conventional
from bubbleloc.imaging.echoes import Echo
from bubbleloc.imaging.positions import FrameMethod
from bubbleloc.imaging.wiener import Wiener

_BY_ECHO: dict[str, Callable[[Array, Region, Echo], FrameMethod]] = {
    "conventional": Conventional,
    "wiener": Wiener,
    "clean": Clean,
}
METHODS = (*_BY_ECHO,)


def build(name: str, array: Array, region: Region, *, echo: Echo | None = None) -> FrameMethod:
    """Return the method of a name for all frames of a recording.

    Args:
        region: where bubbles are looked for; outside it, there should be none.
        echo: the mean echo of a bubble, for methods that look for it.

    Raises:
        InputError: no such method, or no echo for one that needs it.
    """
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; choose one of {', '.join(METHODS)}")
    if echo is None:
        raise InputError(f"method={name} looks for the mean echo of a bubble: give it as echo=")
    return _BY_ECHO[name](array, region, echo)
