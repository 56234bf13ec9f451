"""Files of the field whose lines cannot be told, refused by name with what to do."""

from bubbleloc.errors import InputError
from bubbleloc.formats.recording import Hints, OpenFile, Recording

OWN_FACTS = "give key=, axes=, sampling_rate_hz= and start_s= to read it as a plain array"


def refuse_foreign(file: OpenFile, hints: Hints) -> Recording | None:
    """Return None for a file that no other program is known to have written, or with ``key=``.

    Raises:
        InputError: names the program, and what its file lacks.
    """
    if hints.key is not None:
        return None
    is_mat = file.path.suffix.lower() == ".mat"
    reason = _of_mat(file) if is_mat else _of_hdf5(file)
    if reason is None:
        return None
    raise InputError(f"{file.path}: {reason}; {OWN_FACTS}")


def _of_mat(file: OpenFile) -> str | None:
    names = file.mat.names
    if "RFdata" in names and not names & {"Receive", "RcvData"}:
        return (
            "RFdata without Receive, as of PALA: rows of all transmits in bandwidth sampling, "
            "which another file describes: save it as RcvData with Receive, Trans and TX"
        )
    if "RF_PROTEUS" in names or {"RF", "Acquisition", "Transducer"} <= names:
        return "RF of PROTEUS, whose rate, start and transducer stand in its settings file"
    if "sensor_data" in names:
        return (
            "sensor data of k-Wave: pressure at points, whose order and time 0 are those of a "
            "script"
        )
    return None


def _of_hdf5(file: OpenFile) -> str | None:
    hdf5 = file.hdf5
    created_by = hdf5.attrs.get("created_by", b"")
    created_by = created_by.decode() if isinstance(created_by, bytes) else str(created_by)
    if "k-wave" in created_by.lower():
        return "output of k-Wave: pressure at points, whose order and time 0 are those of a script"
    if "acquisitions" in hdf5 and "config" in hdf5:
        return (
            "demodulated IQ of Ultratrace: a matrix probe, whose transmits, delays and start need "
            "its own beamformer"
        )
    return None
