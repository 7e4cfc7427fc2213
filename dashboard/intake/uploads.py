"""Files on their way from the browser into the store: spooled once, read in another process, gone afterwards.

Streamlit keeps uploaded bytes in memory as long as the uploader holds them, so they are written to a private folder
once, the uploader is emptied, and the folder is removed as soon as the scan is stored. What a file was called is only a
hint for pairs (``.hdr`` with ``.img``); it is neither stored nor shown.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, Protocol, TypeVar

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.errors import BadInput
from core.scans.collect import Upload
from dashboard.backend import apart
from dashboard.backend.questions import Series

_PREFIX = "lightbox-uploads-"
#: What a page says when writing an upload failed.
NO_ROOM = "The upload cannot be written to the disk: free some space, then open the file again."
#: After so many seconds an upload goes from which nothing was chosen, and one whose page is closed.
ABANDONED, GONE = 3600.0, 120.0
_EVERY = 60.0
_LOCK = ".lock"
#: A folder younger than this may be one that is being made, seconds.
_JUST_MADE = 60.0
_timers: dict[str, threading.Timer] = {}
_THROWN_AWAY = "The upload was thrown away, because nothing was chosen from it for an hour: open it again."
_BLOCK = 1 << 20

P = ParamSpec("P")
R = TypeVar("R")


class UploadedFile(Protocol):
    """What is used of Streamlit's uploaded file."""

    name: str
    file_id: str

    def close(self) -> None:
        """Let go of the content."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """Next bytes."""
        ...


@dataclass(frozen=True)
class Spooled:
    """Uploaded files on the disk, and the images found in them while one has to be chosen."""

    folder: Path
    files: tuple[Upload, ...]
    choices: tuple[Series, ...] = ()

    def ask(
        self, function: Callable[Concatenate[tuple[Upload, ...], P], R], *arguments: P.args, **named: P.kwargs
    ) -> R:
        """Call a module-level `function` with the files in a process of its own (`dashboard.backend.apart`).

        Raises
        ------
        LightboxError
            What is wrong with the files, or the limit that they are above.
        """
        try:
            given = sum(file.path.stat().st_size for file in self.files)
        except FileNotFoundError:
            raise BadInput(_THROWN_AWAY) from None
        return apart.ask(_session(), given, function, self.files, *arguments, **named)

    def remove(self) -> None:
        """Throw the files away."""
        shutil.rmtree(self.folder, ignore_errors=True)


def spool(files: Sequence[UploadedFile]) -> Spooled:
    """Write uploaded files into a private folder, in blocks, so that no second copy is held in memory."""
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{int(time.time())}-{_session()}-", dir=_root()))
    written = []
    try:
        for index, file in enumerate(files):
            path = folder / f"{index:05d}"
            with path.open("wb") as out:
                _copy(file, out)
            written.append(Upload(file.name, path))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Spooled(folder, tuple(written))


def release(files: Sequence[UploadedFile]) -> None:
    """Let Streamlit forget the bytes of uploaded files: it would keep them as long as the session lives."""
    context = get_script_run_ctx()
    kept: Any = context.uploaded_file_mgr if context is not None else None
    for file in files:
        if context is not None and kept is not None:
            kept.remove_file(session_id=context.session_id, file_id=file.file_id)
        file.close()


def _copy(file: UploadedFile, out: IO[bytes]) -> None:
    while block := file.read(_BLOCK):
        out.write(block)


def sweep() -> None:
    """Throw away what nobody waits for: uploads of sessions that are gone, and those that were never chosen from.

    A session that reloads its page is back within seconds, so that one has to be gone for a while.
    """
    _remove_leftovers()
    now = time.time()
    for folder in _root().iterdir():
        made, _, session = folder.name.partition("-")
        if not folder.is_dir() or not made.isdigit():
            continue
        session = session.rpartition("-")[0]
        with contextlib.suppress(FileNotFoundError):
            if _is_active(session):
                os.utime(folder)
            if now - int(made) > ABANDONED or now - folder.stat().st_mtime > GONE:
                shutil.rmtree(folder, ignore_errors=True)


def start_sweeping() -> None:
    """Sweep now, for what an earlier server left behind, and every minute from now on."""
    _sweep_by_and_by()


def remove_all() -> None:
    """Throw away every upload: the server ends."""
    timer = _timers.pop("sweep", None)
    if timer is not None:
        timer.cancel()
    if _root.cache_info().currsize:
        shutil.rmtree(_root(), ignore_errors=True)
        _root.cache_clear()


def _sweep_by_and_by() -> None:
    with contextlib.suppress(OSError):
        sweep()
    timer = threading.Timer(_EVERY, _sweep_by_and_by)
    timer.daemon = True
    _timers["sweep"] = timer
    timer.start()


def _is_active(session: str) -> bool:
    """Whether somebody has the page of this session open."""
    return runtime.exists() and runtime.get_instance().is_active_session(session)


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context is not None else ""


@lru_cache(maxsize=1)
def _root() -> Path:
    """Folder of this server, readable by its user only, removed when it ends."""
    root = Path(tempfile.mkdtemp(prefix=_PREFIX))
    # held as long as this process lives, whatever its number: in a container every server is number 1
    handle = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root


def _remove_leftovers() -> None:
    """Throw away what servers that were killed left behind."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if not _is_held(left):
            shutil.rmtree(left, ignore_errors=True)


def _is_held(root: Path) -> bool:
    """Whether the server that made this folder lives, or is just making it."""
    try:
        if time.time() - root.stat().st_mtime < _JUST_MADE:
            return True
        with (root / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # another holds it, or it is another account's
        return True
    return False
