import io

import numpy as np
import pytest
from PIL import Image

from dashboard.look import pictures


def read(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_a_film_is_grey_from_dark_to_bright():
    pixels = read(pictures.film_png(np.linspace(0, 1, 600).reshape(20, 30)))
    assert pixels.shape == (20, 30, 3)
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert pixels.min() == 0
    assert pixels.max() == 255


def test_the_map_colours_where_it_is_large_and_nothing_elsewhere():
    film, size = np.linspace(0, 1, 400).reshape(20, 20), np.zeros((20, 20))
    size[5, 6] = 2.0
    plain, over = read(pictures.film_png(film)), read(pictures.film_png(film, size))
    changed = (plain != over).any(axis=2)
    assert changed[5, 6]
    assert changed.sum() == 1
    weaker = read(pictures.film_png(film, size, peak=8.0))
    assert np.abs(weaker[5, 6] - plain[5, 6]).sum() < np.abs(over[5, 6] - plain[5, 6]).sum()


@pytest.mark.parametrize("film", [np.zeros((5, 4)), np.full((5, 4), 7.0)])
def test_a_film_or_map_without_contrast_is_no_error(film):
    assert read(pictures.film_png(film, np.zeros((5, 4)))).shape == (5, 4, 3)


def test_a_large_film_is_averaged_to_what_a_tile_can_show():
    film = np.add.outer(np.arange(1000.0), np.arange(601.0))
    pixels = read(pictures.film_png(film, film))
    assert max(pixels.shape[:2]) <= pictures.LONGEST
    assert pixels.shape[:2] == (250, 151)


def test_a_picture_is_made_once_and_the_oldest_goes_first(monkeypatch):
    monkeypatch.setattr(pictures, "_kept", {})
    monkeypatch.setattr(pictures, "_ROOM", 25)
    made = []

    def make(name):
        return pictures.kept(name, lambda: made.append(name) or bytes(10))

    for name in ("a", "b", "a", "c", "a", "b"):
        make(name)
    assert made == ["a", "b", "c", "b"]
    assert len(pictures._kept) == 2
