"""Two scans on the Compare page: linked in millimetres, with what differs, or refused in a sentence."""

import json

import numpy as np
import pytest

from core.scans import Scan
from dashboard.compare.two_scans import view
from dashboard.desk import shelf
from tests.pages.conftest import GRID, SHAPE, errors, said, viewers

FINE = (20, 22, 20)


@pytest.fixture(autouse=True)
def _fresh():
    view._measured.cache_clear()


def stored(values, affine=None, **more):
    affine = np.array(GRID) if affine is None else affine
    return shelf().add_scan(Scan(values[None].astype(np.float32), affine, **more))


def noise(shape=SHAPE, seed=1):
    return np.random.default_rng(seed).random(shape, np.float32)


def finer():
    """The same field of view in smaller voxels."""
    return np.array(GRID) @ np.diag([0.6, 0.6, 0.6, 1.0])


def sent(page):
    (viewer,) = viewers(page)
    return json.loads(viewer.proto.json)["panels"]


def opened(workbench, one, other, **more):
    return workbench.open("compare", view="scans", scans=f"{one},{other}", **more)


def test_before_two_are_chosen_the_page_says_what_to_do(workbench):
    page = workbench.open("compare", view="scans")
    assert not page.error
    assert "Choose two scans on the left" in said(page)
    assert page.button(key="swap scans").disabled


def test_two_scans_of_one_grid_stand_beside_each_other_with_their_difference(workbench):
    one, other = stored(noise()), stored(noise() + 0.25 * (noise(seed=2) > 0.9))
    page = opened(workbench, one, other)
    assert not page.error
    titles = [panel["title"] for panel in sent(page)]
    assert titles[2] == "Second − first, z-score"
    text = said(page)
    assert "Intensities of two scans have no common scale unless they were normalised" in text
    assert "correlation of the values" in text
    assert "resampled" not in text
    groups = [panel["layers"][0]["group"] for panel in sent(page)]
    assert groups[0] != groups[1]
    assert page.query_params["scans"] == f"{one},{other}"


def test_values_of_one_unit_are_subtracted_as_they_are_in_one_window(workbench):
    one, other = stored(noise() * 100, units="HU"), stored(noise() * 100 + 30, units="HU")
    page = opened(workbench, one, other)
    panels = sent(page)
    assert panels[2]["title"] == "Second − first"
    assert panels[2]["layers"][-1]["unit"] == "HU"
    assert "no common scale" not in said(page)
    assert panels[0]["layers"][0]["group"] == panels[1]["layers"][0]["group"]
    assert "30 HU" in said(page)


def test_another_grid_is_resampled_and_that_is_said(workbench):
    page = opened(workbench, stored(noise()), stored(noise(FINE), finer()))
    panels = sent(page)
    assert panels[2]["title"] == "Second − first, resampled, z-score"
    assert panels[1]["layers"][0]["volume"]["shape"] == list(FINE)
    assert "resampled onto the grid of the first" in said(page)
    next(toggle for toggle in page.toggle if toggle.label == "Second on the grid of the first").set_value(True).run()
    panels = sent(page)
    assert panels[1]["title"].startswith("Second, resampled · ")
    assert panels[1]["layers"][0]["volume"]["shape"] == list(SHAPE)


def test_scans_that_have_no_place_in_common_are_refused_in_a_sentence_and_shown(workbench):
    far = np.array(GRID)
    far[0, 3] += 900
    page = opened(workbench, stored(noise()), stored(noise(), far))
    assert not page.error
    assert "next to nothing in common" in said(page)
    assert len(viewers(page)) == 2


def test_a_volume_and_an_image_are_refused(workbench):
    flat = shelf().add_scan(Scan(noise((1, 9, 9)), np.eye(4)))
    page = opened(workbench, stored(noise()), flat)
    assert "One of the scans is a volume and the other a single image." in said(page)


def test_the_two_are_swapped_and_normalised_by_hand_and_the_link_keeps_it(workbench):
    one, other = stored(noise()), stored(noise(seed=3))
    page = opened(workbench, one, other)
    page.button(key="swap scans").click().run()
    assert page.query_params["scans"] == f"{other},{one}"
    next(widget for widget in page.get("button_group") if "normalised" in widget.key).set_value("none").run()
    assert page.query_params["values"] == "none"
    assert sent(page)[2]["title"] == "Second − first"
    again = opened(workbench, other, one, values="none")
    assert sent(again)[2]["title"] == "Second − first"


def test_scans_are_chosen_from_the_lists_demo_scans_too(workbench):
    one = stored(noise())
    page = workbench.open("compare", view="scans")
    first, second = (box for box in page.selectbox if box.label in ("First scan", "Second scan"))
    first.select(one).run()
    second = next(box for box in page.selectbox if box.label == "Second scan")
    second.select("demo:volume").run()
    assert not page.error
    assert [panel["title"].split(" · ")[0] for panel in sent(page)][:2] == ["First", "Second"]
    assert shelf().scan_meta(page.query_params["scans"].split(",")[1])["label"] == "Demo volume"


@pytest.mark.parametrize("link", ["0" * 64 + "," + "1" * 64, "nothing", ""])
def test_a_link_to_no_two_scans_is_one_sentence(workbench, link):
    page = workbench.open("compare", view="scans", scans=link)
    assert len(errors(page)) == 1
    assert errors(page)[0].endswith(".")
