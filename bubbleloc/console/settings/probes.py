"""Probes by name: what makers and toolboxes state of them. Messages, settings and docs follow.

Bandwidths are those of echoes: makers, Verasonics' ``Trans`` and MUST state where a pulse-echo
spectrum is 6 dB lower. `bubbleloc.physics.probe.named` converts them to those of each response.
"""

from collections.abc import Mapping
from typing import NamedTuple

P4_1, GAUSSIAN = "p4-1", "gaussian"  # the measured one, and one of a band that the user gives

DATA_SHEET = "data sheet, as in Verasonics `Trans`"
BAND = "band of Verasonics `Trans`"
MUST = "MUST `getparam`"


class NamedProbe(NamedTuple):
    """Numbers of a probe; ``echo_bandwidth`` is the width of its echoes at −6 dB over centre."""

    center_hz: float
    echo_bandwidth: float
    elements: int
    pitch_m: float
    source: str
    radius_m: float | None = None  # of a convex array

    @property
    def aperture_m(self) -> float:
        """Width of the array, along its arc if it is convex."""
        return self.elements * self.pitch_m


PROBES: Mapping[str, NamedProbe] = {
    "p4-2v": NamedProbe(2.72e6, 0.742, 64, 300e-6, DATA_SHEET),
    "pa4-2/20": NamedProbe(2.5e6, 0.60, 64, 300e-6, MUST),
    "gec1-6d": NamedProbe(3.4e6, 0.95, 192, 350e-6, BAND, 56.8e-3),
    "c5-2v": NamedProbe(3.57e6, 0.79, 128, 508e-6, MUST, 49.57e-3),
    "l9-4/38": NamedProbe(5e6, 0.65, 128, 304.8e-6, MUST),
    "ge9l-d": NamedProbe(5.3e6, 0.75, 192, 230e-6, BAND),
    "l7-4": NamedProbe(5.5e6, 3 / 5.5, 128, 298e-6, BAND),
    "gel3-12d": NamedProbe(6.5e6, 0.85, 256, 200e-6, DATA_SHEET),
    "l14-5/38": NamedProbe(7.2e6, 0.70, 128, 304.8e-6, MUST),
    "l11-4v": NamedProbe(7.24e6, 0.937, 128, 300e-6, DATA_SHEET),
    "l12-3v": NamedProbe(7.54e6, 0.93, 192, 200e-6, MUST),
    "l11-5v": NamedProbe(7.6e6, 0.77, 128, 300e-6, MUST),
    "l12-5-38mm": NamedProbe(8e6, 6 / 8, 192, 197.9e-6, BAND),
    "l12-5-50mm": NamedProbe(8e6, 6 / 8, 256, 195.3e-6, BAND),
    "l22-8v": NamedProbe(14.75e6, 13.5 / 14.75, 256, 108e-6, BAND),
    "l22-14v": NamedProbe(18e6, 0.67, 128, 100e-6, "Verasonics examples of L22-14v"),
}
"""Where only the edges of a band are stated, the centre is its middle."""


def probe_called(name: object) -> str | None:
    """Return the key of a probe however it is written (``L11-4v``, ``GE9LD``); None: no such."""
    said = _letters(str(name))
    return next((key for key in (P4_1, *PROBES) if _letters(key) == said), None)


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def markdown() -> str:
    """Return the table of docs/waveforms.md."""
    head = "name | f₀ (MHz) | echoes at −6 dB | elements | pitch (mm) | width (mm) | source"
    rows = [f"| {head} |", "|---|---:|---:|---:|---:|---:|---|"]
    for name, probe in PROBES.items():
        convex = f"; radius {1e3 * probe.radius_m:.4g} mm" if probe.radius_m else ""
        mhz, width_mm = 1e-6 * probe.center_hz, 1e3 * probe.aperture_m
        numbers = f"{mhz:.4g} | {probe.echo_bandwidth:.0%} | {probe.elements}"
        sizes = f"{1e3 * probe.pitch_m:.4g} | {width_mm:.3g}{convex}"
        rows.append(f"| `{name}` | {numbers} | {sizes} | {probe.source} |")
    return "\n".join(rows)
