"""Whether a result holds, said where it is seen before anything else of it."""

from collections.abc import Mapping
from typing import Any

from core.explainers.extras import Verdict
from core.wording import sentence_case
from dashboard.look.text import Markup

#: Class and sign of a check that was passed, failed, or only says something; colour alone would not tell everybody.
_MARKS = {True: ("pass", "✓ passed"), False: ("fail", "! failed"), None: ("info", "· noted")}
#: Of one that had nothing to test.
_NOT_APPLICABLE = ("info", "– not tested")


def line(verdict: Verdict) -> Markup:
    """The verdict, and by which checks."""
    template = Markup("<div class='verdict {}'><b>{}</b><span>{}</span></div>")
    return template.format(verdict.state, verdict.title, verdict.sentence)


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
