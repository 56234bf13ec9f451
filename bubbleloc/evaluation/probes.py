"""One network of any probe on setups that it was not trained on, told more or less of the pulse."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import fft
from tqdm import tqdm

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.console.settings import Evaluate
from bubbleloc.errors import InputError, printable
from bubbleloc.evaluation.baselines import WIENER_NOISE
from bubbleloc.evaluation.classical import wiener_deconvolution
from bubbleloc.evaluation.conditions import refuse_decided
from bubbleloc.evaluation.held_out import COUNTS, LINES, SETUPS, HeldOut, Lines, simulate_lines
from bubbleloc.evaluation.run import run_facts
from bubbleloc.files import check_replaceable
from bubbleloc.formats.conditioning import rate_ratio, resample
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.detections import Detections, peaks_of_lines
from bubbleloc.metrics.matching import match_detections
from bubbleloc.metrics.one_to_one import PEAK_THRESHOLDS, choose_peak_thresholds
from bubbleloc.models.answers import answer
from bubbleloc.models.runs import Run
from bubbleloc.nn.inference import evaluating
from bubbleloc.physics import Setup
from bubbleloc.physics.told import (
    TYPICAL_PRESSURE_PA,
    TYPICAL_RADIUS_M,
    Told,
    guessed,
    standard_samples,
    standardised,
    told_by,
)
from bubbleloc.report.probes import (
    BLIND,
    FULL,
    GUESSES,
    PULSE,
    RATES,
    TELLINGS,
    WIENER,
    write_probes,
)

OFF = 0.3  # part of radius and pressure that is told wrong
EMPTY = 16  # lines of noise alone


def evaluate_probes(
    run: Run, settings: Evaluate, setups: Sequence[str] = tuple(SETUPS), lines: int = LINES
) -> Path:
    """Score a run on every held-out setup, told more or less; return the report's page.

    Args:
        setups: names out of `SETUPS`.
        lines: of each kind, for each setup.

    Raises:
        InputError: a setting that the conditions decide, or a network that knows one pulse.
    """
    refuse_decided(settings)
    if not run.card.wants_standard_lines:
        raise InputError(
            f"conditions=probes: {run.name} knows the pulse of its training only; give a network "
            "that is told the pulse, as experiment=universal trains it"
        )
    report = run.report_folder().with_name("report-probes")
    check_replaceable(report)
    find = partial(_found, run, batch_size=settings.batch_size)
    cases = [(name, rate) for name in setups for rate in SETUPS[name].rates]
    rows: list[dict[str, object]] = []
    for name, rate in tqdm(cases, printable(f"probes {run.name}"), unit="setup"):
        rows += _scored(name, rate, find, lines)
    return write_probes(report, pd.DataFrame(rows), run_facts(run))


Find = Callable[[Float32s, float, Told], list[Detections]]
"""Returns the bubbles in lines (n, L) of a sampling rate, in samples of the lines."""


def _found(
    run: Run, volts: Float32s, rate_hz: float, told: Told, batch_size: int
) -> list[Detections]:
    ready, per_sample = standardised(volts, rate_hz, told), standard_samples(rate_hz, told)
    detections: list[Detections] = []
    with evaluating(run.network):
        for first in range(0, len(ready), batch_size):
            said = answer(run.network, ready[first : first + batch_size])
            detections += said.detections(run.threshold(QUOTED_TOLERANCE))
    return [_at(of_line, per_sample) for of_line in detections]


def _at(found: Detections, per_sample: Fraction) -> Detections:
    """Return detections in samples of the lines, of those of the network."""
    return Detections(found.sample / float(per_sample), found.confidence)


def _scored(name: str, rate: float, find: Find, lines: int) -> Iterator[dict[str, object]]:
    """Yield a row per kind of lines × what is told, of one setup and sampling rate."""
    held, setup = SETUPS[name], SETUPS[name].setup(rate)
    rate_hz, full = setup.sampling_rate_hz, told_by(setup, held.radius_m)
    reach = QUOTED_TOLERANCE / float(standard_samples(rate_hz, full))
    empty = simulate_lines(name, rate, "empty", min(lines, EMPTY))
    false = np.mean([len(found) for found in find(empty.volts, rate_hz, full)])
    facts = _facts(name, held, rate, full) | {"false in empty lines": false}
    for kind in COUNTS:
        simulated = simulate_lines(name, rate, kind, lines)
        methods = dict(_methods(simulated, setup, held, find, rate))
        for method, found in methods.items():
            yield facts | {"lines": kind, "told": method} | _scores(found, simulated, reach)


def tellings(setup: Setup, radius_m: float) -> dict[str, Told]:
    """Return what is told of a setup and the mean radius of its bubbles, more or less of it."""
    told = {FULL: told_by(setup, radius_m), PULSE: told_by(setup, TYPICAL_RADIUS_M)}
    for much, factor in (("less", 1 - OFF), ("more", 1 + OFF)):
        told[f"radius 30 % {much}"] = told_by(setup, factor * radius_m)
        told[f"pressure 30 % {much}"] = told_by(setup, radius_m, factor * TYPICAL_PRESSURE_PA)
    return told


def _methods(
    lines: Lines, setup: Setup, held: HeldOut, find: Find, rate: float
) -> Iterator[tuple[str, list[Detections]]]:
    rate_hz = setup.sampling_rate_hz
    if rate != held.rates[0]:
        yield FULL, find(lines.volts, rate_hz, told_by(setup, held.radius_m))
        return
    for method, told in tellings(setup, held.radius_m).items():
        yield method, find(lines.volts, rate_hz, told)
    yield BLIND, find(lines.volts, rate_hz, guessed(lines.volts, rate_hz))
    yield WIENER, _wiener(lines, rate_hz, told_by(setup, held.radius_m))
    rng, samples = np.random.default_rng(0), lines.volts.shape[1]
    yield GUESSES, [_sure(rng.uniform(0, samples, len(true))) for true in lines.arrival_sample]


def _sure(sample: Floats) -> Detections:
    return Detections(sample, np.ones(len(sample)))


def _wiener(lines: Lines, rate_hz: float, told: Told) -> list[Detections]:
    """Return the peaks of Wiener deconvolution, at the noise and threshold that suit it best.

    Lines and echo are brought to the samples per wavelength of the network.
    """
    ratio = standard_samples(rate_hz, told)
    volts = resample(lines.volts, ratio).astype(np.float64)
    of_echo = rate_ratio(told.sampling_rate_hz, float(ratio) * rate_hz)
    echo = resample(np.asarray(told.echo, np.float32)[None], of_echo)[0].astype(np.float64)
    true = [float(ratio) * arrivals for arrivals in lines.arrival_sample]
    best, most = [], -1.0
    for noise in WIENER_NOISE:
        peaks, line = peaks_of_lines(
            wiener_deconvolution(volts, echo, noise).astype(np.float32), PEAK_THRESHOLDS[0]
        )
        found = list(peaks.of_lines(line, len(volts)))
        level = choose_peak_thresholds(found, true, [QUOTED_TOLERANCE])[QUOTED_TOLERANCE]
        kept = [of_line.above(level) for of_line in found]
        pairs = zip(kept, true, strict=True)
        f1 = float(np.mean([match_detections(a, b, QUOTED_TOLERANCE).f1 for a, b in pairs]))
        if f1 > most:
            best, most = kept, f1
    return [_at(of_line, ratio) for of_line in best]


def _scores(found: list[Detections], lines: Lines, reach: float) -> dict[str, object]:
    pairs = [
        match_detections(of_line, true, reach)
        for of_line, true in zip(found, lines.arrival_sample, strict=True)
    ]
    return {
        name: float(np.mean([getattr(matching, name) for matching in pairs]))
        for name in ("f1", "precision", "recall")
    }


def _facts(name: str, held: HeldOut, rate: float, told: Told) -> dict[str, object]:
    return {
        "setup": name,
        "echo_mhz": 1e-6 * told.centre_hz,
        "echo_bandwidth": echo_bandwidth(told),
        "cycles": held.cycles,
        "radius_um": 1e6 * held.radius_m,
        "samples_per_wavelength": rate,
        "compared": TELLINGS if rate == held.rates[0] else RATES,
    }


def echo_bandwidth(told: Told) -> float:
    """Width of the band of an echo at −6 dB over its centre."""
    size = 2**15
    magnitude = np.abs(fft.rfft(told.echo, size))
    frequency_hz = fft.rfftfreq(size, 1 / told.sampling_rate_hz)
    within = frequency_hz[magnitude >= magnitude.max() / 2]
    return float(np.ptp(within) / told.centre_hz)
