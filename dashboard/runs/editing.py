"""Name, note and tags of one run, under its row."""

import streamlit as st

from core.runs import RunRow
from core.runs.store.run_table import LONGEST_NAME, LONGEST_NOTE
from dashboard.callbacks import whole
from dashboard.desk import shelf
from dashboard.look import text
from dashboard.results.run_list import told
from dashboard.runs import choosing

_EDITED = "edited run"


def is_open(run_id: str) -> bool:
    """Whether this run is being written on."""
    return bool(st.session_state.get(_EDITED) == run_id)


def button(run_id: str, name: str) -> None:
    """Opens and closes the fields."""
    st.button(
        f"*Name, note and tags of run of {text.as_markdown(name)}*",
        icon=":material/edit:",
        key=f"edit {run_id}",
        type="tertiary",
        help="Name, note, tags, delete",
        on_click=whole(_open),
        args=(run_id,),
    )


def show(row: RunRow) -> None:
    """The fields, as they are kept."""
    run_id = row.run.id
    with st.container(border=True, key="edited-run"):
        left, right = st.columns([1, 1.3])
        with left:
            st.text_input(
                "Name",
                row.name,
                max_chars=LONGEST_NAME,
                key=f"name {run_id}",
                placeholder="Your own name for this run",
            )
            st.multiselect(
                "Tags",
                sorted({*shelf().table.choices()["tag"], *row.tags}),
                list(row.tags),
                accept_new_options=True,
                key=f"tags {run_id}",
                placeholder="Choose, or write a new one",
            )
        with right:
            st.text_area("Note", row.note, max_chars=LONGEST_NOTE, key=f"note {run_id}", height=124)
        with st.container(horizontal=True):
            st.button("Save", type="primary", key=f"save {run_id}", on_click=whole(_save), args=(run_id,))
            st.button("Cancel", key=f"leave {run_id}", on_click=whole(_close))
            st.button(
                "Delete this run",
                icon=":material/delete:",
                key=f"delete {run_id}",
                on_click=whole(_delete),
                args=(run_id,),
            )


def _open(run_id: str) -> None:
    st.session_state[_EDITED] = None if is_open(run_id) else run_id


def _close() -> None:
    st.session_state.pop(_EDITED, None)


def _save(run_id: str) -> None:
    state = st.session_state
    with told():
        shelf().table.describe(
            run_id, state[f"name {run_id}"] or "", state[f"note {run_id}"] or "", state[f"tags {run_id}"]
        )
        _close()


def _delete(run_id: str) -> None:
    choosing.throw_away([run_id])
    _close()
