"""Settings of the commands that use trained networks."""

from typing import Any, ClassVar, Literal

from bubbleloc.console.settings import types as t
from bubbleloc.console.settings.types import Group, setting


class Evaluate(Group):
    """Score a trained network on the test split; writes the report to <run>/report.

    With folder=… it is written to <run>/report-<name of the folder>.

    bubbleloc evaluate run=outputs/train/<run>
    bubbleloc evaluate run=outputs/train/<run> noise=0.01,0.02,0.04,0.08,0.16,0.32
    bubbleloc evaluate run=outputs/train/<run> baselines=matched_filter,wiener,sparse
    bubbleloc evaluate run=outputs/train/<run> folder=data/x resample=true
    bubbleloc evaluate run=bubbleloc:robust conditions=all
    bubbleloc evaluate run=outputs/universal conditions=probes
    """

    run: t.PathName = setting(
        "run directory, network of the package, or sweep directory with runs in it"
    )
    checkpoint: t.Checkpoint = setting("checkpoint of the run", "best")
    folder: t.PathName | None = setting("dataset; null is the one the run was trained on", None)
    selection: Literal["val", "train"] = setting("split on which thresholds are chosen", "val")
    noise: t.Noise | list[t.Noise] | None = setting(
        "level of added noise; null: of the run; several, such as 0,0.04, add F1 against noise",
        None,
    )
    snr_db: t.Number | None = setting("in place of noise: ratio of white noise in dB", None)
    conditions: Literal["all", "probes"] | None = setting(
        "all: noise, all bubble sizes, empty lines; probes: pulses of no training, as it is told",
        None,
    )
    baselines: t.Listed[Literal["matched_filter", "wiener", "sparse"]] = setting(
        "classical methods to compare with; sparse (ℓ1) takes 0.1 s per line and level",
        ["matched_filter", "wiener"],
    )
    batch_size: t.Count = setting("lines in the network at a time", 16)
    resample: t.Flag = setting("evaluate where folder has another sampling rate, too", False)


class Compare(Group):
    """Compare evaluated runs on the same test signals: violins, tables, paired statistics.

    For a sweep it also draws F1 against the settings that were varied.

    bubbleloc compare runs=[outputs/train/<a>,outputs/train/<b>]
    bubbleloc compare runs=outputs/sweep/<sweep> evaluate=true
    """

    runs: t.Listed[t.PathName] = setting("evaluated runs; a sweep directory stands for its runs")
    output: t.PathName = setting("folder of tables and figures", "outputs/comparison")
    folder: t.PathName | None = setting(
        "dataset that the runs were scored on; null is the one they were trained on", None
    )
    tolerance: t.Tolerance = setting("tolerance of the figures: samples, or such as 47um", 4)
    evaluate: t.Flag = setting("evaluate runs that have no report of their checkpoint yet", False)


class OwnRecording(Group):
    """What a user tells of a recording, in place of what its file says."""

    key: t.PathName | None = setting(
        "array, buffer or group in the file; null: the array rf, or the first", None
    )
    frames: t.Range[t.CountFromZero] | None = setting("first and last frame; null: all", None)
    transpose: t.Flag = setting("true if lines are columns", False)
    axes: t.Axes | None = setting(
        "axes of an array, such as [samples, frames] or sf; null: elements, samples",
        None,
    )
    sampling_rate_hz: t.Rate | None = setting("sampling rate; null: of the file", None)
    speed_of_sound_m_s: t.Speed | None = setting("speed of sound; null: of the file or run", None)
    start_s: t.Number | None = setting("time of the first sample; null: of the file, or 0", None)
    receive_delay_s: t.Number | None = setting(
        "delay of echoes by filters and electronics; null: of the file, or 0", None
    )
    transmit: t.CountFromZero | None = setting(
        "transmit of each frame to take; null: straightest down", None
    )
    modulation_hz: t.Frequency | None = setting("frequency of complex samples (IQ)", None)

    def hints(self) -> dict[str, Any]:
        """Return what `bubbleloc.formats.read` takes beside the name of a file."""
        return self.model_dump(include=set(OwnRecording.model_fields))


