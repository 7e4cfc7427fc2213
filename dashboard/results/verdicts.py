"""Whether a result holds, said where it is seen before anything else of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.explainers.extras import Verdict
from core.wording import sentence_case
from dashboard.look.text import Markup, joined

#: Class and sign of a check that was passed, failed, or only says something; colour alone would not tell everybody.
_MARKS = {True: ("pass", "✓ passed"), False: ("fail", "! failed"), None: ("info", "· noted")}
#: Of one that had nothing to test.
_NOT_APPLICABLE = ("info", "– not tested")


def line(verdict: Verdict) -> Markup:
    """The verdict, and by which checks."""
    template = Markup("<div class='verdict {}'><b>{}</b><span>{}</span></div>")
    return template.format(verdict.state, verdict.title, verdict.sentence)


#: Sign of each verdict: colour alone would not tell everybody.
_SIGNS = {"holds": "✓", "fails": "!", "nothing": "–", "untested": "·"}


def chip(verdict: Verdict, refused: bool = False) -> Markup:
    """The verdict in two or three words, first in the row; `refused`: the model cannot read the scan at all."""
    state, words = ("fails", "Means nothing") if refused else (verdict.state, verdict.title)
    return Markup("<span class='chip {}'><i aria-hidden='true'>{}</i> {}</span>").format(state, _SIGNS[state], words)


def unfolding(verdict: Verdict, checks: Sequence[Mapping[str, Any]]) -> Markup:
    """All checks in one compact line, which unfolds into what each of them found."""
    if not checks:
        return Markup()
    short = Markup("<span class='{}'><i aria-hidden='true'>{}</i> {}</span>")
    marks = [(*mark(check), check) for check in checks]
    names = joined(short.format(kind, sign.split()[0], check["title"]) for kind, sign, check in marks)
    row = Markup("<i class='{}'>{}</i><div><b>{}</b><br>{}</div>")
    rows = joined(row.format(kind, sign, check["title"], check["sentence"]) for kind, sign, check in marks)
    summary = Markup("<summary><small>Checks</small>{}</summary>").format(names)
    body = Markup("{}<div class='checks'>{}</div>").format(line(verdict), rows)
    return Markup("<details class='checks-line'>{}{}</details>").format(summary, body)


def titled(title: str, verdict: Verdict) -> str:
    """Title of a picture of the map: one that does not hold says so wherever it is seen."""
    if verdict.withheld:
        return "No result"
    return f"Does not hold: {sentence_case(title, start=False)}" if verdict.state == "fails" else title


def struck(verdict: Verdict) -> str:
    """What stands over a picture where there is no result; empty where there is one."""
    return f"There is no result, so no map is drawn. {verdict.remedy}" if verdict.withheld else ""


def mark(check: Mapping[str, Any]) -> tuple[str, str]:
    """Class and sign of a check."""
    return _MARKS[check["passed"]] if check["applies"] else _NOT_APPLICABLE
