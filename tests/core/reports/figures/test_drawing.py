"""A figure for print says how large, which side, how much, and what must be known before it is believed."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from core.reports.figures.drawing import Figure, Panel, figure_png, figure_svg, legend_words, scale_bar
from core.reports.figures.painting import Layer
from core.reports.figures.planes import Samples
from core.scans.grid import Grid

CAUTION = "Do not believe: the model was not made for this scan."


def dark(shape, spacing):
    grid = Grid(shape, np.diag([*spacing, *[1] * (4 - len(spacing))]))
    return Layer(Samples(np.zeros(shape), grid), "image", unit="HU")


def words_of(svg):
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def longest_white(png, rows):
    """Length in pixels of the longest white run inside the first panel, whose scan is black, in these rows."""
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    best = 0
    for line in picture[rows]:
        (black,) = np.nonzero(line < 30)
        if black.size:
            inside = line[black[0] : black[-1]]
            best = max([best, *map(len, re.findall("1+", "".join("1" if value > 250 else "0" for value in inside)))])
    return best


@pytest.mark.parametrize(
    ("shape", "spacing", "length", "share"),
    [
        ((100, 80, 60), (2.0, 2.0, 3.0), "50 mm", 50 / 200),
        ((100, 80, 60), (0.5, 0.5, 1.0), "10 mm", 10 / 50),
        ((400, 400), (1.0, 1.0), "100 px", 100 / 400),
        ((60, 400), (0.8, 0.8), "5 cm", None),
        ((500, 500), (0.9, 0.9), "10 cm", 100 / 450),
    ],
)
def test_the_scale_bar_has_its_length_for_a_known_spacing(shape, spacing, length, share):
    width = shape[0 if len(shape) == 3 else 1] * spacing[0]
    millimetres, words = scale_bar(width, length[-2:] != "px")
    if share is None:  # 320 mm
        assert words in ("5 cm", "50 mm")
        assert millimetres == 50
        return
    assert words == length
    figure = Figure([Panel("Scan", [dark(shape, spacing)])])
    png = figure_png(figure)
    assert length in words_of(figure_svg(figure))
    with Image.open(io.BytesIO(png)) as picture:
        wide, high = picture.size
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert wide == pytest.approx(180 / 25.4 * 300, abs=2)
    panel = _dark_width(png)
    assert longest_white(png, slice(int(high * 0.5), int(high * 0.9))) == pytest.approx(share * panel, abs=3)


def _dark_width(png):
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    return int((picture < 30).sum(axis=1).max())


def test_words_are_words_and_pictures_lie_in_the_file():
    panel = Panel("Scan & <map>", [dark((20, 20, 20), (1, 1, 1))])
    svg = figure_svg(Figure([panel], caption=["Run 1, $x_1$ \x0b & <b>"]))
    found = words_of(svg)
    assert {"Scan & <map>", "R", "L", "A", "P", "axial 10/20", "5 mm", "HU", "Run 1, $x_1$ & <b>"} <= set(found)
    addresses = re.findall(rb'href="([^"]{0,10})', svg)
    assert all(address.startswith((b"data:image", b"#")) for address in addresses)
    assert any(address.startswith(b"data:image") for address in addresses)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"low": 0, "high": 0.5, "extent": (0, 0.5)}, ("0", "0.5", "", "")),
        ({"low": 0, "high": 0.5, "extent": (0, 0.9), "threshold": 0.025}, ("0", "≥ 0.5", "", "shown above 0.025")),
        (
            {"low": -2, "high": 2, "extent": (-3, 1), "signed": True, "unit": "logit", "threshold": 0.5},
            ("≤ −2", "2", "logit", "shown beyond ±0.5"),
        ),
        ({"low": 0, "high": 1.234e-7}, ("0", "1.23e−7", "", "")),
    ],
)
def test_a_legend_has_the_values_at_its_ends_and_says_what_lies_beyond(more, expected):
    assert legend_words(Layer(dark((2, 2), (1, 1)).samples, "map", **more)) == expected


def test_what_is_not_to_be_believed_says_so_on_top_and_on_every_map():
    image = dark((20, 20, 20), (1, 1, 1))
    over = Layer(image.samples, "map", threshold=0.5)
    panels = [Panel("Scan", [image]), Panel("Map", [image, over])]
    svg = figure_svg(Figure(panels, caution=CAUTION))
    said = " ".join(words_of(svg))
    assert said.count("Do not believe") == 2
    assert b"Do not believe" not in figure_svg(Figure(panels))
    with Image.open(io.BytesIO(figure_png(Figure(panels, caution=CAUTION)))) as picture:
        assert picture.text["Caution"] == CAUTION
        red, green, _ = np.moveaxis(np.asarray(picture.convert("RGB")).astype(int), -1, 0)
    assert (red - green > 100).any()


def test_what_is_no_result_is_crossed_out_with_its_sentence():
    svg = figure_svg(Figure([Panel("No result", [dark((20, 20), (1, 1))], struck="There is no result.")]))
    assert "There is no result." in words_of(svg)
    assert b"#b3261e" in svg


def test_the_slice_that_is_asked_for_is_cut():
    values = np.zeros((20, 20, 20))
    values[5, 5, 17] = 1
    lone = Layer(Samples(values, Grid((20, 20, 20), np.eye(4))), "image")

    def white(place):
        picture = np.asarray(Image.open(io.BytesIO(figure_png(Figure([Panel("", [lone])], place=place)))).convert("L"))
        return (picture[200:1100, 950:] > 200).sum() + (picture[200:1100] > 200).sum()

    assert white((5, 5, 17)) > white((5, 5, 3)) + 1000
