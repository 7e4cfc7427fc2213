"""The small print of a study: settings, figures, hashes, folded away."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.runs import Run
from core.studies.reading import StoredStudy
from dashboard.look import text


def show(run: Run, study: StoredStudy) -> None:
    """Parameters, figures and hashes."""
    with st.expander("Details"):
        left, middle, right = st.columns(3, gap="large")
        with left:
            st.markdown("### Settings")
            text.show(text.numbers(rows_of(study.record.get("parameters"))))
        with middle:
            st.markdown("### Figures")
            found = [(name.replace("_", " "), f"{value:.4g}") for name, value in study.numbers.items()]
            text.show(text.numbers(found) if found else text.quiet("There are none beside the tables."))
        with right:
            st.markdown("### Run")
            took = [("took", text.duration(run.seconds))] if run.seconds else []
            text.show(text.numbers([("run", run.id), ("study", study.name), *took, *_hashes(study.record)]))


def rows_of(values: Any, lead: str = "") -> list[tuple[str, str]]:
    """Names and values of a mapping as words, nested ones spread out; nothing for what is no mapping."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items() if isinstance(values, Mapping) else ():
        label = f"{lead}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            rows += rows_of(value, f"{label} ")
        elif value not in (None, "", [], ()):
            rows.append((label, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)))
    return rows


def _hashes(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(f"{name} hash", value[:16]) for name, value in rows_of(record.get("hashes"))]
