"""Records that earlier versions wrote, read as if they were of today."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from core.explainers.deconvnet.filters import filters_as_parts
from core.explainers.extras import Verdict, parts_record, verdict_of
from core.explainers.mask.telling import remedy_of
from core.explainers.registry import explainers

_SCORE = re.compile(r"score_filter_(\d+)")


def of_today(record: Mapping[str, Any]) -> dict[str, Any]:
    """`record` with everything that has been added to ``explanation.json`` since it was written."""
    found = dict(record)
    if "parts" not in found:
        found["parts"] = _parts(record)
    found["checks"] = [
        {"applies": True, "remedy": _remedy(record, check), **check} for check in record.get("checks", ())
    ]
    now = _verdict(found)
    if "verdict" not in found or ("remedy" not in found["verdict"] and now.remedy):
        found["verdict"] = asdict(now)
    if "curves" not in found:
        found["curves"] = _curves(record)
    return found


def _parts(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Filters stood among the numbers, ``score_filter_012``, and their maps beside the others, ``filter_012``."""
    numbers, parameters = record.get("numbers", {}), record.get("parameters", {})
    scores = {int(match[1]): value for name, value in numbers.items() if (match := _SCORE.fullmatch(name))}
    if not scores:
        return None
    ranked = dict(sorted(scores.items(), key=lambda entry: -entry[1]))
    held, there = numbers.get("share_of_activation"), numbers.get("filters_in_layer")
    whole = sum(scores.values()) / held if held and parameters.get("score") != "max" else None
    layer = parameters.get("layer") or "the last convolution"
    return parts_record(
        filters_as_parts(layer, ranked, record.get("arrays", {}), whole, held, None if there is None else int(there))
    )


def _verdict(record: Mapping[str, Any]) -> Verdict:
    """By the checks that it has; whether the map is empty stands among them where that was looked at."""
    numbers = record.get("numbers", {})
    zero = "hidden_share" in numbers and not numbers["hidden_share"]
    return verdict_of(record["checks"], asked=bool(numbers.get("asked", 1.0)), zero=zero)


def _remedy(record: Mapping[str, Any], check: Mapping[str, Any]) -> str:
    """A mask that missed its goal, or that is a veil, was drawn like any other."""
    if record.get("explainer") != "mask":
        return ""
    before = ((record.get("scores") or {}).get("before") or {}).get(record.get("target"))
    return remedy_of(check, record.get("parameters", {}), before)


def _curves(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the explainer says of its columns now; nothing where it is no longer there."""
    cls = explainers().get(record.get("explainer", ""))
    history = record.get("history", {})
    return {name: asdict(curve) for name, curve in cls.curves.items() if name in history} if cls else {}
