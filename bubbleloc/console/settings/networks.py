"""Settings of networks: those that several have, and from ``conf/model`` those of one."""

import re
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import create_model

from bubbleloc.console import config_folder
from bubbleloc.console.settings import types as t
from bubbleloc.console.settings.types import HydraGroup, setting

OF_ONE = {bool: t.Flag, int: t.CountFromZero, float: t.Number, str: t.Text}  # by type of default


class OfSeveral(HydraGroup):
    """The network; every architecture has some of these settings."""

    name: t.Text = setting("architecture")
    head: Literal["counts", "emitters"] = setting(
        "counts: bubbles per sample; emitters: also probabilities, errors and radii", "counts"
    )
    hidden_channels: t.Channels | None = setting("channels of hidden layers", None)
    kernel: t.Kernel | None = setting("kernel size in samples, odd", None)
    omega_0: t.Positive | None = setting("frequency of the SIREN", None)
    hidden_features: t.Channels | None = setting("width of the SIREN's hidden layers", None)
    window_samples: t.Positive | None = setting("initial width of the Gaussian windows", None)
    dropout: t.Probability | None = setting("share of dropped channels", None)
    init: t.KernelStart | None = setting("initial kernels: of He variance, or as published", None)
    input_scaling: Literal["rms", "none"] | None = setting("unit RMS, or raw volts", None)


def _of_one() -> dict[str, Any]:
    """Return the other settings in ``conf/model``: each described by the comment behind it.

    They have the type of their default; the network refuses values that make no sense to it.
    """
    fields: dict[str, Any] = {}
    for path in sorted((config_folder() / "model").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        comments = dict(re.findall(r"^(\w+):[^#\n]*#\s*(.+)$", text, re.MULTILINE))
        for name, default in yaml.safe_load(text).items():
            if name not in OfSeveral.model_fields:
                kind = OF_ONE[type(default)]
                fields.setdefault(name, (kind | None, setting(comments.get(name, ""), None)))
    return fields


if TYPE_CHECKING:
    Model = OfSeveral
else:
    Model = create_model("Model", __base__=OfSeveral, __doc__=OfSeveral.__doc__, **_of_one())
