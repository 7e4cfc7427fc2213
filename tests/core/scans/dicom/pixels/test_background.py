"""Padding is background: never brighter than the image, and in no statistics of it."""

import numpy as np
import pytest
from pydicom.pixels import compress
from pydicom.uid import JPEG2000Lossless, RLELossless

from core.models.card import InputContract, Intensity
from core.models.inputs import prepare
from core.scans import load_scan
from tests.core.scans.making import dicom, save, slice_at
from tests.shared import SHARED_DATA

CASES = SHARED_DATA / "public_cases"


def padded(dtype, padding, low=1000, high=1500):
    """Image between `low` and `high` whose left third is `padding`, and where that is."""
    image = np.linspace(low, high, 36 * 42).reshape(36, 42).astype(dtype)
    image[image == padding] += 1
    image[:, :14] = padding
    where = np.zeros(image.shape, bool)
    where[:, :14] = True
    return image, where


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("padding", [0, 4095, 1300])
@pytest.mark.parametrize("syntax", [None, RLELossless, JPEG2000Lossless])
def test_padding_is_the_lowest_value_of_the_image(photometric, padding, syntax, tmp_path):
    image, where = padded(np.uint16, padding)
    data = dicom(image, Modality="DX", PhotometricInterpretation=photometric, BitsStored=12, HighBit=11)
    data.PixelPaddingValue = padding
    if syntax:
        compress(data, syntax, generate_instance_uid=False)
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    own = (4095 - image.astype(int) if photometric == "MONOCHROME1" else image)[~where]
    np.testing.assert_array_equal(scan.array[0][~where], own)
    assert set(scan.array[0][where].tolist()) == {own.min()}
    assert any("33% of the image is padding" in note for note in scan.notes)


def test_a_padding_value_that_tissue_has_too_is_padding_only_at_the_edge(tmp_path):
    """0 HU named as padding of an image from -100 to 399: water stays water."""
    image = (np.arange(24 * 30).reshape(24, 30) % 500 - 100).astype(np.int16)
    image[0] = image[:, 0] = -50
    image[5:9, 5:9] = 0
    data = slice_at((0, 0, 0), image, Modality="CT", PixelPaddingValue=0, RescaleSlope=1, RescaleIntercept=0)
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(scan.array[0], image)
    assert scan.notes == ()


def test_a_padding_range_counts_between_its_ends(tmp_path):
    image, where = padded(np.uint16, 5)
    image[:, 5:14] = 20
    data = dicom(image, Modality="MG", PixelPaddingValue=5, PixelPaddingRangeLimit=20)
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    assert set(scan.array[0][where].tolist()) == {image[~where].min()}


@pytest.mark.parametrize("representation", ["SS", "US"])
def test_padding_of_ct_is_neither_air_nor_in_the_percentiles(representation, tmp_path):
    """A round field of view in a square: -2000 stored, -3024 HU if it were an intensity."""
    for place in range(3):
        image = padded(np.int16, -2000, 24, 1524)[0]
        lowest = image[image > -2000].min() - 1024
        data = slice_at((0, 0, place), image, Modality="CT", RescaleSlope=1, RescaleIntercept=-1024)
        data.add_new("PixelPaddingValue", representation, -2000 if representation == "SS" else 63536)
        save(data, tmp_path / f"{place}.dcm")
    scan = load_scan(tmp_path)
    assert scan.units == "HU"
    assert scan.array.min() == lowest
    assert sum("padding" in note for note in scan.notes) == 1
    wanted = InputContract(dimensions=3, intensity=Intensity(low=0, high=1, rescale="minmax"))
    fed = prepare(scan, wanted).tensor
    assert float(np.median(fed[fed > 0])) > 0.4


def test_an_image_of_nothing_but_padding_stays_as_it_is(tmp_path):
    scan = load_scan(save(dicom(np.full((4, 5), 7, np.uint16), PixelPaddingValue=7), tmp_path / "a.dcm"))
    assert set(scan.array.ravel().tolist()) == {7}
    assert scan.notes == ("The file does not say how large a pixel is: 1 mm is assumed.",)


def test_a_padding_value_that_does_not_occur_says_nothing(tmp_path):
    image, _ = padded(np.uint16, 1300)
    scan = load_scan(save(slice_at((0, 0, 0), image, PixelPaddingValue=0), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(scan.array[0], image)
    assert scan.notes == ()


def test_padding_that_has_more_bits_than_a_value_is_found(tmp_path):
    image, where = padded(np.uint16, 63536)
    data = dicom(image, Modality="CT", BitsStored=12, HighBit=11, PixelPaddingValue=63536)
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    assert set(scan.array[0][where].tolist()) == {image[~where].min()}


def test_every_frame_has_its_own_padding(tmp_path):
    first, where = padded(np.uint16, 0)
    path = save(dicom(np.stack([first, first + 100]), Modality="XA", PixelPaddingValue=100), tmp_path / "a.dcm")
    np.testing.assert_array_equal(load_scan(path, volume=0).array[0], first)
    assert set(load_scan(path, volume=1).array[0][where].tolist()) == {first[~where].min() + 100}


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared test images are not there")
def test_the_public_film_has_a_dark_border():
    import pydicom

    stored = pydicom.dcmread(CASES / "dcm-mono1-padding/a.dcm").pixel_array
    scan = load_scan(CASES / "dcm-mono1-padding/a.dcm")
    np.testing.assert_array_equal(scan.array[0][stored > 0], 4095 - stored[stored > 0].astype(int))
    assert set(scan.array[0][stored == 0].tolist()) == {4095 - stored.max()}
