"""The viewer in a real browser: what a person sees and does, and what arrives in Python."""

import re
from pathlib import Path

import numpy as np
import pytest

from dashboard.bench.browser import serve
from tests.e2e.viewing import SPOT, away_from_the_spot, brightest, crosshair, open_case, pixels, report, settled, span
from tests.e2e.waiting import eventually, painted

pytestmark = pytest.mark.browser

#: What the readout says at the spot.
PLACE = ["−20.0", "18.0", "26.0", "mm", "i", "5", "j", "19", "k", "12"]
APP = Path(__file__).parent / "viewer_app" / "server.py"


@pytest.fixture(scope="module")
def server():
    with serve(APP) as running:
        yield running


@pytest.mark.parametrize(("case", "left"), [("ras", False), ("las", True)])
def test_a_known_asymmetric_voxel_is_painted_where_it_is_seen_and_arrives_in_python(page, server, case, left):
    open_case(page, server, case)
    settled(page, SPOT)
    away_from_the_spot(page)
    x, y = brightest(page)
    box = page.locator(".stage > canvas").first.bounding_box()
    # index 5 of 31 lies to the patient's left in RAS+, which a radiologist sees on the right; LAS is its mirror image
    assert (x < box["x"] + box["width"] / 2) == left
    page.keyboard.press("p")
    page.mouse.click(x, y)
    found = report(page, r"marked \[\[(\d+), (\d+), (\d+)\]\] count 1 ")
    assert [int(n) for n in found.groups()] == SPOT


def test_swapping_left_and_right_moves_the_spot_to_the_other_side(page, server):
    open_case(page, server)
    away_from_the_spot(page)
    box = page.locator(".stage > canvas").first.bounding_box()
    middle = box["x"] + box["width"] / 2
    assert brightest(page)[0] > middle
    page.keyboard.press("x")
    eventually(page, lambda: brightest(page)[0] < middle)
    # what is marked there is the same voxel: only the picture is turned
    page.keyboard.press("p")
    page.mouse.click(*brightest(page))
    found = report(page, r"marked \[\[(\d+), (\d+), (\d+)\]\] count 1 ")
    assert [int(n) for n in found.groups()] == SPOT
    # the setting stays with the browser
    page.reload()
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=60_000)
    assert page.locator("button[data-action=flip]").get_attribute("aria-pressed") == "true"
    away_from_the_spot(page)
    assert brightest(page)[0] < middle


def test_wheel_keys_and_mouse_move_one_crosshair_in_all_panels(page, server):
    open_case(page, server)
    settled(page, SPOT)
    box = page.locator(".stage > canvas").nth(1).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    page.mouse.wheel(0, -100)
    settled(page, [5, 19, 13])
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    settled(page, [5, 19, 11])
    page.keyboard.press("ArrowLeft")  # towards the patient's right: up in RAS+
    settled(page, [6, 19, 11])
    page.locator("input.slice").fill("5")
    settled(page, [6, 19, 4])
    assert page.locator(".slices output").inner_text() == "axial 5 of 20"
    page.locator("button[data-action=play]").click()
    eventually(page, lambda: crosshair(page)[2] > 8)
    page.keyboard.press("PageDown")
    page.locator("button[data-action=play]").click()
    page.locator("input.slice").fill("12")
    settled(page, [6, 19, 11])
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    report(page, r"crosshair \(1[4-6], 1[1-4], 11\)")


def test_the_readout_tells_real_values_and_millimetres(page, server):
    open_case(page, server)
    settled(page, SPOT)
    page.mouse.move(5, 5)
    values = page.locator(".values")
    assert values.nth(0).inner_text() == "scan 250"
    # the map's ramp is 1/12 a sample along y at 4 mm; voxel 19 at 2 mm lies nearest to its sample 9
    scan, mapped = values.nth(1).inner_text().split("\n")
    assert scan == "scan 250"
    assert float(mapped.split()[1]) == pytest.approx(9 / 12, abs=0.001)
    assert page.locator(".toolbar .readout").inner_text().split() == [
        "−20.0",
        "18.0",
        "26.0",
        "mm",
        "i",
        "5",
        "j",
        "19",
        "k",
        "12",
    ]


