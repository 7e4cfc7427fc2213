"""One door for every format: paths, folders, zips and uploads."""

import gzip
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest

from core.errors import BadInput
from core.scans import Upload, list_series, list_upload_series, load_scan, load_upload
from tests.core.scans.making import asymmetric, dicom_bytes, nifti, nifti_header, png, save, slice_at, zip_bytes

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")

HOSTILE = [
    "",
    "/",
    "..",
    "../../../etc/passwd",
    "/etc/passwd",
    "<script>alert(1)</script>.nii",
    "a\0b.nii",
    "C:\\x.nii",
    "." * 300,
]


def slices(count):
    return {f"series/{n}.dcm": dicom_bytes(slice_at((0, 0, n), asymmetric((4, 5)))) for n in range(count)}


def test_a_zip_of_slices_is_a_volume(tmp_path):
    (tmp_path / "z.zip").write_bytes(zip_bytes({**slices(4), "__MACOSX/._0.dcm": b"x" * 9, "notes.txt": b"hello"}))
    scan = load_scan(tmp_path / "z.zip")
    assert scan.shape == (5, 4, 4)
    assert scan.notes == ()


def test_a_zip_may_hold_any_format(tmp_path):
    inside = nifti(tmp_path / "v.nii.gz", asymmetric((3, 4, 5))).read_bytes()
    (tmp_path / "n.zip").write_bytes(zip_bytes({"deep/v.nii.gz": inside}))
    assert load_scan(tmp_path / "n.zip").shape == (3, 4, 5)
    (tmp_path / "p.zip").write_bytes(zip_bytes({"p.png": png(asymmetric((3, 4), np.uint8))}))
    assert load_scan(tmp_path / "p.zip").shape == (3, 4)


def test_several_files_make_one_series(tmp_path):
    paths = [save(slice_at((0, 0, n), asymmetric((4, 5))), tmp_path / f"{n}") for n in range(3)]
    assert load_scan(paths).shape == (5, 4, 3)
    assert load_scan([str(path) for path in paths]).shape == (5, 4, 3)
    assert load_scan(tmp_path).shape == (5, 4, 3)


def test_a_folder_of_several_images_offers_a_choice(tmp_path):
    nifti(tmp_path / "small.nii", asymmetric((3, 4, 5)))
    nifti(tmp_path / "large.nii", asymmetric((6, 7, 8)))
    choices = list_series(tmp_path)
    assert [choice.shape for choice in choices] == [(6, 7, 8), (3, 4, 5)]
    assert choices[0].description == "NIfTI-1 · 6×7×8 · 2×3×4 mm"
    assert load_scan(tmp_path, series=choices[1].key).shape == (3, 4, 5)
    assert any("2 images were found" in note for note in load_scan(tmp_path).notes)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_the_name_of_an_upload_is_never_a_path(name, tmp_path):
    spooled = nifti(tmp_path / "spooled.nii", asymmetric((3, 4, 5)))
    scan = load_upload([Upload(name, spooled)])
    assert scan.shape == (3, 4, 5)
    assert scan.notes == ()
    spooled.write_bytes(b"not an image")
    with pytest.raises(BadInput) as refusal:
        load_upload([Upload(name, spooled)])
    assert len(name) < 5 or name[:5] not in str(refusal.value)
    spooled.write_bytes(nifti_header([3, 4, 5, 6], magic=b"ni1"))
    with pytest.raises(BadInput, match="only the header"):
        load_upload([Upload(name, spooled)])


def test_an_uploaded_header_finds_its_image(tmp_path):
    import nibabel as nib

    nib.Nifti1Pair(asymmetric((3, 4, 5)), np.eye(4)).to_filename(tmp_path / "pair.img")
    (tmp_path / "pair.hdr").rename(tmp_path / "one")
    (tmp_path / "pair.img").rename(tmp_path / "two")
    with pytest.raises(BadInput, match=r"give the \.img file"):
        load_upload([Upload("brain.hdr", tmp_path / "one")])
    both = [Upload("brain.hdr", tmp_path / "one"), Upload("brain.img", tmp_path / "two")]
    np.testing.assert_array_equal(load_upload(both).array[0], asymmetric((3, 4, 5)))


def test_an_uploaded_zip_lists_its_series(tmp_path):
    (tmp_path / "spooled").write_bytes(zip_bytes(slices(3)))
    (choice,) = list_upload_series([Upload("x.zip", tmp_path / "spooled")])
    assert (choice.files, choice.shape, choice.volumes) == (3, (5, 4, 3), 1)
    assert load_upload([Upload("x.zip", tmp_path / "spooled")], series=choice.key).shape == (5, 4, 3)


def test_importing_scans_pays_for_no_reader():
    code = "import core.scans, sys; print([m for m in ('torch','scipy','nibabel','pydicom','PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_empty_path_is_not_the_folder_one_is_in(tmp_path, monkeypatch):
    (tmp_path / "slice.png").write_bytes(png(np.arange(64, dtype=np.uint8).reshape(8, 8)))
    monkeypatch.chdir(tmp_path)
    assert load_scan(".").shape == (8, 8)
    with pytest.raises(BadInput, match="path is empty"):
        load_scan("")


def damaged_member(kind: str) -> bytes:
    """A zip of four good slices and one member that cannot be opened or whose checksum is wrong."""
    content = bytearray(zip_bytes({**slices(4), "broken.dcm.gz": gzip.compress(b"broken" * 20)}, zipfile.ZIP_STORED))
    entry = content.rfind(b"PK\x01\x02")
    local = int.from_bytes(content[entry + 42 : entry + 46], "little")
    if kind == "checksum":
        content[entry + 16] ^= 0xFF
    elif kind == "other name":
        content[local + 30] ^= 0x01
    elif kind == "no header":
        content[local] ^= 0xFF
    elif kind == "beyond the end":
        content[entry + 42 : entry + 46] = (len(content) * 2).to_bytes(4, "little")
    elif kind == "flag":
        content[entry + 8] |= 0x20
    elif kind == "gzip inside":
        content[local + 30 + len("broken.dcm.gz") + 12] ^= 0xFF
        content[entry + 16 : entry + 20] = zlib.crc32(
            content[local + 30 + len("broken.dcm.gz") :][: int.from_bytes(content[entry + 20 : entry + 24], "little")]
        ).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize("kind", ["checksum", "other name", "no header", "beyond the end", "flag", "gzip inside"])
def test_one_damaged_member_of_a_zip_leaves_the_others_as_they_are(tmp_path, kind):
    (tmp_path / "z.zip").write_bytes(damaged_member(kind))
    scan = load_scan(tmp_path / "z.zip")
    assert scan.shape == (5, 4, 4)
    np.testing.assert_array_equal(scan.array, load_zip_of_slices(tmp_path).array)
    assert (
        sum(note.startswith("1 file(s) that could not be read as an image were left out.") for note in scan.notes) == 1
    )


def load_zip_of_slices(folder):
    (folder / "good.zip").write_bytes(zip_bytes(slices(4)))
    return load_scan(folder / "good.zip")


def test_a_zip_of_nothing_but_a_damaged_member_is_refused(tmp_path):
    content = bytearray(
        zip_bytes({"a.nii.gz": gzip.compress(nifti_header([3, 4, 5, 6]) + bytes(240))}, zipfile.ZIP_STORED)
    )
    content[content.rfind(b"PK\x01\x02") + 16] ^= 0xFF
    (tmp_path / "z.zip").write_bytes(content)
    with pytest.raises(BadInput, match="damaged"):
        load_scan(tmp_path / "z.zip")
