"""Whether a head lies in MNI space."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from core.acceptance.space import Place, place_of_picture, place_of_volume
from core.models.input_grid import contract_grid
from core.models.inputs import prepare
from core.models.library import load_model
from core.phantoms.grey_matter.generator import mni_grid, template, template_scan
from core.scans import Scan, load_scan
from tests.shared import SHARED_DATA


@pytest.fixture(scope="module")
def head() -> Scan:
    grid = mni_grid(3.0)
    noise = 0.02 * np.random.default_rng(0).normal(size=grid.shape)
    return Scan((template(grid) + noise)[None].astype(np.float32), grid.affine)


@pytest.mark.parametrize("gain, offset", [(1, 0), (900, 50), (-1, 1), (1e-3, 0)])
def test_a_head_in_its_place_is_found_whatever_its_values_are(head, gain, offset):
    assert place_of_volume(replace(head, array=head.array * gain + offset)).found


@pytest.mark.parametrize("blur", [0, 1, 2])
def test_also_where_it_is_blurred(head, blur):
    assert place_of_volume(replace(head, array=ndimage.gaussian_filter(head.array, (0, blur, blur, blur)))).found


def _moved(axis, millimetres):
    move = np.eye(4)
    move[axis, 3] = millimetres
    return move


def _turned(degrees):
    turn, angle = np.eye(4), np.deg2rad(degrees)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn


@pytest.mark.parametrize(
    "move",
    [
        _moved(0, 10),
        _moved(1, -15),
        _moved(2, 60),
        _moved(1, 400),
        _turned(20),
        _turned(180),
        np.diag([1.2, 1.2, 1.2, 1]),
        np.diag([0.8, 0.8, 0.8, 1]),
        np.diag([1.0, -1, 1, 1]),
        np.diag([1.0, 1, -1, 1]),
        np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    ],
    ids=["10 mm", "15 mm", "60 mm", "away", "20°", "180°", "large", "small", "back to front", "upside down", "axes"],
)
def test_a_head_in_another_place_is_not(head, move):
    assert not place_of_volume(replace(head, affine=move @ head.affine)).found


def test_noise_and_one_value_are_nowhere(head):
    noise = np.random.default_rng(0).random(head.array.shape, dtype=np.float32)
    assert not place_of_volume(replace(head, array=noise)).found
    assert not place_of_volume(replace(head, array=np.ones_like(head.array))).found


def test_a_part_of_a_head_says_how_much_of_the_brain_it_covers(head):
    slab = replace(head, array=head.array[:, :, :, 30:34], affine=head.affine @ _moved(2, 30))
    place = place_of_volume(slab)
    assert place.cover < 0.2
    assert not place.found


def test_a_picture_is_the_slice_that_it_is_said_to_be_or_is_not():
    contract = load_model("alzheimer-phantom-slice", device="cpu").card.input
    grid = contract_grid(contract)
    image = prepare(template_scan(), contract).tensor[0, 0].numpy()
    inside = np.ones(image.shape, bool)
    assert place_of_picture(image, inside, grid, "coronal").found
    assert not place_of_picture(image[::-1], inside, grid, "coronal").found
    assert not place_of_picture(np.rot90(image), inside, grid, "coronal").found
    other = contract.model_copy(update={"position_mm": -70.0})
    elsewhere = prepare(template_scan(), other).tensor[0, 0].numpy()
    assert not place_of_picture(elsewhere, inside, grid, "coronal").found


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the shared test images are not here")
def test_real_scans_in_mni_are_found_and_whole_heads_in_the_scanner_are_not():
    in_mni = [*sorted(SHARED_DATA.glob("gm_maps/*.nii.gz"))[::4], *sorted(SHARED_DATA.glob("fdg_pet/*.nii.gz"))[1::16]]
    found = [place_of_volume(load_scan(path)).found for path in in_mni]
    assert np.mean(found) >= 0.9  # PET of 4 mm says least of where it lies
    assert not any(place_of_volume(load_scan(path)).found for path in sorted(SHARED_DATA.glob("t1_ixi/*.nii*")))


def test_a_scan_is_found_clearly_only_where_the_template_fits_nowhere_better():
    assert Place(0.8, 0.8, 1.0, 0.02).clear
    assert not Place(0.8, 0.81, 1.0, 0.02).clear
    assert Place(0.8, 0.81, 1.0, 0.02).found
    assert not Place(0.8, 0.5, 0.3).clear
