"""Every file of the shared DICOM and NIfTI collections is read right or refused: this table says which.

Read: shape as the Scan has it (2D: rows, columns), spacing in mm, and words of a note (or None for no notes at all).
Refused: words of the sentence.
"""

import fnmatch
from dataclasses import dataclass

import nibabel as nib
import numpy as np
import pytest

from core.errors import BadInput
from core.scans import list_series, load_scan
from tests.shared import SHARED_DATA

DATA = SHARED_DATA
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (DATA / "dicom").is_dir(), reason=f"the shared test images are not at {DATA}"),
]


@dataclass(frozen=True)
class Read:
    """A file or folder that is read right."""

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    note: str | None = None
    modality: str | None = None


@dataclass(frozen=True)
class Refused:
    """A file that is refused."""

    words: str


NO_IMAGE_FORMAT = Refused("This is not an image that is read")
MR_SMALL = Read((64, 64), (0.3125, 0.3125), None, "MR")
CR_SMALL = Read((16, 16), (0.1, 0.1), "MONOCHROME1 inverted", "CR")
MEDIUM = Read((16, 16, 5), (0.488281, 0.488281, 2.5), "25 images were found", "CT")

#: pattern → outcome; the first that fits counts.
TABLE: dict[str, Read | Refused] = {
    "*/LICENSE": NO_IMAGE_FORMAT,
    "*/COPYING": NO_IMAGE_FORMAT,
    "*/README*.txt": NO_IMAGE_FORMAT,
    # a gantry tilted CT: each file alone is one slice; the folder is below
    "dicom/ct_series_ge/*.dcm": Read((512, 512), (0.4882812, 0.4882812), "of the image is padding", "CT"),
    "dicom/mr_series_ge_epi/*.dcm": Read((64, 64), (3.75, 3.75), None, "MR"),
    "dicom/mr_series_t1_partial/*.dcm": Read((384, 274), (0.666667, 0.699988), None, "MR"),
    "dicom/niivue/1-00[123].dcm": Read((512, 512), (0.41015625, 0.41015625), None, "MR"),
    "dicom/niivue/enh.dcm": Read((64, 64, 6), (3.375, 3.375, 2.4), None, "MR"),
    "dicom/pydicom_tests/CT_small.dcm": Read((128, 128), (0.661468, 0.661468), None, "CT"),
    "dicom/pydicom_tests/J2K_pixelrep_mismatch.dcm": Read((512, 512), (0.431, 0.431), None, "CT"),
    # JPEG of 12 bits: no decoder under a free licence
    "dicom/pydicom_tests/JPEG-lossy.dcm": Refused("compressed in a way that is not read"),
    "dicom/pydicom_tests/JPEG2000.dcm": Read((1024, 256), (2.26, 2.26), None, "NM"),
    "dicom/pydicom_tests/MR_truncated.dcm": Refused("ends too early"),
    "dicom/pydicom_tests/MR_small*.dcm": MR_SMALL,
    "dicom/pydicom_tests/zipMR.gz": MR_SMALL,
    "dicom/pydicom_tests/SC_rgb_jpeg.dcm": Read((256, 256), (1, 1), "read as luminance", "OT"),
    # its number of frames is "1A"
    "dicom/pydicom_tests/badVR.dcm": Refused("damaged or not quite DICOM"),
    "dicom/pydicom_tests/image_dfl.dcm": Read((512, 512), (1, 1), "1 mm is assumed", "OT"),
    # starts with a stray byte: no element can be found where it should be
    "dicom/pydicom_tests/no_meta.dcm": NO_IMAGE_FORMAT,
    "dicom/pydicom_tests/rtdose.dcm": Read((10, 10, 15), (10, 10, 5), None, "RTDOSE"),
    "dicom/pydicom_tests/rtstruct.dcm": Refused("a set of contours"),
    "dicom/pydicom_tests/test-SR.dcm": Refused("a report"),
    "dicom/pydicom_tests/waveform_ecg.dcm": Refused("a recorded curve"),
    "dicom/pydicom_tests/dicomdirtests/DICOMDIR-empty.dcm": Refused("names no image that is there"),
    "dicom/pydicom_tests/dicomdirtests/DICOMDIR*": MEDIUM,
    "dicom/pydicom_tests/dicomdirtests/77654033/CR?/*": CR_SMALL,
    "dicom/pydicom_tests/dicomdirtests/77654033/CT2/*": Read((16, 16), (0.488281, 0.488281), None, "CT"),
    "dicom/pydicom_tests/dicomdirtests/98892001/CT2N/*": Read((16, 16), (0.545455, 0.596847), None, "CT"),
    "dicom/pydicom_tests/dicomdirtests/98892001/CT5N/*": Read((16, 16), (0.488281, 0.488281), None, "CT"),
    "dicom/pydicom_tests/dicomdirtests/98892003/MR1/*": Read((16, 16), (1.367188, 1.367188), None, "MR"),
    "dicom/pydicom_tests/dicomdirtests/98892003/MR2/15970": Read((16, 16), (1.367188, 1.367188), None, "MR"),
    "dicom/pydicom_tests/dicomdirtests/98892003/MR2/*": Read((16, 16), (1.171875, 1.171875), None, "MR"),
    "dicom/pydicom_tests/dicomdirtests/98892003/MR700/*": Read((16, 16), (0.390625, 0.390625), None, "MR"),
    "nifti/derived_broken/example4d_truncated.nii.gz": Refused("ends too early"),
    "nifti/nibabel/analyze.hdr": Refused("only the header of an image"),
    "nifti/nibabel/nifti1.hdr": Refused("only the header of an image"),
    "nifti/nibabel/row_major.dconn.nii": Refused("CIFTI"),
    "nifti/nibabel/anatomical.nii": Read((33, 41, 25), (2, 2, 2)),
    "nifti/nibabel/example4d.nii.gz": Read((128, 96, 24), (2, 2, 2.2), "2 volumes: the first one was taken"),
    "nifti/nibabel/example_nifti2.nii.gz": Read((32, 20, 12), (2, 2, 2.2), "2 volumes"),
    "nifti/nibabel/functional.nii": Read((17, 21, 3), (4, 4, 8), "20 volumes"),
    "nifti/nibabel/reoriented_anat_moved.nii": Read((21, 26, 22), (4, 4, 4)),
    "nifti/nibabel/resampled_anat_moved.nii": Read((17, 21, 3), (4, 4, 8), "153 voxels (14.29%) were NaN"),
    "nifti/nibabel/someones_anatomy.nii.gz": Read((57, 67, 56), (2.75, 2.75, 2.75)),
    "nifti/nibabel/someones_epi.nii.gz": Read((53, 61, 33), (3, 3, 3)),
    "nifti/nibabel/standard.nii.gz": Read((4, 5, 7), (1, 3, 2)),
    "nifti/nibabel/test.mgz": Read((5, 4, 3), (3.74166, 3.74166, 3.74166), "2 volumes"),
    "nifti/niivue_orient/*.nii.gz": Read((64, 79, 67), (2.385232, 2.389754, 2.366486)),
}

