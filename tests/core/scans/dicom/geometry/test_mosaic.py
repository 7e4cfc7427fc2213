"""Mosaics are known by their structure; what says where its slices lie is taken apart, the rest is refused."""

import gzip
import math
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.nicom import dicomwrappers
from pydicom import dcmread

from core.errors import BadInput
from core.scans import list_series, load_scan
from tests.core.scans.dicom.making import enhanced, group
from tests.core.scans.making import AXIAL, asymmetric, dicom, save, slice_at

REAL = Path(nib.__file__).parent / "nicom" / "tests" / "data"
OBLIQUE = (0.96, 0.28, 0.0, -0.28 * 0.8, 0.96 * 0.8, 0.6)
ROWS, COLUMNS = 6, 8


def siemens_header(**tags):
    """Siemens' own header ("CSA2") with numbers in it."""
    content = b"SV10\4\3\2\1" + struct.pack("<2I", len(tags), 77)
    for name, values in tags.items():
        content += struct.pack("<64si4s3i", name.encode(), len(values), b"FD", 4, len(values), 77)
        for value in values:
            text = f"{value:.8f}".encode() + b"\0"
            content += struct.pack("<4i", len(text), len(text), 77, len(text)) + text + bytes(-len(text) % 4)
    return content


def slices_of(count, volume=0):
    return np.stack([asymmetric((ROWS, COLUMNS)) + np.int16(100 * place + 5000 * volume) for place in range(count)])


def picture_of(slices):
    across = math.ceil(math.sqrt(len(slices)))
    picture = np.zeros((across * ROWS, across * COLUMNS), slices.dtype)
    for number, pixels in enumerate(slices):
        row, column = divmod(number, across)
        picture[row * ROWS : (row + 1) * ROWS, column * COLUMNS : (column + 1) * COLUMNS] = pixels
    return picture


def mosaic(slices, first, orientation=AXIAL, sign=1, header=True, says_so=True, **more):
    """A mosaic of Siemens whose first slice has its first pixel at `first`, LPS mm."""
    picture = picture_of(slices)
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    # the corner that one picture of this size would have about the centre of the slice
    corner = first - row * 3.0 * (picture.shape[1] - COLUMNS) / 2 - column * 2.0 * (picture.shape[0] - ROWS) / 2
    data = slice_at(corner, picture, orientation, SpacingBetweenSlices=4.0, **more)
    data.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", *(["MOSAIC"] if says_so else [])]
    normal = sign * np.cross(row, column)
    data.private_block(0x19, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", len(slices))
    if header:
        content = siemens_header(
            NumberOfImagesInMosaic=[len(slices)], SliceNormalVector=normal, ProtocolSliceNumber=[0]
        )
        data.private_block(0x29, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", content)
    return data


@pytest.mark.parametrize("count", [4, 7, 9, 10])
@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE], ids=["axial", "oblique"])
@pytest.mark.parametrize("sign", [1, -1], ids=["up", "down"])
@pytest.mark.parametrize("says_so", [True, False])
def test_every_voxel_of_a_mosaic_lies_where_its_header_says(count, orientation, sign, says_so, tmp_path):
    first, slices = np.array([-10.0, 20.0, 5.0]), slices_of(count)
    scan = load_scan(save(mosaic(slices, first, orientation, sign, says_so=says_so), tmp_path / "a"))
    assert sorted(scan.shape) == sorted((COLUMNS, ROWS, count))
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal, inverse = sign * np.cross(row, column), np.linalg.inv(scan.affine)
    for (place, r, c), value in np.ndenumerate(slices):
        lps = first + normal * 4.0 * place + row * 3.0 * c + column * 2.0 * r
        index = inverse @ [-lps[0], -lps[1], lps[2], 1]
        np.testing.assert_allclose(index, np.round(index), atol=1e-3)
        assert scan.array[(0, *np.round(index[:3]).astype(int))] == value


