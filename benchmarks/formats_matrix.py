"""Read files that the field's own packages write, and compare the bubbles with those of the lines.

    python benchmarks/formats_matrix.py [python …]

Every Python that is given (this one, if none is) writes files with those of the packages that it
has, by tests/formats/real_writers.py; ``pip install bubbleloc[formats-test]`` installs them. Each
file is read and localized. It is right where at least 98 % of the bubbles that are found in the
lines that were written are found within 0.1 sample. Prints the table of docs/recordings.md.
"""

import json
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.signal import hilbert

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.formats import Recording, read, recording_of_array
from bubbleloc.formats.conditioning import resample
from bubbleloc.localization.finder import BubbleFinder
from bubbleloc.models.runs import Run, open_run
from bubbleloc.physics import Setup, draw_scene, simulate_rf
from bubbleloc.tables import to_markdown

FRAMES, TRANSMITS, ELEMENTS, BUBBLES = 3, 3, 6, 8
WHOLE_HZ, BAND_HZ = (0.3e6, 6e6), (2.65e6, 4.05e6)  # that IQ, and that undersampled RF can hold
NOISE = 0.02  # of the RMS of the lines
RIGHT, WITHIN = 0.98, 0.1
KINDS = ("right", "refused", "wrong")
BEGIN_S, END_S = 2e-6, 5e-6  # start of the records; what is left out at their ends
WRITERS = Path(__file__).parents[1] / "tests/formats/real_writers.py"


def simulated(path: Path) -> None:
    """Write lines of random bubbles, and the same in a band, for the writers."""
    setup = Setup(elements=ELEMENTS, depth_m=0.05)
    scenes = [
        draw_scene(np.random.default_rng(seed), count=(BUBBLES, BUBBLES), pressure_pa=(5e4, 5e4))
        for seed in range(FRAMES * TRANSMITS)
    ]
    rf = np.stack([simulate_rf(scene, setup).volts for scene in scenes])
    lines = rf.reshape(FRAMES, TRANSMITS, ELEMENTS, -1).astype(np.float64)
    noise = np.random.default_rng(99).normal(0, NOISE * lines.std(), lines.shape)
    rate_hz = setup.sampling_rate_hz
    whole, band = (_in_band(lines + noise, rate_hz, *ends) for ends in (WHOLE_HZ, BAND_HZ))
    np.savez(path, rf=whole, band=band, rate=setup.sampling_rate_hz)


def _in_band(rf: Floats, rate_hz: float, low_hz: float, high_hz: float) -> Floats:
    spectrum = np.fft.rfft(rf, axis=-1)
    frequency_hz = np.fft.rfftfreq(rf.shape[-1], 1 / rate_hz)
    spectrum[..., (frequency_hz < low_hz) | (frequency_hz > high_hz)] = 0
    return np.asarray(np.fft.irfft(spectrum, rf.shape[-1], axis=-1))


def samples_of(recording: Recording, run: Run) -> list[Floats]:
    """Return where bubbles are found in every line, from time 0 on, in samples of the network."""
    finder = BubbleFinder.for_recording(recording, run, resample=True)
    table = pd.concat(finder.tables(recording, 16))
    rate_hz = run.card.scale.sampling_rate_hz
    found = [table[table["line"] == line] for line in range(recording.lines)]
    return [np.asarray(part["time_us"]) * 1e-6 * rate_hz for part in found]


def verdict(row: dict[str, Any], run: Run, truth: dict[str, Any]) -> str:
    """Return what became of a file: right, wrong, or refused with the reason."""
    hints = {k: tuple(v) if isinstance(v, list) else v for k, v in row["hints"].items()}
    try:
        recording = read(row["file"], **hints)
    except InputError as error:
        reason = str(error).removeprefix(f"{row['file']}: ").removeprefix(row["file"]).strip()
        as_meant = row["refused"] is not None and row["refused"] in reason
        return f"refused{'' if as_meant else ' (wrongly)'}: {reason}"
    if row["refused"] is not None:
        return "wrong: it ought to be refused"
    order = np.arange(recording.elements)
    if recording.element_m is not None:
        order = np.argsort(np.argsort(recording.element_m[:, 0]))
    places = [(frame, row["transmit"], e) for frame in range(recording.frames) for e in order]
    if row["lines"] == "band":
        right, total = _lines_in_time(recording, [truth["band"][place] for place in places], run)
    else:
        found = samples_of(recording, run)
        wanted = [truth["rf"][place] for place in places]
        near = [
            (found[line].size > 0) and float(np.abs(found[line] - sample).min()) <= WITHIN
            for line, samples in enumerate(wanted)
            for sample in samples
            if samples_kept(sample, recording, run)
        ]
        right, total = sum(near), len(near)
    word = "right" if total and right >= RIGHT * total else "wrong"
    return f"{word}: {right} of {total} {'lines' if row['lines'] == 'band' else 'bubbles'}"


