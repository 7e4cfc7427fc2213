"""What is said of many scans: how many a model cannot read, which, and why. Readable without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.acceptance.verdict import Acceptance

#: Most scans that a note names; tables name all.
_MOST_NAMED = 8


def as_row(acceptance: Acceptance) -> dict[str, str]:
    """What a row of one scan keeps: ``acceptance``, and ``reason``, which is empty unless it was refused."""
    return {"acceptance": acceptance.state, "reason": " ".join(acceptance.reasons[:1])}


def in_a_cell(row: Mapping[str, Any]) -> str | None:
    """The same for a table: ``"yes"``, ``"not known"``, or no and why; None of a row from before it was looked at."""
    state = row.get("acceptance")
    if state == "refused":
        return f"no: {row.get('reason') or 'unlike the training scans.'}"
    return {"accepted": "yes", "unknown": "not known"}.get(str(state))


@dataclass(frozen=True)
class Refusals:
    """Which of several scans a model cannot read.

    Parameters
    ----------
    model : str
        What the model is called.
    scans : int
        How many were looked at.
    reasons : mapping of str to str
        Name of each scan that was refused → why.
    unknown : bool
        Whether it is not known what the model was trained on, so that nothing is known of the scans that pass.
    """

    model: str
    scans: int
    reasons: Mapping[str, str]
    unknown: bool = False

    @classmethod
    def of(cls, model: str, rows: Iterable[Mapping[str, Any]], name: str = "scan") -> Refusals:
        """From rows that `as_row` went into; `name` is the key of a scan's name, which may stand in several rows."""
        found = {str(row[name]): row for row in rows if row.get("acceptance")}
        refused = {scan: str(row.get("reason") or "") for scan, row in found.items() if row["acceptance"] == "refused"}
        unknown = any(row["acceptance"] == "unknown" for row in found.values())
        return cls(model, len(found), refused, unknown)

    @property
    def most(self) -> bool:
        """Whether more than half of the scans are refused: that is then the first thing to say."""
        return 2 * len(self.reasons) > self.scans

    def notes(self, word: str = "scan") -> list[str]:
        """Those that were refused by name, and what is not known."""
        found = []
        if self.reasons:
            named = [f"{name} ({reason.rstrip('.')})" for name, reason in list(self.reasons.items())[:_MOST_NAMED]]
            more = len(self.reasons) - len(named)
            rest = f", and {more} more: the table marks them" if more else ""
            found.append(f"Not what {self.model} was made for: {', '.join(named)}{rest}.")
        if self.unknown:
            found.append(
                f"It is not known what {self.model} was trained on: whether it can read these {word}s could not be "
                "checked."
            )
        return found


def with_refusals(sentence: str, found: Sequence[Refusals], word: str = "scan") -> str:
    """A study's sentence with how many scans are refused: first where they are most of a model's, else last."""
    refused = _refused_sentence(found, word)
    said = (refused, sentence) if any(one.most for one in found) else (sentence, refused)
    return " ".join(part for part in said if part)


def _refused_sentence(found: Sequence[Refusals], word: str) -> str:
    """How many scans are refused; empty where none is."""
    some = [one for one in found if one.reasons]
    if not some:
        return ""
    first, *others = some
    count = len(first.reasons)
    said = f"{count} of {first.scans} {word}s {'is' if count == 1 else 'are'} not what {first.model} was made for"
    said += "".join(f", {len(one.reasons)} not what {one.model} was made for" for one in others)
    few = count == 1 and not others
    return f"{said}: what {'it says of it' if few else 'is said of them'} means nothing, and is counted all the same."
