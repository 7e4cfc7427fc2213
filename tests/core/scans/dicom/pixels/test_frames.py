"""A colour picture reaches a network of three channels as the same picture does from PNG."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import compress
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from core.errors import BadInput
from core.models.card import InputContract, Intensity
from core.models.inputs import prepare
from core.scans import load_scan
from tests.core.scans.making import dicom, png, save, slice_at
from tests.shared import SHARED_DATA

CASES = SHARED_DATA / "public_cases"
ROWS, COLUMNS = 32, 40
COLOUR_MODEL = InputContract(dimensions=2, channels=3, shape=(ROWS, COLUMNS), intensity=Intensity(low=0, high=1))


def picture(dtype=np.uint8):
    """Colours that no channel shares with another."""
    top = np.iinfo(dtype).max
    row, column = np.mgrid[:ROWS, :COLUMNS]
    colours = np.stack([row / ROWS, column / COLUMNS, (row + column) / (ROWS + COLUMNS)], axis=-1)
    return (colours * top).astype(dtype)


def planar(data):
    data.PlanarConfiguration = 1
    data.PixelData = np.moveaxis(picture(), -1, 0).tobytes()
    return data


def ybr(data):
    data.PhotometricInterpretation = "YBR_FULL"
    data.PixelData = convert_color_space(picture(), "RGB", "YBR_FULL").tobytes()
    return data


def jpeg(data):
    content = io.BytesIO()
    Image.fromarray(picture()).save(content, format="JPEG", quality=100, subsampling=0)
    data.file_meta.TransferSyntaxUID, data.PhotometricInterpretation = JPEGBaseline8Bit, "YBR_FULL"
    data.PixelData = encapsulate([content.getvalue()])
    data["PixelData"].is_undefined_length = True
    return data


def compressed(syntax):
    def change(data):
        compress(data, syntax, generate_instance_uid=False)
        return data

    return change


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: data, 0),
        (planar, 0),
        (ybr, 2),
        (jpeg, 6),
        (compressed(RLELossless), 0),
        (compressed(JPEG2000Lossless), 0),
    ],
    ids=["RGB", "planar", "YBR", "JPEG", "RLE", "JPEG 2000"],
)
def test_the_same_picture_as_dicom_and_png_is_fed_alike(change, error, tmp_path):
    (tmp_path / "p.png").write_bytes(png(picture()))
    one = load_scan(save(change(dicom(picture(), Modality="XC")), tmp_path / "p.dcm"))
    other = load_scan(tmp_path / "p.png")
    assert one.units == other.units == "8-bit"
    np.testing.assert_allclose(one.colours, other.colours, atol=error)
    np.testing.assert_allclose(one.array, other.array, atol=error)
    fed, meant = (prepare(scan, COLOUR_MODEL).tensor.numpy() for scan in (one, other))
    np.testing.assert_allclose(fed, meant, atol=error / 255 + 1e-6)
    if not error:
        assert "Colour (RGB) read as luminance." in one.notes


def test_16_bit_colours_are_fed_as_a_share_of_their_full_scale(tmp_path):
    scan = load_scan(save(dicom(picture(np.uint16), Modality="XC"), tmp_path / "p.dcm"))
    assert scan.units == "16-bit"
    np.testing.assert_allclose(
        prepare(scan, COLOUR_MODEL).tensor[0], np.moveaxis(picture(np.uint16), -1, 0) / 65535, atol=1e-6
    )


def test_every_frame_of_a_film_keeps_its_colours(tmp_path):
    frames = np.stack([picture(), picture()[::-1], picture()[:, ::-1]])
    data = dicom(picture(), Modality="US", NumberOfFrames=3)
    data.PixelData = frames.tobytes()
    path = save(data, tmp_path / "p.dcm")
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(load_scan(path, volume=index).colours, np.moveaxis(frame, -1, 0))


def test_a_volume_of_colours_keeps_them_voxel_by_voxel(tmp_path):
    for place in range(3):
        save(slice_at((0, 0, place), np.roll(picture(), place, axis=0)), tmp_path / f"{place}.dcm")
    scan = load_scan(tmp_path)
    assert (scan.shape, scan.channels, scan.colours.shape) == ((COLUMNS, ROWS, 3), 1, (3, COLUMNS, ROWS, 3))
    for place in range(3):
        stored = np.roll(picture(), place, axis=0)
        np.testing.assert_array_equal(scan.colours[:, ::-1, ::-1, place].T, stored)


def test_grey_stored_in_three_equal_channels_is_grey(tmp_path):
    grey = np.repeat(picture()[..., :1], 3, axis=-1)
    scan = load_scan(save(dicom(grey, Modality="US"), tmp_path / "p.dcm"))
    assert scan.colours is None
    np.testing.assert_array_equal(scan.array[0], grey[..., 0])
    assert not any("luminance" in note for note in scan.notes)


@pytest.mark.parametrize("space", ["YBR_PARTIAL_422", "CMYK", "HSV", "MONOCHROME2"])
def test_colours_that_would_come_out_wrong_are_refused(space, tmp_path):
    with pytest.raises(BadInput, match="export it as RGB"):
        load_scan(save(dicom(picture(), PhotometricInterpretation=space), tmp_path / "p.dcm"))


def test_colours_of_16_bits_that_no_library_turns_to_rgb_are_refused(tmp_path):
    data = dicom(picture(np.uint16), PhotometricInterpretation="YBR_FULL")
    with pytest.raises(BadInput, match="export it as RGB"):
        load_scan(save(data, tmp_path / "p.dcm"))


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared test images are not there")
def test_the_public_picture_is_the_same_from_both_files():
    one, other = (load_scan(CASES / f"colour-picture/picture.{ending}") for ending in ("dcm", "png"))
    contract = COLOUR_MODEL.model_copy(update={"shape": (32, 32)})
    np.testing.assert_array_equal(one.colours, other.colours)
    np.testing.assert_array_equal(prepare(one, contract).tensor, prepare(other, contract).tensor)
