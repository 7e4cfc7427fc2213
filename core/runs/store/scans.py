"""Scans on the disk, once each, named by their content; nothing about the patient is kept."""

import hashlib
import re
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import BadInput
from core.files import read_json, temporary_beside, write_array, write_json
from core.scans.scan import Form, HeaderForms, Scan, SourceSpace

_HASH = re.compile(r"[0-9a-f]{64}")


class ScanFiles:
    """Folder of scans: ``<hash>/array.npy`` (float32) and ``<hash>/meta.json`` (technical fields only).

    Beside them, ``colours.npy`` where the scan is a colour picture.

    Parameters
    ----------
    folder : pathlib.Path
        Made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, scan: Scan) -> str:
        """Keep `scan` unless it is there already; returns its content hash."""
        target = self.path(scan.content_hash)
        if not target.is_dir():
            temporary = temporary_beside(target)
            temporary.mkdir()
            try:
                write_array(temporary / "array.npy", np.asarray(scan.array, dtype=np.float32))
                if scan.colours is not None:
                    write_array(temporary / "colours.npy", np.asarray(scan.colours, dtype=np.float32))
                write_json(temporary / "meta.json", _technical_fields(scan))
                temporary.rename(target)
            except OSError:
                shutil.rmtree(temporary, ignore_errors=True)
                # another session may have stored the same scan in the meantime
                if not target.is_dir():
                    raise
        return scan.content_hash

    def read(self, content_hash: str) -> Scan:
        """The scan, its array mapped from the disk (read-only, shared between all who look at it).

        Raises
        ------
        BadInput
            When it is not there (any more).
        """
        folder = self.path(content_hash)
        try:
            array = np.load(folder / "array.npy", mmap_mode="r", allow_pickle=False)
        except FileNotFoundError as error:
            raise BadInput("This scan is no longer in the store: open its file again.") from error
        except (EOFError, ValueError) as error:
            raise BadInput("What was stored of this scan is damaged: open its file again.") from error
        meta = self.meta(content_hash)
        source = meta["source"]
        scan = Scan(
            array=array,
            affine=np.asarray(meta["affine"], dtype=np.float64),
            modality=meta["modality"],
            units=meta["units"],
            notes=tuple(meta["notes"]),
            source=_source_space(source) if source else None,
            colours=_mapped(folder / "colours.npy"),
        )
        # known from the name: hashing 35 MB again on every look would cost more than looking
        scan.__dict__["content_hash"] = content_hash
        return scan

    def meta(self, content_hash: str) -> dict[str, Any]:
        """Technical fields, without the voxels.

        Raises
        ------
        BadInput
            When the scan is not there.
        """
        meta = read_json(self.path(content_hash) / "meta.json")
        if meta is None:
            raise BadInput("This scan is no longer in the store: open its file again.")
        return meta

    def path(self, content_hash: str) -> Path:
        """Folder of a scan.

        Raises
        ------
        BadInput
            When `content_hash` is not a hash (it may come from a link).
        """
        if not _HASH.fullmatch(content_hash):
            raise BadInput("This is not the name of a scan: open its file again.")
        return self.folder / content_hash


class RegionFiles:
    """Regions that persons marked: ``<hash>.npy``, bool, the scan's spatial shape."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, region: np.ndarray) -> str:
        """Keep `region`; returns its content hash."""
        marked = np.ascontiguousarray(region, dtype=bool)
        name = hashlib.sha256(repr(marked.shape).encode() + np.packbits(marked).tobytes()).hexdigest()
        if not self.path(name).exists():
            write_array(self.path(name), marked)
        return name

    def read(self, content_hash: str) -> np.ndarray:
        """The region, bool.

        Raises
        ------
        BadInput
            When it is not there (any more).
        """
        try:
            values: np.ndarray = np.load(self.path(content_hash), allow_pickle=False)
        except FileNotFoundError as error:
            raise BadInput("This region is no longer in the store: mark it again.") from error
        except (EOFError, ValueError) as error:
            raise BadInput("What was stored of this region is damaged: mark it again.") from error
        return values

    def shape(self, content_hash: str) -> tuple[int, ...]:
        """Shape of a region, without reading its samples.

        Raises
        ------
        BadInput
            When it is not there (any more).
        """
        try:
            mapped: np.ndarray = np.load(self.path(content_hash), mmap_mode="r", allow_pickle=False)
        except FileNotFoundError as error:
            raise BadInput("This region is no longer in the store: mark it again.") from error
        except (EOFError, ValueError) as error:
            raise BadInput("What was stored of this region is damaged: mark it again.") from error
        return mapped.shape

    def path(self, content_hash: str) -> Path:
        """File of a region.

        Raises
        ------
        BadInput
            When `content_hash` is not a hash (it may come from a link).
        """
        if not _HASH.fullmatch(content_hash):
            raise BadInput("This is not the name of a region: mark it again.")
        return self.folder / f"{content_hash}.npy"


def _mapped(path: Path) -> np.ndarray | None:
    """An array mapped from the disk, read-only; None where there is none."""
    return np.load(path, mmap_mode="r", allow_pickle=False) if path.is_file() else None


def scan_label(scan: Scan) -> str:
    """What a scan is called on screen: made from technical fields, never from a file name.

    >>> scan_label(Scan(np.zeros((1, 4, 5, 6), np.float32), np.eye(4), modality="MR"))
    'MR volume 4×5×6, 1 mm'
    >>> scan_label(Scan(np.zeros((1, 4, 5), np.float32), np.eye(4)))
    'Image 4×5 px'
    """
    what = "volume" if scan.dimensions == 3 else "image"
    size = "×".join(str(n) for n in scan.shape)
    spacing = [f"{s:.3g}" for s in scan.spacing_mm]
    millimetres = f", {spacing[0] if len(set(spacing)) == 1 else '×'.join(spacing)} mm"
    scale = millimetres if scan.in_millimetres else " px"
    named = f"{scan.modality} {what}" if scan.modality else what.capitalize()
    channels = f", {scan.channels} channels" if scan.channels > 1 else ""
    return f"{named} {size}{scale}{channels}"


def _technical_fields(scan: Scan) -> dict[str, Any]:
    return {
        "shape": scan.array.shape,
        "affine": scan.affine,
        "modality": scan.modality,
        "units": scan.units,
        "notes": scan.notes,
        "stored": time.time(),
        "source": None if scan.source is None else _source_fields(scan.source),
    }


def _source_fields(source: SourceSpace) -> dict[str, Any]:
    fields: dict[str, Any] = {"affine": source.affine, "shape": source.shape, "orientation": source.orientation}
    if source.forms is not None:
        named = {"sform": source.forms.sform, "qform": source.forms.qform}
        fields["forms"] = {
            name: None if form is None else {"affine": form.affine, "code": form.code} for name, form in named.items()
        }
    return fields


def _source_space(fields: dict[str, Any]) -> SourceSpace:
    """Undo `_source_fields`; scans that were stored earlier have no forms."""
    forms = fields.get("forms")
    return SourceSpace(
        affine=np.asarray(fields["affine"], dtype=np.float64),
        shape=tuple(fields["shape"]),
        orientation=None if fields["orientation"] is None else np.asarray(fields["orientation"]),
        forms=None if forms is None else HeaderForms(_form(forms["sform"]), _form(forms["qform"])),
    )


def _form(fields: dict[str, Any] | None) -> Form | None:
    return None if fields is None else Form(np.asarray(fields["affine"], dtype=np.float64), int(fields["code"]))
