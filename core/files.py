"""Writing files so that a reader sees the old content or the new one, never half of it."""

import contextlib
import errno
import hashlib
import json
import math
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from core.errors import LightboxError

DISK_FULL = "The disk that holds the store is full: free some space or remove old runs, then run it again."

_DAMAGED = "What was stored of this is damaged: remove it, and make it again."

#: Everything unfinished starts with this; the janitor removes what a crash left behind.
TEMPORARY_PREFIX = ".tmp-"

#: OS errors that mean "no room left on the disk" (full, over quota).
_FULL = {errno.ENOSPC, errno.EDQUOT}


def is_disk_full(error: BaseException) -> bool:
    """Whether `error`, or what caused it, says that the disk is full."""
    seen: BaseException | None = error
    while seen is not None:
        if (isinstance(seen, OSError) and seen.errno in _FULL) or "disk is full" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


@contextlib.contextmanager
def full_disk_as_sentence() -> Iterator[None]:
    """Turn a write that failed for want of room into a sentence for people.

    Raises
    ------
    LightboxError
        When the disk is full; other errors pass.
    """
    try:
        yield
    except Exception as error:
        if is_disk_full(error):
            raise LightboxError(DISK_FULL) from error
        raise


def private_folder(folder: Path) -> None:
    """Make `folder` (and what is above it) when missing; other accounts of the machine cannot look into it.

    One that others may read is closed to them. One that others may write to was shared on purpose, and one that belongs
    to another account is not ours to change: both stay as they are.

    Raises
    ------
    OSError
        When it cannot be made.
    """
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o055 and not mode & 0o022:
        with contextlib.suppress(OSError):  # another's folder, or a disk that cannot be written
            folder.chmod(mode & 0o700)


def temporary_beside(path: Path) -> Path:
    """An unused name in the folder of `path`, on the same disk, so that a rename is atomic."""
    return path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")


def write_atomically(path: Path, write: Callable[[BinaryIO], object], durable: bool = True) -> None:
    """Let `write` fill a temporary file, then move it to `path`; nothing is left behind when it fails.

    Parameters
    ----------
    path : pathlib.Path
        Destination; its folder must exist.
    write : callable
        Gets the open binary file.
    durable : bool
        Wait until the disk has it (results); False for what is rewritten all the time (progress).
    """
    temporary = temporary_beside(path)
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Mapping[str, Any], durable: bool = True) -> None:
    """Write strict JSON (NaN and infinity become null) atomically."""
    text = json.dumps(finite(content), ensure_ascii=False, indent=1, allow_nan=False)
    write_atomically(path, lambda file: file.write(text.encode()), durable)


def write_array(path: Path, values: np.ndarray, durable: bool = True) -> None:
    """Write ``.npy`` atomically."""
    content = np.ascontiguousarray(values).reshape(np.shape(values))
    header = np.lib.format.header_data_from_array_1_0(content)

    def write(file: BinaryIO) -> None:
        # not numpy.save: on a full disk it raises an error that does not say so
        np.lib.format.write_array_header_1_0(file, header)
        file.write(content.data)

    write_atomically(path, write, durable)


def read_json(path: Path) -> dict[str, Any] | None:
    """Content of a JSON file that holds an object; None where there is no file.

    Raises
    ------
    LightboxError
        When the file is damaged: cut off, overwritten, not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LightboxError(_DAMAGED) from error
    if not isinstance(content, dict):
        raise LightboxError(_DAMAGED)
    return content


def file_hash(path: Path) -> str | None:
    """SHA-256 of a file's content (64 hex digits); None where there is no such file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def finite(value: Any) -> Any:
    """`value` with plain Python types only, NaN and infinity as None: what strict JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, np.ndarray):
        return finite(value.tolist())
    if isinstance(value, np.generic):
        return finite(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def remove_folder(folder: Path) -> None:
    """Remove a folder so that no reader ever finds half of it: renamed first, then emptied."""
    doomed = temporary_beside(folder)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def remove_leftover(path: Path) -> None:
    """Remove a file or folder that nobody writes any more; one that is gone already, or cannot go, is left."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def size_of(folder: Path) -> int:
    """Bytes that the files below `folder` take on the disk."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            total += status.st_blocks * 512
    return total
