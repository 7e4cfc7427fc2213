"""Where bytes come from: a file, a member of a zip, memory. Names are hints, never paths, and are never shown."""

import gzip
import io
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import BadInput
from core.scans.limits import MEGABYTE, Limits

CUT_OFF = "The file ends too early, as after an interrupted download or copy: get it again."
DAMAGED = "The file is damaged (its checksum or compressed data is wrong): copy or download it again."
_HEAD_BYTES = 1024


@dataclass(frozen=True, eq=False)
class Source:
    """Something that can be opened for reading, again and again.

    Parameters
    ----------
    name : str
        What it was called, as a hint on pairs (``.hdr`` and ``.img``). May be hostile: never opened, never shown.
    size : int
        Bytes that `open` gives in all.
    opener : callable
        Returns a new binary stream from the start.
    path : Path, optional
        Where it lies on disk, if it does.
    """

    name: str
    size: int
    opener: Callable[[], BinaryIO]
    path: Path | None = None

    @classmethod
    def of_file(cls, path: Path, name: str | None = None) -> "Source":
        """Source of a regular file (pipes and devices are refused without opening them).

        Raises
        ------
        BadInput
        """
        try:
            information = path.stat()
        except OSError:
            raise BadInput("There is no readable file or folder at that path: check the spelling.") from None
        if not stat.S_ISREG(information.st_mode):
            raise BadInput("The path is a pipe, socket or device and not a file: give an image file or a folder.")
        return cls(name or path.name, information.st_size, lambda: path.open("rb"), path)

    @classmethod
    def of_bytes(cls, name: str, content: bytes) -> "Source":
        """Source of bytes in memory."""
        return cls(name, len(content), lambda: io.BytesIO(content))

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open from the start; what goes wrong while reading becomes one sentence.

        Raises
        ------
        BadInput
        """
        with readable_errors(), self.opener() as stream:
            yield stream

    @property
    def suffix(self) -> str:
        """End of the name in lower case, ``.gz`` not counted."""
        return Path(self.name.lower().removesuffix(".gz")).suffix

    def head(self) -> bytes:
        """First bytes, for telling formats apart."""
        with self.open() as stream:
            return stream.read(_HEAD_BYTES)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn what reading and unpacking raise into `BadInput`, without quoting what the file says.

    Raises
    ------
    BadInput
    """
    import zipfile

    try:
        yield
    except EOFError:
        raise BadInput(CUT_OFF) from None
    except (zlib.error, zipfile.BadZipFile, gzip.BadGzipFile):
        raise BadInput(DAMAGED) from None
    except OSError:
        raise BadInput("The file cannot be read: check that it exists and that you may read it.") from None


def read_exactly(stream: BinaryIO, count: int) -> bytes:
    """Read `count` bytes or refuse.

    Raises
    ------
    BadInput
        When the stream ends before.
    """
    parts = []
    while count:
        part = stream.read(min(count, MEGABYTE * 4))
        if not part:
            raise BadInput(CUT_OFF)
        parts.append(part)
        count -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def skip(stream: BinaryIO, count: int) -> None:
    """Pass over `count` bytes, by reading: what is skipped is unpacked and checked too.

    Raises
    ------
    BadInput
        When the stream ends before.
    """
    while count:
        part = stream.read(min(count, MEGABYTE))
        if not part:
            raise BadInput(CUT_OFF)
        count -= len(part)


def drain(stream: BinaryIO, allowance: int = MEGABYTE) -> None:
    """Read to the end, so that a checksum there is checked; more than `allowance` bytes are refused.

    Raises
    ------
    BadInput
    """
    while part := stream.read(MEGABYTE // 4):
        allowance -= len(part)
        if allowance < 0:
            raise BadInput("The file unpacks to far more than its header announces: export or compress it again.")


def gunzip(source: Source, limits: Limits) -> Source:
    """Unpack a whole gzip file into memory, counting before keeping.

    Raises
    ------
    BadInput
        When it would unpack to more than the limits allow.
    """
    size = 0
    with source.open() as packed, gzip.GzipFile(fileobj=packed) as stream:
        while part := stream.read(MEGABYTE):
            size += len(part)
            limits.check_expanded(size, source.size)
    with source.open() as packed, gzip.GzipFile(fileobj=packed) as stream:
        return Source.of_bytes(source.name.removesuffix(".gz"), stream.read())
