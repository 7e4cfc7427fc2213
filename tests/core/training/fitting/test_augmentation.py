"""What each transform alone does, measured on films that hold their own coordinates."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from core.training.fitting.augmentation import Augmentation
from core.training.fitting.parameters import AugmentationRanges

NOTHING = {"crop": 0, "rotation": 0, "translation": 0, "shear": 0, "stretch": 0, "flip": 0, "upside_down": 0}
SIDE = 33


def only(**ranges: float) -> AugmentationRanges:
    return AugmentationRanges(**(NOTHING | ranges))


def drawn_maps(
    ranges: AugmentationRanges, count: int = 60, shape: tuple[int, int] = (SIDE, SIDE)
) -> tuple[np.ndarray, np.ndarray]:
    """Linear parts (count, 2, 2) and offsets (count, 2) of the maps from new to old pixels, from the centre.

    Linear interpolation of a film of coordinates is exact, so what lands in the middle tells where it came from.
    """
    from_centre = [torch.arange(side, dtype=torch.float32) - side // 2 for side in shape]
    film = torch.stack(torch.meshgrid(*from_centre, indexing="ij"))
    made = Augmentation(ranges, seed=3)(film.expand(count, -1, -1, -1)).numpy().astype(float)
    row, column = (side // 2 for side in shape)
    offsets = made[:, :, row, column]
    down, right = made[:, :, row + 1, column] - offsets, made[:, :, row, column + 1] - offsets
    return np.stack([down, right], axis=2), offsets


def test_ranges_of_nothing_change_nothing() -> None:
    films = torch.rand(4, 1, 20, 24)
    torch.testing.assert_close(Augmentation(only(), 0)(films), films, atol=1e-4, rtol=0)


def test_a_flip_mirrors_left_and_right_and_nothing_else() -> None:
    films = torch.rand(40, 1, 20, 24)
    made = Augmentation(only(flip=0.5), 0)(films)
    as_it_was = (made - films).abs().amax(dim=(1, 2, 3)) < 1e-4
    mirrored = (made - films.flip(3)).abs().amax(dim=(1, 2, 3)) < 1e-4
    assert (as_it_was ^ mirrored).all()
    assert 10 <= int(mirrored.sum()) <= 30
    torch.testing.assert_close(Augmentation(only(flip=1), 0)(films), films.flip(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(Augmentation(only(upside_down=1), 0)(films), films.flip(2), atol=1e-4, rtol=0)


def test_a_rotation_turns_about_the_middle_up_to_its_degrees_either_way() -> None:
    linear, offsets = drawn_maps(only(rotation=30))
    np.testing.assert_allclose(offsets, 0, atol=1e-4)
    angles = np.degrees(np.arctan2(linear[:, 1, 0], linear[:, 0, 0]))
    turned = np.radians(angles)
    expected = np.array([[np.cos(turned), -np.sin(turned)], [np.sin(turned), np.cos(turned)]]).transpose(2, 0, 1)
    np.testing.assert_allclose(linear, expected, atol=1e-4)
    assert -30 <= angles.min() < -20 and 20 < angles.max() <= 30


def test_a_translation_moves_rows_and_columns_up_to_its_share_of_the_side() -> None:
    linear, offsets = drawn_maps(only(translation=0.25))
    np.testing.assert_allclose(linear, np.tile(np.eye(2), (len(linear), 1, 1)), atol=1e-4)
    for axis in (0, 1):
        assert 0.8 < np.abs(offsets[:, axis]).max() / (0.25 * SIDE) <= 1.0001
        assert offsets[:, axis].min() < 0 < offsets[:, axis].max()
    assert abs(np.corrcoef(offsets.T)[0, 1]) < 0.4


def test_a_wide_film_moves_and_is_cropped_by_shares_of_its_own_sides() -> None:
    shape = (SIDE, 2 * SIDE - 1)
    _, offsets = drawn_maps(only(translation=0.25), shape=shape)
    assert ((np.abs(offsets).max(axis=0) / np.array(shape) > 0.2) & (np.abs(offsets) <= 0.2501 * np.array(shape))).all()
    linear, offsets = drawn_maps(only(crop=0.4), shape=shape)
    reached = np.abs(offsets) / ((1 - linear[:, :1, 0]) / 2 * np.array(shape))
    assert (reached <= 1.001).all() and (reached.max(axis=0) > 0.9).all()


def test_the_middle_is_moved_by_the_translation_alone() -> None:
    linear, offsets = drawn_maps(only(translation=0.25, rotation=60, shear=30, stretch=0.5, flip=0.5))
    assert (np.abs(offsets) <= 0.2501 * SIDE).all() and np.abs(offsets).max() > 0.2 * SIDE
    assert (np.linalg.det(linear) < 0).any() and (np.linalg.det(linear) > 0).any()


def test_a_shear_slants_and_keeps_the_area() -> None:
    linear, offsets = drawn_maps(only(shear=20))
    np.testing.assert_allclose(offsets, 0, atol=1e-4)
    np.testing.assert_allclose(np.linalg.det(linear), 1, atol=1e-4)
    for rows, columns in ((0, 1), (1, 0)):
        slant = np.degrees(np.arctan(linear[:, rows, columns]))
        assert 19.3 < np.abs(slant).max() <= 20.001 and slant.min() < 0 < slant.max()


def test_a_stretch_makes_each_side_longer_or_shorter_on_its_own() -> None:
    linear, offsets = drawn_maps(only(stretch=0.5))
    np.testing.assert_allclose(offsets, 0, atol=1e-4)
    np.testing.assert_allclose(linear[:, [0, 1], [1, 0]], 0, atol=1e-4)
    lengths = 1 / linear[:, [0, 1], [0, 1]]
    assert lengths.min() >= 1 / 1.5001 and lengths.max() <= 1.5001
    assert lengths.min() < 0.8 and lengths.max() > 1.3
    assert abs(np.corrcoef(np.log(lengths).T)[0, 1]) < 0.4


def test_a_crop_enlarges_a_part_that_lies_inside_the_film() -> None:
    linear, offsets = drawn_maps(only(crop=0.4))
    kept = linear[:, 0, 0]
    np.testing.assert_allclose(linear, kept[:, None, None] * np.eye(2), atol=1e-4)
    assert 0.6 <= kept.min() < 0.7 and 0.9 < kept.max() <= 1.0001
    corners = np.abs(offsets) + kept[:, None] * SIDE / 2
    assert (corners <= SIDE / 2 + 1e-3).all() and (np.abs(offsets) > 1).any()
    # the smallest parts too are taken from everywhere, to near the edges
    reached = np.abs(offsets) / ((1 - kept[:, None]) / 2 * SIDE)
    assert (reached[kept < 0.75].max(axis=0) > 0.8).all()


def test_beyond_the_old_edges_is_black() -> None:
    made = Augmentation(only(translation=0.5), 1)(torch.ones(8, 1, 20, 20))
    assert float(made.amin(dim=(1, 2, 3)).median()) == 0  # a move by less than a pixel leaves grey
    np.testing.assert_allclose(made.numpy().max(), 1, atol=1e-4)


def test_the_same_seed_makes_the_same_films_and_every_film_draws_anew() -> None:
    films = torch.rand(1, 1, 16, 16).repeat(4, 1, 1, 1)
    before = films.clone()
    one, two, other = (Augmentation(AugmentationRanges(), seed) for seed in (5, 5, 6))
    first, second = one(films), one(films)
    torch.testing.assert_close(first, two(films), atol=0, rtol=0)
    torch.testing.assert_close(films, before, atol=0, rtol=0)
    assert not torch.allclose(first, other(films)) and not torch.allclose(first, second)
    assert len({film.numpy().tobytes() for film in first}) == 4


def test_ranges_that_make_no_film_are_refused() -> None:
    for wrong in ({"crop": 1}, {"rotation": -1}, {"shear": 80}, {"flip": 1.5}, {"stretch": float("nan")}):
        with pytest.raises(ValidationError):
            AugmentationRanges(**wrong)


def test_monai_is_imported_only_by_a_training_that_augments() -> None:
    code = "import sys, core.training.recipes.anatomy.training; print('monai' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
