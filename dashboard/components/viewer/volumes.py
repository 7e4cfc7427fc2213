"""Volumes for the browser: packed once on disk, named by content, handed out to their owner only.

A volume that a viewer shows is packed to 8 or 16 bits a voxel (first axis fastest), kept under ``<store>/viewer`` and
served as it lies there (`dashboard.frame.server`). No session holds a copy, so a second session that looks at the
same volume costs the server a file handle. A `VolumeRef` is all that Streamlit ever sees: geometry, scaling, and a
signed token.
"""

import base64
import binascii
import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import BadInput, LightboxError
from core.runs.spec import LOCAL_OWNER
from core.scans.grid import Grid
from core.scans.windows import HOUNSFIELD, ct_window
from core.settings import settings

if TYPE_CHECKING:
    from core.scans.scan import Scan

#: Part of every digest; raise it when the packing changes, so that old files are no longer found.
FORMAT = "lightbox-volume-1"
#: Least number of levels inside the default window, 12 bits; images that 16 bits cannot give that are sent as float32.
WINDOW_LEVELS = 4096
#: The packed files may take this share of the store.
STORE_SHARE = 0.2
#: The janitor leaves alone what was asked for in the last hour: somebody may be looking at it.
KEEP_SECONDS = 3600.0

_KEY_BYTES = 32
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TOKEN = re.compile(r"([0-9a-f]{64})\.([A-Za-z0-9_-]{1,344})\.([0-9a-f]{64})")

Array = np.ndarray | Callable[[], np.ndarray]


@dataclass(frozen=True)
class VolumeRef:
    """What is needed to show a volume without holding it.

    Parameters
    ----------
    digest : str
        Name of the packed file, 64 hex digits.
    shape : tuple of int
        Spatial shape, ``(X, Y, Z)`` or ``(rows, columns)``.
    affine : tuple
        4×4 index → RAS+ mm, row by row.
    dtype : str
        How the file holds a voxel: ``uint8``, ``uint16`` or ``float32`` (little endian).
    scale, offset : float
        Real value = stored value × scale + offset.
    window : tuple of float
        Lowest and highest value of a good first window, in real units.
    range : tuple of float
        Smallest and largest value, in real units.
    size : int
        Bytes of the packed file.
    owner : str
        Who may fetch it.
    """

    digest: str
    shape: tuple[int, ...]
    affine: tuple[tuple[float, ...], ...]
    dtype: str
    scale: float
    offset: float
    window: tuple[float, float]
    range: tuple[float, float]
    size: int
    owner: str

    @property
    def token(self) -> str:
        """What the route takes: digest, owner and a signature over both."""
        return sign(self.digest, self.owner)


def publish(
    values: Array, affine: np.ndarray, *, owner: str = LOCAL_OWNER, name: str | None = None, units: str | None = None
) -> VolumeRef:
    """Make a volume or image available to the viewer of its owner; a second call for the same content only looks it up.

    Parameters
    ----------
    values : numpy.ndarray or callable
        Real finite samples, 2D or 3D, any real dtype; or a function that returns them, called only when they are not
        packed yet (needs `name`).
    affine : numpy.ndarray, shape (4, 4)
        Index → RAS+ mm; for images the index is ``(row, column, 0)``.
    owner : str
        Who may fetch it.
    name : str, optional
        A name that already stands for exactly these values (a content hash, a run id and the name of its array). It
        saves hashing them on every rerun.
    units : str, optional
        Unit of the values; of those in HU the first window is one that radiologists know.

    Returns
    -------
    VolumeRef

    Raises
    ------
    BadInput
        When the values are not a finite 2D or 3D array.
    LightboxError
        When the store cannot be written.
    """
    if callable(values) and name is None:
        raise ValueError("a function needs a name: without it nothing tells whether its values are packed already")
    placement = np.round(np.asarray(affine, dtype=np.float64), 6)
    array = None if callable(values) else np.asarray(values)
    hounsfield = units == HOUNSFIELD
    digest = _digest(name, array, placement, HOUNSFIELD if hounsfield else "")
    folder = _folder()
    try:
        facts = _lookup(folder, digest)
        if facts is None:
            loaded = values() if callable(values) else values
            facts = _store(folder, digest, np.asarray(loaded), placement, hounsfield)
    except OSError as problem:
        raise LightboxError(f"The store at {folder.parent.name} cannot be written ({problem.strerror}).") from problem
    return _reference(digest, owner, facts)


