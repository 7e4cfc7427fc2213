"""Colours of the whole dashboard: the same colour for the same thing on every screen.

The chrome (page background, widgets) takes its colours from ``.streamlit/config.toml``; what is drawn by hand (viewer,
plotly figures, tables) takes them from here. All pairs that can meet in one picture stay apart for colour-blind eyes.
"""

from typing import Final

from core.explainers import explainers
from core.explainers.extras import Color

#: The one accent: what can be pressed, is selected, or belongs to the person (crosshair, painted region).
ACCENT: Final = "#3fb8cc"
#: Words on the accent: white would have 2.3:1.
ON_ACCENT: Final = "#062026"

BACKGROUND: Final = "#0b0f12"
SURFACE: Final = "#12181d"
SURFACE_RAISED: Final = "#1a2229"
BORDER: Final = "#26313a"
TEXT: Final = "#dde5ea"
TEXT_MUTED: Final = "#8b99a5"
WARNING: Final = "#e0a458"
#: What was passed, or is done; a word always says so beside it.
GOOD: Final = "#7fc99a"
#: Bars and curves that stand for nothing but their number.
CHART: Final = "#8fa9bf"

#: A probability before and after something was hidden or changed.
BEFORE: Final = "#8b99a5"
AFTER: Final = "#f2f6f8"

#: Colours that explainers may have, by the names in `core.explainers.extras.Color`.
PALETTE: Final[dict[Color, str]] = {
    "accent": CHART,
    "gold": "#d9c26a",
    "green": "#8fc9a0",
    "violet": "#b6a4e0",
    "orange": "#e8845c",
    "mauve": "#c98bb0",
    "blue": "#7fa8d8",
    "teal": "#5fc4a8",
    "pink": "#e58ad6",
}
#: Of explainers that name none.
EXPLAINER_FALLBACK: Final = ("#a3b1bc", "#c0a890", "#90b8b0", "#b09cc0")

#: Landmarks, in their order: seen on a grey film, under magma and under blue to red.
LANDMARK_COLORS: Final = ("#7ee6a8", "#58c4f0", "#e9f17a", "#ff9fd2", "#f4f4f4", "#9fb4ff")

#: Colours of line charts in the order plotly should take them.
COLORWAY: Final = (CHART, "#e8845c", "#d9c26a", "#b6a4e0", "#8fc9a0", "#7fa8d8", "#c98bb0")


def explainer_color(name: str) -> str:
    """Colour of an explainer, ``#rrggbb``: its own, else one that is the same in every process for the same name."""
    cls = explainers().get(name)
    fallback = EXPLAINER_FALLBACK[sum(name.encode()) % len(EXPLAINER_FALLBACK)]
    return PALETTE.get(cls.color, fallback) if cls is not None and cls.color is not None else fallback
