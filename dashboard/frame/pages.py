"""The pages there are: one of ours declares itself in its folder, one of a plug-in by its entry point."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.registry import Registry
from core.settings import ROOT

_LONGEST_TITLE = 40


@dataclass(frozen=True)
class Page:
    """A page of the navigation.

    Parameters
    ----------
    name : str
        Its name in addresses and in `dashboard.desk.Desk.go_to`.
    title : str
        What the navigation calls it.
    place : int
        Smaller stands further left; of equals the title decides.
    draw : callable, optional
        Draws it, with Streamlit. Without one it is the script ``pages/NAME.py``.
    help : str
        Its page of documentation, below ``docs`` and without the ending; empty where it has none.
    """

    name: str
    title: str
    place: int = 1000
    draw: Callable[[], None] | None = None
    help: str = ""

    @property
    def script(self) -> Path:
        """File of a page of ours."""
        return ROOT / "pages" / f"{self.name}.py"


def declare(page: Page) -> Page:
    """Make a page of ours known; returns it."""
    PAGES.offer(page)
    return page


def in_order() -> list[Page]:
    """Every page, as the navigation shows them."""
    return sorted(PAGES.all().values(), key=lambda page: (page.place, page.title))


def _complaint(item: Any) -> str | None:
    """Why something cannot be a page, as the end of a sentence."""
    if not isinstance(item, Page):
        return "it is no dashboard.frame.pages.Page"
    if not isinstance(item.title, str) or not 0 < len(item.title) <= _LONGEST_TITLE or not item.title.isprintable():
        return f"its title is no text of 1 to {_LONGEST_TITLE} characters"
    if not isinstance(item.place, int):
        return "its place is no whole number"
    return None if callable(item.draw) or (item.draw is None and item.script.is_file()) else "nothing draws it"


#: Files beside the pages' folders; importing the app would start one.
_NOT_PAGES = {"app", "desk"}
PAGES: Registry[Page] = Registry(
    "pages",
    "page",
    ["dashboard"],
    without=_NOT_PAGES,
    judge=_complaint,
    describe=lambda page: {"title": page.title, "place": page.place},
)
