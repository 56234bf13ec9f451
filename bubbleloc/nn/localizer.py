"""What all networks share: RF lines in volts in, one value per sample out; and their names.

A network is a subclass of `Localizer` that says of which layers it consists. `network` gives it
the name by which `build_model`, configurations and cards of trained networks know it.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from bubbleloc.nn.ckconv import Kernels, Sampled, samples_taken
from bubbleloc.nn.heads import HEADS, EmitterHead
from bubbleloc.nn.resample import resampled_convolution
from bubbleloc.nn.scaling import InputScaling

NETWORKS: dict[str, Callable[..., "Localizer"]] = {}


class Localizer(nn.Module):
    """Scaling, reflection padding, layers that shorten the line by as much, and a head.

    >>> import torch
    >>> layers = [nn.Conv1d(1, 8, 5), nn.ReLU(), nn.Conv1d(8, 1, 1)]
    >>> Localizer(layers)(torch.randn(2, 1, 500)).shape
    torch.Size([2, 1, 500])

    Args:
        layers: valid convolutions and what is between them. The last one is the read-out, a
            convolution of one tap to one value per sample; a head that reads more values of a
            sample puts a wider one in its place.
        head: ``"counts"``, or ``"emitters"`` with positions, their errors and radii, see
            `bubbleloc.nn.heads`.
        input_scaling: ``"rms"`` or ``"none"``, see `InputScaling`.
        padding: samples that are reflected before and after a line; None: what the layers take.

    Attributes:
        scaling: first step, from volts to what the layers expect
        model: padding, layers and read-out
        head: last step, from the values of the read-out to bubbles per sample

    Shape: (B, 1, L) volts → (B, 1, L), for L above half the receptive field.

    Raises:
        ValueError: an unknown head or scaling.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        *,
        head: str = "counts",
        input_scaling: str = "rms",
        padding: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"unknown head {head!r}; choose one of {', '.join(HEADS)}")
        *body, read_out = layers
        self.scaling, self.head = InputScaling(input_scaling), HEADS[head]()
        pad = nn.ReflectionPad1d(padding or reach(nn.Sequential(*body)))
        self.model = nn.Sequential(pad, *body, self.head.read_out(cast(nn.Conv1d, read_out)))

    def forward(self, rf: Tensor) -> Tensor:
        """Map RF lines (B, 1, L) to (B, 1, L)."""
        return self.outputs(self.padded(rf), rf.shape[-1])

    def padded(self, rf: Tensor) -> Tensor:
        """Scale RF lines (B, 1, L) and pad them by reflection, `context` samples in all."""
        output: Tensor = self.model[0](self.scaling(rf))
        return output

    def outputs(self, padded: Tensor, samples: int) -> Tensor:
        """Map lines with context (B, 1, samples + `context`) to (B, 1, samples)."""
        output: Tensor = self.head(self.readings(padded, samples))
        return output

    def readings(self, padded: Tensor, samples: int) -> Tensor:
        """Map lines with context to what the head reads, (B, 1 or more, samples)."""
        for layer in list(self.model)[1:]:
            padded = layer(padded)
        return padded

    @property
    def context(self) -> int:
        """Samples that `outputs` needs beside those that it returns."""
        return sum(cast(nn.ReflectionPad1d, self.model[0]).padding)

    @property
    def receptive_field(self) -> int:
        """Samples of the scaled RF line that one output sample sees, odd."""
        return 1 + 2 * reach(self)

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate of the RF lines that the network is for; the training sets it."""
        return self.scaling.sampling_rate_hz

    @sampling_rate_hz.setter
    def sampling_rate_hz(self, value: float) -> None:
        self.scaling.sampling_rate_hz = value

    @property
    def parameter_count(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def kernel_samples(self) -> int:
        """Kernel size of the convolutions, the 1-tap read-out aside."""
        sizes = (getattr(module, "kernel_size", 1) for module in self.modules())
        return max(size[0] if isinstance(size, tuple) else int(size) for size in sizes)

    def start_from(self, trained: "Localizer") -> None:
        """Take the weights of a trained network, all but the read-out where heads differ.

        Layers that the trained one does not have keep their weights.

        Raises:
            RuntimeError: layers of other sizes.
        """
        weights = self.state_dict() | trained.state_dict()
        if type(trained.head) is not type(self.head):
            last = len(self.model) - 1
            weights |= self.model[last].state_dict(prefix=f"model.{last}.")
        self.load_state_dict(weights)

    def freeze(self) -> "Localizer":
        """Return a copy with plain convolutions that hold sampled kernels and normalisations.

        Same output, in evaluation mode; for ``torch.export`` and ONNX, where a kernel network
        and FFTs have no place.
        """
        frozen = copy.deepcopy(self)
        _sample_layers(frozen)
        return frozen.eval().requires_grad_(False)

    def in_bfloat16(self) -> "Localizer":
        """Return a frozen copy that computes in bfloat16 from its second layer with weights on.

        The first one sees RF lines, whose large dynamic range bfloat16 would cut.
        """
        frozen = self.freeze()
        layers = list(frozen.model)
        first = next(i for i, layer in enumerate(layers) if any(True for _ in layer.parameters()))
        rest = nn.Sequential(*layers[first + 1 :]).bfloat16()
        frozen.model = nn.Sequential(*layers[: first + 1], ToBfloat16(), *rest)
        cast(Any, frozen).to(memory_format=torch.channels_last)  # of which PyTorch has no types
        return frozen

    def at_sampling_rate(
        self, sampling_rate_hz: float, trained_at_hz: float | None = None
    ) -> "Localizer":
        """Return a frozen copy for RF lines of another sampling rate.

        Every kernel is resampled without changing its frequency response below both Nyquist
        rates, see `resample_kernel`. The layers in between are not linear, so the network's
        output at the same times is close but not equal; tolerances in samples scale.

        Args:
            sampling_rate_hz: sampling rate of the lines.
            trained_at_hz: that of the training data, if the network does not know it.

        Raises:
            ValueError: the head tells positions of emitters, which are in samples of the old rate.
        """
        if isinstance(self.head, EmitterHead):
            raise ValueError("a network with head=emitters keeps its sampling rate; resample lines")
        trained_at_hz = trained_at_hz or self.sampling_rate_hz
        ratio = Fraction(sampling_rate_hz / trained_at_hz).limit_denominator(10_000)
        resampled = self.freeze()
        for name, layer in list(resampled.named_modules()):
            if isinstance(layer, nn.Conv1d):
                resampled.set_submodule(name, resampled_convolution(layer, ratio))
        resampled.model[0] = nn.ReflectionPad1d(reach(resampled))
        resampled.sampling_rate_hz = sampling_rate_hz
        return resampled


class ToBfloat16(nn.Module):
    """Round values to bfloat16; keeps their shape."""

    def forward(self, x: Tensor) -> Tensor:
        """Round ``x``."""
        return x.bfloat16()


def reach(layers: nn.Module) -> int:
    """Samples that valid convolutions in a row take from either end of a line.

    >>> reach(nn.Sequential(nn.Conv1d(1, 2, 5), nn.ReLU(), nn.Conv1d(2, 1, 3)))
    3
    """
    return sum(samples_taken(layer) for layer in layers.modules()) // 2


def _sample_layers(module: nn.Module) -> None:
    """Replace the continuous layers in a module by plain ones."""
    for name, layer in module.named_children():
        if isinstance(layer, Sampled):
            setattr(module, name, layer.sampled())
        else:
            _sample_layers(layer)


Kind = TypeVar("Kind", bound=type[Localizer])


def network(name: str, **defaults: Any) -> Callable[[Kind], Kind]:
    """Give a class of networks a name, or several.

    >>> @network("short")
    ... class Short(Localizer):
    ...     def __init__(self, kernel: int = 5, head: str = "counts") -> None:
    ...         super().__init__([nn.Conv1d(1, 1, kernel), nn.Conv1d(1, 1, 1)], head=head)
    >>> build_model("short", kernel=9).receptive_field
    9
    >>> del NETWORKS["short"]  # which was for this example only

    Args:
        defaults: of the network of this name, where they differ from those of the class.
    """

    def register(kind: Kind) -> Kind:
        NETWORKS[name] = partial(kind, **defaults)
        return kind

    return register


def build_model(name: str, **settings: Any) -> Localizer:
    """Build a network by its name; settings that are None keep their default.

    >>> build_model("ckcnn", kernel=65, omega_0=20).parameter_count
    28392

    Args:
        name: one of `NETWORKS`, and of the files in ``conf/model``.
        settings: arguments of the network's class.

    Raises:
        ValueError: unknown name or setting, or a value that the network refuses.
    """
    if name not in NETWORKS:
        raise ValueError(f"unknown model {name!r}; choose one of {', '.join(sorted(NETWORKS))}")
    settings = {key: value for key, value in settings.items() if value is not None}
    accepted = list(inspect.signature(NETWORKS[name]).parameters)
    if "kernels" in accepted:
        accepted[-1:] = Kernels.__annotations__
    if unknown := sorted(settings.keys() - set(accepted)):
        raise ValueError(
            f"model {name} has no setting {', '.join(unknown)}; it has {', '.join(accepted)}"
        )
    return NETWORKS[name](**settings)
