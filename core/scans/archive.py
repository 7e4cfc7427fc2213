"""Looking into zip archives without unpacking them to disk, and refusing the ones made to do harm."""

import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath, PureWindowsPath
from typing import BinaryIO, cast

from core.errors import BadInput
from core.scans.limits import BOMB_BYTES, BOMB_MESSAGE, BOMB_RATIO, MAX_FILES, MEGABYTE, Limits
from core.scans.sources import CUT_OFF, DAMAGED, Source, readable_errors

_END_RECORD = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_ZIP64_RECORD = struct.Struct("<4sQ2H2L4Q")
_MAX_DIRECTORY_BYTES = 16 * MEGABYTE


def zip_members(archive: Source, limits: Limits) -> list[Source]:
    """Files in a zip, each readable on its own; nothing is unpacked yet and nothing is ever written.

    Parameters
    ----------
    archive : Source
        The zip.
    limits : Limits
        Largest size of the zip, and of all its members unpacked.

    Raises
    ------
    BadInput
        Members that lead outside the archive, links, passwords, bombs, damaged archives.
    """
    limits.check_file(archive.size)
    with archive.open() as stream:
        _check_directory_size(stream, archive.size)
    with readable_errors():
        try:
            # stays open as long as one of its members may be read; closes itself when the last is gone
            opened = zipfile.ZipFile(archive.path or archive.opener())
        except (ValueError, NotImplementedError, struct.error):
            raise BadInput(DAMAGED) from None
    members = opened.infolist()
    if len(members) > MAX_FILES:
        raise BadInput(f"The zip holds more than {MAX_FILES} files: give the folder of one series.")
    for member in members:
        _check_member(member)
    files = [member for member in members if not member.is_dir()]
    _check_expansion(files, archive.size, limits)
    return [
        Source(member.filename, member.file_size, _opener(opened, member), None, member.compress_size)
        for member in files
        if member.file_size and not _is_clutter(member.filename)
    ]


def _check_directory_size(stream: BinaryIO, size: int) -> None:
    """Refuse a huge table of contents before `zipfile` turns it into objects."""
    tail_length = min(size, 65536 + _END_RECORD.size + _ZIP64_LOCATOR.size)
    stream.seek(size - tail_length)
    tail = stream.read(tail_length)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + _END_RECORD.size:
        raise BadInput(CUT_OFF)
    directory_bytes = _END_RECORD.unpack_from(tail, at)[5]
    if at >= _ZIP64_LOCATOR.size and tail.startswith(b"PK\x06\x07", at - _ZIP64_LOCATOR.size):
        position = _ZIP64_LOCATOR.unpack_from(tail, at - _ZIP64_LOCATOR.size)[2]
        stream.seek(min(position, size))
        record = stream.read(_ZIP64_RECORD.size)
        if len(record) < _ZIP64_RECORD.size:
            raise BadInput(DAMAGED)
        directory_bytes = _ZIP64_RECORD.unpack(record)[8]
    stream.seek(0)
    if directory_bytes > _MAX_DIRECTORY_BYTES:
        raise BadInput("The zip has a table of contents too large to be true: make the zip again from one series.")


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    if name.startswith(("/", "\\")) or PureWindowsPath(name).drive or PureWindowsPath(name).root:
        raise BadInput("The zip holds a file with an absolute path: make the zip again from the folder of images.")
    if ".." in PurePosixPath(name.replace("\\", "/")).parts:
        raise BadInput("The zip holds a file that points outside it (..): make it again from the folder of images.")
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadInput("The zip holds a link or a device: make the zip again from the image files themselves.")
    if member.flag_bits & 0x1:
        raise BadInput("The zip is protected by a password: unpack it and give the images, or a zip without password.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInput("The zip is compressed in an unusual way: make it again with ordinary zip compression.")


def _check_expansion(files: list[zipfile.ZipInfo], archive_size: int, limits: Limits) -> None:
    if sum(member.compress_size for member in files) > archive_size:
        raise BadInput(DAMAGED)  # members cannot share what they are packed in
    total = sum(member.file_size for member in files)
    limits.check_expanded(total)
    for member in files:
        if member.file_size > BOMB_BYTES and member.file_size > BOMB_RATIO * max(member.compress_size, 1):
            raise BadInput(BOMB_MESSAGE)
    # members that share their compressed bytes look harmless one by one
    if total > BOMB_BYTES and total > BOMB_RATIO * archive_size:
        raise BadInput(BOMB_MESSAGE)


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(part.startswith(".") for part in parts)


def _opener(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    def open_member() -> BinaryIO:
        try:
            # zipfile stops at the size that the table of contents gives and checks the CRC there: no member can grow
            return cast(BinaryIO, archive.open(member))
        except (RuntimeError, ValueError, struct.error):
            # where the member's own header says other than the table of contents, or lies before the file
            raise BadInput(DAMAGED) from None

    return open_member
