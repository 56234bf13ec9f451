"""A page on one recording: what was done to its lines, the detections in them, and warnings."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from matplotlib.figure import Figure
from scipy.signal import welch

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.errors import printable
from bubbleloc.files import atomic_folder
from bubbleloc.formats import Recording
from bubbleloc.localization.finder import BubbleFinder
from bubbleloc.report.document import Picture, Section, write_document
from bubbleloc.report.figures import style
from bubbleloc.report.figures.line import Example, detected_line
from bubbleloc.report.figures.style import BLUE, GREEN, INK, MUTED, ORANGE
from bubbleloc.units import Scale

PAGE = "report.html"
SPECTRUM_LINES = 64
SPECTRUM_SAMPLES = 1024
LEAST_DB = -70.0  # of a spectrum
MOST_MHZ = 15.0


def folder_of_page(output: Path) -> Path:
    """Return the folder of the page on a recording, beside the table of its detections."""
    return output.with_name(f"{output.stem}_report")


@dataclass
class Counts:
    """Detections of a recording per mm of depth, per frame and per element."""

    per_mm: Floats
    per_frame: Floats
    per_element: Floats

    @classmethod
    def of(cls, recording: Recording, scale: Scale) -> Self:
        """Begin to count."""
        last = recording.start_s * scale.sampling_rate_hz + recording.samples
        deepest_mm = max(int(scale.depth_mm(last)), 0) + 1
        return cls(np.zeros(deepest_mm), np.zeros(recording.frames), np.zeros(recording.elements))

    def add(self, frame: Ints, element: Ints, depth_mm: Floats) -> None:
        """Count detections (n,), their frames counted from the first that is read."""
        deep = np.clip(depth_mm, 0, len(self.per_mm) - 1).astype(np.int64)
        places = (self.per_mm, deep), (self.per_frame, frame), (self.per_element, element)
        for counts, number in places:
            counts += np.bincount(number, minlength=len(counts))

    @property
    def bubbles(self) -> int:
        """The number of all detections."""
        return int(self.per_frame.sum())


@dataclass(frozen=True, eq=False)
class Summary:
    """All that the page is made from.

    Attributes:
        whole: the recording before a band or a region was taken.
        recording: the recording that was localized.
        finder: the network that found the bubbles.
        counts: the numbers of detections.
        doubts: why the network may not fit the recording, see `bubbleloc.localization.doubts`.
    """

    whole: Recording
    recording: Recording
    finder: BubbleFinder
    counts: Counts
    doubts: list[str]

    def write(self, output: Path, number: int | None) -> Path:
        """Write the HTML page, its Markdown twin and figures; return the page.

        Args:
            output: the table of the detections; the page's folder lies beside it.
            number: the line to show; None is the loudest of the middle frame.
        """
        if number is None:
            frame = self.recording.frames // 2
            power = np.square(self.recording.volts[frame]).mean(axis=1)
            number = frame * self.recording.elements + int(power.argmax())
        recording, bubbles = self.recording, self.counts.bubbles
        name = printable(Path(recording.source).name)
        level = self.finder.threshold
        summary = (
            f"{bubbles} detections in {recording.lines} lines, {bubbles / recording.lines:.1f} per "
            f"line{'' if level is None else f', threshold {level:g}'}. "
            + ("There are warnings." if self.doubts else "No warnings.")
        )
        sections = [*self._warnings(), self._line(number), self._spectrum(), self._rates()]
        texts = [printable(text) for text in recording.describe(self.finder.scale)]
        network = printable(self.finder.run.name)
        facts = {"network": network, "recording": texts[0], "times": texts[1]}
        facts |= {f"step {i}": text for i, text in enumerate(texts[2:], 1)}
        folder = folder_of_page(output)
        with atomic_folder(folder) as unfinished:
            write_document(unfinished / PAGE, name, summary, sections, facts)
        return folder / PAGE

    def _warnings(self) -> list[Section]:
        return [Section("Warning", printable(text)) for text in self.doubts]

    def _line(self, number: int) -> Section:
        recording, scale = self.recording, self.finder.scale
        frame, element = divmod(number, recording.elements)
        words = f"frame {recording.first_frame + frame}, element {element}"
        line = drawn_line(self.finder, recording, number, words)
        stored = recording.volts.stored(number, number + 1)[0]
        localized = recording.volts.lines(number, number + 1)[0]
        lasts_s = self.whole.samples / scale.sampling_rate_hz
        stored_s = self.whole.start_s + np.linspace(0, lasts_s, len(stored), endpoint=False)
        depths = [
            scale.depth_mm(samples)
            for samples in (
                stored_s * scale.sampling_rate_hz,
                line.start_sample + np.arange(recording.samples),
                line.on_axis(line.detections.sample),
            )
        ]
        both = partial(two_lines, (depths[0], stored), (depths[1], localized), depths[2])
        piece = partial(detected_line, line, scale)
        return Section(
            "A line",
            f"{words[0].upper()}{words[1:]}, as it is in the file and as it was given to the "
            "network; then the piece with most detections, at the rate of the network.",
            {
                "line": Picture("The whole line, before and after the steps below", both),
                "piece": Picture("The network's output and what was found", piece),
            },
        )

    def _spectrum(self) -> Section:
        numbers = np.unique(np.linspace(0, self.recording.lines - 1, SPECTRUM_LINES).astype(int))
        volts = self.recording.volts
        rate_hz = self.finder.scale.sampling_rate_hz
        localized, stored = volts.some(numbers)
        stored_hz = rate_hz * stored.shape[1] / self.whole.samples
        before, after = _spectrum(stored, stored_hz), _spectrum(localized, rate_hz)
        likeness, band = self.finder.run.card.likeness, None
        if likeness is not None and self.finder.told is None:
            band = likeness.quiet["low_mhz"][0], likeness.quiet["high_mhz"][1]
        text = f"Mean of {len(numbers)} lines, each curve over its own maximum."
        if band is not None:
            text += " Shaded: where 5 to 95 % of the power of the network's training lines lies."
        picture = Picture("Power spectra", partial(spectra, before, after, band))
        return Section("Spectrum", text, {"spectrum": picture})

    def _rates(self) -> Section:
        recording, counts = self.recording, self.counts
        per_mm = counts.per_mm / recording.lines
        if recording.frames > 1:
            axis, first, per_line = "frame", recording.first_frame, counts.per_frame
            per_line = per_line / recording.elements
        else:
            axis, first, per_line = "element", 0, counts.per_element
        caption = f"Detections per line, over depth and {axis}"
        picture = Picture(caption, partial(rates, per_mm, per_line, axis, first))
        return Section("Detections", f"Over depth, and over the {axis}s.", {"rates": picture})


def drawn_line(finder: BubbleFinder, recording: Recording, number: int, name: str) -> Example:
    """Return a line of a recording with its bubbles, to be drawn on the axis of their table."""
    ((rf, output, detections),) = finder.detections(recording.volts.lines(number, number + 1))
    stored = recording.volts.stored(number, number + 1)
    is_whole = stored.any() and np.array_equal(stored, np.rint(stored))
    return Example(
        title=printable(f"{name}: {len(detections)} detections"),
        rf=rf.astype(np.float64),
        prediction=output.astype(np.float64),
        arrival_sample=np.zeros(0),
        threshold=finder.threshold,
        detections=detections,
        start_sample=recording.start_s * finder.scale.sampling_rate_hz,
        per_sample=float(finder.network_samples),
        unit="counts" if is_whole else "V",
    )


def _spectrum(lines: Float32s, rate_hz: float) -> tuple[Floats, Floats]:
    """Return frequencies in Hz and mean power (K,) of lines (n, L)."""
    samples = min(SPECTRUM_SAMPLES, lines.shape[1])
    frequency_hz, power = welch(lines, rate_hz, nperseg=samples)
    return frequency_hz, power.mean(axis=0)


@style.house_style
def two_lines(
    before: tuple[Floats, Float32s], after: tuple[Floats, Float32s], detections_mm: Floats
) -> Figure:
    """Draw a line as it is in its file, and as it is given to the network, with its detections.

    Args:
        before, after: depths in mm and samples, each (L,).
        detections_mm: the depths of the detections.
    """
    figure = style.new_figure(width=2 * style.COLUMN_INCHES, height=2.9)
    panels = figure.subplots(2, 1, sharex=True)
    for axes, (depth_mm, volts), colour in zip(panels, (before, after), (MUTED, INK), strict=True):
        axes.plot(depth_mm, volts, color=colour, linewidth=0.4)
        axes.grid(False)
    top = 1.15 * np.abs(after[1]).max() or 1.0
    at = np.full(len(detections_mm), top)
    panels[1].plot(detections_mm, at, "|", color=GREEN, markersize=5, markeredgewidth=0.6)
    panels[0].set(ylabel="in the file")
    panels[1].set(ylabel="localized", xlabel="depth (mm); detections are ticks")
    figure.align_ylabels()
    return figure


@style.house_style
def spectra(
    before: tuple[Floats, Floats], after: tuple[Floats, Floats], band_mhz: Sequence[float] | None
) -> Figure:
    """Draw mean power spectra, and the band of the lines that the network was trained on.

    Args:
        before, after: frequencies in Hz and power (K,), of the file and as localized.
    """
    figure = style.new_figure(height=2.7)
    axes = figure.subplots()
    if band_mhz is not None:
        label = f"trained on {band_mhz[0]:.1f} to {band_mhz[1]:.1f} MHz"
        axes.axvspan(*band_mhz, color=BLUE, alpha=0.15, linewidth=0, label=label)
    for (frequency_hz, power), colour, width, label in (
        (before, ORANGE, 2.4, "in the file"),
        (after, INK, 0.9, "localized"),
    ):
        level = 10 * np.log10(np.maximum(power / (power[1:].max() or 1.0), 1e-12))
        axes.plot(1e-6 * frequency_hz, level, color=colour, linewidth=width, label=label)
    end = min(MOST_MHZ, 1e-6 * after[0][-1])
    axes.set(xlim=(0, end), ylim=(LEAST_DB, 3), xlabel="frequency (MHz)", ylabel="power (dB)")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@style.house_style
def rates(per_mm: Floats, per_line: Floats, axis: str, first: int) -> Figure:
    """Draw mean detections of a line per mm of depth, and per frame or element.

    Args:
        per_mm: mean detections per mm, (depths,) from 0 mm on.
        per_line: mean detections per line, (frames,) or (elements,).
        axis: ``frame`` or ``element``.
        first: the number of the first of them.
    """
    figure = style.new_figure(width=2 * style.COLUMN_INCHES, height=2.2)
    left, right = figure.subplots(1, 2)
    left.stairs(per_mm, np.arange(len(per_mm) + 1), color=BLUE, fill=True)
    left.set(xlabel="depth (mm)", ylabel="detections per line and mm")
    left.set(xlim=(0, len(per_mm)), ylim=(0, 1.1 * per_mm.max() or 1))
    number = first + np.arange(len(per_line))
    right.plot(number, per_line, "o" if len(per_line) < 100 else "-", color=BLUE, markersize=3)
    right.set(xlabel=axis, ylabel="detections per line", ylim=(0, 1.1 * per_line.max() or 1))
    right.xaxis.get_major_locator().set_params(integer=True)
    return figure
