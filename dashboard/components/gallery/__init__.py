"""A grid of pictures to click: filters of a layer, films of a cohort.

The app must serve `dashboard.frame.server.volume_routes`.
"""

import base64
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from dashboard.callbacks import whole
from dashboard.components import registering as components

__all__ = ["Tile", "gallery"]

#: Least width over height of a frame, and its inverse the most.
_NARROWEST = 0.6
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Tile:
    """One picture of a gallery. Its words are shown as they are: nothing in them is read as markup.

    Parameters
    ----------
    key : str
        What a click on it returns; different for every tile of a gallery.
    image : bytes
        A PNG, shown whole. Pictures of one shape get frames of that shape, others square ones.
    title : str
        In bold under the picture; what does not fit is in the tooltip.
    caption : str
        Under the title, muted.
    selected : bool
        Drawn with a frame in the accent colour; the keyboard starts there.
    disabled : bool
        Cannot be clicked.
    help : str
        Tooltip; by default title and caption.
    """

    key: str
    image: bytes
    title: str = ""
    caption: str = ""
    selected: bool = False
    disabled: bool = False
    help: str = ""


def gallery(
    tiles: Sequence[Tile],
    key: str,
    columns: int = 5,
    *,
    height: int | None = None,
    label: str = "",
    also: Collection[str] = (),
    on_click: Callable[[str], None] | None = None,
) -> str | None:
    """Show tiles in a grid and return the key of the one that was clicked.

    Each is reached by mouse, or by Tab, the arrow keys, Home, End and Enter.

    Parameters
    ----------
    tiles : sequence of Tile
        From left to right, top to bottom.
    key : str
        Streamlit key of the component.
    columns : int
        Most tiles side by side, 1..12; fewer where they would be too narrow to see.
    height : int, optional
        Pixels after which the grid scrolls; by default it is as high as it needs to be.
    label : str
        What a screen reader calls the grid.
    also : collection of str
        Keys of tiles that this gallery shows at other times. Until a browser has drawn the new tiles the old ones can
        be clicked: a click on one of these counts, on any other it does not.
    on_click : callable, optional
        Called with the key before the rerun that a click causes: a click cannot be lost that way.

    Returns
    -------
    str or None
        Key of the tile (of `tiles` or `also`) whose click caused this run, None in any other run. A second click on the
        same tile returns it again.
    """
    check_tiles(tiles, columns)
    data = {
        **components.address("gallery"),
        "columns": columns,
        "aspect": _aspect([tile.image for tile in tiles]),
        "height": height,
        "label": label,
        "tiles": [_tile_data(tile) for tile in tiles],
    }
    offered = frozenset(tile.key for tile in tiles if not tile.disabled) | frozenset(also)
    notice = whole(partial(_notify, key, offered, on_click))
    state = components.register("gallery", "gallery")(key=key, data=data, on_clicked_change=notice)
    return _known(state.get("clicked"), offered)


def check_tiles(tiles: Sequence[Tile], columns: int) -> None:
    """Refuse what the component cannot show (a mistake of the calling page, so ValueError)."""
    if len({tile.key for tile in tiles}) != len(tiles):
        raise ValueError("tiles need different keys")
    if any(not tile.image.startswith(_PNG) for tile in tiles):
        raise ValueError("the picture of a tile is a PNG")
    if not 1 <= columns <= 12:
        raise ValueError("a gallery has 1 to 12 columns")


def _aspect(images: Sequence[bytes]) -> float:
    """Width over height of the frames: that of the pictures where they agree, within bounds; else 1."""
    # a PNG says its size at a fixed place of its first block
    sizes = {(int.from_bytes(image[16:20]), int.from_bytes(image[20:24])) for image in images}
    found = {round(width / max(height, 1), 2) for width, height in sizes}
    return min(max(found.pop(), _NARROWEST), 1 / _NARROWEST) if len(found) == 1 else 1.0


def _notify(key: str, offered: frozenset[str], on_click: Callable[[str], None] | None) -> None:
    chosen = _known((st.session_state.get(key) or {}).get("clicked"), offered)
    if on_click is not None and chosen is not None:
        on_click(chosen)


def _known(value: Any, offered: frozenset[str]) -> str | None:
    """What a browser sent, if it is the key of a tile that can be clicked: nothing else is taken from it."""
    return value if isinstance(value, str) and value in offered else None


def _tile_data(tile: Tile) -> dict[str, Any]:
    return {
        "key": tile.key,
        "image": f"data:image/png;base64,{base64.b64encode(tile.image).decode()}",
        "title": tile.title,
        "caption": tile.caption,
        "selected": tile.selected,
        "disabled": tile.disabled,
        "help": tile.help or "\n".join(part for part in (tile.title, tile.caption) if part),
    }
