"""What leaves of results side by side: the link, and everything in one archive."""

import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st

from core.errors import LightboxError
from core.reports.explanation import export_stored
from core.reports.figures.drawing import figure_png, figure_svg
from core.reports.nifti import write_map
from core.tables import write_table
from core.wording import listed
from dashboard.compare import link
from dashboard.compare.desk import CompareDesk
from dashboard.compare.side_by_side.common import Common, common_of, unit_of
from dashboard.compare.side_by_side.findings import likeness_columns
from dashboard.compare.side_by_side.measuring import Likeness, measure
from dashboard.compare.side_by_side.members import Comparison, Member
from dashboard.compare.side_by_side.stage import VIEWER_KEY, agreement_of, difference_of
from dashboard.components.viewer import Hung, hung
from dashboard.desk import shelf
from dashboard.frame import opening
from dashboard.frame.pages import Page
from dashboard.results.leaving.figure import RESEARCH, caption_of, figure_of
from dashboard.results.pinned.words import words_of

Form = Literal["png", "svg"]
_FORMS: dict[Form, tuple[str, str]] = {
    "png": ("Figure (PNG, 300 dpi)", "image/png"),
    "svg": ("Figure (SVG)", "image/svg+xml"),
}


def show(page: Page, laid: CompareDesk, comparison: Comparison) -> None:
    """The menu at the top right."""
    with st.popover("Keep", icon=":material/download:", width="content"):
        st.caption("Link that opens this comparison again")
        st.code(opening.address(page, link.query(laid)), language=None)
        if not comparison.finished:
            st.caption("Maps and tables can be kept once a run is done.")
            return
        st.caption("Figure of the images, with legends, scale bars and caption")
        with st.container(horizontal=True):
            # what hangs is known once the page is drawn, below: it is looked up when somebody presses
            on_screen = partial(hung().get, VIEWER_KEY)
            for form, (label, mime) in _FORMS.items():
                st.download_button(
                    label, partial(figure, comparison, on_screen, form), mime=mime, on_click="ignore",
                    file_name=f"lightbox-comparison-{comparison.members[0].run.id[:8]}.{form}", key=f"download {form}",
                )  # fmt: skip
        st.caption("Every map in its scan's own space, the records, the tables, and what they have in common")
        st.download_button(
            "Everything (ZIP)",
            partial(archive, comparison, laid.share),
            file_name=f"lightbox-comparison-{comparison.members[0].run.id[:8]}.zip",
            mime="application/zip",
            on_click="ignore",
            key="download comparison",
        )


def figure(comparison: Comparison, on_screen: Callable[[], Hung | None], form: Form) -> bytes:
    """The row as it hangs, for print; what each letter is stands below, and whose map is not to be believed on top.

    Parameters
    ----------
    comparison : Comparison
        With at least one result.
    on_screen : callable
        What hangs in the viewer; None before anything does.
    form : {"png", "svg"}
        Of the file.

    Raises
    ------
    LightboxError
        When nothing hangs yet.
    """
    shown = on_screen()
    if shown is None:
        raise LightboxError("The images are not on screen yet: wait until they are, and try again.")
    found = [(member, member.explanation) for member in comparison.members if member.explanation is not None]
    told = [f"{member.letter}: {' '.join(caption_of(member.run, result))}" for member, result in found]
    # one model and one scan: what is the same for all would stand there once for each
    told = [words.replace(f" {RESEARCH}", "") for words in told] + [RESEARCH]
    warned: dict[str, list[str]] = {}
    for member, result in found:
        if result.caution:
            warned.setdefault(result.caution, []).append(member.letter)
    caution = " ".join(
        words.replace("Do not believe:", f"Do not believe {listed(letters)}:") for words, letters in warned.items()
    )
    drawn = figure_of(shown, told, caution)
    return figure_png(drawn) if form == "png" else figure_svg(drawn)


def archive(comparison: Comparison, share: float) -> bytes:
    """All of it as one ZIP.

    Parameters
    ----------
    comparison : Comparison
        With at least one result.
    share : float
        Of all samples, those that a map marks, 0..1.

    Returns
    -------
    bytes
        A folder a run with what `core.reports.explanation.export_stored` writes, ``results.csv``, ``differs.csv``,
        ``likeness.csv``, ``comparison.json`` and the maps that are of several.
    """
    done = comparison.done
    common = common_of(done) if done else None
    found = measure(done, common, share, ask=False) if common is not None and len(done) > 1 else []
    with tempfile.TemporaryDirectory(prefix="lightbox-") as name:
        root = Path(name)
        for member in comparison.finished:
            folder = root / f"{member.letter}-{member.run.id}"
            folder.mkdir()
            assert member.explanation is not None
            export_stored(member.explanation, shelf().scan(member.scan), folder)
        _write_tables(root, comparison, common, found, share)
        if common is not None:
            _write_common(root, done, common, share)
        return _zipped(root)


def _write_tables(
    root: Path, comparison: Comparison, common: Common | None, found: Sequence[Likeness], share: float
) -> None:
    letters = [member.letter for member in comparison.members]
    _write_csv(root / "results.csv", _HEADS, [_result(member) for member in comparison.members])
    _write_csv(root / "differs.csv", ["what", *letters], [[row.name, *row.values] for row in comparison.rows])
    columns = likeness_columns(found)
    rows = [[one.one, one.other, *(cells[at].main for cells in columns.values())] for at, one in enumerate(found)]
    _write_csv(root / "likeness.csv", ["one", "other", *columns], rows)
    told = {
        "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "runs": {member.letter: member.run.id for member in comparison.members},
        "what": {member.letter: words_of(member.run) for member in comparison.members},
        "marked_share": share,
        "values_are": unit_of(comparison.done[0]) if common is not None and common.values else None,
        "notes": list(common.notes) if common is not None else [],
    }
    (root / "comparison.json").write_text(json.dumps(told, indent=2), encoding="utf-8")


_HEADS = ["letter", "run", "what", "sets apart", "probability before", "probability after", "verdict", "sentence"]


def _result(member: Member) -> list[str]:
    row = [member.letter, member.run.id, words_of(member.run), member.title]
    found = member.explanation
    if found is None:
        return [*row, "", "", str(member.run.status), member.run.message]
    scores = found.scores or {}
    known = [(scores.get(when) or {}).get(found.target or "") for when in ("before", "after")]
    return [*row, *("" if one is None else f"{one:.6g}" for one in known), found.verdict.state, found.sentence]


def _write_common(root: Path, done: Sequence[Member], common: Common, share: float) -> None:
    """Difference and agreement on the grid of the first."""
    if len(done) < 2 or not common.samples:
        return
    scan = shelf().scan(done[0].scan)
    write_map(agreement_of(done, share), scan, root, "agreement")
    if common.values and len(done) == 2:
        write_map(np.asarray(difference_of(done[0], done[1])), scan, root, "difference", neutral=0.0)


def _write_csv(path: Path, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    write_table(path, [dict(zip(heads, row, strict=True)) for row in rows])


def _zipped(root: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(root))
    return buffer.getvalue()