#: Folders read as a whole: the largest series of each.
FOLDERS: dict[str, Read] = {
    "dicom/ct_series_ge": Read((512, 512, 8), (0.488281, 0.488281, 4.231429), "Gantry tilt of 18.5°", "CT"),
    "dicom/mr_series_ge_epi": Read((64, 64, 15), (3.75, 3.75, 5), "4 volumes: the first one was taken", "MR"),
    "dicom/mr_series_t1_partial": Read((274, 384, 12), (0.699988, 0.666667, 0.666667), None, "MR"),
    "dicom/niivue": Read((512, 512, 3), (0.41015625, 0.41015625, 1.5), "2 images were found", "MR"),
    "dicom/pydicom_tests/dicomdirtests": MEDIUM,
    "dicom/pydicom_tests/dicomdirtests/98892001/CT5N": Read((16, 16, 5), (0.488281, 0.488281, 2.5), None, "CT"),
}


def files():
    return sorted(
        str(path.relative_to(DATA))
        for kind in ("dicom", "nifti")
        for path in (DATA / kind).rglob("*")
        if path.is_file()
    )


def expected(name):
    return next((outcome for pattern, outcome in TABLE.items() if fnmatch.fnmatchcase(name, pattern)), None)


def check(path, outcome):
    scan = load_scan(path)
    assert scan.shape == outcome.shape
    assert scan.array.dtype == np.float32
    assert np.isfinite(scan.array).all()
    assert scan.spacing_mm == pytest.approx(outcome.spacing, rel=1e-4)
    assert scan.modality == outcome.modality
    notes = [note for note in scan.notes if "could not be read as an image" not in note]
    if outcome.note is None:
        assert notes == []
    else:
        assert any(outcome.note in note for note in notes), notes
    if scan.dimensions == 3:
        assert nib.aff2axcodes(scan.affine) == ("R", "A", "S")