def test_window_is_dragged_for_all_panels_at_once_and_reset(page, server):
    open_case(page, server)
    box = page.locator(".stage > canvas").first.bounding_box()
    footers = page.locator(".panel footer")
    first = footers.nth(2).inner_text()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 160, box["y"] + 120, steps=5)
    page.mouse.up(button="right")
    eventually(page, lambda: first != footers.nth(2).inner_text() == footers.nth(0).inner_text())
    page.keyboard.press("w")
    eventually(page, lambda: footers.nth(2).inner_text() == first)
    # in HU the known windows have keys
    page.keyboard.press("1")
    eventually(page, lambda: footers.nth(2).locator(".number").all_inner_texts() == ["0", "80"])
    assert "Brain window" in footers.nth(2).inner_text()
    page.locator("button[data-action=windows]").click()
    page.get_by_role("button", name=re.compile("^Lung")).click()
    eventually(page, lambda: footers.nth(0).locator(".number").all_inner_texts() == ["−1350", "150"])


def test_brush_undo_erase_lasso_and_clear(page, server):
    open_case(page, server)
    page.mouse.move(5, 5)
    page.locator("button[data-action=brush]").click()
    box = page.locator(".stage > canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    page.mouse.click(x, y)
    # a disc of 8 mm on 2 mm pixels: every pixel with its middle within 4 mm
    report(page, r" count 13 ")
    page.keyboard.press("d")
    page.mouse.click(x, y)
    # as a ball, 3 mm slices: 7 more... counted by hand: radius 4 → slices at 0 (13) and at ±3 mm (5 each)
    report(page, r" count 23 ")
    page.keyboard.press("Control+z")
    report(page, r" count 13 ")
    page.keyboard.press("e")
    page.mouse.click(x, y)
    report(page, r"marked \[\] count 0 ")
    page.keyboard.press("o")
    page.mouse.move(x - 40, y - 40)
    page.mouse.down()
    for dx, dy in ((40, -40), (40, 40), (-40, 40), (-40, -40)):
        page.mouse.move(x + dx, y + dy, steps=8)
    page.mouse.up()
    count = int(report(page, r" count ([1-9]\d*) ").group(1))
    scale = box["width"] / (31 * 2)  # pixels a millimetre when the width binds
    assert count == pytest.approx((80 / scale / 2) ** 2, rel=0.35)
    page.keyboard.press("Delete")
    report(page, r"marked \[\] count 0 ")


def test_reruns_keep_the_view_and_pile_up_no_listeners(page, server):
    open_case(page, server)
    page.locator(".lightbox").focus()
    page.keyboard.press("PageUp")
    settled(page, [5, 19, 13])
    for _ in range(5):
        page.get_by_role("button", name="Rerun").click()
        page.wait_for_timeout(150)
    assert crosshair(page) == [5, 19, 13]
    page.locator(".lightbox").focus()
    page.keyboard.press("PageUp")
    settled(page, [5, 19, 14])
    page.wait_for_timeout(400)  # a second listener would move it on
    assert crosshair(page) == [5, 19, 14]


def test_a_new_map_replaces_the_old_one_without_a_gap(page, server):
    open_case(page, server)
    page.evaluate("""() => {
      const root = document.querySelector("[data-testid=stBidiComponentIsolated]").shadowRoot;
      const canvas = root.querySelectorAll(".stage > canvas")[1], veil = root.querySelectorAll(".veil")[1];
      window.gaps = 0; window.watched = 0;
      const look = () => {
        const [r, g, b] = canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height * 0.08, 1, 1).data;
        watched++;
        if (!veil.hidden || (r === g && g === b)) gaps++;  // grey: the map is not there
        requestAnimationFrame(look);
      };
      look();
    }""")
    before = page.locator(".values").nth(1).inner_text()
    page.get_by_role("button", name="New map").click()
    page.wait_for_function(
        """(before) => document.querySelector("[data-testid=stBidiComponentIsolated]").shadowRoot
        .querySelectorAll(".values")[1].textContent !== before""",
        arg=before,
    )
    assert float(page.locator(".values").nth(1).inner_text().split()[-1]) == pytest.approx(9 / 24, abs=0.01)
    assert page.evaluate("watched") > 3
    assert page.evaluate("gaps") == 0


def test_threshold_and_opacity_change_the_picture(page, server):
    open_case(page, server)

    def colored():
        picture, _ = pixels(page, 1)
        return int((picture.max(axis=2) - picture.min(axis=2) > 24).sum())

    painted(page)
    full = colored()
    slider = page.locator("input.threshold")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    eventually(page, lambda: 0.2 * full < colored() < 0.7 * full)
    page.locator(".opacity input").fill("0")
    eventually(page, lambda: colored() < 0.1 * full)
    page.keyboard.press("y")  # the list of layers has the same, and more
    page.locator(".layer").get_by_label("Opacity of map").fill("1")
    eventually(page, lambda: colored() > 0.2 * full)
    page.locator(".layer").filter(has_text="map").get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    eventually(page, lambda: colored() < 0.1 * full)
    # nothing but the image is left to have a legend
    assert page.locator("input.threshold").count() == 0


def test_a_volume_that_cannot_be_fetched_says_so_and_can_be_tried_again(page, server):
    page.route("**/lightbox/volume/**", lambda route: route.abort())
    page.goto(server.url)
    sentence = page.locator(".veil.failed").first
    sentence.wait_for(timeout=60_000)
    assert "The server did not answer" in sentence.inner_text()
    page.unroute("**/lightbox/volume/**")
    page.get_by_role("button", name="Try again").first.click()
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=15_000)
    assert page.locator(".veil.failed").count() == 0


