"""The row of linked images: the scan, and each network's map over it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from string import ascii_uppercase

import numpy as np

from core.models.card import Card
from core.reports.explanation import StoredArray, StoredExplanation
from core.runs import Preview, Run
from core.scans.scan import Scan
from dashboard.components.viewer import Panel, viewer
from dashboard.components.viewer.viewer import Plane
from dashboard.results import verdicts
from dashboard.results.landmarks import outlines
from dashboard.results.layers import forming_layers, map_layer, on_one_scale, scan_layer, unnamed

#: Pixels of the images: with the head of the table under them they fit on a screen of 800.
_HEIGHT = 360
#: The same where so many stand beside each other that they are narrow.
_LOWER = 300
_KEY = "compare viewer"


def show_row(
    scan: Scan,
    name: str,
    cards: Sequence[Card],
    found: Mapping[str, StoredExplanation],
    runs: Mapping[str, Run],
    previews: Mapping[str, Preview],
    signed: bool,
    one_scale: bool = False,
) -> None:
    """Scan and networks in one row; a network without a map yet shows the scan.

    Parameters
    ----------
    scan : Scan
        The scan.
    name : str
        Its content hash: its landmarks are outlined in every image.
    cards : sequence of Card
        The networks, in their order.
    found, runs, previews : mapping
        By network: finished explanation, its run, what is there of a map that forms.
    signed : bool
        Show signed maps with their signs; otherwise their sizes.
    one_scale : bool
        Maps of one unit have one scale, which reaches as far as the widest of them.
    """
    marks = outlines(scan, name)
    panels = [Panel("scan", "Scan", [scan_layer(scan), *marks])]
    for letter, card in lettered(cards):
        layers, empty = unnamed([scan_layer(scan)]), ""
        run = runs.get(card.name)
        verdict = found[card.name].verdict if card.name in found else None
        struck = verdicts.struck(verdict) if verdict is not None else ""
        if card.name in found and run is not None and not struck:
            main = found[card.name].arrays["map"]
            layers.append(replace(map_layer(scan, run.id, "map", main, signed), name=letter))
            empty = "" if _any(str(main.path)) else "The map is zero everywhere."
        elif run is not None and run.status.final:
            empty = "" if struck else "No map."
        elif run is not None:
            layers += forming_layers(run.id, previews.get(card.name))
            empty = "Waiting" if len(layers) == 1 else ""
        title = f"{letter} · {card.title}"
        if verdict is not None and verdict.state == "fails":
            title = f"{letter} · does not hold · {card.title}"
        panels.append(Panel(card.name, title, [*layers, *unnamed(marks)], empty=empty, struck=struck))
    if one_scale:
        panels = on_one_scale(panels)
    plane: Plane = cards[0].input.plane or "axial"
    viewer(panels, key=_KEY, height=_HEIGHT if len(panels) < 5 else _LOWER, plane=plane)


def show_scan(scan: Scan, name: str) -> None:
    """The scan alone, with its landmarks (`name` is its content hash): there is no network to show beside it."""
    viewer([Panel("scan", "Scan", [scan_layer(scan), *outlines(scan, name)])], key=_KEY, height=_HEIGHT)


def lettered(cards: Sequence[Card]) -> Iterator[tuple[str, Card]]:
    """Networks with the letter that they have in images and tables: long titles have no room everywhere."""
    return zip(ascii_uppercase, cards, strict=False)


@lru_cache(maxsize=128)
def _any(path: str) -> bool:
    return bool(np.any(np.load(path, mmap_mode="r", allow_pickle=False)))


def is_signed(arrays: Sequence[StoredArray]) -> bool:
    """Whether one of these maps has signs to show."""
    return any(array.diverging for array in arrays)
