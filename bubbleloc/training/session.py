"""A training session: settings → network, trainer → dataset → fit → card of the network."""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from bubbleloc import process
from bubbleloc.console.settings import Train
from bubbleloc.console.settings.training import Loader
from bubbleloc.data.batches import RFDataModule, check_crops
from bubbleloc.data.dataset import RFDataset, open_split
from bubbleloc.data.generate import simulate_missing, turns
from bubbleloc.data.noise import Noise
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.data.stream import StreamedLines
from bubbleloc.errors import InputError
from bubbleloc.files import exclusive
from bubbleloc.models import provenance, run_folder
from bubbleloc.models.card import Card, choose_on, look_at, write_card
from bubbleloc.models.runs import SELECTION, TrainedRun, open_run
from bubbleloc.nn import Localizer
from bubbleloc.nn.heads import EmitterHead
from bubbleloc.physics import matched_filter
from bubbleloc.training.checkpoints import BEST, LAST, checkpoint_to_resume
from bubbleloc.training.learner import Learner
from bubbleloc.training.logs import described
from bubbleloc.training.losses import DualLoss, EmitterLoss
from bubbleloc.training.trainer import build_trainer, isolated, resumable


def start(
    settings: Train, folder: Path, *, command: str = "", sweep_job: bool = False
) -> Path | None:
    """Train a new network, after simulating its dataset if it is not there yet.

    Args:
        settings: of the training; ``resume`` has no meaning here.
        folder: of the run. A job of a sweep that was stopped, and is started again in its folder,
            resumes.
        command: that started the training, to be noted in the run.
        sweep_job: whether this is one of the jobs of a sweep.

    Returns:
        ``folder`` in the first of the processes that train together, None in others.

    Raises:
        InputError: a setting that makes no sense, a folder that holds another run or is in use,
            or a training that diverged.
    """
    if sweep_job and settings.trainer.strategy != "auto":
        raise InputError(
            "trainer.strategy: the jobs of a sweep use one process each; leave out trainer=ddp, "
            "and run jobs side by side with hydra/launcher=joblib or submitit_slurm"
        )
    begun = sweep_job and run_folder.is_run(folder) and TrainedRun(str(folder)).config == settings
    with isolated(settings.seed):
        return _train(settings, folder, command, resumes=begun, sweep_job=sweep_job)


def resume(folder: Path, *, command: str = "") -> Path | None:
    """Resume the training in ``folder`` under its own settings from its last checkpoint.

    Arguments, result and errors are those of `start`.
    """
    settings = open_run(folder).config
    if (folder / run_folder.CARD_FILE).is_file():  # the end of a training
        warnings.warn(
            f"{folder} is finished; to train on, start a new run from it: start_from={folder}",
            stacklevel=2,
        )
    with isolated(settings.seed):
        return _train(settings, folder, command, resumes=True)


