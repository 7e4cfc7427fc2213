"""What is said of a scan that a model cannot read, on any page."""

from collections.abc import Mapping

import streamlit as st

from core.acceptance.verdict import HEADING, Acceptance
from dashboard.backend.questions import Prediction
from dashboard.look import text
from dashboard.look.text import Markup, joined

_UNKNOWN = "nothing is known of what this model was trained on"


def show_refusal(prediction: Prediction | None) -> None:
    """A banner across the page where the model cannot read the scan."""
    show_banner(prediction.acceptance if prediction is not None else None)


def show_banner(acceptance: Acceptance | None) -> None:
    """The same of what a record holds."""
    if acceptance is not None and acceptance.refused:
        text.show(text.banner(f"{HEADING}.", [*acceptance.reasons, "What the model says means nothing."]))


def show_refusals(said: Mapping[str, Prediction]) -> None:
    """One banner for several models, by their titles."""
    refused = {title: one for title, one in said.items() if one.refused and one.acceptance is not None}
    if not refused:
        return
    if len(refused) == len(said):
        heading = "This scan is not what these networks were made for."
    else:
        heading = f"This scan is not what {len(refused)} of {len(said)} networks were made for."
    reasons = [f"{title}: {one.acceptance.reasons[0]}" for title, one in refused.items() if one.acceptance]
    text.show(text.banner(heading, [*reasons, "What they say means nothing."]))


def unknown(prediction: Prediction) -> list[str]:
    """What must be known of an answer of a model without statistics."""
    found = prediction.acceptance
    return [_UNKNOWN] if found is not None and found.state == "unknown" else []


def show_signs(acceptance: Acceptance | None) -> None:
    """What was looked at before the answer was shown, and what was found."""
    if acceptance is None:
        return
    st.markdown("### Can the model read this scan?")
    row = Markup("<i class='{}'>{}</i><div><b>{}</b> {}</div>")
    marks = {True: ("pass", "✓"), False: ("fail", "!")}
    rows = [row.format(*marks[sign.passed], sign.title, sign.sentence) for sign in acceptance.signs]
    if acceptance.state == "unknown":
        rows.append(row.format("info", "·", "Training scans", acceptance.sentence))
    text.show(Markup("<div class='checks signs'>{}</div>").format(joined(rows)))
