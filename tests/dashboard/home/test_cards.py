import io

import numpy as np
import pytest
from PIL import Image

from core.scans.scan import Scan
from dashboard.frame.pages import CARDS
from dashboard.home import cards
from dashboard.intake import demo


@pytest.mark.parametrize("name", cards.PICTURES)
def test_a_card_has_a_small_picture_of_the_size_that_is_kept_for_it(name):
    path = CARDS / f"{name}.webp"
    assert path.stat().st_size < 30_000, "it travels with the page"
    assert Image.open(path).size == cards.SIZE


def test_the_brain_is_cut_where_most_was_hidden_and_seen_from_the_front(monkeypatch):
    values, hidden = np.full((20, 30, 20), 0.2, np.float32), np.zeros((20, 30, 20))
    values[:5, 12, :] = 1.0  # the left of the body: x grows to the right
    hidden[2:4, 12, 14:] = 1.0  # high up
    monkeypatch.setattr(cards, "_scan", lambda file: Scan(values[None], np.eye(4)))
    monkeypatch.setattr(cards, "_model", lambda name: None)
    monkeypatch.setattr(cards, "_map", lambda *asked, **more: hidden)
    shown = np.asarray(Image.open(io.BytesIO(cards.brain())).convert("RGB")).astype(int)
    warm = shown[..., 0] - shown[..., 2]  # the end of magma is a pale yellow
    rows, columns = np.nonzero(warm > 30)
    assert columns.mean() > shown.shape[1] / 2, "left is on the right"
    assert rows.mean() < shown.shape[0] / 2


def test_the_painted_spot_is_a_few_pixels_in_any_slice():
    for shape in ((256, 256), (128, 200)):
        spot = demo.painted(shape)
        assert spot.shape == shape
        assert 0.001 < spot.mean() < 0.005
