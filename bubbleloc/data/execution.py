"""Where signals are simulated: processes of this machine, or a Dask cluster."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from joblib import parallel_config

from bubbleloc.console.threads import available_cores
from bubbleloc.errors import InputError

EXECUTORS = ("processes", "dask")
CONNECT_TIMEOUT_S = 10
ANSWER_TIMEOUT_S = 15  # of a scheduler that is busy


@dataclass(frozen=True)
class Executor:
    """Where to simulate; the fields are settings of ``conf/simulate.yaml``.

    Attributes:
        kind: processes or dask.
        workers: processes; None for one per core. A cluster uses all its workers.
        address: of the Dask scheduler, or its scheduler file (``.json``).
    """

    kind: str = "processes"
    workers: int | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in EXECUTORS:
            raise InputError(f"executor={self.kind!r}; choose one of {', '.join(EXECUTORS)}")
        if self.kind == "dask" and not self.address:
            raise InputError("executor=dask needs address=tcp://<host>:<port> or a scheduler file")
        if self.kind != "dask" and self.address:
            raise InputError(f"address={self.address}: say executor=dask to use a cluster")
        if self.workers is not None and (not isinstance(self.workers, int) or self.workers < 1):
            raise InputError(f"workers={self.workers!r} must be a whole number above 0")

    def workers_for(self, tasks: int) -> contextlib.AbstractContextManager[Any]:
        """Return a block in which joblib runs ``tasks`` tasks here or on the cluster.

        Raises:
            InputError: the cluster cannot be reached, or a worker died.
        """
        if self.kind == "dask":
            return _cluster(str(self.address))
        return _processes(min(self.workers or available_cores(), max(tasks, 1)))


@contextlib.contextmanager
def _processes(workers: int) -> Iterator[None]:
    """Run on processes with one thread each: spinning threads would stall each other."""
    try:
        with parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
            yield
    except BrokenProcessPool as error:
        raise InputError(
            "a worker process died, out of memory perhaps; finished signals are kept, "
            "run again with a smaller workers="
        ) from error


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[None]:
    """Run on the workers of a Dask cluster; Dask gives each one thread per task."""
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise InputError(
            "executor=dask needs the package distributed; pip install 'bubbleloc[cluster]'"
        ) from error
    scheduler = _scheduler_address(address)
    try:
        _knock(scheduler)
        client = Client(  # type: ignore[no-untyped-call]
            scheduler, timeout=CONNECT_TIMEOUT_S, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address}; check the address, or start one"
        ) from error
    level = logging.getLogger("distributed").level
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # ours is the one line to read
    try:
        with client, parallel_config("dask", client=client, n_jobs=-1):
            try:
                yield
            except TimeoutError as error:
                raise InputError(f"the cluster at {address} has no workers; start some") from error
            except KilledWorker as error:
                raise InputError(
                    "workers of the cluster died again and again, out of memory perhaps; finished "
                    "signals are kept, run again when they are well"
                ) from error
            except Exception as error:
                if client.status == "running":
                    raise
                raise InputError(
                    f"the scheduler at {address} went away; finished signals are kept, run again"
                ) from error
    finally:
        logging.getLogger("distributed").setLevel(level)


def _scheduler_address(address: str) -> str:
    """Return the address, read from the scheduler's file where one is given."""
    if not address.endswith(".json"):
        return address if "://" in address else f"tcp://{address}"
    try:
        return str(json.loads(Path(address).read_text())["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{address} is no scheduler file; start the scheduler first") from error


def _knock(address: str) -> None:
    """Raise OSError or ValueError where no scheduler answers soon; Dask would wait for ever."""
    place = urlsplit(address)
    if place.scheme not in ("tcp", "tls"):
        return
    if not place.hostname or not place.port:
        raise ValueError("no host and port")
    socket.create_connection((place.hostname, place.port), CONNECT_TIMEOUT_S).close()
    with ThreadPoolExecutor(1) as thread:  # a notebook has an event loop of its own in this one
        try:
            kind = thread.submit(asyncio.run, _kind_of_server(address)).result()
        except Exception as error:  # what strangers say cannot be read in many ways
            raise OSError("what listens there does not speak Dask's language") from error
    if kind != "Scheduler":
        raise ValueError(f"a {kind} listens there")


async def _kind_of_server(address: str) -> str:
    """Ask a Dask server what it is: Scheduler, Worker or Nanny."""
    import distributed

    dask: Any = distributed  # which is not typed

    async def ask() -> str:
        credentials = dask.Security().get_connection_args("client")
        server = dask.rpc(address, timeout=CONNECT_TIMEOUT_S, connection_args=credentials)
        try:
            return str((await server.identity())["type"])
        finally:
            await server.close_rpc()

    return await asyncio.wait_for(ask(), ANSWER_TIMEOUT_S)
