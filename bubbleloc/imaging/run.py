"""Image one acquisition of an array twice: its RF lines, and the same lines localized."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import hilbert

from bubbleloc.arrays import Float32s
from bubbleloc.console.settings.using import Image
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.errors import InputError
from bubbleloc.files import atomic, check_bytes, check_output
from bubbleloc.formats import Recording, read, recording_of_array
from bubbleloc.imaging.array import Array
from bubbleloc.imaging.beamforming import ArrayLines, Grid
from bubbleloc.imaging.figure import image_figure
from bubbleloc.imaging.widths import measure_widths, summarize_widths
from bubbleloc.localization.doubts import compared, doubts
from bubbleloc.metrics.detections import Detections
from bubbleloc.models.answers import answer
from bubbleloc.models.runs import open_run
from bubbleloc.nn import Localizer
from bubbleloc.nn.inference import evaluating
from bubbleloc.physics import P4_1, Scene, Setup, draw_scene, simulate_rf, typical_lag_samples
from bubbleloc.physics.pulse import warn_of
from bubbleloc.physics.scene import RadiusDistribution
from bubbleloc.report.figures.style import save_figure
from bubbleloc.tables import write_csv
from bubbleloc.units import Scale

MOST_ELEMENTS = 4096
RAW, LOCALIZED = "RF lines", "localized lines"


@dataclass(frozen=True)
class Imaged:
    """The images of an acquisition.

    Attributes:
        lines: the number of lines of the acquisition.
        pixels: the height and width of the images.
        scale: what a sample of the lines is worth.
        folder: the folder with the files.
        widths: the medians over isolated bubbles, a row per image; None where bubbles are unknown.
        doubts: why the network may not fit a recording, see `bubbleloc.localization.doubts`.
    """

    lines: int
    pixels: tuple[int, int]
    scale: Scale
    folder: Path
    widths: pd.DataFrame | None
    doubts: list[str]


def image_array(settings: Image) -> Imaged:
    """Beamform the RF lines of an array and their localized lines by delay-and-sum.

    Writes ``image.png`` and ``.svg``, ``image.npz`` (both images (H, W), ``lateral_m`` (W,),
    ``depth_m`` (H,)) and, where the bubbles are known, ``widths.csv``, see `measure_widths`.
    Simulated lines follow the physics of the run.

    Raises:
        InputError: files or settings that do not fit.
    """
    folder = Path(settings.output)
    check_output(folder / "image.npz")
    lateral_m, depth_m = 1e-3 * np.array([settings.lateral_mm, settings.depth_mm])
    grid = Grid.covering(lateral_m, depth_m, 1e-3 * settings.pixel_mm)
    run = open_run(settings.run, settings.checkpoint).knowing_its_pulse("image")
    data, network_scale = run.config.data, run.card.scale
    plan = DatasetPlan(data)
    setup = at_scale(plan.setup(), network_scale)
    doubted: list[str] = []
    if settings.input is None:
        rf, bubbles = simulated(setup, plan.population, settings)
    else:
        recording = read(settings.input, **settings.hints())
        rf, bubbles = recorded(recording, network_scale, settings), None
        first_frame = replace(recording, volts=recording.volts.part(0, 1))
        doubted = doubts(first_frame, compared(first_frame, run.card, ready=lambda lines: lines))
        if recording.frames > 1:
            first = recording.first_frame
            doubted.append(
                f"only frame {first} of {recording.frames} frames is imaged; choose another with "
                f"frames=[{first + 1},{first + 1}]"
            )
    lag_samples = typical_lag_samples(np.random.default_rng(data.seed), plan.population, setup)
    lines = {
        RAW: analytic(rf, lag_samples),
        LOCALIZED: localized(rf, run.network, settings.batch_size),
    }
    widths = _write(lines, bubbles, grid, 1e-3 * settings.isolation_mm, folder)
    pixels = len(grid.depth_m), len(grid.lateral_m)
    return Imaged(len(rf.signal), pixels, rf.array.scale, folder, widths, doubted)


def at_scale(setup: Setup, scale: Scale) -> Setup:
    """Return a setup whose lines are like those that a network was trained on, if imported ones."""
    medium = replace(setup.medium, speed_of_sound_m_s=scale.speed_of_sound_m_s)
    return replace(setup, sampling_rate_hz=scale.sampling_rate_hz, medium=medium)


def simulated(
    setup: Setup, population: RadiusDistribution, settings: Image
) -> tuple[ArrayLines, Scene]:
    """Simulate random bubbles below an array that fills the transducer's aperture.

    `population` says how radii are drawn, see `draw_scene`; its empty scenes are left out.
    """
    if isinstance(population, Mapping):
        filled = {kind: share for kind, share in population.items() if kind != "none"}
        population = {kind: share / sum(filled.values()) for kind, share in filled.items()}
    array = replace(setup, elements=settings.elements)
    warn_of(array)
    scene = draw_scene(
        np.random.default_rng(settings.seed),
        population,
        count=(settings.count, settings.count),
        pressure_pa=(settings.pressure_pa, settings.pressure_pa),
        depth_m=array.depth_m,
        width_m=array.probe.aperture_m,
    )
    volts = np.atleast_2d(simulate_rf(scene, array).volts)
    element_m = array.probe.element_positions_m(settings.elements)
    return ArrayLines(volts, Array(element_m, array.scale)), scene


def recorded(recording: Recording, network: Scale, settings: Image) -> ArrayLines:
    """Return the lines of an array, one per element, in the first frame of a recording.

    `network` is the scale of the lines that a network was trained on.

    Raises:
        InputError: no array's lines, NaN, or unknown or another sampling rate.
    """
    path, scale = recording.source, recording.scale(network)
    if not np.isclose(scale.sampling_rate_hz, network.sampling_rate_hz, rtol=1e-6):
        raise InputError(
            f"{path} is sampled at {scale.sampling_rate_hz / 1e6:g} MHz, the network wants "
            f"{network.sampling_rate_hz / 1e6:g} MHz: resample the lines"
        )
    array = array_of(recording, scale, 1e-3 * settings.aperture_mm)
    check_bytes(Path(path), 16 * len(array) * recording.samples)  # of their analytic signals
    return ArrayLines(recording.volts[0], array)


def array_of(recording: Recording, scale: Scale, aperture_m: float) -> Array:
    """Return the array of a recording whose lines are those of its elements.

    Args:
        scale: what a sample of the lines is worth.
        aperture_m: width that the elements fill where the recording does not tell their places.

    Raises:
        InputError: no array's lines.
    """
    elements = recording.elements
    if not 2 <= elements <= MOST_ELEMENTS:
        raise InputError(
            f"{recording.source} holds {elements} lines: give one per element, 2 to "
            f"{MOST_ELEMENTS}; if the axes are others, name them, such as axes=fse"
        )
    wave = recording.sent(scale.speed_of_sound_m_s)
    start_sample = recording.start_s * scale.sampling_rate_hz
    if recording.element_m is None:
        element_m = replace(P4_1, aperture_m=aperture_m).element_positions_m(elements)
        return Array(element_m, scale, -start_sample, sent=wave)
    x_m, _, z_m = recording.element_m.T
    return Array(x_m, scale, -start_sample, z_m, wave)


def analytic(lines: ArrayLines, delay_samples: float) -> ArrayLines:
    """Return analytic RF lines: the magnitude of their delay-and-sum is the image's envelope.

    `delay_samples` is from the arrival of an echo to its peak.
    """
    signal = hilbert(lines.signal, axis=1).astype(np.complex64)
    return ArrayLines(signal, lines.array.later(delay_samples))


def localized(lines: ArrayLines, network: Localizer, batch_size: int) -> ArrayLines:
    """Return lines with the probability of each bubble that a network finds, at its arrival.

    A probability is shared between the two samples around the arrival. Of a network without
    probabilities, its outputs, negative values set to zero.

    Raises:
        InputError: lines too short or too long for the network.
    """
    recording_of_array("the array", lines.signal).check_length(network.receptive_field // 2 + 1)
    samples = lines.signal.shape[1]
    parts = []
    with evaluating(network):
        for start in range(0, len(lines.signal), batch_size):
            answered = answer(network, lines.signal[start : start + batch_size])
            if answered.needs_threshold:
                parts.append(np.maximum(answered.output, 0.0))
            else:
                drawn = [_drawn(detections, samples) for detections in answered.detections()]
                parts.append(np.stack(drawn))
    return replace(lines, signal=np.concatenate(parts))


def _drawn(detections: Detections, samples: int) -> Float32s:
    """Return probabilities of bubbles, each between two samples, in a line (samples,)."""
    before = np.floor(detections.sample).astype(int)
    part = detections.sample - before
    line = np.zeros(samples + 2)  # bubbles may lie a little beyond either end
    for sample, weight in ((before, 1 - part), (before + 1, part)):
        index = np.clip(sample + 1, 0, samples + 1)
        np.add.at(line, index, weight * detections.confidence)
    return line[1:-1].astype(np.float32)


def _write(
    lines: Mapping[str, ArrayLines],
    bubbles: Scene | None,
    grid: Grid,
    isolation_m: float,
    folder: Path,
) -> pd.DataFrame | None:
    """Write figure, images and, of known bubbles, widths; return the medians of the widths."""
    rf, sharp = lines[RAW].image(grid), lines[LOCALIZED].image(grid)
    save_figure(image_figure(rf, sharp, grid, bubbles), folder, "image")
    with atomic(folder / "image.npz") as path:
        across, down = grid.lateral_m, grid.depth_m
        np.savez(path, rf=rf, localized=sharp, lateral_m=across, depth_m=down)
    table = folder / "widths.csv"
    if bubbles is None:
        table.unlink(missing_ok=True)  # left by an image of other lines
        return None
    measured = measure_widths(lines, bubbles, grid, isolation_m)
    write_csv(measured, table)
    return summarize_widths(measured)
