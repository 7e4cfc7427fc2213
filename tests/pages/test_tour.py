import pytest

from dashboard.frame import tour
from tests.pages.conftest import DEMO, said, settle


def test_the_tour_lays_out_each_stop_and_ends_on_home(workbench):
    page = workbench.open()
    page.button(key="tour").click().run()
    assert "Tour, 1 of 4" in said(page), "the small library has no side marker and no three networks"
    assert DEMO in said(page)
    assert page.button(key="tour back").disabled
    settle(page)
    asked = page.session_state["desk"].run
    assert asked is not None, "the map forms without another press"
    page.button(key="tour next").click().run()
    assert "Tour, 2 of 4" in said(page)
    assert page.session_state["desk"].run == asked, "the result stays"
    page.button(key="tour next").click().run()
    settle(page)
    desk = page.session_state["trace desk"]
    assert desk.side == "input"
    assert desk.current().status == "done"
    page.button(key="tour next").click().run()
    assert "Drop a scan of your own here" in said(page)
    assert "tour next" not in {button.key for button in page.button}
    page.button(key="tour end").click().run()
    assert "Tour, " not in said(page)
    assert "tour" not in page.query_params


@pytest.mark.parametrize(("place", "shown"), [("2", "Tour, 2 of 4"), ("99", "Tour, 4 of 4"), ("0", "Tour, 1 of 4")])
def test_a_page_that_is_loaded_again_goes_on_where_the_tour_was(workbench, place, shown):
    assert shown in said(workbench.open(tour=place))


@pytest.mark.parametrize("place", ["x", "", "1.5"])
def test_an_address_with_anything_else_has_no_tour(workbench, place):
    page = workbench.open(tour=place)
    assert not page.exception
    assert "Tour, " not in said(page)


def test_words_between_stars_are_what_stands_on_the_screen():
    assert tour._emphasised("Below, *Where* <b>") == "Below, <em>Where</em> &lt;b&gt;"