def test_mosaics_of_a_series_are_its_volumes(tmp_path):
    for volume in (2, 0, 1):
        data = mosaic(slices_of(5, volume), np.array([0, 0, 0.2 * volume]), InstanceNumber=volume + 1)
        save(data, tmp_path / f"{7 - volume}")
    (choice,) = list_series(tmp_path)
    assert (choice.volumes, choice.shape, choice.files) == (3, (COLUMNS, ROWS, 5), 3)
    for volume in range(3):
        scan = choice.read(volume)
        assert np.unique(scan.array // 5000).tolist() == [volume]
        assert scan.affine[2, 3] == pytest.approx(0.2 * volume)


@pytest.mark.parametrize("name", ["siemens_dwi_0.dcm.gz", "siemens_dwi_1000.dcm.gz"])
def test_real_mosaics_are_what_nibabel_makes_of_them(name):
    with gzip.open(REAL / name) as stream:
        data = dcmread(stream)
    wrapper = dicomwrappers.wrapper_from_data(data)
    scan = load_scan(REAL / name)
    expected = nib.as_closest_canonical(
        nib.Nifti1Image(np.asarray(wrapper.get_data(), np.float32), np.diag([-1, -1, 1, 1]) @ wrapper.affine)
    )
    assert scan.shape == (128, 128, 48)
    np.testing.assert_allclose(scan.affine, expected.affine, atol=1e-3)  # nibabel takes a normal of 5 digits
    np.testing.assert_array_equal(scan.array[0], expected.get_fdata())
    assert scan.notes == ()


def test_a_mosaic_that_does_not_say_where_its_slices_lie_is_refused(tmp_path):
    first = np.zeros(3)
    turned = mosaic(slices_of(4), first)
    turned[0x29, 0x1010].value = siemens_header(
        NumberOfImagesInMosaic=[4], SliceNormalVector=[0, 0, 1], ProtocolSliceNumber=[3]
    )
    no_place = mosaic(slices_of(4), first)
    del no_place.ImagePositionPatient
    broken = mosaic(slices_of(4), first)
    broken[0x29, 0x1010].value = b"SV10\4\3\2\1" + b"\xff" * 60
    uneven = mosaic(slices_of(4), first)
    uneven[0x19, 0x100A].value = 5
    word = slice_at((0, 0, 0), picture_of(slices_of(4)), ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    uih = slice_at((0, 0, 0), picture_of(slices_of(4)), ImageType=["ORIGINAL", "PRIMARY", "M", "VFRAME"])
    uih.private_block(0x65, "Image Private Header", create=True).add_new(0x50, "DS", "4")
    unmarked = slice_at((0, 0, 0), np.zeros((256, 256), np.int16), AcquisitionMatrix=[64, 0, 0, 64])
    unmarked.PixelSpacing = [3.5, 3.5]
    refused = {
        "no header": mosaic(slices_of(4), first, header=False),
        "turned": turned,
        "no place": no_place,
        "broken": broken,
        "uneven": uneven,
        "only the word": word,
        "UIH": uih,
        "no mark at all": unmarked,
    }
    for name, data in refused.items():
        with pytest.raises(BadInput, match="side by side in one picture"):
            load_scan(save(data, tmp_path / name))


@pytest.mark.parametrize("word", ["MOSAIC", "ND"])
def test_frames_that_have_places_are_a_volume_whatever_the_image_type_says(word, tmp_path):
    def tell(item, volume, place):
        group(item, "FrameContentSequence", TemporalPositionIndex=volume + 1)

    data = enhanced(tell, volumes=2)
    data.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", word]
    assert [(choice.volumes, choice.shape) for choice in list_series(save(data, tmp_path / "a"))] == [(2, (5, 4, 4))]


def test_frames_that_are_mosaics_themselves_are_refused(tmp_path):
    data = dicom(np.stack([picture_of(slices_of(4))] * 3), ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    with pytest.raises(BadInput, match="side by side in one picture"):
        load_scan(save(data, tmp_path / "a"))


@pytest.mark.parametrize(
    ("shape", "spacing"), [((256, 256), 0.9), ((512, 512), 0.45), ((384, 384), 1.0)], ids=["256", "512", "384"]
)
def test_an_interpolated_slice_is_no_mosaic(shape, spacing, tmp_path):
    data = slice_at((0, 0, 0), np.zeros(shape, np.int16), AcquisitionMatrix=[128, 0, 0, 128])
    data.PixelSpacing = [spacing, spacing]
    assert load_scan(save(data, tmp_path / "a")).shape == shape