def test_a_volume_that_is_gone_says_so(page, server):
    page.route("**/lightbox/volume/**", lambda route: route.fulfill(status=404, body="No such volume."))
    page.goto(server.url)
    sentence = page.locator(".veil.failed").first
    sentence.wait_for(timeout=60_000)
    assert "no longer on the server" in sentence.inner_text()


def test_mosaic_shows_many_slices_and_a_click_goes_there(page, server):
    open_case(page, server)
    page.locator("button[data-action=mosaic]").click()
    painted(page)
    box = page.locator(".stage > canvas").first.bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + 60)
    eventually(page, lambda: crosshair(page) != SPOT)
    low = crosshair(page)[2]
    page.mouse.click(box["x"] + box["width"] - 20, box["y"] + box["height"] - 60)
    eventually(page, lambda: crosshair(page)[2] > low + 8)


def test_an_image_has_its_pixel_aspect_no_letters_and_a_region(page, server):
    open_case(page, server, "image")
    picture, _ = pixels(page)
    # grey of the image, neither the black beside it nor the crosshair
    shown = np.argwhere((picture.min(axis=2) > 60) & (np.ptp(picture, axis=2) < 6))
    height, width = np.ptp(shown, axis=0) + 1
    # 30 columns of 0.5 mm by 12 rows of 1 mm
    assert width / height == pytest.approx(15 / 12, rel=0.03)
    page.locator("button[data-action=pixels]").click()
    page.keyboard.press("p")
    x, y = brightest(page, large=False)
    page.mouse.click(x, y)
    report(page, r"marked \[\[8, 23\]\] count 1 ")


@pytest.mark.parametrize(("case", "width"), [("ras", 1280), ("ras", 1920), ("narrow", 1280)])
def test_nothing_wraps_and_panels_are_equally_high(page, server, case, width):
    page.set_viewport_size({"width": width, "height": 900})
    open_case(page, server, case)
    boxes = [panel.bounding_box() for panel in page.locator(".panel").all()]
    assert len({round(box["y"]) for box in boxes}) == 1
    assert len({round(box["height"]) for box in boxes}) == 1
    bar = page.locator(".toolbar").bounding_box()
    assert bar["height"] == 32
    for button in page.locator(".toolbar button:visible").all():
        inside = button.bounding_box()
        assert inside["x"] + inside["width"] <= bar["x"] + bar["width"] + 1
        assert bar["y"] <= inside["y"] <= bar["y"] + 8
    for footer in page.locator(".panel footer").all():
        assert footer.evaluate("(e) => e.scrollWidth <= e.clientWidth")


