"""Where work is done: processes of this machine, or a Dask cluster."""

import contextlib
import json
import logging
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from joblib import parallel_config

from bubbleloc.errors import InputError
from bubbleloc.process import available_cores, end_with_parent

EXECUTORS = ("processes", "dask")
CONNECT_TIMEOUT_S = 10


def run_workers(
    tasks: int, executor: str = "processes", workers: int | None = None, address: str | None = None
) -> contextlib.AbstractContextManager[None]:
    """Return a block in which joblib runs ``tasks`` tasks on worker processes.

    Args:
        executor: "processes" of this machine, or the workers of a "dask" cluster.
        workers: processes of this machine; None for one per core. A cluster uses all it has.
        address: of the Dask scheduler, or its scheduler file (``.json``).

    Raises:
        InputError: the cluster cannot be reached, or a worker died.
    """
    if executor not in EXECUTORS:
        raise InputError(f"executor={executor!r}; choose one of {', '.join(EXECUTORS)}")
    if executor == "dask":
        return cluster(address)
    if address:
        raise InputError(f"address={address}: add executor=dask to use a cluster")
    return _processes(min(workers or available_cores(), max(tasks, 1)))


def cluster(address: str | None) -> contextlib.AbstractContextManager[Any]:
    """Return a block with a client of a Dask cluster, in which joblib runs its tasks there.

    Args:
        address: of the scheduler, or its scheduler file (``.json``).

    Raises:
        InputError: the cluster cannot be reached, or workers died again and again.
    """
    if not address:
        raise InputError("executor=dask needs address=tcp://<host>:<port> or a scheduler file")
    return _cluster(address)


@contextlib.contextmanager
def _processes(workers: int) -> Iterator[None]:
    """Run on processes with one thread each: spinning threads would stall each other."""
    try:
        with parallel_config(
            "loky",
            n_jobs=workers,
            inner_max_num_threads=1,
            initializer=end_with_parent,
        ):
            yield
    except BrokenProcessPool as error:
        raise InputError(
            "a worker process died, out of memory perhaps; finished signals are kept, "
            "run again with a smaller workers="
        ) from error


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """Run on the workers of a Dask cluster; Dask gives each one thread per task."""
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise InputError(
            "executor=dask needs the package distributed; pip install 'bubbleloc[cluster]'"
        ) from error
    with contextlib.ExitStack() as stack:
        stack.enter_context(_silent(logging.getLogger("distributed")))  # one line says it all
        scheduler = _scheduler_address(address)
        try:
            client = stack.enter_context(
                Client(scheduler, timeout=CONNECT_TIMEOUT_S, set_as_default=False)  # type: ignore[no-untyped-call]
            )
        except Exception as error:  # another server's answer is misread in many ways
            raise InputError(
                f"no Dask scheduler answers at {address}; check the address, or start one"
            ) from error
        try:
            with parallel_config("dask", client=client, n_jobs=-1):
                yield client
        except TimeoutError as error:
            raise InputError(f"the cluster at {address} has no workers; start some") from error
        except KilledWorker as error:
            raise InputError(
                "workers of the cluster died again and again, out of memory perhaps; what "
                "is finished is kept, run again when they are well"
            ) from error
        except Exception as error:
            if client.status == "running":
                raise
            raise InputError(
                f"the scheduler at {address} went away; what is finished is kept, run again"
            ) from error


@contextlib.contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _scheduler_address(address: str) -> str:
    """Return the address, read from the scheduler's file where one is given."""
    if not address.endswith(".json"):
        return address if "://" in address else f"tcp://{address}"
    try:
        return str(json.loads(Path(address).read_text())["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{address} is no scheduler file; start the scheduler first") from error
