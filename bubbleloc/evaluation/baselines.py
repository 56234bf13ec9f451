"""Random output and classical methods, scored on the same lines as a network.

Baselines get what a network gets: their thresholds, and the noise that Wiener deconvolution
assumes, are chosen on the selection split, and their scores come from the test split.
"""

import contextlib
import hashlib
import zipfile
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from tqdm import tqdm

from bubbleloc.arrays import Floats
from bubbleloc.data import store
from bubbleloc.data.dataset import RFDataset
from bubbleloc.errors import InputError, printable
from bubbleloc.evaluation.classical import (
    echo_template,
    matched_filter,
    sparse_deconvolution,
    wiener_deconvolution,
)
from bubbleloc.evaluation.scoring import Batches, Method, MethodScores, read_outputs, score_method
from bubbleloc.files import atomic
from bubbleloc.models.answers import Answer, Outputs
from bubbleloc.physics import Setup

Solver = Callable[[Floats], Outputs]
"""Maps RF lines (n, L) to the outputs of a method."""

CLASSICAL = ("matched_filter", "wiener", "sparse")
CACHE = "baselines"  # folder beside a dataset, for outputs of the slow method
WIENER_NOISE = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
_RECEIVE_S = 0.7e-6
"""The receiver rings so long after a bubble does: an echo of the published pulse is 6.4 µs."""


def score_baselines(
    classical: Sequence[str], selection: RFDataset, test: RFDataset, one_to_one: Sequence[int] = ()
) -> dict[str, MethodScores]:
    """Score random output and classical methods, see `score_method`; return the scores by name.

    Args:
        classical: names out of `CLASSICAL`.

    Raises:
        InputError: there is no such method.
    """
    if unknown := [name for name in classical if name not in CLASSICAL]:
        raise InputError(f"baselines: no method {unknown[0]!r}; choose of {', '.join(CLASSICAL)}")
    uniform = np.random.default_rng(0)
    methods: dict[str, Method] = {
        "random": partial(_outputs, "random output", lambda rf: uniform.random(rf.shape))
    }
    echo = _echo(test) if classical else np.zeros(0)
    methods |= {name: _classical(name, echo, selection) for name in classical}
    return {
        name: score_method(method, selection, test, one_to_one) for name, method in methods.items()
    }


def _classical(name: str, echo: Floats, selection: RFDataset) -> Method:
    if name == "matched_filter":
        return partial(_outputs, "matched filter", partial(matched_filter, template=echo))
    if name == "wiener":
        return _best_wiener(echo, selection)
    digest = hashlib.sha256(echo.tobytes()).hexdigest()[:8]
    solve = partial(sparse_deconvolution, template=echo)
    return partial(_cached_outputs, solve=solve, name=f"{name}-{digest}")


def _best_wiener(echo: Floats, selection: RFDataset) -> Method:
    """Wiener deconvolution with the noise of highest F1, averaged over signals and tolerances."""

    def mean_f1(method: Method) -> float:
        sweep = read_outputs(method(selection), pick=False).sweep
        return float(sweep.f1.mean(axis=0).max(axis=1).mean())

    methods = [
        partial(_outputs, "Wiener", partial(wiener_deconvolution, template=echo, noise=noise))
        for noise in WIENER_NOISE
    ]
    return max(methods, key=mean_f1)


def _outputs(name: str, solve: Solver, split: RFDataset) -> Batches:
    what, batches = printable(f"{name} {split.path}"), -(-len(split) // 16)
    for batch in tqdm(split.batches(16), what, total=batches, unit="batch"):
        yield batch, Answer(solve(batch.rf.astype(np.float64)))


def _cached_outputs(split: RFDataset, solve: Solver, name: str) -> Batches:
    """Outputs of a slow method, kept as a file per batch in a folder beside the dataset."""
    folder = split.path.parent / CACHE / f"{name} {split.key}".replace(" ", "-")
    start = 0
    for batch in tqdm(split.batches(), printable(f"sparse {split.path}"), unit="batch"):
        path = folder / f"{start}.npz"
        try:
            with np.load(path, allow_pickle=False) as file:
                output = file["output"]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):  # missing or damaged
            output = solve(batch.rf.astype(np.float64)).astype(np.float32)
            with contextlib.suppress(OSError), atomic(path) as unfinished:  # a cache may fail
                np.savez_compressed(unfinished, output=output)
        yield batch, Answer(output)
        start += len(batch.rf)


def _echo(split: RFDataset) -> Floats:
    """Echo of one bubble under the physics that a dataset was simulated with, no longer than it.

    An imported dataset does not say; it gets the published physics at its sampling rate.
    """
    rate_hz = split.scale.sampling_rate_hz
    setup = Setup.load(*store.physics_of(store.settings_of(split.path)))
    if setup.sampling_rate_hz != rate_hz:
        setup = Setup(sampling_rate_hz=rate_hz)
    echo_s = setup.window_samples / setup.simulation_rate_hz + _RECEIVE_S
    length = min(round(echo_s * rate_hz), split.samples)
    return echo_template(setup, depth_m=setup.depth_m / 2, length=length)
