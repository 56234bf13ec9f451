"""All formats of recordings: which reader opens which file, and what it reads there."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from bubbleloc.errors import InputError
from bubbleloc.files import unreadable_is_input_error
from bubbleloc.formats.containers import read_arrays, read_dataset
from bubbleloc.formats.foreign import refuse_foreign
from bubbleloc.formats.must import read_must
from bubbleloc.formats.recording import Hints, OpenFile, Recording
from bubbleloc.formats.srml import read_published
from bubbleloc.formats.texts import read_text
from bubbleloc.formats.uff import read_uff
from bubbleloc.formats.urx import read_urx
from bubbleloc.formats.verasonics import read_verasonics
from bubbleloc.formats.zea import read_zea


class Format(NamedTuple):
    """A kind of file with RF lines.

    Attributes:
        read: reader; None is its answer to a file that is of another kind.
        content: what is read, for docs/recordings.md.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[OpenFile, Hints], Recording | None]
    content: str


HDF5 = (".h5", ".hdf5", ".uff")

# Of the readers for a suffix the first that knows the file reads it.
FORMATS = [
    Format(
        "Verasonics, version 5 or 7.3",
        (".mat",),
        read_verasonics,
        "`RcvData` (buffer 1, or `key=RcvData2`) by `Receive`, `Trans`, `TX`, `TW`, `TGC`, "
        "`Event` and `Resource`. Save them after VSX has run. Columns are put in element order by "
        "`Trans.Connector`, or by `Trans.HVMux` and `Receive.aperture` of a multiplexer; every "
        "acquisition of a frame of the buffer (a super-frame) is a frame. Bandwidth sampling "
        "(`BS100BW`, `BS67BW`, `BS50BW`) becomes RF at 4 times `demodFrequency` or more",
    ),
    Format(
        "zea",
        HDF5,
        read_zea,
        "`raw_data`, RF or IQ, with `scan` and `probe`; `key=tracks/track_1`, or a track's label, "
        "chooses a track, `key=event_1` an event of zea 0.0",
    ),
    Format(
        "UFF of USTB, PICMUS",
        HDF5,
        read_uff,
        "channel data, RF or IQ; `key=` chooses one of several. Photoacoustic waves are refused",
    ),
    Format(
        "URX 1.4",
        (".urx", *HDF5),
        read_urx,
        "a group of `groups_data`, RF or IQ; `key=1` chooses another group",
    ),
    Format(
        "datasets of this package",
        HDF5,
        read_dataset,
        "`rf`: every signal is a frame of one element",
    ),
    Format(
        "results of the published simulator",
        (".mat", ".txt", ".csv"),
        read_published,
        "the RF lines",
    ),
    Format(
        "arrays with `param` of MUST",
        (".mat",),
        read_must,
        "`RF`, `SIG` or `IQ`, samples × elements (× frames), with `param.fs`, `fc`, `c`, `t0`, "
        "`pitch`, `radius` and `TXdelay`. RF that is sampled below twice its band "
        "(`fs` < 2·`fc`·(1 + `bandwidth`/2)) becomes RF at 4·`fc` or more",
    ),
    Format(
        "files of PALA, PROTEUS, k-Wave and Ultratrace",
        (".mat", *HDF5),
        refuse_foreign,
        "refused by name, as they do not tell when or where their lines were recorded; `key=` "
        "reads an array of them as a plain one",
    ),
    Format(
        "plain arrays",
        (".mat", *HDF5, ".npy", ".npz"),
        read_arrays,
        "elements × samples, or frames × elements × samples; `transpose=true` for the axes the "
        "other way round, `axes=samples,frames` for others; `key=acq.rf` for one in a struct or "
        "group. `sampling_rate_hz` or `fs`, `speed_of_sound_m_s`, `start_s` and `receive_delay_s` "
        "are read: attributes, or beside the array, in its group or struct first, then outwards",
    ),
    Format(
        "tables",
        (".csv", ".txt"),
        read_text,
        "a line per row. If the first column rises in equal steps, it is the time, in the unit of "
        "its heading (`time (us)`) or in seconds, and each further column is a line",
    ),
]


def read(path: str | Path, **hints: Any) -> Recording:
    """Open a recording: RF lines in element order, with what the file tells of them.

    Reads MATLAB files (Verasonics workspaces, published results, plain arrays; version 5 and 7.3),
    HDF5 (UFF, PICMUS, zea, datasets of this package, plain arrays), arrays of NumPy and tables of
    text; docs/recordings.md lists them. HDF5, MATLAB 7.3 and ``.npy`` files are read when their
    lines are, the others at once.

    Args:
        hints: what the file does not tell, or tells wrongly: fields of `Hints`.

    Raises:
        InputError: no such file, format or array, or an array that is not RF lines.
    """
    path, told = Path(path), Hints(**hints)
    if not path.is_file():
        raise InputError(f"no file {path}: give the name of a file of RF lines")
    suffix = path.suffix.lower()
    kinds = [kind for kind in FORMATS if suffix in kind.suffixes]
    if not kinds:
        *most, last = suffixes()
        raise InputError(
            f"{path}: cannot read {suffix or 'a file without suffix'}; "
            f"give {', '.join(most)} or {last}"
        )
    with unreadable_is_input_error(path), closing(OpenFile(path)) as file:
        for kind in kinds:
            if (recording := kind.read(file, told)) is not None:
                return recording.with_hints(told)
    names = ", ".join(kind.name for kind in kinds)
    raise InputError(f"{path} is none of the kinds of {suffix} that are read: {names}")


def suffixes() -> list[str]:
    """Return the suffixes of all files that are read."""
    return list(dict.fromkeys(suffix for kind in FORMATS for suffix in kind.suffixes))


def markdown() -> str:
    """Return the table of formats in docs/recordings.md."""
    rows = [
        f"| {kind.name} ({', '.join(f'`{suffix}`' for suffix in kind.suffixes)}) | {kind.content} |"
        for kind in FORMATS
    ]
    return "\n".join(["| file | what is read |", "|---|---|", *rows])
