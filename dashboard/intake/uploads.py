"""Files on their way from the browser into the store: spooled once, read in another process, gone afterwards.

Streamlit keeps uploaded bytes in memory as long as the uploader holds them, so they are written to a private folder
once, the uploader is emptied, and the folder is removed as soon as the scan is stored. What a file was called is only a
hint for pairs (``.hdr`` with ``.img``); it is neither stored nor shown.
"""

import atexit
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, Protocol, TypeVar

from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.scans.collect import Upload
from dashboard.backend import apart
from dashboard.backend.questions import Series

_PREFIX = "lightbox-uploads-"
#: What a page says when writing an upload failed.
NO_ROOM = "The upload cannot be written to the disk: free some space, then open the file again."
#: An upload whose owner never chose a series is thrown away after this, seconds.
_ABANDONED = 3600.0
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
        OSError
            When they are gone.
        """
        context = get_script_run_ctx()
        session = context.session_id if context is not None else ""
        given = sum(file.path.stat().st_size for file in self.files)
        return apart.ask(session, given, function, self.files, *arguments, **named)

    def remove(self) -> None:
        """Throw the files away."""
        shutil.rmtree(self.folder, ignore_errors=True)


def spool(files: Sequence[UploadedFile]) -> Spooled:
    """Write uploaded files into a private folder, in blocks, so that no second copy is held in memory."""
    _sweep(_root())
    folder = Path(tempfile.mkdtemp(dir=_root()))
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


@lru_cache(maxsize=1)
def _root() -> Path:
    """Folder of this server, readable by its user only, removed when it ends."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        number = left.name.removeprefix(_PREFIX).split("-")[0]
        if number.isdigit() and not _alive(int(number)):
            shutil.rmtree(left, ignore_errors=True)
    root = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root


def _sweep(root: Path) -> None:
    for folder in root.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)


def _alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