def samples_kept(sample: float, recording: Recording, run: Run) -> bool:
    """Return whether a bubble lies away from the ends of a record, where filters ring."""
    time_s = sample / run.card.scale.sampling_rate_hz - recording.start_s
    length_s = recording.samples / (recording.sampling_rate_hz or 1.0)
    return END_S < time_s < length_s - END_S


def _lines_in_time(recording: Recording, wanted: list[Floats], run: Run) -> tuple[int, int]:
    """Count the lines of a narrow band, in which no network finds bubbles, that are in time."""
    rate_hz = run.card.scale.sampling_rate_hz
    ratio = Fraction(rate_hz / (recording.sampling_rate_hz or 1.0)).limit_denominator(10_000)
    right = 0
    for number, line in enumerate(wanted):
        read_line = resample(recording.volts.lines(number, number + 1), ratio)[0]
        time_s = np.arange(len(line)) / rate_hz - recording.start_s
        moved = np.interp(time_s, np.arange(len(read_line)) / rate_hz, read_line, 0.0, 0.0)
        inside = slice(int((BEGIN_S + END_S) * rate_hz), -int(END_S * rate_hz))
        a, b = hilbert(line[inside]), hilbert(moved[inside])
        turn = np.vdot(a, b)  # its angle is how late the carrier is
        size = np.abs(turn) / np.sqrt(np.vdot(a, a).real * np.vdot(b, b).real)
        late = -np.angle(turn) / (2 * np.pi * np.mean(BAND_HZ)) * rate_hz
        right += bool(size > 0.99 and abs(late) <= WITHIN)
    return right, len(wanted)


def _by_package(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row per package: the layouts that are right, refused and wrong."""
    kind = table["result"].str.extract(r"^(right|refused(?= *:)|.*)", expand=False)
    table = table.assign(kind=kind.where(kind.isin(["right", "refused"]), "wrong"))
    rows = []
    for package, part in table.groupby("package", sort=False):
        layouts = {k: "; ".join(part["layout"][part["kind"] == k]) or "–" for k in KINDS}
        rows.append({"package": package} | layouts)
    shown = pd.DataFrame(rows)
    return shown.drop(columns=[k for k in KINDS if (shown[k] == "–").all()])


def main() -> None:
    """Write, read, print."""
    run = open_run("bubbleloc:robust-small")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulated(folder / "lines.npz")
        lines = dict(np.load(folder / "lines.npz"))
        late = int(BEGIN_S * lines["rate"])
        flat = lines["rf"].reshape(-1, lines["rf"].shape[-1])[:, late:]
        facts = {"fs": float(lines["rate"]), "start_s": late / float(lines["rate"])}
        found = samples_of(recording_of_array("lines", flat, facts=facts), run)
        bubbles = np.empty((FRAMES, TRANSMITS, ELEMENTS), dtype=object)
        for place, samples in zip(np.ndindex(bubbles.shape), found, strict=True):
            bubbles[place] = samples
        truth = {"rf": bubbles, "band": lines["band"]}
        rows = []
        for number, python in enumerate(sys.argv[1:] or [sys.executable]):
            (folder / str(number)).mkdir()
            words = [python, str(WRITERS), str(folder / "lines.npz"), str(folder / str(number))]
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            rows += json.loads((folder / str(number) / "rows.json").read_text(encoding="utf-8"))
        shown = [
            {"package": f"{r['package']} {r['version']}", "layout": r["layout"]}
            | {"result": verdict(r, run, truth)}
            for r in rows
        ]
    table = pd.DataFrame(shown).drop_duplicates(["package", "layout"])
    for package, layout, result in table.itertuples(index=False):
        print(f"{package}: {layout}: {result}", file=sys.stderr)
    print(to_markdown(_by_package(table)))
    wrong = table["result"].str.contains("wrong").sum()
    print(f"\n{len(table)} files, {wrong} read wrongly", file=sys.stderr)
    sys.exit(int(wrong > 0))


if __name__ == "__main__":
    main()
