"""How the screen looks to one person: kept in a cookie of their browser, so that it is there after a reload."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from dashboard.callbacks import whole
from dashboard.components.display import remember

_COOKIE = "lightbox_display"
_KEY = "display preferences"
_CHANGED = "display preferences were changed"


@dataclass(frozen=True)
class Preference:
    """Something about the screen that is on or off.

    Parameters
    ----------
    name, label, help : str
        In the cookie, on the toggle, in its tooltip.
    style : str
        Style sheet below `dashboard/static` that it adds to the page.
    """

    name: str
    label: str
    help: str
    style: str


PREFERENCES: Final = (
    Preference(
        "presenter", "Presenter size", "Larger words and numbers, for a projector or a second row.", "presenter.css"
    ),
    Preference(
        "light", "Light theme", "Dark words on white, for a bright room or paper. Images stay on black.", "light.css"
    ),
)


def chosen() -> frozenset[str]:
    """Names of the preferences that are on."""
    if _KEY not in st.session_state:
        known = {preference.name for preference in PREFERENCES}
        st.session_state[_KEY] = frozenset(st.context.cookies.get(_COOKIE, "").split("+")) & known
    found: frozenset[str] = st.session_state[_KEY]
    return found


def styles() -> list[str]:
    """Names of the style sheets that the preferences add."""
    return [preference.style for preference in PREFERENCES if preference.name in chosen()]


def show_menu() -> None:
    """Draw the small menu of the header."""
    on = chosen()
    with st.popover("Display", icon=":material/contrast:", type="tertiary"):
        for preference in PREFERENCES:
            key = f"display {preference.name}"
            st.toggle(
                preference.label,
                value=preference.name in on,
                key=key,
                help=preference.help,
                on_change=whole(_choose),
                args=(preference.name, key),
            )
    # stays as long as the session: taken off the page at once, it would not have run yet
    if st.session_state.get(_CHANGED):
        remember(_COOKIE, "+".join(sorted(on)))


def _choose(name: str, key: str) -> None:
    on = chosen()
    st.session_state[_KEY] = on | {name} if st.session_state[key] else on - {name}
    st.session_state[_CHANGED] = True
