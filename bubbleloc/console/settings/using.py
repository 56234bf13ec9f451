"""Settings of the commands that use trained networks."""

from typing import Literal

from bubbleloc.console.settings.types import (
    Checkpoint,
    Count,
    CountFromZero,
    Elements,
    Group,
    Interval,
    Listed,
    NotNegative,
    Number,
    PathName,
    Positive,
    Seed,
    setting,
)


class Evaluate(Group):
    """Score a trained network on the test split; writes the report to <run>/report.

    python -m bubbleloc.evaluate run=outputs/train/<run>
    python -m bubbleloc.evaluate run=outputs/train/<run> noise=0.01,0.02,0.04,0.08,0.16,0.32
    python -m bubbleloc.evaluate run=outputs/train/<run> baselines=matched_filter,wiener,sparse
    python -m bubbleloc.evaluate run=outputs/train/<run> folder=data/x resample=true
    """

    run: PathName = setting("run directory, or a sweep directory with runs in it")
    checkpoint: Checkpoint = setting("checkpoint of the run", "best")
    folder: PathName | None = setting("dataset; null is the one the run was trained on", None)
    selection: Literal["val", "train"] = setting("split on which thresholds are chosen", "val")
    noise: NotNegative | list[NotNegative] | None = setting(
        "level of added noise; null is that of the run; a list adds F1 against noise", None
    )
    snr_db: Number | None = setting("in place of noise: ratio of white noise in dB", None)
    baselines: Listed[Literal["matched_filter", "wiener", "sparse"]] = setting(
        "classical methods to compare with; sparse (ℓ1) takes 0.1 s per line and level",
        ["matched_filter", "wiener"],
    )
    batch_size: Count = setting("lines in the network at a time", 16)
    resample: bool = setting("resample kernels where folder has another sampling rate", False)


class Compare(Group):
    """Compare evaluated runs on the same test signals: violins, tables, paired statistics.

    For a sweep it also draws F1 against the settings that were varied.

    python -m bubbleloc.compare runs=[outputs/train/<a>,outputs/train/<b>]
    python -m bubbleloc.compare runs=outputs/sweep/<sweep> evaluate=true
    """

    runs: Listed[PathName] = setting("evaluated runs; a sweep directory stands for its runs")
    output: PathName = setting("folder of tables and figures", "outputs/comparison")
    tolerance: CountFromZero = setting("samples, at which figures are drawn", 4)
    evaluate: bool = setting("evaluate runs that have no report yet", False)


class Localize(Group):
    """Localize the bubbles in your own RF lines.

    python -m bubbleloc.localize run=bubbleloc:small input=rf.h5 output=bubbles.csv
    python -m bubbleloc.localize run=outputs/train/<run> input=rf.csv transpose=true \\
      sampling_rate_hz=50e6 resample=true picture=0
    """

    run: PathName = setting("run directory, or a network of the package", "bubbleloc:small")
    input: PathName = setting("RF lines, lines × samples: .h5, .mat, .npy, .npz, .csv or .txt")
    output: PathName = setting(".csv or .h5 file of detections", "bubbles.csv")
    checkpoint: Checkpoint = setting("checkpoint of the run", "best")
    key: PathName | None = setting("array in the file; null is rf, or the only one", None)
    transpose: bool = setting("whether lines are columns", False)
    sampling_rate_hz: Positive | None = setting("null: as the file says, or the network's", None)
    resample: bool = setting("convert lines of another rate to the network's", False)
    speed_of_sound_m_s: Positive | None = setting("for depths; null: of the file or run", None)
    threshold: Number | None = setting("on confidence; null is the best of the run", None)
    tolerance: CountFromZero = setting("samples, at which that one is the best", 4)
    picture: CountFromZero | None = setting("number of a line to draw with its detections", None)
    batch_size: Count = setting("lines in memory at a time", 16)


class Image(Group):
    """Image the bubbles below an array: its RF lines and localized lines, delayed and summed.

    python -m bubbleloc.image run=bubbleloc:small count=300 seed=1
    python -m bubbleloc.image run=outputs/train/<run> input=array.h5 aperture_mm=28
    """

    run: PathName = setting("run directory, or a network of the package", "bubbleloc:small")
    output: PathName = setting("folder: image.png, .svg, .npz, widths.csv", "outputs/image")
    checkpoint: Checkpoint = setting("checkpoint of the run", "best")
    input: PathName | None = setting("RF lines, elements × samples; null: simulated ones", None)
    key: PathName | None = setting("array in the file; null is rf, or the only one", None)
    transpose: bool = setting("whether lines are columns", False)
    aperture_mm: Positive = setting("width that the elements of the input fill", 28)
    elements: Elements = setting("of the simulated array, across its transducer's aperture", 96)
    count: Count = setting("bubbles to simulate, anywhere in the record", 300)
    pressure_pa: Positive = setting("pressure of the simulated pulse", 100e3)
    seed: Seed = setting("of the simulated bubbles", 0)
    lateral_mm: Interval[Number] = setting("lateral region of the images", [-14, 14])
    depth_mm: Interval[NotNegative] = setting("depths of the images", [10, 70])
    pixel_mm: Positive = setting("size of a pixel; a localized bubble is 0.03 mm thick", 0.025)
    isolation_mm: NotNegative = setting("measure bubbles with no other within this", 3)
    batch_size: Count = setting("lines in the network at a time", 16)


class Export(Group):
    """Write a trained network for other programs, its kernels sampled.

    python -m bubbleloc.export run=outputs/train/<run> output=model.onnx
    """

    run: PathName = setting("run directory")
    checkpoint: Checkpoint = setting("checkpoint of the run", "best")
    output: PathName = setting(".onnx (needs bubbleloc[onnx]), .pt2 or .safetensors file")
