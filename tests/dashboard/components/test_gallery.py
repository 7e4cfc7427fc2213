import io

import pytest
from PIL import Image

from dashboard.components import gallery
from dashboard.components.gallery import Tile, check_tiles


def png(width=4, height=4):
    written = io.BytesIO()
    Image.new("L", (width, height)).save(written, format="PNG")
    return written.getvalue()


def test_tiles_with_one_key_or_without_a_png_are_a_mistake_of_the_page():
    with pytest.raises(ValueError, match="different keys"):
        check_tiles([Tile("a", png()), Tile("a", png())], 5)
    with pytest.raises(ValueError, match="PNG"):
        check_tiles([Tile("a", b"<svg onload=alert(1)>")], 5)
    for columns in (0, 13):
        with pytest.raises(ValueError, match="columns"):
            check_tiles([Tile("a", png())], columns)


@pytest.mark.parametrize("sent", ["b", "nothing", None, 3, ["a"], {"key": "a"}, "a' OR 1=1"])
def test_only_the_key_of_a_tile_that_can_be_clicked_comes_out(sent):
    assert gallery._known(sent, frozenset({"a"})) is None
    assert gallery._known("a", frozenset({"a"})) == "a"


def test_the_callback_hears_of_a_click_on_an_offered_tile_only(monkeypatch):
    heard = []
    monkeypatch.setattr("streamlit.session_state", {"films": {"clicked": "b"}})
    gallery._notify("films", frozenset({"a", "b"}), heard.append)
    gallery._notify("films", frozenset({"a"}), heard.append)
    assert heard == ["b"]


def test_frames_have_the_shape_of_the_pictures_where_these_agree():
    assert gallery._aspect([png(60, 80), png(30, 40)]) == 0.75
    assert gallery._aspect([png(60, 80), png(80, 60)]) == 1.0
    assert gallery._aspect([]) == 1.0
    assert gallery._aspect([png(100, 1)]) == pytest.approx(1 / 0.6)
