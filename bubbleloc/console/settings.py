"""What settings may be: every value is checked before any work starts."""

import copy
import reprlib
from collections.abc import Mapping
from typing import Any

from bubbleloc.console.rules import (
    KERNEL,
    NOT_NEGATIVE,
    POSITIVE,
    SIZE,
    Rule,
    choice,
    either,
    flag,
    group,
    interval,
    listed,
    number,
    optional,
    path,
    probability,
    text,
    whole,
)
from bubbleloc.errors import InputError

Settings = dict[str, Any]

LARGEST_SEED = 2**32 - 1  # what NumPy and Lightning take
SCHEDULES = ("one_cycle", "step", "constant")
CHECKPOINTS = ("best", "last")
BASELINES = ("matched_filter", "wiener", "sparse")

DATA: Mapping[str, Rule] = {
    "data.name": path,
    "data.folder": path,
    "data.signals": group,
    "data.seed": whole(0, LARGEST_SEED),
    "data.bubbles": path,
    "data.physics": group,
}

RULES: Mapping[str, Mapping[str, Rule]] = {
    "simulate": {
        **DATA,
        "seed": whole(0, LARGEST_SEED),
        "bubbles": path,
        "splits": listed(choice("train", "val", "test")),
        "workers": optional(whole(1)),
        "executor": text,
        "address": optional(text),
        "preview": flag,
    },
    "train": {
        **DATA,
        "seed": whole(0, LARGEST_SEED),
        "kernel": optional(KERNEL),
        "hidden_channels": optional(SIZE),
        "omega_0": POSITIVE,
        "noise": NOT_NEGATIVE,
        "snr_db": optional(number()),
        "workers": optional(whole(1)),
        "resume": optional(path),
        "model": group,
        "model.name": text,
        "model.kernel": optional(KERNEL),
        "model.hidden_channels": optional(SIZE),
        "model.omega_0": POSITIVE,
        "model.hidden_features": SIZE,
        "model.window_samples": POSITIVE,
        "model.blocks": whole(1, 32),
        "model.levels": whole(1, 12),
        "model.dropout": probability,
        "model.init": choice("balanced", "published"),
        "model.input_scaling": choice("rms", "none"),
        "loss": group,
        "loss.alpha": POSITIVE,
        "loss.soft_weight": NOT_NEGATIVE,
        "loss.dice_weight": NOT_NEGATIVE,
        "optimizer": group,
        "optimizer.lr": number(above=0, most=1e30),  # beyond, PyTorch's own steps overflow
        "optimizer.schedule": choice(*SCHEDULES),
        "optimizer.milestones": listed(whole(1)),
        "loader": group,
        "loader.batch_size": whole(1),
        "loader.crop": optional(whole(1)),
        "loader.crops_per_signal": whole(1),
        "loader.workers": whole(0),
        "trainer": group,
        "trainer.max_epochs": whole(1),
        "trainer.gradient_clip_val": optional(POSITIVE),
        "trainer.accumulate_grad_batches": either(whole(1), choice("epoch")),
        "trainer.check_val_every_n_epoch": whole(1),
    },
    "evaluate": {
        "run": path,
        "checkpoint": choice(*CHECKPOINTS),
        "folder": optional(path),
        "selection": choice("val", "train"),
        "noise": optional(either(NOT_NEGATIVE, listed(NOT_NEGATIVE))),
        "snr_db": optional(number()),
        "baselines": listed(choice(*BASELINES)),
        "batch_size": whole(1),
        "resample": flag,
    },
    "compare": {
        "runs": listed(path),
        "output": path,
        "tolerance": whole(0),
        "evaluate": flag,
    },
    "localize": {
        "run": path,
        "input": path,
        "output": path,
        "checkpoint": choice(*CHECKPOINTS),
        "key": optional(path),
        "transpose": flag,
        "sampling_rate_hz": optional(POSITIVE),
        "resample": flag,
        "speed_of_sound_m_s": optional(POSITIVE),
        "threshold": optional(number()),
        "tolerance": whole(0),
        "picture": optional(whole(0)),
        "batch_size": whole(1),
    },
    "image": {
        "run": path,
        "output": path,
        "checkpoint": choice(*CHECKPOINTS),
        "input": optional(path),
        "key": optional(path),
        "transpose": flag,
        "aperture_mm": POSITIVE,
        "elements": whole(2, 4096),
        "count": whole(1),
        "pressure_pa": POSITIVE,
        "seed": whole(0, LARGEST_SEED),
        "lateral_mm": interval(number()),
        "depth_mm": interval(NOT_NEGATIVE),
        "pixel_mm": POSITIVE,
        "isolation_mm": NOT_NEGATIVE,
        "batch_size": whole(1),
    },
    "convert": {
        "source": path,
        "output": path,
        "sampling_rate_hz": POSITIVE,
        "speed_of_sound_m_s": POSITIVE,
    },
    "smnist": {
        "folder": optional(path),
        "permuted": flag,
        "network": choice("ckcnn", "tcn"),
        "seed": whole(0, LARGEST_SEED),
        "blocks": whole(1, 32),
        "hidden_channels": SIZE,
        "kernel": optional(KERNEL),
        "omega_0": POSITIVE,
        "hidden_features": SIZE,
        "init": choice("balanced", "published"),
        "norm": choice("sequence", "channels"),
        "levels": whole(1, 12),
        "dropout": probability,
        "input_dropout": probability,
        "epochs": whole(1),
        "batch_size": whole(1),
        "lr": POSITIVE,
        "plateau": group,
        "plateau.factor": number(above=1),
        "plateau.patience": whole(0),
        "accelerator": choice("auto", "cpu", "gpu", "cuda", "mps"),
        "resume": optional(path),
    },
    "export": {"run": path, "checkpoint": choice(*CHECKPOINTS), "output": path},
}
"""By command, what each of its settings may be; those not listed are left to the library."""


def check(command: str, settings: Settings) -> Settings:
    """Return the settings of a command after checking each that is there.

    Raises:
        InputError: names the first setting that makes no sense, its value, and what to give.
    """
    checked = copy.deepcopy(settings)
    for name, rule in RULES.get(command, {}).items():
        *groups, key = name.split(".")
        place: Any = checked
        for part in groups:
            place = place.get(part) if isinstance(place, Mapping) else None
        if not isinstance(place, dict) or key not in place:
            continue
        try:
            place[key] = rule(place[key])
        except ValueError as error:
            said = str(error) if str(error).startswith("choose") else f"give {error}"
            raise InputError(f"{name}={_shown(place[key])}: {said}") from None
    return checked


def _shown(value: Any) -> str:
    plain = isinstance(value, str | int | float)
    shown = str(value) if plain else reprlib.repr(value)  # which stays short, whatever it is
    shown = "null" if value is None else shown.replace("\n", " ")
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
