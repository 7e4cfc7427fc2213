"""How many cores there are to use, and how many threads of torch a run gets."""

import os

from core.settings import settings


def usable_cores() -> int:
    """Cores that this process may use, which a container or a batch system may make fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_of_a_run(slots: int = 1) -> int:
    """Torch threads of each of `slots` runs at a time: the settings', else all cores but one, shared; at least one."""
    return settings().threads or max(1, (usable_cores() - 1) // slots)
