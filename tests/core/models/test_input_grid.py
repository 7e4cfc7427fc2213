"""What is round in the patient is round for the network, whatever shape the scan's pixels have."""

import numpy as np
import pytest

from core.models.card import InputContract, Intensity
from core.models.inputs import prepare
from core.scans import load_scan
from core.scans.scan import Scan
from tests.core.scans.making import dicom, save

GREY = Intensity(low=0, high=1)
#: Height and width of a pixel; the shorter side 1 where only their ratio is known.
SIDES = [(1.0, 1.0), (1.2, 1.0), (1.0, 1.5), (0.2, 0.3), (0.6, 0.2), (0.3, 0.3)]


def disc(sides, extent=60.0, around=(1.0, 1.0)):
    """A round thing in a square field of view `extent` times the shorter side wide, pixels of `sides`; its shape."""
    unit = min(sides)
    shape = tuple(round(extent * unit * more / side) for side, more in zip(sides, around, strict=True))
    rows, columns = ((np.arange(n) - (n - 1) / 2) * side for n, side in zip(shape, sides, strict=True))
    return (rows[:, None] ** 2 + columns[None] ** 2 < (extent * unit / 4) ** 2).astype(np.float32)


def as_scan(sides, **more):
    return Scan(disc(sides, **more)[None], np.diag([*sides, 1.0, 1.0]))


def height_over_width(image, sides=(1.0, 1.0)):
    tall, wide = (np.ptp(np.argwhere(image > 0.5), axis=0) + 1) * sides
    return tall / wide


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("around", [(1, 1), (1, 2), (2, 1)])
@pytest.mark.parametrize("fixed", [(96, 96), (80, 160), None])
def test_round_things_reach_a_network_round(sides, around, fixed):
    scan = as_scan(sides, around=around)
    prepared = prepare(scan, InputContract(dimensions=2, shape=fixed, multiple_of=1, intensity=GREY))
    image = prepared.tensor[0, 0].numpy()
    assert fixed is None or image.shape == fixed
    assert height_over_width(image) == pytest.approx(1, abs=0.08)
    # and nothing of it is moved: the disc stays in the middle
    middle = np.argwhere(image > 0.5).mean(axis=0)
    np.testing.assert_allclose(middle, (np.array(image.shape) - 1) / 2, atol=0.6)
    back = prepared.to_scan(image)
    assert back.shape == scan.shape
    assert np.mean((back > 0.5) == (scan.array[0] > 0.5)) > 0.97
    assert any("as high as wide" in note for note in prepared.notes) == (sides[0] != sides[1])


@pytest.mark.parametrize("sides", [(0.6, 0.2), (0.3, 0.3), (0.9, 0.6)])
def test_pixels_take_the_shape_that_the_contract_gives(sides):
    contract = InputContract(dimensions=2, shape=(64, 128), spacing_mm=(0.5, 0.25), intensity=GREY)
    image = prepare(as_scan(sides), contract).tensor[0, 0].numpy()
    assert height_over_width(image, (0.5, 0.25)) == pytest.approx(1, abs=0.06)


def test_pixels_of_the_models_own_shape_are_fed_as_they_are():
    scan = as_scan((0.6, 0.2))
    contract = InputContract(dimensions=2, shape=scan.shape, spacing_mm=(3, 1), intensity=GREY)
    prepared = prepare(scan, contract)
    np.testing.assert_array_equal(prepared.tensor[0], scan.array)
    assert prepared.notes == ()


def test_a_rounding_of_the_spacing_is_no_reason_to_resample():
    scan = as_scan((0.2, 0.2009))
    prepared = prepare(scan, InputContract(dimensions=2, shape=scan.shape, intensity=GREY))
    np.testing.assert_array_equal(prepared.tensor[0], scan.array)


@pytest.mark.parametrize("fixed", [(96, 96), None])
def test_a_plane_of_thick_slices_is_fed_with_square_pixels(fixed):
    sides = (4.0, 1.0)
    flat = disc(sides, extent=80.0)
    # (right, anterior, superior) of a coronal plane: columns, one, rows counted from below
    volume = np.repeat(flat.T[::-1, None, ::-1], 3, axis=1)
    scan = Scan(np.ascontiguousarray(volume)[None], np.diag([1.0, 2.0, 4.0, 1.0]))
    contract = InputContract(dimensions=2, plane="coronal", position_mm=2.0, shape=fixed, intensity=GREY)
    prepared = prepare(scan, contract)
    assert prepared.spacing_mm[0] == pytest.approx(prepared.spacing_mm[1])
    assert height_over_width(prepared.tensor[0, 0].numpy()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("elements", [{"PixelAspectRatio": [6, 5]}, {"PixelSpacing": [0.6, 0.5]}])
def test_a_dicom_picture_of_oblong_pixels_is_fed_like_the_square_one(elements, tmp_path):
    oblong = (disc((1.2, 1.0)) * 255).astype(np.uint8)
    square = (disc((1.0, 1.0)) * 255).astype(np.uint8)
    contract = InputContract(dimensions=2, shape=(60, 60), intensity=GREY)
    one = prepare(load_scan(save(dicom(oblong, Modality="US", **elements), tmp_path / "a.dcm")), contract)
    other = prepare(load_scan(save(dicom(square, Modality="US"), tmp_path / "b.dcm")), contract)
    assert float((one.tensor - other.tensor).abs().mean()) < 0.02
    assert float(((one.tensor > 0.5) != (other.tensor > 0.5)).float().mean()) < 0.01
    assert one.in_millimetres == ("PixelSpacing" in elements)