def publish_scan(scan: "Scan", *, owner: str = LOCAL_OWNER, channel: int = 0) -> VolumeRef:
    """`publish` one channel of a Scan under the Scan's own content hash."""
    name = f"scan:{scan.content_hash}:{channel}"
    return publish(lambda: scan.array[channel], scan.affine, owner=owner, name=name, units=scan.units)


def pack(values: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Pack real samples into at most 16 bits where that keeps `WINDOW_LEVELS` levels in the window, else into float32.

    Whole numbers that fit are kept exactly; everything else is off by at most half a level, ``scale / 2``.

    Parameters
    ----------
    values : numpy.ndarray
        2D or 3D, real, finite.

    Returns
    -------
    packed : numpy.ndarray
        uint8, uint16 or float32 of the same shape.
    facts : dict
        ``dtype``, ``scale``, ``offset``, ``window``, ``range`` as in `VolumeRef`.
    """
    if values.ndim not in (2, 3) or not values.size or values.dtype.kind not in "biuf":
        raise BadInput(
            f"Only 2D or 3D arrays of real numbers can be shown; this one is {values.dtype} of {values.shape}."
        )
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise BadInput("The image holds values that are not numbers (NaN or infinite); repair it and load it again.")
    window = _window(values, low, high)
    scale, offset = 1.0, 0.0
    if values.dtype.kind in "iu" and low >= 0 and high <= 255:
        packed = values.astype(np.uint8)
    elif values.dtype.kind in "iu" and high - low <= 65535:
        offset = low
        packed = (values.astype(np.int64) - int(low)).astype(np.uint16)
    elif (window[1] - window[0]) * 65535 < WINDOW_LEVELS * (high - low):
        packed = values.astype("<f4")
    else:
        scale, offset = (high - low) / 65535 or 1.0, low
        packed = np.empty(values.shape, dtype="<u2")
        for index in range(values.shape[0]):  # by slab: a float64 copy of a whole volume would be four times its size
            packed[index] = np.rint((values[index].astype(np.float64) - offset) / scale)
    facts = {"dtype": packed.dtype.name, "scale": scale, "offset": offset, "window": window, "range": (low, high)}
    return packed, facts


def sign(digest: str, owner: str) -> str:
    """Token that lets `owner` fetch the volume `digest`, and nobody else."""
    coded = base64.urlsafe_b64encode(owner.encode()).decode().rstrip("=")
    return f"{digest}.{coded}.{_signature(digest, owner)}"


def open_token(token: str, owner: str | None) -> Path | None:
    """File that a token stands for, or None when the token is forged, somebody else's, or the file is gone.

    Parameters
    ----------
    token : str
        What the request carried: nothing in it is trusted.
    owner : str or None
        Who asks; None is nobody.
    """
    parts = _TOKEN.fullmatch(token)
    if parts is None or owner is None:
        return None
    digest, coded, signature = parts.groups()
    try:
        named = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    signed = hmac.compare_digest(signature, _signature(digest, named))
    if not signed or not hmac.compare_digest(named.encode(), owner.encode()):
        return None
    path = _folder() / f"{digest}.bin"
    return path if path.is_file() else None


def _digest(name: str | None, array: np.ndarray | None, affine: np.ndarray, scale: str = "") -> str:
    digest = hashlib.sha256(f"{FORMAT}\n{affine.tolist()}\n{name}\n{scale}".encode())
    if name is None and array is not None:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _window(values: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """First window: 1st to 99.5th percentile of a thinned copy, or everything where those two meet."""
    step = max(1, round((values.size / 200_000) ** (1 / values.ndim)))
    thinned = values[(slice(None, None, step),) * values.ndim]
    bottom, top = (float(v) for v in np.percentile(thinned, (1, 99.5)))
    if top > bottom:
        return bottom, top
    return (low, high) if high > low else (low, low + 1.0)


def _store(folder: Path, digest: str, values: np.ndarray, affine: np.ndarray, hounsfield: bool) -> dict[str, Any]:
    """Pack and write; the facts are written last, so that a file without them counts as not there."""
    packed, facts = pack(values)
    if hounsfield and (known := ct_window(values)) is not None:
        facts["window"] = (known.low, known.high)
    facts |= {"shape": packed.shape, "affine": affine.tolist(), "size": packed.nbytes}
    folder.mkdir(parents=True, exist_ok=True)
    _trim(folder, packed.nbytes)
    _write(folder / f"{digest}.bin", packed.ravel(order="F").data)
    _write(folder / f"{digest}.json", json.dumps(facts).encode())
    return facts


def _write(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that others see all of it or nothing."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _lookup(folder: Path, digest: str) -> dict[str, Any] | None:
    packed = folder / f"{digest}.bin"
    try:
        facts: dict[str, Any] = json.loads((folder / f"{digest}.json").read_bytes())
        os.utime(packed)  # the janitor goes by the last time somebody asked
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return facts


def _reference(digest: str, owner: str, facts: dict[str, Any]) -> VolumeRef:
    return VolumeRef(
        digest=digest,
        owner=owner,
        shape=tuple(facts["shape"]),
        affine=tuple(tuple(row) for row in facts["affine"]),
        dtype=facts["dtype"],
        scale=facts["scale"],
        offset=facts["offset"],
        window=_pair(facts["window"]),
        range=_pair(facts["range"]),
        size=facts["size"],
    )


def _pair(values: Sequence[float]) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def _trim(folder: Path, room: int) -> None:
    """Remove the packed volumes that were not asked for the longest, until `room` more bytes fit into the share."""
    limit = settings().store_limit_gb * 1e9 * STORE_SHARE - room
    files = sorted(((f.stat(), f) for f in folder.glob("*.bin")), key=lambda entry: entry[0].st_mtime)
    total = sum(stat.st_size for stat, _ in files)
    for stat, path in files:
        if total <= limit or time.time() - stat.st_mtime < KEEP_SECONDS:
            return
        path.with_suffix(".json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        total -= stat.st_size


def _folder() -> Path:
    return settings().store_path.expanduser().resolve() / "viewer"


def _signature(digest: str, owner: str) -> str:
    return hmac.new(_key(_folder()), f"{FORMAT}\n{digest}\n{owner}".encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=4)
def _key(folder: Path) -> bytes:
    """The store's own signing key, made at first use and readable by the server's user only.

    Raises
    ------
    LightboxError
        When there is none and none can be written: nothing is ever signed with a key that others know.
    """
    path = folder / "key"
    try:
        key = _whole_key(path)
        if key is None:
            folder.mkdir(parents=True, exist_ok=True)
            with _alone_in(folder):
                # who waited for the lock takes the key that was made meanwhile
                key = _whole_key(path) or _new_key(path)
    except OSError as problem:
        raise LightboxError(f"The store at {folder.parent.name} cannot be written ({problem.strerror}).") from problem
    return key


def _whole_key(path: Path) -> bytes | None:
    """The key that is there; None also for what a full disk or a crash left of one."""
    with contextlib.suppress(FileNotFoundError):
        key = path.read_bytes()
        return key if len(key) == _KEY_BYTES and any(key) else None
    return None


def _new_key(path: Path) -> bytes:
    """Write a key so that it is there whole or not at all."""
    key = secrets.token_bytes(_KEY_BYTES)
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return key


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: one process and one thread at a time."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def packed_values(reference: VolumeRef) -> np.ndarray:
    """What a volume's file holds, of its shape and not yet scaled; mapped from the disk, read-only.

    Raises
    ------
    LightboxError
        When the file is gone.
    """
    path = _folder() / f"{reference.digest}.bin"
    try:
        return np.memmap(path, dtype=np.dtype(reference.dtype), mode="r", shape=reference.shape, order="F")
    except (OSError, ValueError) as problem:
        raise LightboxError("This picture is no longer in the store: reload the page.") from problem


def as_data(reference: VolumeRef) -> dict[str, Any]:
    """What the browser is told about a volume (the owner travels inside the signed token only)."""
    data = asdict(reference)
    del data["owner"]
    return data | {"token": reference.token, "placed": Grid(reference.shape, np.array(reference.affine)).placed}
