"""Settings of training, and of networks: those of several, and from ``conf/model`` those of one."""

import re
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import ConfigDict, create_model

from bubbleloc.console import config_folder
from bubbleloc.console.settings import types as t
from bubbleloc.console.settings.data import Data
from bubbleloc.console.settings.types import Group, HydraGroup, setting

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


class Loss(HydraGroup):
    """Gaussian-blurred L1 distance plus soft Dice."""

    alpha: t.Positive = setting("decay of the Gaussian blur, exp(-alpha·i²)")
    soft_weight: t.NotNegative = setting("weight of the L1 distance")
    dice_weight: t.NotNegative = setting("weight of the Dice loss")


class Optimizer(HydraGroup):
    """Adam and its learning rate."""

    lr: t.LearningRate = setting("learning rate; the peak of one_cycle")
    schedule: Literal["one_cycle", "step", "constant"] = setting("schedule of the rate")
    milestones: t.Listed[t.Count] = setting("epochs at which the step schedule drops tenfold")


class Loader(Group):
    """How training reads a dataset."""

    batch_size: t.Count = setting("crops per optimiser step, of all processes together", 16)
    crop: t.Count | None = setting("scored samples of a crop; null is the whole line", 2048)
    shortest_crop: t.Count | None = setting(
        "crops of random length, from this to loader.crop, a length for each batch; null: one",
        None,  # runs of before it do not tell
    )
    crops_per_signal: t.Count = setting("crops per signal and epoch", 4)
    workers: t.CountFromZero = setting("processes that read data", 0)


class Augmentation(Group):
    """Random changes of the training lines; positions stay."""

    gain_db: t.NotNegative = setting("amplify by up to ± so much", 0.0)
    slope_db: t.NotNegative = setting("let the gain rise or fall by up to so much over depth", 0.0)
    polarity: t.Flag = setting("invert half of the lines", False)


class Trainer(HydraGroup):
    """Arguments of `lightning.Trainer`, which checks those without a type here."""

    model_config = ConfigDict(extra="allow")

    max_epochs: t.Count = setting("epochs of training")
    accelerator: t.Lightning = setting("auto, cpu, gpu …")
    devices: t.Lightning = setting("number of devices, or which")
    strategy: t.Lightning = setting("auto, or with trainer=ddp several processes")
    precision: t.Lightning = setting("32-true, bf16-mixed …")
    gradient_clip_val: t.Positive | None = setting("largest norm of the gradient")
    accumulate_grad_batches: t.Count | Literal["epoch"] = setting("batches per optimiser step")
    check_val_every_n_epoch: t.Count = setting("epochs between validations")


class Train(Group):
    """Train a network that turns RF lines into bubble positions.

    bubbleloc train model=ckcnn kernel=131
    bubbleloc train -m kernel=65,131,263 omega_0=20,30
    bubbleloc train resume=outputs/train/<run>
    """

    seed: t.Seed = setting("seed of the weights and of the order of the crops", 0)
    kernel: t.Kernel | None = setting("kernel size in samples, odd; null is the model's own", None)
    hidden_channels: t.Channels | None = setting("channels; null is the model's own", None)
    omega_0: t.Positive = setting("frequency of the SIREN, radians per unit of τ", 30.0)
    noise: t.Noise | t.NoiseRange = setting(
        "noise level, 1.0 adds 9.65 V; a range [lowest, highest] is log-uniform", 0.0
    )
    snr_db: t.Number | t.Interval[t.Number] | None = setting(
        "in place of noise: signal-to-noise ratio in dB, or a range", None
    )
    noise_colour: Literal["low-pass", "white", "receive", "any"] | None = setting(
        "null: low-pass (the published recipe), or white with snr_db", None
    )
    clean_share: t.Probability = setting("share of the lines that get no noise", 0.0)
    compression: t.Flag = setting(
        "matched filter of the waveform as the network's first step", False
    )
    workers: t.Count | None = setting("processes that simulate a missing dataset", None)
    logger: t.Listed[Literal["csv", "tensorboard", "mlflow", "wandb"]] | None = setting(
        "logs beside metrics.csv; null: tensorboard if installed", None
    )
    start_from: t.PathName | None = setting(
        "run, or network of the package, whose weights the training starts from", None
    )
    resume: t.PathName | None = setting("run directory to continue", None)
    loader: Loader
    augmentation: Augmentation
    data: Data
    model: Model
    loss: Loss
    optimizer: Optimizer
    trainer: Trainer


class Plateau(Group):
    """When the learning rate drops."""

    factor: t.AboveOne = setting("the rate is divided by it", 5)
    patience: t.CountFromZero = setting("epochs without a better validation accuracy", 20)


class Smnist(Group):
    """Classify images of digits, read pixel by pixel: sequential MNIST.

    Romero et al. 2021 publish an accuracy of 99.31 %; the defaults are their settings.

    bubbleloc smnist folder=mnist
    bubbleloc smnist folder=mnist permuted=true omega_0=43.46 dropout=0
    bubbleloc smnist
    bubbleloc smnist resume=outputs/smnist/<run>
    """

    folder: t.PathName | None = setting("MNIST's four IDX files; null: scikit-learn's digits", None)
    permuted: t.Flag = setting("pixels in one random order", False)
    network: Literal["ckcnn", "tcn"] = setting("tcn is the baseline of Bai et al. 2018", "ckcnn")
    seed: t.Seed = setting("seed of the weights and of the order of the sequences", 0)
    blocks: t.Blocks = setting("residual blocks of the ckcnn, two convolutions each", 2)
    hidden_channels: t.Channels = setting("channels; published for the tcn: 25", 30)
    kernel: t.Kernel | None = setting("samples; null: the whole sequence, or 7 for the tcn", None)
    omega_0: t.Positive = setting("frequency of the SIREN", 31.09)
    hidden_features: t.Channels = setting("width of the SIREN's hidden layers", 32)
    init: t.KernelStart = setting("initial kernels, see docs/models.md", "published")
    norm: Literal["sequence", "channels"] = setting("channels is strictly causal", "sequence")
    levels: t.Levels = setting("blocks of the tcn", 8)
    dropout: t.Probability = setting("share of dropped channels", 0.1)
    input_dropout: t.Probability = setting("share of dropped pixels", 0.1)
    epochs: t.Count = setting("epochs of training", 200)
    batch_size: t.Count = setting("sequences per optimiser step", 64)
    lr: t.LearningRate = setting("learning rate of Adam", 1e-3)
    plateau: Plateau
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = setting("device", "auto")
    resume: t.PathName | None = setting("run directory to continue", None)
