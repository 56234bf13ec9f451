"""Settings of the commands that make datasets, and of a dataset."""

from bubbleloc.console.settings.types import (
    Count,
    Group,
    HydraGroup,
    Listed,
    Number,
    PathName,
    Positive,
    Seed,
    Split,
    Text,
    setting,
)


class Medium(HydraGroup):
    """Properties of the medium; null is the value of water."""

    thermal_conductivity_w_m_k: Number | None = setting("thermal conductivity, W/(m·K)")
    density_kg_m3: Number | None = setting("density, kg/m³")
    heat_capacity_j_kg_k: Number | None = setting("heat capacity, J/(kg·K)")
    viscosity_pa_s: Number | None = setting("viscosity, Pa·s")
    speed_of_sound_m_s: Number | None = setting("speed of sound, m/s")
    surface_tension_n_m: Number | None = setting("surface tension, N/m")
    temperature_k: Number | None = setting("temperature, K")
    ambient_pressure_pa: Number | None = setting("ambient pressure, Pa")
    attenuation_db_cm_mhz: Number | None = setting("attenuation, dB/cm at 1 MHz")
    attenuation_power: Number | None = setting("exponent of the attenuation over frequency")
    nonlinearity_b_over_a: Number | None = setting("nonlinearity parameter B/A")


class Gas(HydraGroup):
    """Properties of the gas in the bubbles; null is the value of C₄F₁₀."""

    thermal_conductivity_w_m_k: Number | None = setting("thermal conductivity, W/(m·K)")
    density_kg_m3: Number | None = setting("density, kg/m³")
    molar_mass_kg_mol: Number | None = setting("molar mass, kg/mol")
    heat_capacity_ratio: Number | None = setting("ratio of heat capacities")
    heat_capacity_j_kg_k: Number | None = setting("heat capacity, J/(kg·K)")


class Physics(HydraGroup):
    """Arguments of `bubbleloc.physics.Setup`, which checks them; null is the published value."""

    shell: Text | None = setting("shell of the bubbles: segers, marmottant or none")
    thermal: Text | None = setting("gas: prosperetti, adiabatic or isothermal")
    transducer: PathName | None = setting("file with f, Tfit, Hfit (.npz, .mat); null: the P4-1")
    transmit: PathName | None = setting("file with the transmit response (.npz, .mat, .csv)")
    receive: PathName | None = setting("file with the receive response (.npz, .mat, .csv)")
    frequency_hz: Number | None = setting("centre frequency of the pulse; null: 1.7e6")
    cycles: Number | None = setting("cycles of the pulse; null: 1")
    drive: PathName | list[Number] | None = setting(
        "excitation in place of the pulse: a file (.npy, .csv, .txt) or samples"
    )
    depth_m: Number | None = setting("depth of the record; null: 0.1")
    sampling_rate_hz: Number | None = setting("sampling rate of the RF lines; null: 62.5e6")
    elements: int | None = setting("receive elements; a dataset holds one")
    medium: Medium
    gas: Gas


class Signals(HydraGroup):
    """Number of signals of each split."""

    train: Count = setting("training signals")
    val: Count = setting("validation signals")
    test: Count = setting("test signals")


class Data(HydraGroup):
    """What defines a dataset."""

    name: PathName = setting("name of the dataset")
    folder: PathName = setting("folder of the dataset")
    signals: Signals
    seed: Seed = setting("seed of the scenes; signal i depends on seed, split and i alone")
    bubbles: PathName = setting(
        "monodisperse (2.4 µm ± 5 %), polydisperse (SonoVue), or a file of radii in µm"
    )
    physics: Physics


class Simulate(Group):
    """Simulate a dataset of RF lines; after an interruption it continues where it stopped.

    python -m bubbleloc.simulate data=demo
    python -m bubbleloc.simulate preview=true data.physics.shell=marmottant
    python -m bubbleloc.simulate data=paper executor=dask address=tcp://<host>:8786
    """

    seed: Seed = setting("seed of the scenes", "${data.seed}")
    bubbles: PathName = setting("monodisperse, polydisperse, or a file of radii", "${data.bubbles}")
    splits: Listed[Split] = setting("splits to simulate now", ["train", "val", "test"])
    workers: Count | None = setting("processes; null is one per core", None)
    executor: Text = setting("processes, or dask for the workers of a cluster", "processes")
    address: Text | None = setting("Dask scheduler, tcp://host:port, or its scheduler file", None)
    preview: bool = setting("draw what the settings mean instead, in <data.folder>/preview", False)
    data: Data


class Convert(Group):
    """Import published RF lines (.txt folders, MATLAB results) into a dataset file.

    python -m bubbleloc.convert source=TRAINING output=data/x/train.h5
    python -m bubbleloc.train data.folder=data/x
    """

    source: PathName = setting("folder of published .txt or .mat files")
    output: PathName = setting("dataset file to write, data/<name>/{train,val,test}.h5")
    sampling_rate_hz: Positive = setting("of the text files; MATLAB results must agree", 62.5e6)
    speed_of_sound_m_s: Positive = setting("speed of sound in the medium", 1480.0)
