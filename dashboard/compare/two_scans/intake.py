"""The left side of Compare for two scans: which they are, and how their values are brought together."""

import streamlit as st

from core.scans.pairs import Normalisation, Relation, comparable
from core.scans.scan import Scan
from dashboard.backend import pool, questions
from dashboard.callbacks import whole
from dashboard.compare.desk import CompareDesk
from dashboard.desk import owner, shelf
from dashboard.intake import demo

_DEMO = "demo:"
_LABELS: tuple[str, str] = ("First scan", "Second scan")
_HELP = (
    "The difference is the second less the first, at the samples of the first.",
    "Scans are opened on Explain; demo scans are in the list.",
)
_NORMALISED: dict[Normalisation, str] = {"none": "As they are", "z-score": "z-score"}


def choose_two(laid: CompareDesk) -> tuple[str, str] | None:
    """Draw both lists and the button that swaps them; the content hashes, once both are chosen."""
    options = _options()
    names = list(options)
    chosen = [name if name in options else None for name in laid.pair]
    for place, (label, known) in enumerate(zip(_LABELS, chosen, strict=True)):
        key = f"pair {place}:{laid.pair[place]}:{len(options)}"
        st.selectbox(
            label,
            names,
            index=names.index(known) if known is not None else None,
            format_func=options.__getitem__,
            placeholder="Choose a scan",
            key=key,
            on_change=whole(_chosen),
            args=(laid, place, key),
            help=_HELP[place],
        )
    st.button(
        "Swap", icon=":material/swap_vert:", key="swap scans", width="content", disabled=None in chosen,
        help="The second becomes the first: the difference changes its sign.", on_click=whole(_swap), args=(laid,),
    )  # fmt: skip
    return (chosen[0], chosen[1]) if chosen[0] is not None and chosen[1] is not None else None


def choose_values(laid: CompareDesk, relation: Relation, one: Scan, other: Scan) -> Normalisation:
    """Draw how the values are brought to one scale; returns what is chosen."""
    first: Normalisation = "none" if comparable(one, other) else "z-score"
    if not relation.linked or not relation.subtractable:
        return first
    key = f"normalised:{laid.pair}"
    chosen = st.segmented_control(
        "Values",
        list(_NORMALISED),
        default=laid.normalised or first,
        required=True,
        format_func=_NORMALISED.__getitem__,
        key=key,
        on_change=whole(_normalised),
        args=(laid, key),
        help=(
            "z-score: each scan less its mean, over its standard deviation, of what is not background (Otsu's "
            "threshold). As they are: only of values on one scale, such as HU."
        ),
    )
    return "z-score" if chosen == "z-score" else "none"


def _options() -> dict[str, str]:
    """Stored scans by hash, latest first, and demo scans that were not opened yet."""
    stored = shelf().scans()
    labels = [scan.label for scan in stored]
    found = {scan.hash: scan.label + (f" · {scan.hash[:4]}" if labels.count(scan.label) > 1 else "") for scan in stored}
    return found | {_DEMO + scan.name: scan.title for scan in demo.scans() if scan.title not in labels}


def _chosen(laid: CompareDesk, place: int, key: str) -> None:
    """Take a choice over; a demo scan is put into the store first. A callback, so that it is never lost."""
    option = st.session_state[key]
    if option is not None and option.startswith(_DEMO):
        shipped = next(scan for scan in demo.scans() if scan.name == option.removeprefix(_DEMO))
        option = pool.ask(
            questions.read_asset, shipped.path, shipped.title, owner(), shipped.landmarks, shipped.landmark_names
        )
    pair = list(laid.pair)
    pair[place] = option
    laid.pair, laid.normalised = (pair[0], pair[1]), None


def _swap(laid: CompareDesk) -> None:
    laid.pair = (laid.pair[1], laid.pair[0])


def _normalised(laid: CompareDesk, key: str) -> None:
    laid.normalised = st.session_state[key]
