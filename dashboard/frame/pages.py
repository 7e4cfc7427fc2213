"""What a page is, and which pages there are: whoever adds one adds a folder, or an entry point of another package.

No page knows another. What they want of each other they ask of all: who shows this run, who begins with this model.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from core.models.card import Card
from core.registry import Registry, not_a_subclass
from core.runs import Run
from dashboard.desk import Desk

_LOG = logging.getLogger(__name__)
Answer = TypeVar("Answer")
_HERE = Path(__file__).resolve().parent.parent
_LONGEST_TITLE = 40
#: Pictures of cards on Home, ``NAME.webp``.
CARDS = _HERE / "static" / "cards"
#: Key of the start that has something painted already.
PAINTED = "painted demo"
#: Part of the address that names a run.
RUN = "run"


@dataclass(frozen=True)
class Start:
    """A button on Home that lays something out and leads to the page that shows it.

    Parameters
    ----------
    key, label, icon : str
        Of the button.
    lay_out : callable
        Called when it is pressed; None: there is nothing to lay out, and the button cannot be pressed.
    help : str
        Its tooltip; on a card, the sentence below the title.
    title, picture : str
        Of its card: a picture in `CARDS`, by name. Without one it is a button in a row.
    on_home : bool
        Whether it is shown there; others are stops of the tour.
    """

    key: str
    label: str
    icon: str
    lay_out: Callable[[], None] | None
    help: str = ""
    title: str = ""
    picture: str = ""
    on_home: bool = True


class Page(ABC):
    """One page. Subclass it in ``entry.py`` of a folder of its own; nothing else need change.

    Class attributes
    ----------------
    name : str
        In the address, and of its file in ``pages``.
    title : str
        In the navigation.
    order : int
        Place in the navigation: smaller comes first.
    help : str
        Its page of documentation: the path below ``docs`` without the ending. Empty: the first page of all.
    link_names : tuple of str
        Parts of the address that say what is on screen.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    order: ClassVar[int] = 100
    help: ClassVar[str] = ""
    link_names: ClassVar[tuple[str, ...]] = (RUN,)

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        PAGES.offer(cls)

    @abstractmethod
    def show(self) -> None:
        """Draw it."""

    def desk(self) -> Desk | None:
        """What is laid out on it in this session; None where nothing can be."""
        return None

    def opens(self, run: Run) -> bool:
        """Whether it can show a stored run as it was."""
        return False

    def open(self, run: Run, place: Mapping[str, str]) -> None:
        """Lay out a run that it opens.

        Parameters
        ----------
        run : Run
            Of this owner.
        place : mapping of str to str
            The rest of the address.

        Raises
        ------
        BadInput
            When something that it needs is gone.
        """
        raise NotImplementedError(f"{self.name} opens no run")

    def opens_together(self, runs: Sequence[Run]) -> bool:
        """Whether it can show several stored runs side by side."""
        return False

    def open_together(self, runs: Sequence[Run]) -> None:
        """Lay out several runs that it opens together, of this owner.

        Raises
        ------
        BadInput
            When something that it needs is gone.
        """
        raise NotImplementedError(f"{self.name} puts no runs side by side")

    def follow(self, place: Mapping[str, str]) -> None:
        """Lay out what an address names that has no `RUN`.

        Raises
        ------
        LightboxError
            When that is not there (any more).
        """
        raise NotImplementedError(f"{self.name} has addresses of runs alone")

    def verb(self, card: Card) -> str:
        """What it does with a model, for a button ("Explain"); empty where it does nothing with it."""
        return ""

    def begin_with(self, card: Card) -> None:
        """Lay out a model that it has a verb for."""
        raise NotImplementedError(f"{self.name} does nothing with a model")

    def starts(self) -> Sequence[Start]:
        """Buttons on Home, the most telling first."""
        return ()


def _complaint(item: Any) -> str | None:
    """Why something cannot be a page, as the end of a sentence."""
    lacking = not_a_subclass(item, Page, "name", "title", "help")
    if lacking is not None:
        return lacking
    if not 0 < len(item.title) <= _LONGEST_TITLE or not item.title.isprintable():
        return f"its title is no text of 1 to {_LONGEST_TITLE} characters"
    if not isinstance(item.order, int):
        return "its order is no whole number"
    item()
    return None


#: Every page; those of ours are folders with a file ``entry.py``.
PAGES: Registry[type[Page]] = Registry(
    "pages",
    "page",
    [f"dashboard.{entry.parent.name}.entry" for entry in sorted(_HERE.glob("*/entry.py"))],
    judge=_complaint,
    describe=lambda page: {"title": page.title, "order": page.order},
)


def pages() -> dict[str, Page]:
    """Every page by name, in the order of the navigation."""
    found = [cls() for cls in PAGES.all().values()]
    return {page.name: page for page in sorted(found, key=lambda page: (page.order, page.title))}


def told(page: Page, ask: Callable[[Page], Answer], otherwise: Answer) -> Answer:
    """What a page says when all are asked; `otherwise` where it stumbles, so that no other page stops for it."""
    try:
        return ask(page)
    except Exception:
        _LOG.exception("the page %s could not say something", page.name)
        return otherwise
