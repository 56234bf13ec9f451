"""Settings of the commands that make datasets, and of a dataset."""

from typing import Annotated, Literal

from pydantic import Field

from bubbleloc.console.settings import types as t
from bubbleloc.console.settings.physics import TRISTATE, WAVEFORMS, Physics
from bubbleloc.console.settings.types import Group, HydraGroup, setting


class Signals(Group):
    """Number of signals of each split."""

    train: t.Count = setting("training signals")
    val: t.Count = setting("validation signals")
    test: t.Count = setting("test signals")


class Data(HydraGroup):
    """What defines a dataset."""

    name: t.PathName = setting("name of the dataset")
    folder: t.PathName = setting("folder of the dataset")
    signals: Signals
    seed: t.Seed = setting("seed of the scenes; signal i depends on seed, split and i alone", 0)
    bubbles: t.PathName | t.Shares = setting(
        "monodisperse (data.radius_um), polydisperse, none, a file of radii, or {kind: share, …}",
        "monodisperse",
    )
    radius_um: t.MeanAndSpread | None = setting(
        "mean and standard deviation of monodisperse bubbles, µm; null: [2.4, 0.12]", None
    )
    count: t.Range[t.CountFromZero] | None = setting(
        "fewest and most bubbles of a signal; null: [10, 1000]", None
    )
    count_power: t.Positive = setting(
        "1: all counts as often; 2: fewest + (most − fewest) · u², u uniform: more lines with few",
        1.0,  # runs of before it do not tell
    )
    pressure_pa: t.Pressures | None = setting(
        "lowest and highest amplitude of the pulse; null: [5e3, 250e3]", None
    )
    deepest_m: t.Positive | None = setting(
        "depth of the deepest bubble, m; null: 3.7 mm above the end of the record", None
    )
    setups: Literal["one", "drawn", "told"] = setting(
        "drawn: a probe and pulse for every line; told: one, told to the network",
        "one",
    )
    stream: t.Flag = setting("train on new signals in every epoch, simulated meanwhile", False)
    waveform: t.PathName = setting(
        f"{', '.join(WAVEFORMS)}, or a file",
        TRISTATE,  # runs of before it do not tell
    )
    physics: Physics = Physics()


class Simulate(Group):
    """Simulate a dataset of RF lines; after an interruption it continues where it stopped.

    bubbleloc simulate data=demo
    bubbleloc simulate preview=true data.physics.shell=marmottant
    bubbleloc simulate data=paper executor=dask address=tcp://<host>:8786
    """

    seed: t.Seed = setting("short for data.seed", "${data.seed}")
    bubbles: t.PathName | t.Shares = setting("short for data.bubbles", "${data.bubbles}")
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
