"""What is fuzzed: each reader with sound files of its kind."""

import contextlib
import gzip
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from nibabel.freesurfer.mghformat import MGHImage
from PIL import Image
from pydicom.pixels import compress
from pydicom.uid import JPEG2000Lossless, RLELossless

from core.settings import ASSETS
from tests.core.scans.making import asymmetric, deflated_dicom, dicom, dicom_bytes, png, slice_at, zip_bytes

VOLUME = asymmetric((6, 7, 8))
PICTURE = asymmetric((24, 20), np.uint8)
CARD = (ASSETS / "models" / "alzheimer-phantom" / "card.yaml").read_bytes()
TABLE = b"participant_id\tsession_id\tdiagnosis\tsplit\nA\t\tx\ttrain\nB\t\ty\ttest\nC\t\tx\t\n"


@dataclass(frozen=True)
class Target:
    """A reader.

    Parameters
    ----------
    seeds : tuple of bytes
        Sound files.
    read : callable
        Takes a folder with the damaged file in it, called `name`.
    name : str
        Of the file.
    """

    seeds: tuple[bytes, ...]
    read: Callable[[Path], object]
    name: str


def _scan(name: str) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        from core.scans import load_scan

        return load_scan(folder / name)

    return read


def _region(folder: Path) -> object:
    """On the command line and on a page; both refuse, or neither."""
    from core.errors import BadInput
    from core.scans import Upload, load_region, load_uploaded_region
    from core.scans.scan import Scan

    with contextlib.suppress(BadInput):
        load_uploaded_region(Upload("mask", folder / "region.npy"))
    return load_region(folder / "region.npy", Scan(np.zeros((1, 4, 5), np.float32), np.eye(4)))


def _card(folder: Path) -> object:
    from core.models.card import read_card

    return read_card(folder)


def _table(folder: Path) -> object:
    from core.cohorts.reading import read_cohort

    for name in ("A", "B", "C"):
        (folder / f"{name}.png").write_bytes(png(PICTURE))
    return read_cohort(folder)


def _nifti(kind: type, **options: object) -> bytes:
    return bytes(kind(VOLUME, np.diag([2.0, 3.0, 4.0, 1.0]), **options).to_bytes())


def _packed_dicom(syntax: str) -> bytes:
    data = slice_at((0, 0, 0), asymmetric((64, 64), np.uint16))
    compress(data, syntax, generate_instance_uid=False)
    return dicom_bytes(data)


def _picture(kind: str, values: np.ndarray, **options: object) -> bytes:
    written = io.BytesIO()
    Image.fromarray(values).save(written, kind, **options)
    return written.getvalue()


def _array(values: np.ndarray) -> bytes:
    written = io.BytesIO()
    np.save(written, values)
    return written.getvalue()


def _stack() -> dict[str, bytes]:
    return {f"s/{n}.dcm": dicom_bytes(slice_at((0, 0, n), asymmetric((8, 9)))) for n in range(3)}


def targets() -> Mapping[str, Target]:
    """Every reader by name."""
    colours = np.stack([PICTURE, PICTURE[::-1], PICTURE[:, ::-1]], axis=-1)
    nifti_1, nifti_2 = _nifti(nibabel.Nifti1Image), _nifti(nibabel.Nifti2Image)
    mgh = MGHImage(VOLUME.astype(np.float32), np.eye(4)).to_bytes()
    single = slice_at((0, 0, 0), asymmetric((8, 9)))
    many = dicom(asymmetric((3, 8, 9)), NumberOfFrames=3)
    wide = PICTURE.astype(np.uint16) * 200
    return {
        "NIfTI-1": Target((nifti_1,), _scan("a.nii"), "a.nii"),
        "NIfTI-1 in gzip": Target((gzip.compress(nifti_1),), _scan("a.nii.gz"), "a.nii.gz"),
        "NIfTI-2": Target((nifti_2,), _scan("a.nii"), "a.nii"),
        "MGH": Target((mgh, gzip.compress(mgh)), _scan("a.mgz"), "a.mgz"),
        "DICOM": Target((dicom_bytes(single), dicom_bytes(many), deflated_dicom(single)), _scan("a.dcm"), "a.dcm"),
        "packed DICOM": Target((_packed_dicom(RLELossless), _packed_dicom(JPEG2000Lossless)), _scan("a.dcm"), "a.dcm"),
        "PNG": Target((png(PICTURE), png(wide), png(colours)), _scan("a.png"), "a.png"),
        "JPEG": Target(
            (_picture("JPEG", PICTURE), _picture("JPEG", colours, progressive=True)), _scan("a.jpg"), "a.jpg"
        ),
        "TIFF": Target(
            (_picture("TIFF", PICTURE), _picture("TIFF", wide, compression="tiff_lzw"), _picture("TIFF", colours)),
            _scan("a.tif"),
            "a.tif",
        ),
        "zip": Target((zip_bytes(_stack()), zip_bytes(_stack(), zipfile.ZIP_STORED)), _scan("a.zip"), "a.zip"),
        "npy": Target((_array(PICTURE > 9), _array(VOLUME), _array(PICTURE.astype("f4"))), _region, "region.npy"),
        "card": Target((CARD,), _card, "card.yaml"),
        "table": Target((TABLE,), _table, "participants.tsv"),
    }