def test_letters_planes_and_help_can_be_reached_by_keys(page, server):
    open_case(page, server)
    page.locator(".lightbox").focus()
    before, _ = pixels(page)
    page.keyboard.press("s")
    eventually(page, lambda: np.abs(before - pixels(page)[0]).max() > 100)
    page.keyboard.press("?")
    assert page.locator(".help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".help").is_visible()
    # the height follows the window, and on the whole screen the panels fill it
    assert page.locator(".stage").first.bounding_box()["height"] == round(0.55 * 860)
    page.keyboard.press("f")
    eventually(page, lambda: page.locator(".stage").first.bounding_box()["height"] > 600)
    page.keyboard.press("f")
    eventually(page, lambda: page.locator(".stage").first.bounding_box()["height"] == round(0.55 * 860))


def test_the_page_asks_nobody_but_its_own_server_and_each_volume_once(page, server):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    open_case(page, server)
    page.get_by_role("button", name="Rerun").click()
    page.wait_for_timeout(500)
    assert [url for url in asked if not url.startswith((server.url, "blob:", "data:"))] == []
    assert len([url for url in asked if "/lightbox/volume/" in url]) == 2


def test_a_region_from_python_is_shown_can_be_changed_and_is_not_forced_again(page, server):
    open_case(page, server, "given")
    report(page, r"marked \[\[3, 7, 11\], \[4, 7, 11\], \[5, 7, 11\], \[5, 19, 12\]\] count 4 ")
    page.locator(".lightbox").focus()
    page.keyboard.press("Delete")
    report(page, r"marked \[\] count 0 ")
    page.get_by_role("button", name="Rerun").click()
    page.wait_for_timeout(500)
    report(page, r"marked \[\] count 0 ")
    page.locator(".lightbox").focus()
    page.keyboard.press("Control+z")
    report(page, r" count 4 ")


def test_values_beside_a_bright_outlier_stay_exact_and_visible(page, server):
    open_case(page, server, "given")
    settled(page, SPOT)
    page.mouse.move(5, 5)
    assert float(page.locator(".values").first.inner_text().split()[1]) == pytest.approx(0.123, abs=5e-4)
    picture, _ = pixels(page)
    # a ramp along the first axis: neither black nor white all over
    assert np.unique(picture[..., 0]).size > 20


def test_what_is_measured_is_listed_in_millimetres_and_units_and_can_be_taken_back(page, server):
    open_case(page, server)
    settled(page, SPOT)
    box = page.locator(".stage > canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 60

    def drag(across, down):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + across, y + down, steps=3)
        page.mouse.up()

    page.locator(".lightbox").focus()
    page.keyboard.press("r")
    drag(60, 80)
    page.keyboard.press("q")
    drag(90, 90)
    page.locator("button[data-action=measure]").click()
    lines = page.locator(".measure")
    eventually(page, lambda: lines.count() == 2)
    # 62 mm across
    length = float(re.search(r"([\d.]+) mm", lines.nth(0).inner_text()).group(1))
    assert length == pytest.approx(100 * 62 / box["width"], rel=0.03)
    area = lines.nth(1).inner_text()
    assert float(re.search(r"([\d.]+) mm²", area).group(1)) == pytest.approx((90 * 62 / box["width"]) ** 2, rel=0.05)
    assert re.search(r"scan: 10\S* ± 0\S* HU", area)
    page.get_by_role("button", name="Delete measurement 1").click()
    eventually(page, lambda: lines.count() == 1)
    page.get_by_role("button", name="Undo Ctrl+Z").click()
    eventually(page, lambda: lines.count() == 2)
    # nothing of it went to Python
    report(page, r"marked \[\] count 0 ")


def test_zoom_keeps_what_is_under_the_mouse_and_the_middle_button_moves_it(page, server):
    open_case(page, server)
    away_from_the_spot(page)
    x, y = brightest(page)
    small = span(page)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    for _ in range(3):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    eventually(page, lambda: span(page) > 1.5 * small)
    assert brightest(page) == pytest.approx((x, y), abs=6)
    page.mouse.down(button="middle")
    page.mouse.move(x - 30, y + 20, steps=4)
    page.mouse.up(button="middle")
    eventually(page, lambda: brightest(page) == pytest.approx((x - 30, y + 20), abs=6))
    page.keyboard.press("0")
    eventually(page, lambda: brightest(page) == pytest.approx((x, y), abs=1.5))
