"""The card of a network: what one has to know to use it, in a YAML file beside its weights."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from bubbleloc import __version__
from bubbleloc.arrays import Floats
from bubbleloc.console.settings.physics import UNIVERSAL
from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.noise import Noise
from bubbleloc.errors import InputError
from bubbleloc.files import fingerprint, read_yaml, write_yaml
from bubbleloc.metrics.certainty import calibrate
from bubbleloc.metrics.detections import Detections, EmitterDetections
from bubbleloc.metrics.one_to_one import PAIR_TOLERANCES, choose_peak_thresholds
from bubbleloc.models.answers import answer
from bubbleloc.models.likeness import Likeness
from bubbleloc.nn import Localizer
from bubbleloc.nn.heads import UNCALIBRATED, Calibration
from bubbleloc.units import Scale

SOFTWARE = f"bubbleloc {__version__}"
SCALE = ("sampling_rate_hz", "speed_of_sound_m_s", "frequency_hz")


@dataclass(frozen=True)
class Card:
    """What is known of a trained network.

    Attributes:
        model: the arguments of `bubbleloc.nn.build_model`.
        parameters: the number of trainable parameters.
        scale: the scale of the RF lines of the training.
        noise: the noise that was added to these lines.
        thresholds: the best threshold of peaks per tolerance in samples; empty if unknown.
        selection: the split that chose the thresholds.
        fingerprint: the hash of the file with the weights, see `bubbleloc.files.fingerprint`.
        software: the version of the package that trained it.
        waveform: the waveform whose echoes the lines hold; ``universal`` stands for many, each
            made the standard one; None if unknown.
        likeness: how the lines look, with their noise; None if unknown.
        calibration: the correction of probabilities and errors of a head of emitters.
    """

    model: Mapping[str, Any]
    parameters: int
    scale: Scale
    noise: Noise
    thresholds: Mapping[int, float]
    selection: str
    fingerprint: str
    software: str = SOFTWARE
    waveform: str | None = None
    likeness: Likeness | None = None
    calibration: Calibration = UNCALIBRATED

    @property
    def wants_standard_lines(self) -> bool:
        """Whether lines have to be `bubbleloc.physics.told.standardised` for the network."""
        return self.waveform == UNIVERSAL


def choose_on(network: Localizer, split: RFDataset) -> tuple[dict[int, float], Calibration]:
    """Return the best threshold per tolerance, and the calibration of a head of emitters.

    Best is the highest mean one-to-one F1; a line without bubbles counts 1 where nothing is found
    in it, else 0. Emitters have one threshold that is not chosen.
    """
    detections: list[Detections] = []
    arrival_sample: list[Floats] = []
    for batch in split.batches():
        detections += answer(network, batch.rf).detections()
        arrival_sample += [bubbles.arrival_sample for bubbles in batch.bubbles]
    emitters = [line for line in detections if isinstance(line, EmitterDetections)]
    if not emitters:
        thresholds = choose_peak_thresholds(detections, arrival_sample, PAIR_TOLERANCES)
        return thresholds, UNCALIBRATED
    fitted = calibrate(emitters, arrival_sample)
    calibration = Calibration(*fitted) if fitted else UNCALIBRATED
    return dict.fromkeys(PAIR_TOLERANCES, 0.0), calibration


def look_at(noisy: RFDataset, clean: RFDataset) -> Likeness | None:
    """Return how the lines of a split look, with and without noise; None if too short or few."""
    without = (batch.rf for batch in clean.batches())
    with_noise = (batch.rf for batch in noisy.batches()) if noisy.noise != clean.noise else None
    return Likeness.of_lines(without, clean.scale.sampling_rate_hz, with_noise)


def write_card(path: Path, cards: Mapping[str, Card], **more: Any) -> None:
    """Write the cards of the checkpoints of one training, by their names, into one file.

    Args:
        more: what else the file should tell; nobody reads it back.
    """
    checkpoints: dict[str, dict[str, Any]] = {}
    for name, card in cards.items():
        thresholds = dict(card.thresholds)
        checkpoints[name] = {"fingerprint": card.fingerprint, "thresholds": thresholds}
        if card.calibration != UNCALIBRATED:
            checkpoints[name]["calibration"] = list(card.calibration)
    card = next(iter(cards.values()))
    content = {
        "model": dict(card.model),
        "parameters": card.parameters,
        **asdict(card.scale),
        "waveform": card.waveform,
        "noise": asdict(card.noise),
        "selection": card.selection,
        "checkpoints": checkpoints,
        "software": card.software,
    }
    if card.likeness is not None:
        content["likeness"] = card.likeness.plain()
    write_yaml(path, content | more)


def read_card(path: Path, checkpoint: str, weights: Path) -> Card:
    """Read the card of a checkpoint.

    Args:
        weights: file of the checkpoint; where the card is of other weights, it has neither
            thresholds nor calibration.

    Raises:
        InputError: the file is damaged, or a number in it is not finite.
    """
    content = read_yaml(path)
    try:
        digest = fingerprint(weights)
        chosen = content["checkpoints"].get(checkpoint, {})
        if chosen.get("fingerprint") != digest:
            chosen = {"thresholds": {}}
        thresholds, calibration = chosen["thresholds"], chosen.get("calibration", UNCALIBRATED)
        return Card(
            model=dict(content["model"]),
            parameters=int(content["parameters"]),
            scale=Scale(*(content[name] for name in SCALE)),
            noise=Noise(**content["noise"]),
            thresholds=dict(zip(map(int, thresholds), _finite(thresholds.values()), strict=True)),
            selection=str(content["selection"]),
            fingerprint=digest,
            software=str(content["software"]),
            waveform=content.get("waveform"),
            likeness=Likeness.of_plain(content["likeness"]) if "likeness" in content else None,
            calibration=Calibration(*_finite(calibration)),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged; remove it and resume the training") from error


def _finite(numbers: Iterable[Any]) -> list[float]:
    """Return numbers of a file.

    Raises:
        ValueError, TypeError: one is no number, or not finite.
    """
    values = [float(number) for number in numbers]
    if not all(map(isfinite, values)):
        raise ValueError(f"{values} are not all finite")
    return values
