"""Methods that find the bubbles of a frame, by their names."""

from collections.abc import Callable

from bubbleloc.errors import InputError
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.backprojection import Backprojection
from bubbleloc.imaging.clean import Clean
from bubbleloc.imaging.conventional import Conventional
from bubbleloc.imaging.echoes import Echo
from bubbleloc.imaging.learned import Learned, LearnedEcho
from bubbleloc.imaging.positions import FrameMethod
from bubbleloc.imaging.wiener import Wiener
from bubbleloc.nn import Localizer

_BY_ECHO: dict[str, Callable[[Array, Region, Echo], FrameMethod]] = {
    "conventional": Conventional,
    "wiener": Wiener,
    "clean": Clean,
}
METHODS = (*_BY_ECHO, "network", "learned")


def build(
    name: str,
    array: Array,
    region: Region,
    *,
    echo: Echo | None = None,
    network: Localizer | None = None,
) -> FrameMethod:
    """Return the method of a name for all frames of a recording.

    Args:
        region: where bubbles are looked for; outside it, there should be none.
        echo: the mean echo of a bubble, for methods that look for it; ``learned`` looks for one of
            `learned_echo`.
        network: a network with a head of emitters, for ``network``.

    Raises:
        InputError: no such method, or no echo or network for one that needs it.
    """
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; choose one of {', '.join(METHODS)}")
    if name == "network":
        if network is None:
            raise InputError("method=network needs a network: give it as network=")
        return Backprojection(array, region, network)
    if name == "learned":
        if not isinstance(echo, LearnedEcho):
            raise InputError("method=learned looks for a learned echo: echo=learned_echo(…)")
        return Learned(array, region, echo)
    if echo is None:
        raise InputError(f"method={name} looks for the mean echo of a bubble: give it as echo=")
    return _BY_ECHO[name](array, region, echo)
