"""What a network must beat on the same lines: random output and classical methods.

Every method gets what a network gets: its threshold, and the one number that Wiener deconvolution
needs, are chosen on the selection split, and its scores come from the test split.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from bubbleloc.data import store
from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.splits import Split
from bubbleloc.errors import InputError
from bubbleloc.evaluation.classical import (
    echo_template,
    matched_filter,
    sparse_deconvolution,
    wiener_deconvolution,
)
from bubbleloc.evaluation.scoring import Outputs, choose, score
from bubbleloc.files import atomic
from bubbleloc.metrics.one_to_one import MatchedScores
from bubbleloc.physics import Setup

Floats = NDArray[np.float64]
Method = Callable[[Floats], Outputs]

BASELINES = ("matched_filter", "wiener", "sparse")
KEPT = "baselines"  # folder beside a dataset, for outputs of the slow method
WIENER_NOISE = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
_BATCH = 16
_ECHO_S = 6.4e-6
"""Duration of the echo template: all of a published echo."""


@dataclass(frozen=True)
class Rival:
    """One method on the test lines, at its best thresholds of the selection split.

    Attributes:
        f1: (n, T).
        matched: means of one-to-one scores, a row per tolerance they were asked for.
    """

    f1: Floats
    matched: pd.DataFrame


def rivals(
    names: Sequence[str], selection: Split, test: Split, one_to_one: Sequence[int] = ()
) -> dict[str, Rival]:
    """Score random output and the classical methods called `names`.

    Args:
        selection: split that chooses their thresholds.
        test: split that they are scored on.
        one_to_one: tolerances to score one to one at, too.

    Raises:
        InputError: there is no such method.
    """
    if unknown := [name for name in names if name not in BASELINES]:
        raise InputError(f"baselines: no method {unknown[0]!r}; choose of {', '.join(BASELINES)}")
    rival = partial(_rival, selection=selection, test=test, one_to_one=one_to_one)
    uniform = np.random.default_rng(0)
    scored = {"random": rival(lambda rf: uniform.random(rf.shape))}
    echo = _echo(test) if names else np.zeros(0)
    for name in names:
        if name == "matched_filter":
            scored[name] = rival(partial(matched_filter, template=echo))
        elif name == "wiener":
            method = partial(wiener_deconvolution, template=echo)
            noise = _best_wiener_noise(method, selection)
            scored[name] = rival(partial(method, noise=noise))
        else:
            method = partial(sparse_deconvolution, template=echo)
            keep = hashlib.sha256(echo.tobytes()).hexdigest()[:8]
            scored[name] = rival(method, keep=f"{name}-{keep}")
    return scored


def _rival(
    method: Method,
    selection: Split,
    test: Split,
    one_to_one: Sequence[int],
    keep: str | None = None,
) -> Rival:
    """Choose thresholds on the selection split, score the test split."""
    chosen = choose(_outputs(method, selection, keep), selection, one_to_one)
    matched = MatchedScores(chosen.peak_thresholds, test.scale)
    outputs = _outputs(method, test, keep)
    scores = score(outputs, test, chosen.thresholds, matched if one_to_one else None)
    return Rival(scores.f1, matched.summary())


def _best_wiener_noise(method: Callable[..., Outputs], selection: Split) -> float:
    """The noise whose F1, averaged over signals and tolerances, is highest on a split."""

    def mean_f1(noise: float) -> float:
        outputs = _outputs(partial(method, noise=noise), selection)
        return float(choose(outputs, selection).sweep.f1.max(axis=1).mean())

    return max(WIENER_NOISE, key=mean_f1)


def _outputs(
    method: Method, split: Split, keep: str | None = None
) -> Iterator[tuple[Outputs, Outputs]]:
    """Apply a method to all lines, in batches with their counts.

    With `keep` outputs are kept beside the dataset, as plain arrays under that name, and a
    progress bar tells how far the slow method is.
    """
    starts = range(0, len(split), _BATCH)
    kept = _kept_folder(split, keep) if keep else None
    for start in tqdm(starts, f"sparse {split.path}", unit="batch", disable=kept is None):
        batch = range(start, min(start + _BATCH, len(split)))
        path = kept / f"{start}.npz" if kept else None
        if path and path.is_file():
            output = _read(path, (len(batch), split.samples))
        else:
            rf = np.stack([split.volts(index) for index in batch]).astype(np.float64)
            output = method(rf)
            if path:
                output = output.astype(np.float32)
                _write(path, output)
        yield output, np.stack([split.count(index) for index in batch])


def _echo(lines: RFDataset) -> Floats:
    """Echo of one bubble under the physics that a dataset was simulated with, no longer than it.

    An imported dataset does not say; it gets the published physics at its sampling rate.
    """
    physics = store.settings_of(lines.path).get("physics")
    setup = Setup.from_config(physics if isinstance(physics, dict) else {})
    if setup.sampling_rate_hz != lines.sampling_rate_hz:
        setup = Setup(sampling_rate_hz=lines.sampling_rate_hz)
    length = min(round(_ECHO_S * lines.sampling_rate_hz), lines.samples)
    return echo_template(setup, depth_m=setup.depth_m / 2, length=length)


def _kept_folder(split: Split, name: str) -> Path:
    return split.path.parent / KEPT / f"{name} {split.key}".replace(" ", "-")


def _write(path: Path, output: Outputs) -> None:
    with contextlib.suppress(OSError), atomic(path) as unfinished:  # not kept is no reason to stop
        np.savez_compressed(unfinished, output=output)


def _read(path: Path, shape: tuple[int, int]) -> Outputs:
    try:
        with np.load(path, allow_pickle=False) as file:
            output: Outputs = file["output"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged; remove it") from error
    if output.shape != shape:
        raise InputError(f"{path} does not fit the dataset beside it; remove {path.parent}")
    return output
