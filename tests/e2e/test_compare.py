"""Networks side by side in a real browser: on one film, and on all films of a cohort."""

import re

import pytest
from playwright.sync_api import expect

from core.settings import ROOT
from dashboard.bench.browser import serve
from tests.e2e.waiting import choose, eventually
from tests.small_anatomy import THREE, write_anatomy

pytestmark = pytest.mark.browser

APP = ROOT / "dashboard" / "app.py"
LONG = 120_000
expect.set_options(timeout=30_000)
TITLES = [f"The {variant} one" for variant in THREE.values()]


@pytest.fixture(scope="module")
def anatomy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("anatomy")
    write_anatomy(folder)
    return folder


@pytest.fixture(scope="module")
def server(anatomy):
    known = {"LIGHTBOX_MODELS_DIR": str(anatomy / "models"), "LIGHTBOX_COHORTS_DIR": str(anatomy / "cohorts")}
    with serve(APP, known) as running:
        yield running


def still(page):
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=LONG)


def ready(page, count):
    """Wait until `count` images of one row are drawn."""
    expect(page.locator(".lightbox[data-state=ready] .stage > canvas")).to_have_count(count, timeout=LONG)


def within_the_window(page):
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_film_in_three_networks_side_by_side_and_linked(page, server, anatomy):
    page.goto(f"{server.url}/compare")
    page.get_by_text("Open a scan of your own").click()
    page.locator("input[type=file]").set_input_files(str(anatomy / "cohorts" / "films" / "hand-0.png"))
    expect(page.get_by_text(re.compile("Press Compare"))).to_be_visible(timeout=LONG)
    for network in THREE:
        expect(page.get_by_test_id("stMultiSelect").get_by_text(f"The {THREE[network]} one")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Compare")).click()
    expect(page.get_by_text("Likeness of the maps").first).to_be_visible(timeout=LONG)
    still(page)
    ready(page, 4)

    boxes = [stage.bounding_box() for stage in page.locator(".stage > canvas").all()]
    assert len({(round(box["y"]), round(box["width"]), round(box["height"])) for box in boxes}) == 1
    assert within_the_window(page)
    heads = page.locator(".panel h3").all_inner_texts()
    assert heads == ["Scan", *(f"{letter} · {title}" for letter, title in zip("ABC", TITLES, strict=True))]

    # one crosshair for all: a click in one image moves the values under it in every other
    before = page.locator(".panel .values").all_inner_texts()
    page.mouse.click(boxes[1]["x"] + boxes[1]["width"] * 0.62, boxes[1]["y"] + boxes[1]["height"] * 0.3)

    def all_moved_to_one_place():
        after = page.locator(".panel .values").all_inner_texts()
        moved = all(one != other for one, other in zip(before, after, strict=True))
        return moved and len({words.split("\n")[0].split()[-1] for words in after}) == 1

    eventually(page, all_moved_to_one_place)

    # a click on the filters of one network counts, too, while those of the next are on their way
    first = page.locator(".tile").first
    first.scroll_into_view_if_needed()
    place, shallow = first.bounding_box(), first.locator("b").inner_text()
    page.get_by_role("radio", name=TITLES[1]).click()
    page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(shallow, exact=True)).to_be_visible()
    expect(dialog.get_by_text(re.compile(f"^{TITLES[0]}: filters of"))).to_be_visible()
    still(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    first.click()
    expect(dialog.get_by_text(re.compile(f"^{TITLES[1]}: filters of"))).to_be_visible()
    page.keyboard.press("Escape")

    address, sentence = page.url, page.locator(".answer .sentence").inner_text()
    assert re.search(r"\?runs=[0-9a-f]{16}(%2C[0-9a-f]{16}){2}$", address)
    page.reload()
    expect(page.get_by_text("Likeness of the maps").first).to_be_visible(timeout=LONG)
    ready(page, 4)
    assert page.locator(".answer .sentence").inner_text() == sentence
    assert page.url == address


def test_all_films_a_cell_a_film_and_its_filters(page, server):
    page.goto(f"{server.url}/compare")
    page.get_by_text("All films", exact=True).click()
    choose(page, "Cohort", "A few films")  # beside the one that comes with Lightbox
    expect(page.get_by_text("5 films of 2 classes")).to_be_visible(timeout=LONG)
    still(page)
    page.get_by_role("button", name=re.compile("^Run ")).click()
    expect(page.get_by_text("Confusion", exact=True)).to_be_visible(timeout=LONG)
    still(page)
    cells = page.get_by_role("button", name=re.compile("^truth "))
    expect(cells).to_have_count(9)
    assert within_the_window(page)

    # by keyboard: one cell is in the order of Tab, the arrows lead to the others
    filled = page.get_by_role("button", name=re.compile(r"^truth hand, predicted \w+: [123] films?$")).first
    name = filled.get_attribute("aria-label")
    page.get_by_role("button", name=re.compile("^truth hand, predicted hand")).focus()
    for _ in range(3):
        if page.evaluate("document.activeElement.shadowRoot.activeElement.ariaLabel") == name:
            break
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".tile")).to_have_count(int(re.search(r"(\d) film", name)[1]))
    expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")

    page.get_by_role("button", name=re.compile("^truth knee, predicted hand: no films")).click()
    expect(page.get_by_text("The class knee has no film in this study.", exact=True)).to_be_visible()

    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name=re.compile("^hand-0")).click()
    expect(page.get_by_role("button", name="Open in Explain")).to_be_visible(timeout=LONG)
    expect(page.get_by_text(re.compile(r"25 strongest .*hold \d+% of"))).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name=re.compile(r"^Filter \d+"))).to_have_count(9)

    address = page.url
    assert "film=hand-0" in address
    page.reload()
    expect(page.get_by_role("button", name=re.compile(r"^Filter \d+"))).to_have_count(9, timeout=LONG)
    expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
    assert page.url == address

    page.get_by_role("button", name="Open in Explain").click()
    expect(page.get_by_text("A few films · hand-0").first).to_be_visible(timeout=LONG)
    page.get_by_role("link", name="Runs").click()
    row = page.locator("[class*=st-key-run-]").filter(has_text="Study anatomy · ")
    row.get_by_role("button", name="Open").click()
    expect(page.get_by_text("Confusion", exact=True)).to_be_visible(timeout=LONG)