def _train(
    settings: Train, folder: Path, command: str, *, resumes: bool, sweep_job: bool = False
) -> Path | None:
    loader, noise = settings.loader, Noise.of(settings)
    network = run_folder.network_of(settings)
    if settings.start_from and not resumes:
        _start_from(settings.start_from, network)
    trainer = build_trainer(settings.trainer, folder, settings.seed, settings.logger)
    plan = DatasetPlan(settings.data)
    samples = _samples(plan)  # what does not fit them is told before a long simulation
    _refuse_long_kernel(network, settings, samples)
    _refuse_uneven_batch(loader, trainer.world_size)
    if trainer.is_global_zero:
        check_crops(loader, samples)
        with turns(plan.files(), sweep_job):
            simulate_missing(plan.files(), settings.workers)
    network.sampling_rate_hz = open_split(plan.folder, SELECTION).scale.sampling_rate_hz
    if settings.compression:
        network.scaling.compress_with(torch.from_numpy(matched_filter(plan.setup())))
    drawn: dict[str, Any] = {"noise": noise, "seed": settings.seed}
    stream = None
    if settings.data.stream:
        epochs = settings.trainer.max_epochs
        stream = StreamedLines(plan, epochs, workers=settings.workers, **drawn)
    drawn["augmentation"] = settings.augmentation
    data = RFDataModule(plan.folder, loader, stream=stream, **drawn)
    if settings.trainer.accumulate_grad_batches == "epoch":
        trainer.accumulate_grad_batches = len(data.train_dataloader())
    emits = isinstance(network.head, EmitterHead)
    loss = EmitterLoss() if emits else DualLoss(**dict(settings.loss))
    learner = Learner(network, loss, settings.optimizer)
    torch.set_num_threads(process.threads_per_process(trainer.num_devices, loader.workers))
    first = trainer.is_global_zero
    holds = _run_folder(folder, settings, command, resumes) if first else contextlib.nullcontext()
    with holds, resumable(folder, "train"):
        checkpoint = checkpoint_to_resume(folder, learner) if resumes else None
        with described(trainer.loggers, settings.plain()):
            trainer.fit(learner, data, ckpt_path=checkpoint, weights_only=True)
        if first:
            write_run_card(folder, plan.folder)
    return folder if first else None


def _start_from(run: str, network: Localizer) -> None:
    """Give a network the weights of a trained one, all but the read-out where heads differ.

    Layers that the trained one does not have start anew.
    """
    try:
        network.start_from(open_run(run).network)
    except RuntimeError as error:
        raise InputError(
            f"start_from={run}: its network is another one; give the settings of its model"
        ) from error


def _samples(plan: DatasetPlan) -> int:
    """Return how many samples the lines of a dataset have, or will have."""
    train = plan.path("train")
    return RFDataset(train).samples if train.exists() else plan.setup().samples


def _refuse_long_kernel(network: Localizer, settings: Train, samples: int) -> None:
    if network.receptive_field // 2 >= samples:
        what = "model" if settings.kernel is None else f"kernel={settings.kernel}"
        raise InputError(
            f"{what}: the network sees {network.receptive_field} samples, too many for RF lines of "
            f"{samples}; choose a smaller kernel, or fewer blocks or levels where it has them"
        )


def _refuse_uneven_batch(loader: Loader, processes: int) -> None:
    if loader.batch_size % processes:
        raise InputError(
            f"loader.batch_size={loader.batch_size} cannot be shared by {processes} processes; "
            f"give a multiple of {processes}"
        )


@contextlib.contextmanager
def _run_folder(folder: Path, settings: Train, command: str, resumes: bool) -> Iterator[None]:
    """Hold a run's folder, new or resumed, in the first of the processes that train together.

    Raises:
        InputError: it holds another run, is in use, or the run's dataset has changed.
    """
    with exclusive(folder / provenance.RUN_FILE):
        if not resumes:
            run_folder.begin(folder, settings)
        provenance.write(folder, settings.seed, Path(settings.data.folder), command)
        yield


def write_run_card(folder: Path, dataset: Path) -> None:
    """Choose thresholds for the best and the last checkpoint, and write the card of the run.

    Args:
        dataset: folder of the data that the run was trained on.
    """
    cards: dict[str, Card] = {}
    chosen: dict[int, Any] = {}  # by epoch: best and last are often of the same one
    noisy = open_split(dataset, SELECTION, Noise.of(open_run(folder).config))
    likeness = look_at(noisy, open_split(dataset, SELECTION))
    for checkpoint in (BEST, LAST):
        run = TrainedRun(str(folder), checkpoint)
        epoch = run_folder.read_checkpoint(run.weights)["epoch"]
        if epoch not in chosen:
            chosen[epoch] = choose_on(run.uncalibrated(), noisy)
        thresholds, calibration = chosen[epoch]
        card = run.card_without_thresholds()
        cards[checkpoint] = replace(
            card, thresholds=thresholds, calibration=calibration, likeness=likeness
        )
    write_card(folder / run_folder.CARD_FILE, cards)
