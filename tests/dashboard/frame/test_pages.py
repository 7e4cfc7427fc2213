import gc

import pytest

from dashboard.frame import opening
from dashboard.frame.pages import PAGES, Page, pages, told


@pytest.fixture
def strange():
    """A page of a plug-in that stumbles over everything it is asked."""

    class Strange(Page):
        name = "strange"
        title = "Strange"
        order = 0

        def show(self) -> None: ...

        def desk(self):
            raise ZeroDivisionError

        opens = verb = starts = lambda self, *asked: 1 / 0

    yield Strange
    del Strange
    gc.collect()


def test_every_page_of_ours_is_there_in_its_order():
    assert list(pages())[:3] == ["home", "explain", "trace"]
    assert pages().keys() >= {"compare", "runs", "models"}
    assert PAGES.left_out() == []


def test_a_page_that_stumbles_stops_no_other(strange):
    assert "strange" in pages()
    found = pages()["strange"]
    assert told(found, lambda page: page.starts(), ["none"]) == ["none"]
    assert opening.page_of(object(), found) is None
    opening.forget("0" * 16)


def test_only_ours_can_be_the_first_page(strange):
    assert not opening.navigable(pages()["strange"])._default
    assert opening.navigable(pages()["home"])._default


def test_nothing_in_a_title_is_read_as_markdown(strange, monkeypatch):
    monkeypatch.setattr(opening.st, "Page", lambda script, **given: given)
    strange.title = "*Odd* :red[page]"
    assert opening.navigable(pages()["strange"])["title"] == r"\*Odd\* \:red\[page\]"


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"title": "a\nb"}, "its title"),
        ({"title": "x" * 41}, "its title"),
        ({"title": 3}, "lacks the text 'title'"),
        ({"order": "first"}, "its order"),
        ({"__init__": lambda self: 1 / 0}, "ZeroDivisionError"),
    ],
)
def test_one_that_cannot_be_a_page_is_left_out_with_the_reason(attributes, words):
    usual = {"name": "odd", "title": "Odd", "show": lambda self: None}
    odd = type("Odd", (Page,), {**usual, **attributes})
    assert "odd" not in pages()
    assert any(words in left.reason for left in PAGES.left_out())
    del odd
    gc.collect()
