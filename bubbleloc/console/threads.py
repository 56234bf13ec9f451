"""Good manners on shared machines: no more threads than the cores a process may use."""

import math
import os
from pathlib import Path

THREAD_VARIABLES = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")  # read by torch, NumPy and Numba
CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of cores, per period


def available_cores() -> int:
    """Return the cores this process may use, by its affinity and its container's limit."""
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    return max(1, min(len(affinity) or os.cpu_count() or 1, _container_cores()))


def _container_cores() -> int:
    try:
        quota, period = CGROUP_LIMIT.read_text().split()
        return 2**31 if quota == "max" else math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        return 2**31


def limit_threads() -> None:
    """Let libraries that are imported from now on use as many threads as there are cores.

    A limit that the user, or a launcher of several jobs, has set before is kept.
    """
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, str(available_cores()))


def threads_per_process(processes: int, readers: int = 0) -> int:
    """Return the threads of each of several processes beside ``readers`` reading processes."""
    allowed = os.environ.get(THREAD_VARIABLES[0], "")
    cores = int(allowed) if allowed.isdecimal() and int(allowed) > 0 else available_cores()
    return max(1, cores // processes - readers)
