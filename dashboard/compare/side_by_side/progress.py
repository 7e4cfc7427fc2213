"""Several runs as one: how far they are, how long it will take, and the button that ends all."""

from collections.abc import Sequence
from statistics import median

import streamlit as st

from core.runs import ExplanationSpec, Run, Status
from dashboard.callbacks import whole
from dashboard.desk import shelf
from dashboard.look import text
from dashboard.results import answer
from dashboard.results.pinned.words import words_of

#: Earlier runs that tell how long one takes.
_REMEMBERED = 200


def show(runs: Sequence[Run]) -> None:
    """One bar for all of them."""
    live = {run.id: shelf().progress(run.id) for run in runs if run.status is Status.RUNNING}
    fractions = [1.0 if run.status.final else live[run.id].fraction if run.id in live else 0.0 for run in runs]
    done = sum(run.status.final for run in runs)
    pieces = [f"{done} of {len(runs)} done"]
    running = next((run for run in runs if run.status is Status.RUNNING), None)
    if running is not None:
        words = answer.progress_text(running, live[running.id]).split(" · about")[0]
        pieces.append(f"{words_of(running).split(' · ')[0]}: {words[:1].lower()}{words[1:]}")
    pieces += _left(runs, {name: one.eta_seconds for name, one in live.items()})
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.progress(min(sum(fractions) / len(fractions), 1.0), text=" · ".join(pieces))
        going = tuple(run.id for run in runs if not run.status.final)
        st.button(
            "Cancel all" if len(going) > 1 else "Cancel",
            icon=":material/stop_circle:",
            key="cancel results",
            on_click=whole(_cancel),
            args=(going,),
        )


def _left(runs: Sequence[Run], going: dict[str, float | None]) -> list[str]:
    """How long it will take, as far as earlier runs tell; at least that, where one of them never ran before."""
    known = _took()
    total, unknown = 0.0, False
    for run in runs:
        if run.status is Status.RUNNING and going.get(run.id) is not None:
            total += going[run.id] or 0.0
        elif not run.status.final:
            seconds = known.get(_kind(run))
            unknown = unknown or seconds is None
            total += max((seconds or 0.0) - (run.seconds or 0.0), 0.0)
    if total < 1.0:
        return []
    return [f"{'at least' if unknown else 'about'} {text.duration(total)} left"]


def _took() -> dict[tuple[str, str], float]:
    """Seconds that earlier explanations took, by explainer and model."""
    found: dict[tuple[str, str], list[float]] = {}
    for run in shelf().runs(_REMEMBERED):
        if run.kind == ExplanationSpec.kind and run.status is Status.DONE and run.seconds is not None:
            found.setdefault(_kind(run), []).append(run.seconds)
    return {kind: median(seconds) for kind, seconds in found.items()}


def _kind(run: Run) -> tuple[str, str]:
    return str(run.request.get("explainer")), str(run.request.get("model"))


def _cancel(runs: Sequence[str]) -> None:
    for run in runs:
        shelf().cancel(run)
