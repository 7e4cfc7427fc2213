"""The frame around every page: navigation, look, and what happens when something goes wrong."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import LightboxError
from core.runs import manager
from dashboard.backend import pool, questions
from dashboard.components import assist
from dashboard.frame import help, opening, preferences, tour
from dashboard.frame.first_page import LEFT_SIDE
from dashboard.frame.pages import Page, pages
from dashboard.intake import uploads
from dashboard.look import text
from dashboard.offered import REFUSAL, of_another_type, show_refusal

_LOG = logging.getLogger(__name__)
STATIC = Path(__file__).resolve().parent.parent / "static"
#: Width of the sidebar, pixels.
_SIDEBAR = 250
#: Seconds that the browser gets to draw the first page before torch is imported beside it.
_AFTER_FIRST_PAGE = 1.5


def show() -> None:
    """Draw the page that was asked for. The whole script of a session."""
    st.set_page_config(
        page_title="Lightbox", page_icon=str(STATIC / "icon.png"), layout="wide", initial_sidebar_state=_SIDEBAR
    )
    for style in ("style.css", *preferences.styles()):
        text.show_style(STATIC / style)
    known = {name: opening.navigable(page) for name, page in pages().items()}
    chosen = st.navigation(list(known.values()), position="top")
    page = pages()[next(name for name, page in known.items() if page == chosen)]
    _show_header(page)
    assist.mount()
    opening.turn_page()
    if page.name in LEFT_SIDE:
        # at once: the first control of a page comes when models and scans were looked through
        text.show(text.unseen_words("What goes in"), place=st.sidebar)
    tour.show()
    opening.turn_page()  # to the stop of a tour that the address names, which is known only now
    show_refusal()
    try:
        chosen.run()
    except LightboxError as problem:
        st.error(text.as_markdown(str(problem)))
    except Exception as problem:
        show_problem(problem)
    text.show(text.disclaimer())
    _get_ready()


def _show_header(page: Page) -> None:
    """What stands in the header beside the navigation: the mark, how the screen looks, the documentation of `page`."""
    with st.container(key="header-mark"):
        text.show(text.picture((STATIC / "logo.svg").read_bytes(), "Lightbox", (132, 32)), width="content")
        text.show(text.unseen_title(page.title), width="content")
    with st.container(horizontal=True, gap="small", key="header-tools"):
        preferences.show_menu()
        st.link_button("Help", help.address_of(page.help), icon=":material/help:", type="tertiary")


@lru_cache(maxsize=1)
def _get_ready() -> None:
    """Prepare for the first explanation once the first page is there: earlier, that page would wait for it."""
    timer = threading.Timer(_AFTER_FIRST_PAGE, _warm_up)
    timer.daemon = True
    timer.start()


def _warm_up() -> None:
    with contextlib.suppress(LightboxError):
        manager().warm_up()
    pool.warm_up(questions.get_ready)


def show_problem(problem: Exception) -> bool:
    """One sentence on the page, the traceback in the server's log; True so that Streamlit shows nothing of its own."""
    if isinstance(problem, LightboxError):
        st.error(text.as_markdown(str(problem)))
    elif of_another_type(problem):
        st.error(REFUSAL)
    else:
        _LOG.error("a page failed", exc_info=problem)
        st.error(
            "Something went wrong here that is not your doing. Reload the page; your runs are kept. "
            "The server's log says what happened."
        )
    return True


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Open the store when the server starts, end the workers when it stops."""
    # a store that cannot be opened does not keep the server from starting: every page says what to do, and tries again
    try:
        await asyncio.to_thread(manager)
    except LightboxError:
        pass
    except Exception:
        _LOG.exception("the store could not be opened")
    uploads.start_sweeping()
    try:
        yield
    finally:
        # here and not when the interpreter ends: a server that is told to end by a signal never comes that far
        uploads.remove_all()
        pool.close()
        with contextlib.suppress(Exception):  # one that was never opened has nothing to close
            manager().close()