def move(page, label, presses):
    """Move a slider by so many steps, to the left where they are negative."""
    page.get_by_test_id("stSlider").filter(has_text=label).get_by_role("slider").focus()
    for _ in range(abs(presses)):
        page.keyboard.press("ArrowLeft" if presses < 0 else "ArrowRight")
    still(page)


def test_the_demo_from_home_to_the_filters_behind_a_film(page):
    with serve(APP) as shipped:
        page.goto(shipped.url)
        page.get_by_role("button", name="Compare three networks").click()
        expect(page.get_by_text(re.compile("Press Compare"))).to_be_visible(timeout=LONG)
        still(page)
        keep, headline = page.get_by_role("button", name="Keep"), page.locator(".facts").first
        expect(keep).to_be_disabled()
        place = headline.bounding_box()
        page.get_by_role("button", name=re.compile("^Compare")).click()
        expect(page.get_by_text("Likeness of the maps").first).to_be_visible(timeout=LONG)
        still(page)
        ready(page, 4)
        # what leaves the page has had its place before: nothing moves when it can be used
        expect(keep).to_be_enabled()
        assert headline.bounding_box() == place
        # titles and legends are whole at 1280 pixels, the units below the colours
        cut = """(found) => found
            .map((e) => [e.textContent, e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight])
            .filter(([_, across, down]) => across > 1 || down > 1)"""
        for words in (".panel footer .unit", ".panel h3", ".panel .values"):
            assert page.locator(words).evaluate_all(cut) == []
        first, second = page.locator(".panel h3").all_inner_texts()[1:3]
        # between the letter and the network stands that a map does not hold, where it does not
        assert first.startswith("A · ") and first.endswith("Shallow network")
        assert second.startswith("B · ") and second.endswith("Deeper network")

        page.get_by_text("All films", exact=True).click()
        expect(page.get_by_role("button", name=re.compile("^Run "))).to_be_visible(timeout=LONG)
        still(page)
        move(page, "Films of each class", 1)
        move(page, "Random weights", -3)
        page.get_by_role("button", name=re.compile("^Run ")).click()
        expect(page.get_by_text("Confusion", exact=True)).to_be_visible(timeout=LONG)
        still(page)
        expect(page.get_by_role("button", name=re.compile("^truth "))).to_have_count(64)
        page.get_by_role("button", name=re.compile(r"^truth hand, predicted \w+: 1 film$")).click()
        page.locator(".tile").first.click()
        expect(page.get_by_role("button", name=re.compile(r"^Filter \d+"))).to_have_count(9, timeout=LONG)
        assert within_the_window(page)


def test_two_pinned_results_stand_side_by_side_after_three_clicks(page, server, anatomy):
    page.goto(f"{server.url}/explain")
    page.get_by_text("Open a scan of your own").click()
    page.locator("input[type=file]").set_input_files(str(anatomy / "cohorts" / "films" / "hand-0.png"))
    for explainer in ("Saliency", "Grad-CAM"):
        expect(page.get_by_role("button", name=re.compile("^Explain( anyway)?"))).to_be_enabled(timeout=LONG)
        choose(page, "Explainer", explainer)
        still(page)
        page.get_by_role("button", name=re.compile("^Explain( anyway)?")).click()
        expect(page.get_by_role("button", name="Pin this result")).to_be_visible(timeout=LONG)
        still(page)
        page.get_by_role("button", name="Pin this result").click()
        expect(page.get_by_role("button", name="Unpin", exact=True)).to_be_visible()
        still(page)
    page.get_by_role("button", name="Compare 2 pinned").click()
    expect(page.get_by_text("What differs")).to_be_visible(timeout=LONG)
    still(page)
    ready(page, 3)
    heads = [head.split(" · ")[-1] for head in page.locator(".panel h3").all_inner_texts()]
    assert heads == ["Saliency", "Grad-CAM", "Agreement: strongest 5%"]
    assert within_the_window(page)
    address = page.url
    page.reload()
    expect(page.get_by_text("What differs")).to_be_visible(timeout=LONG)
    ready(page, 3)
    assert page.url == address
