"""Telling whether the process that did something is still the same living process."""

import hashlib
import os
import socket
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class ProcessIdentity(BaseModel):
    """A process that cannot be mistaken for a later one with the same number.

    ``host`` is the machine's (or container's) name, ``started`` the process's start in clock ticks since boot.
    """

    model_config = ConfigDict(frozen=True)

    host: str
    pid: int
    started: str

    @classmethod
    def of(cls, pid: int | None = None) -> "ProcessIdentity":
        """Identity of a living process of this host; by default of this one."""
        wanted = pid if pid is not None else os.getpid()
        return cls(host=_host(), pid=wanted, started=_start_of(wanted) or "")

    @classmethod
    def read(cls, content: str) -> "ProcessIdentity":
        """Identity as it was stored; one that cannot be read is of no living process."""
        try:
            return cls.model_validate_json(content)
        except ValueError:
            return cls(host=_host(), pid=0, started="")

    @property
    def digest(self) -> str:
        """What a file about it is called: 16 hex digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @property
    def here(self) -> bool:
        """Whether it ran on this host, so that it can be looked up and signalled."""
        return self.host == _host()

    @property
    def alive(self) -> bool:
        """Whether this very process is running on this host (a zombie is not)."""
        return self.here and _start_of(self.pid) == self.started


@lru_cache(maxsize=1)
def _host() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{socket.gethostname()}/{boot.read_text().strip()[:8]}" if boot.is_file() else socket.gethostname()


def _start_of(pid: int) -> str | None:
    """Start time of a process, or None when there is none or it is a zombie."""
    try:
        # the command name, in brackets, may itself hold spaces and brackets: count from its end
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _start_without_proc(pid)
    except ProcessLookupError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _start_without_proc(pid: int) -> str | None:
    """Where there is no /proc only the number is known."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""
