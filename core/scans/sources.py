"""Where bytes come from: a file, a member of a zip, memory. Names are hints, never paths, and are never shown."""

import gzip
import io
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from core.errors import BadInput
from core.scans.budget import current_budget, spend
from core.scans.limits import BOMB_BYTES, BOMB_MESSAGE, BOMB_RATIO, MEGABYTE, Limits

CUT_OFF = "The file ends too early, as after an interrupted download or copy: get it again."
DAMAGED = "The file is damaged (its checksum or compressed data is wrong): copy or download it again."
_HEAD_BYTES = 1024
_LONGEST_GZIP_NAME = 64 * 1024
_READS_BETWEEN_CHECKS = 256


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
    packed_size : int, optional
        Bytes that it took where it was given, in a zip; as `size` when not given.
    problem : str
        Why it cannot be opened, where that is known already.
    """

    name: str
    size: int
    opener: Callable[[], BinaryIO]
    path: Path | None = None
    packed_size: int | None = None
    problem: str = ""

    @property
    def given(self) -> int:
        """Bytes as they were given."""
        return self.size if self.packed_size is None else self.packed_size

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
    def absent(cls, name: str, why: str) -> "Source":
        """Source of a file that should be there and is not: whoever opens it is told `why`."""
        return cls(name, 0, io.BytesIO, problem=why)

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
        spend()
        if self.problem:
            raise BadInput(self.problem)
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
        spend()
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
        spend()
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
        spend()
        allowance -= len(part)
        if allowance < 0:
            raise BadInput("The file unpacks to far more than its header announces: export or compress it again.")


def gunzip(source: Source, limits: Limits) -> Source:
    """Unpack a whole gzip file into memory, counting before keeping.

    Raises
    ------
    BadInput
        When it would unpack to more than the limits allow, or all that was given together would.
    """
    size = 0
    with source.open() as packed, open_gzip(packed) as stream:
        while part := stream.read(MEGABYTE):
            spend()
            size += len(part)
            limits.check_expanded(size, source.size)
            count_unpacked(source, size, keep=True)
    with source.open() as packed, open_gzip(packed) as stream:
        content = stream.read()
    return Source(source.name.removesuffix(".gz"), len(content), lambda: io.BytesIO(content), None, source.given)


def count_unpacked(source: Source, size: int, keep: bool = False) -> None:
    """Add what `source` unpacks to, `size` bytes by now, to what everything given with it does.

    Files that are harmless one by one may be a bomb together.

    Parameters
    ----------
    source : Source
        What is unpacked; unpacking it again counts once.
    size : int
        Bytes by now.
    keep : bool
        Whether they stay in memory.

    Raises
    ------
    BadInput
        When all of it is a bomb, or more than the memory that there is for it.
    """
    budget = current_budget()
    if budget is None:
        return
    budget.unpacked[source] = max(size, budget.unpacked.get(source, 0))
    total = sum(budget.unpacked.values())
    if total > (BOMB_BYTES // 2 if keep else BOMB_BYTES) and total > BOMB_RATIO * budget.given:
        budget.refuse(BOMB_MESSAGE)
    if keep:
        budget.check_memory(total)


def open_gzip(packed: BinaryIO) -> gzip.GzipFile:
    """Open gzip for reading; a header without an end is refused while it is read, not after minutes.

    Parameters
    ----------
    packed : binary stream
        At its start.
    """
    return gzip.GzipFile(fileobj=cast(BinaryIO, _BoundedSteps(packed)))


class _BoundedSteps:
    """Stream that is not read byte by byte for ever: `gzip` reads names and comments so, a second for each megabyte."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._steps = 0
        self._reads = 0
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, count: int = -1) -> bytes:
        self._reads += 1
        self._steps = self._steps + 1 if count == 1 else 0
        if self._steps > _LONGEST_GZIP_NAME:
            raise BadInput(
                f"The gzip header of the file holds a name or comment of more than {_LONGEST_GZIP_NAME // 1024} kB: "
                "unpack the file and compress it again."
            )
        if self._reads % _READS_BETWEEN_CHECKS == 0:
            spend()
        return self._stream.read(count)
