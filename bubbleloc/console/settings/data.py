"""Settings of the commands that make datasets, and of a dataset."""

from typing import Annotated

from pydantic import Field

from bubbleloc.console.settings import types as t
from bubbleloc.console.settings.types import Group, HydraGroup, setting


class Medium(HydraGroup):
    """Properties of the medium; null is the value of water."""

    thermal_conductivity_w_m_k: t.Number | None = setting("thermal conductivity, W/(m·K)")
    density_kg_m3: t.Number | None = setting("density, kg/m³")
    heat_capacity_j_kg_k: t.Number | None = setting("heat capacity, J/(kg·K)")
    viscosity_pa_s: t.Number | None = setting("viscosity, Pa·s")
    speed_of_sound_m_s: t.Speed | None = setting("speed of sound, m/s")
    surface_tension_n_m: t.Number | None = setting("surface tension, N/m")
    temperature_k: t.Number | None = setting("temperature, K")
    ambient_pressure_pa: t.Number | None = setting("ambient pressure, Pa")
    attenuation_db_cm_mhz: t.Number | None = setting("attenuation, dB/cm at 1 MHz")
    attenuation_power: t.Number | None = setting("exponent of the attenuation over frequency")
    nonlinearity_b_over_a: t.Number | None = setting("nonlinearity parameter B/A")


class Gas(HydraGroup):
    """Properties of the gas in the bubbles; null is the value of C₄F₁₀."""

    thermal_conductivity_w_m_k: t.Number | None = setting("thermal conductivity, W/(m·K)")
    density_kg_m3: t.Number | None = setting("density, kg/m³")
    molar_mass_kg_mol: t.Number | None = setting("molar mass, kg/mol")
    heat_capacity_ratio: t.Number | None = setting("ratio of heat capacities")
    heat_capacity_j_kg_k: t.Number | None = setting("heat capacity, J/(kg·K)")


class Physics(HydraGroup):
    """Arguments of `bubbleloc.physics.Setup`, which checks them; null is the published value."""

    bubble: t.Text | None = setting("nonlinear, or linear (with linear propagation)", None)
    shell: t.Text | None = setting("shell of the bubbles: segers, marmottant or none", None)
    thermal: t.Text | None = setting("gas: prosperetti, adiabatic or isothermal", None)
    transducer: t.PathName | None = setting(
        "gaussian, or a file with f, Tfit, Hfit (.npz, .mat) or Trans (.mat); null: the P4-1", None
    )
    center_hz: t.Frequency | None = setting("centre frequency of transducer=gaussian", None)
    fractional_bandwidth: t.Positive | None = setting(
        "−6 dB width of each response of transducer=gaussian over center_hz, such as 0.7", None
    )
    aperture_m: t.Positive | None = setting("width of the probe and the scenes; null: 0.028", None)
    transmit: t.PathName | None = setting(
        "file with the transmit response (.npz, .mat, .csv)", None
    )
    receive: t.PathName | None = setting("file with the receive response (.npz, .mat, .csv)", None)
    frequency_hz: t.Frequency | None = setting(
        "centre frequency of a tristate pulse (null: the probe's), or of your own (null: its peak)",
        None,
    )
    cycles: t.Number | None = setting("cycles of a tristate pulse; null: 1", None)
    drive: t.PathName | list[t.Number] | None = setting(
        "excitation at 250 MHz (4 samples per RF sample at 62.5 MHz): a file, or its samples", None
    )
    depth_m: t.Number | None = setting("depth of the record; null: 0.1", None)
    sampling_rate_hz: t.Rate | None = setting("sampling rate of the RF lines; null: 62.5e6", None)
    elements: t.Channels | None = setting("receive elements; a dataset holds one", None)
    medium: Medium
    gas: Gas


class Signals(HydraGroup):
    """Number of signals of each split."""

    train: t.Count = setting("training signals")
    val: t.Count = setting("validation signals")
    test: t.Count = setting("test signals")


class Data(HydraGroup):
    """What defines a dataset."""

    name: t.PathName = setting("name of the dataset")
    folder: t.PathName = setting("folder of the dataset")
    signals: Signals
    seed: t.Seed = setting("seed of the scenes; signal i depends on seed, split and i alone")
    bubbles: t.PathName | t.Shares = setting(
        "monodisperse (2.4 µm ± 5 %), polydisperse, none, a file of radii, or {kind: share, …}"
    )
    count: t.Range[t.CountFromZero] | None = setting(
        "fewest and most bubbles of a signal; null: [10, 1000]", None
    )
    count_power: t.Positive = setting(
        "1: all counts as often; 2: fewest + (most − fewest) · u², u uniform: more lines with few",
        1.0,  # runs of before it do not tell
    )
    pressure_pa: t.Range[t.NotNegative] | None = setting(
        "lowest and highest amplitude of the pulse; null: [5e3, 250e3]", None
    )
    deepest_m: t.Positive | None = setting(
        "depth of the deepest bubble, m; null: 3.7 mm above the end of the record", None
    )
    stream: t.Flag = setting("train on new signals in every epoch, simulated meanwhile", False)
    waveform: t.PathName = setting(
        "tristate, ref, s1.7 s2.5 s3.4 l1.7 l2.5 l3.4, suc sdc luc ldc, dpt, or a file",
        "tristate",  # runs of before it do not tell
    )
    physics: Physics


class Simulate(Group):
    """Simulate a dataset of RF lines; after an interruption it continues where it stopped.

    bubbleloc simulate data=demo
    bubbleloc simulate preview=true data.physics.shell=marmottant
    bubbleloc simulate data=paper executor=dask address=tcp://<host>:8786
    """

    seed: t.Seed = setting("seed of the scenes", "${data.seed}")
    bubbles: t.PathName | t.Shares = setting(
        "monodisperse, polydisperse, a file, or {kind: share, …}", "${data.bubbles}"
    )
    splits: Annotated[t.Listed[t.Split], Field(min_length=1)] = setting(
        "splits to simulate now", ["train", "val", "test"]
    )
    workers: t.Count | None = setting("processes; null is one per core", None)
    executor: t.Text = setting("processes, or dask for the workers of a cluster", "processes")
    address: t.Text | None = setting("Dask scheduler, tcp://host:port, or its scheduler file", None)
    preview: t.Flag = setting("draw what the settings mean, in <data.folder>/preview", False)
    data: Data


class Convert(Group):
    """Import published RF lines (.txt folders, MATLAB results) into a dataset file.

    bubbleloc convert source=TRAINING output=data/x/train.h5
    bubbleloc train data.folder=data/x
    """

    source: t.PathName = setting("folder of published .txt or .mat files")
    output: t.PathName = setting("dataset file to write, data/<name>/{train,val,test}.h5")
    sampling_rate_hz: t.Rate = setting("sampling rate; MATLAB results must agree", 62.5e6)
    speed_of_sound_m_s: t.Speed = setting("speed of sound in the medium", 1480.0)
    frequency_hz: t.Frequency | None = setting("centre frequency of the pulse; null: unknown", None)
