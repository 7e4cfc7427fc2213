"""Pictures become one channel with the values they store, the way up they are meant."""

import io

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.scans import list_series, load_scan
from tests.core.scans.making import asymmetric, png, write_colour_png


def write(tmp_path, image, name, **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize(("dtype", "units"), [(np.uint8, "8-bit"), (np.uint16, "16-bit")])
def test_grey_values_are_kept_as_stored(name, dtype, units, tmp_path):
    stored = asymmetric((12, 20), dtype) * dtype(273 if dtype is np.uint16 else 1)
    scan = load_scan(write(tmp_path, Image.fromarray(stored), name))
    np.testing.assert_array_equal(scan.array[0], stored)
    assert (scan.units, scan.notes, scan.array.dtype) == (units, (), np.float32)
    np.testing.assert_array_equal(scan.affine, np.eye(4))


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
def test_compressed_tiff_is_read(compression, tmp_path):
    stored = asymmetric((12, 20), np.uint16)
    path = write(tmp_path, Image.fromarray(stored), "a.tif", compression=compression)
    np.testing.assert_array_equal(load_scan(path).array[0], stored)


def test_jpeg_is_read(tmp_path):
    scan = load_scan(write(tmp_path, Image.fromarray(np.full((16, 24), 90, np.uint8)), "a.jpg"))
    assert scan.shape == (16, 24)
    assert scan.units == "8-bit"
    np.testing.assert_allclose(scan.array, 90, atol=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(orientation, tmp_path):
    upright = asymmetric((3, 5), np.uint8) * np.uint8(10)
    inverse = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.T,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = write(tmp_path, Image.fromarray(np.ascontiguousarray(inverse(upright))), "a.png", exif=exif)
    scan = load_scan(path)
    np.testing.assert_array_equal(scan.array[0], upright)
    assert list_series(path)[0].shape == (3, 5)
    assert any("EXIF" in note for note in scan.notes) == (orientation != 1)


def test_colour_is_read_as_luminance_and_says_so(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)
    scan = load_scan(write(tmp_path, Image.fromarray(colours), "a.png"))
    np.testing.assert_allclose(scan.array[0], colours @ [0.299, 0.587, 0.114], atol=1e-3)
    assert any("luminance" in note for note in scan.notes)
    np.testing.assert_array_equal(scan.colours, colours.transpose(2, 0, 1))
    assert scan.colours.dtype == np.float32


def test_colours_are_turned_upright_with_the_picture(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 3  # stored upside down
    scan = load_scan(write(tmp_path, Image.fromarray(np.ascontiguousarray(colours[::-1, ::-1])), "a.png", exif=exif))
    np.testing.assert_array_equal(scan.colours, colours.transpose(2, 0, 1))


def test_grey_stored_as_colour_is_grey(tmp_path):
    grey = asymmetric((6, 7), np.uint8)
    scan = load_scan(write(tmp_path, Image.fromarray(np.dstack([grey] * 3)), "a.png"))
    np.testing.assert_array_equal(scan.array[0], grey)
    assert scan.notes == ()
    assert scan.colours is None


def test_a_palette_is_looked_up(tmp_path):
    image = Image.fromarray(asymmetric((2, 2), np.uint8)).convert("P")
    image.putpalette([10, 10, 10, 200, 200, 200, 30, 30, 30, 90, 90, 90])
    assert load_scan(write(tmp_path, image, "a.png")).array[0].tolist() == [[10, 200], [30, 90]]


def test_transparency_is_left_out_and_says_so(tmp_path):
    colours = np.dstack([np.full((3, 4), 50, np.uint8)] * 3 + [np.zeros((3, 4), np.uint8)])
    scan = load_scan(write(tmp_path, Image.fromarray(colours), "a.png"))
    assert (scan.array == 50).all()
    assert scan.notes == ("Transparency was left out.",)


def test_sixteen_bit_colour_of_a_png_is_read_at_eight_bits_and_says_so(tmp_path):
    scan = load_scan(write_colour_png(tmp_path / "a.png", np.full((6, 7, 3), 256 * 80, np.uint16)))
    np.testing.assert_allclose(scan.array, 80, atol=1)
    assert any("read at 8 bits" in note for note in scan.notes)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_with_white_as_zero_is_inverted(dtype, tmp_path):
    import tifffile

    stored = asymmetric((4, 5), dtype)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="miniswhite")
    np.testing.assert_array_equal(load_scan(tmp_path / "a.tif").array[0], np.iinfo(dtype).max - stored)


def test_a_tiff_of_several_pages_is_read_page_by_page(tmp_path):
    pages = [Image.fromarray(np.full((4, 5), value, np.uint8)) for value in (10, 20, 30)]
    path = write(tmp_path, pages[0], "a.tif", save_all=True, append_images=pages[1:])
    first = load_scan(path)
    assert (first.array == 10).all()
    assert any("3 pages" in note for note in first.notes)
    assert (load_scan(path, volume=2).array == 30).all()
    assert list_series(path)[0].volumes == 3
    with pytest.raises(BadInput, match="no page 3"):
        load_scan(path, volume=3)


def test_one_bit_pictures_are_black_and_white(tmp_path):
    image = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1")
    assert load_scan(write(tmp_path, image, "a.png")).array[0].tolist() == [[0, 255], [255, 0]]


def test_floating_point_tiff_is_read_and_its_nan_replaced(tmp_path):
    stored = np.array([[0.5, np.nan], [2.5, -1]], np.float32)
    scan = load_scan(write(tmp_path, Image.fromarray(stored), "a.tif"))
    assert scan.array[0].tolist() == [[0.5, 0], [2.5, -1]]
    assert scan.units is None
    assert any(note.startswith("1 voxels") for note in scan.notes)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
def test_a_cut_off_picture_is_refused(format, tmp_path):
    content = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    Image.fromarray(noise).save(content, format=format)
    (tmp_path / "cut").write_bytes(content.getvalue()[: len(content.getvalue()) // 2])
    with pytest.raises(BadInput, match="damaged"):
        load_scan(tmp_path / "cut")


def test_nothing_of_the_text_in_a_picture_gets_into_the_scan(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("PatientName", "Sm1th")
    (tmp_path / "a.png").write_bytes(png(asymmetric((3, 4), np.uint8), pnginfo=text))
    assert "Sm1th" not in repr(load_scan(tmp_path / "a.png"))