def test_the_table_covers_every_file_and_nothing_else():
    names = files()
    assert len(names) > 150
    assert [name for name in names if expected(name) is None] == []
    unused = [pattern for pattern in TABLE if not any(TABLE[pattern] is expected(name) for name in names)]
    assert unused == []


@pytest.mark.parametrize("pattern", TABLE)
def test_a_file_is_read_right_or_refused(pattern):
    matching = [name for name in files() if next(p for p in TABLE if fnmatch.fnmatchcase(name, p)) == pattern]
    assert matching
    for name in matching:
        outcome = TABLE[pattern]
        if isinstance(outcome, Read):
            check(DATA / name, outcome)
        else:
            with pytest.raises(BadInput, match=outcome.words) as refusal:
                load_scan(DATA / name)
            assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_read_right(folder):
    check(DATA / folder, FOLDERS[folder])


def test_the_twelve_orientations_give_one_and_the_same_array():
    paths = sorted((DATA / "nifti" / "niivue_orient").glob("*.nii.gz"))
    assert len(paths) == 12
    scans = [load_scan(path) for path in paths]
    for scan in scans[1:]:
        np.testing.assert_array_equal(scan.array, scans[0].array)
        np.testing.assert_allclose(scan.affine, scans[0].affine, atol=1e-4)
    # in the store they are twelve: maps go back into the axis order of each
    assert len({scan.content_hash for scan in scans}) == 12


@pytest.mark.parametrize(
    "name", [name for name, outcome in TABLE.items() if name.startswith("nifti") and isinstance(outcome, Read)]
)
def test_volumes_are_what_nibabel_reads(name):
    for path in sorted(DATA.glob(name)):
        image = nib.as_closest_canonical(nib.load(path))
        values = np.nan_to_num(image.get_fdata(), nan=0, posinf=0, neginf=0)
        scan = load_scan(path)
        np.testing.assert_allclose(scan.array[0], values[..., 0] if values.ndim == 4 else values, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(scan.affine, image.affine, atol=1e-4)


def test_the_tilted_and_uneven_ct_says_how_much():
    notes = load_scan(DATA / "dicom" / "ct_series_ge").notes
    assert any("1.08 to 7.00 mm" in note and "4.01 mm apart" in note for note in notes)


def test_compressed_copies_are_the_same_image():
    folder = DATA / "dicom" / "pydicom_tests"
    names = ["MR_small", "MR_small_RLE", "MR_small_jp2klossless", "MR_small_bigendian", "MR_small_implicit"]
    assert len({load_scan(folder / f"{name}.dcm").content_hash for name in names}) == 1


def test_a_medium_offers_all_its_series():
    choices = list_series(DATA / "dicom" / "pydicom_tests" / "dicomdirtests")
    # one series has a slice 202 mm from its three others: that is no volume of four
    assert len(choices) == 25
    assert len({choice.key for choice in choices}) == 25


def test_real_photographs_and_slices_are_read():
    for folder, pattern in (
        ("mini_mias", "*.png"),
        ("mednist", "*.jpeg"),
        ("tb_cxr", "*.png"),
        ("ibix_t1_t2", "*.png"),
    ):
        path = next(iter(sorted((DATA / folder).rglob(pattern))))
        scan = load_scan(path)
        assert (scan.dimensions, scan.units) == (2, "8-bit")
        assert scan.array.max() > 1
