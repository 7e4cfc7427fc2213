"""Where the browser draws a sample: the viewer's own geometry, run in Chromium without a server, and what Python packs.

A film that came out mirrored once was noticed by one browser test of another thing only.
"""

import json

import numpy as np
import pytest

from core.errors import LightboxError
from core.settings import ROOT
from dashboard.bench.browser import chromium
from dashboard.components.viewer import publish, volumes

SCRIPT = ROOT / "dashboard" / "components" / "viewer" / "static" / "space" / "geometry.js"
RECT = {"w": 300, "h": 200}
#: A film of 4 rows and 6 columns, and where its corners are seen: row and column → left to right, top to bottom.
FILM = (4, 6)
CORNERS = {(0, 0): ("left", "top"), (0, 5): ("right", "top"), (3, 0): ("left", "bottom"), (3, 5): ("right", "bottom")}

ASK = """async ([source, shape, affine, name, radiological, index]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { Grid, project, unproject, PLANES } = await import(url);
  const grid = new Grid(shape, affine);
  const plane = grid.plane(name, radiological);
  const rect = { plane, x: 0, y: 0, w: 300, h: 200 }, view = { zoom: 1, pan: [0, 0, 0] };
  const at = project(rect, view, index[plane.u], index[plane.v]);
  return { at, back: unproject(rect, view, ...at), axes: [plane.u, plane.v], letters: [plane.left, plane.top],
           offset: grid.offset([...index, 0, 0, 0].slice(0, 3)) };
}"""


@pytest.fixture(scope="module")
def ask():
    """Asks the script where an index of a grid is drawn."""
    source = SCRIPT.read_text(encoding="utf-8")
    try:
        with chromium() as browser:
            page = browser.new_page()
            yield lambda *about: page.evaluate(ASK, [source, *about])
    except LightboxError as problem:
        pytest.fail(str(problem))


def side(at):
    return "left" if at[0] < RECT["w"] / 2 else "right", "top" if at[1] < RECT["h"] / 2 else "bottom"


@pytest.mark.browser
@pytest.mark.parametrize("radiological", [True, False])
@pytest.mark.parametrize("index", CORNERS)
def test_a_film_is_drawn_as_it_is_read_never_mirrored(ask, index, radiological):
    found = ask(list(FILM), np.eye(4).tolist(), "image", radiological, list(index))
    assert side(found["at"]) == CORNERS[index]
    # a click there is that sample again
    row, column = index
    back = dict(zip(found["axes"], found["back"], strict=True))
    assert (back[0], back[1]) == pytest.approx((row, column))


@pytest.mark.browser
@pytest.mark.parametrize(
    ("plane", "radiological", "first", "letters"),
    [
        ("axial", True, ("right", "bottom"), ["R", "A"]),
        ("axial", False, ("left", "bottom"), ["L", "A"]),
        ("coronal", True, ("right", "bottom"), ["R", "S"]),
        ("sagittal", False, ("left", "bottom"), ["P", "S"]),
    ],
)
def test_the_first_voxel_of_a_volume_is_left_posterior_inferior(ask, plane, radiological, first, letters):
    found = ask([4, 6, 5], np.eye(4).tolist(), plane, radiological, [0, 0, 0])
    assert side(found["at"]) == first
    assert found["letters"] == letters


@pytest.mark.browser
@pytest.mark.parametrize("index", [(0, 5), (3, 0), (2, 4)])
def test_a_sample_that_python_packs_is_found_where_the_browser_looks_for_it(ask, store, index):
    film = np.zeros(FILM, np.uint8)
    film[index] = 200
    reference = publish(film, np.eye(4), name=f"film {index}")
    packed = np.frombuffer(volumes.open_token(reference.token, reference.owner).read_bytes(), np.uint8)
    told = json.loads(json.dumps(volumes.as_data(reference)))
    assert told["shape"] == list(FILM)
    offset = ask(told["shape"], [list(row) for row in told["affine"]], "image", True, list(index))["offset"]
    assert packed[offset] == 200
    assert packed.sum() == 200


def test_a_film_is_packed_column_by_column_with_its_first_row_first(store):
    film = np.arange(24, dtype=np.uint8).reshape(FILM)
    reference = publish(film, np.eye(4), name="film")
    packed = np.frombuffer(volumes.open_token(reference.token, reference.owner).read_bytes(), np.uint8)
    assert packed.tolist() == [film[row, column] for column in range(6) for row in range(4)]
