"""Several files that were dropped at once: a glance at each, ticks, and each becomes a scan of its own."""

from collections.abc import Callable

import streamlit as st

from core.errors import LightboxError
from dashboard.backend import several
from dashboard.callbacks import whole
from dashboard.desk import owner
from dashboard.intake.uploads import Spooled
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.results.listed.thumbnails import shown_size

_WANTED = "several were chosen"
_SEEN = "glance at several"
_PICTURE = Markup("<span class='scan-film'>{}</span>")


def are_several(spooled: Spooled) -> bool:
    """Whether more than one file came, which are images of their own; series of one study are chosen among."""
    readable = [choice for choice in spooled.choices if choice.problem is None]
    return len(spooled.files) > 1 and len(readable) > 1 and not all(choice.is_dicom for choice in readable)


def show(spooled: Spooled, take: Callable[[], None], drop: Callable[[], None]) -> None:
    """Draw the list.

    Parameters
    ----------
    spooled : Spooled
        The files, as `are_several` takes them.
    take : callable
        Called in the run after a click on *Open these*.
    drop : callable
        Throws the files away.
    """
    if st.session_state.pop(_WANTED, False):
        with st.spinner("Reading"):
            take()
        return
    readable = [choice for choice in spooled.choices if choice.problem is None]
    seen = _glance(spooled)
    text.show(text.quiet(f"{len(readable)} images came. The first that is ticked hangs, the others are in the list."))
    with st.container(gap="xsmall", key="several"):
        for number, choice in enumerate(readable, start=1):
            name = f"{number}. {choice.description}"
            with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
                png = seen.pictures.get(choice.key)
                # the words beside it say what it is of
                text.show(_PICTURE.format(text.picture(png, "", shown_size(png)) if png else ""))
                st.checkbox(
                    text.as_markdown(name + (", the first of them" if choice.volumes > 1 else "")),
                    value=True,
                    key=_tick(choice.key),
                )
    for unread in (choice for choice in spooled.choices if choice.problem is not None):
        text.show(text.quiet(f"Cannot be read: {unread.description}. {unread.problem}"))
    for sentence in seen.left_out:
        text.show(text.quiet(sentence))
    with st.container(horizontal=True):
        st.button(
            "Open these", type="primary", key="open several", disabled=not _ticked(spooled), on_click=whole(_chosen)
        )
        st.button("Discard", on_click=whole(drop), key="discard upload")


def read(spooled: Spooled) -> tuple[list[str], list[str]]:
    """Put those that are ticked into the store; see `dashboard.backend.several.read_several`.

    Raises
    ------
    LightboxError
        When the files are gone, or reading them took too much.
    """
    return spooled.ask(several.read_several, owner(), _ticked(spooled))


def forget() -> None:
    """Let go of the pictures: the files are gone."""
    st.session_state.pop(_SEEN, None)


def _glance(spooled: Spooled) -> several.Glance:
    """What was seen of these files, looked at once."""
    place, found = st.session_state.get(_SEEN, (None, None))
    if place != spooled.folder or found is None:
        try:
            with st.spinner("Looking"):
                found = spooled.ask(several.glance)
        except (LightboxError, OSError):  # without pictures; what is wrong is said when they are opened
            found = several.Glance({})
        st.session_state[_SEEN] = (spooled.folder, found)
    return found


def _ticked(spooled: Spooled) -> list[str]:
    state = st.session_state
    return [one.key for one in spooled.choices if one.problem is None and state.get(_tick(one.key), True)]


def _tick(key: str) -> str:
    return f"several {key}"


def _chosen() -> None:
    st.session_state[_WANTED] = True