class OwnPulse(Group):
    """What a user tells of the pulse of a recording, in place of what its file says."""

    OF_SETUP: ClassVar = {
        *("transducer", "center_hz", "fractional_bandwidth", "waveform", "frequency_hz", "cycles")
    }

    transducer: t.PathName | None = setting(
        "probe: a name such as l11-4v, gaussian, or a file; null: of the file", None
    )
    center_hz: t.Frequency | None = setting("centre frequency of transducer=gaussian", None)
    fractional_bandwidth: t.Positive | None = setting(
        "−6 dB width of each response of transducer=gaussian over center_hz, such as 0.7", None
    )
    waveform: t.PathName | None = setting(
        "what is sent: a name or a file (docs/waveforms.md); null: of the file, or one cycle", None
    )
    frequency_hz: t.Frequency | None = setting(
        "centre frequency of a tristate pulse; null: of the file, or the probe's", None
    )
    cycles: t.Number | None = setting("cycles of a tristate pulse; null: 1", None)
    radius_um: t.Positive | None = setting("mean radius of the bubbles; null: 2.4", None)
    pressure_pa: t.Pressure | None = setting("pressure of the pulse; null: 100e3", None)

    @property
    def tells_pulse(self) -> bool:
        """Whether any of it tells of the pulse itself."""
        return any(getattr(self, name) is not None for name in self.OF_SETUP)

    @property
    def given(self) -> list[str]:
        """The names of all that is told."""
        return [name for name in OwnPulse.model_fields if getattr(self, name) is not None]


class Localize(OwnRecording, OwnPulse):
    """Localize the bubbles in your own RF lines.

    bubbleloc localize input=rf.h5 output=bubbles.csv
    bubbleloc localize run=outputs/universal transducer=gaussian center_hz=5e6 \\
      fractional_bandwidth=0.7 radius_um=1.5 input=rf.h5
    bubbleloc localize run=outputs/train/<run> input=rf.csv transpose=true \\
      sampling_rate_hz=50e6 resample=true picture=0
    bubbleloc localize input=rf.h5 executor=dask address=tcp://<host>:8786
    """

    run: t.PathName = setting(
        "run directory, or a network of the package; auto: robust",
        "auto",
    )
    input: t.PathName = setting("recording, of a format in docs/recordings.md")
    output: t.PathName = setting(".csv, .parquet, .h5 or .mat file of detections", "bubbles.csv")
    checkpoint: t.Checkpoint = setting("checkpoint of the run", "best")
    resample: t.Flag = setting("convert lines of another rate to the network's", False)
    band_mhz: t.Interval[t.Positive] | None = setting(
        "keep these frequencies only; null: all", None
    )
    region_mm: t.Depths | None = setting("keep these depths only; null: all", None)
    calibrate: t.Positive | None = setting(
        "depth in mm of a wire in the recording, whose echo tells receive_delay_s", None
    )
    threshold: t.Number | None = setting(
        "least probability; of networks that count, least height (null: the best one)", None
    )
    tolerance: t.Tolerance = setting("tolerance of that threshold: samples, or such as 47um", 4)
    picture: t.CountFromZero | None = setting("number of a line to draw with its detections", None)
    report: t.Flag = setting("write a page on the recording to <output>_report", False)
    batch_size: t.Count = setting("lines in memory at a time", 16)
    precision: Literal["float32", "bf16"] = setting(
        "bf16: faster on processors that compute in it, and a little less exact", "float32"
    )
    executor: Literal["threads", "dask"] = setting(
        "threads, or dask for the workers of a cluster", "threads"
    )
    address: t.Text | None = setting("Dask scheduler, tcp://host:port, or its scheduler file", None)


class Image(OwnRecording):
    """Image the bubbles below an array: its RF lines and localized lines, delayed and summed.

    bubbleloc image count=300 seed=1
    bubbleloc image run=outputs/train/<run> input=array.h5 aperture_mm=28
    """

    run: t.PathName = setting("run directory, or a network of the package", "bubbleloc:robust")
    output: t.PathName = setting("folder: image.png, .svg, .npz, widths.csv", "outputs/image")
    checkpoint: t.Checkpoint = setting("checkpoint of the run", "best")
    input: t.PathName | None = setting("recording of an array; null: simulated lines", None)
    aperture_mm: t.Positive = setting("width that the elements of the input fill", 28)
    elements: t.Elements = setting("elements of the simulated array, over its aperture", 96)
    count: t.Count = setting("bubbles to simulate, anywhere in the record", 300)
    pressure_pa: t.Pressure = setting("pressure of the simulated pulse", 100e3)
    seed: t.Seed = setting("seed of the simulated bubbles", 0)
    lateral_mm: t.Interval[t.Number] = setting("lateral region of the images", [-14, 14])
    depth_mm: t.Depths = setting("depths of the images", [10, 70])
    pixel_mm: t.Positive = setting(
        "size of a pixel; a localized bubble is about 0.03 mm deep", 0.025
    )
    isolation_mm: t.NotNegative = setting("measure bubbles with no other within this", 3)
    batch_size: t.Count = setting("lines in the network at a time", 16)


class Export(Group):
    """Write a trained network for other programs, its kernels sampled.

    bubbleloc export run=outputs/train/<run> output=model.onnx
    """

    run: t.PathName = setting("run directory")
    checkpoint: t.Checkpoint = setting("checkpoint of the run", "best")
    output: t.PathName = setting(".onnx (needs bubbleloc[onnx]), .pt2 or .safetensors file")
