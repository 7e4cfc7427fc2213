import json
from dataclasses import asdict

import pytest

from core.explainers import Curve, Part, Parts, describe, explainers
from core.explainers.extras import Color, Verdict, curves_of_record, parts_of_record, parts_record, verdict_of

PARTS = Parts(
    "filter",
    "filters",
    "features.9",
    (Part(17, "Filter 17", 6.0, 0.3, "filter_017", "30.0% of the layer"), Part(3, "Filter 3", 2.0)),
    sentence="The 2 strongest of 64 filters were used.",
    help="Click one.",
    absent="Keep them.",
)


def test_parts_and_curves_come_back_from_json_as_they_were():
    assert parts_of_record(json.loads(json.dumps(parts_record(PARTS)))) == PARTS
    assert parts_of_record(parts_record(None)) is None
    curves = {"loss": Curve("loss", "nat", "log", "goal", 0.0, 2.0), "size": Curve("size")}
    assert curves_of_record(json.loads(json.dumps({name: asdict(c) for name, c in curves.items()}))) == curves


def test_words_of_a_later_version_are_left_out():
    record = parts_record(PARTS)
    record["weather"] = "fair"
    record["members"][0]["mood"] = "good"
    assert parts_of_record(record) == PARTS
    assert curves_of_record({"loss": {"title": "loss", "mood": "good"}}) == {"loss": Curve("loss")}


def test_parts_with_a_map_of_their_own_are_those_to_show():
    assert [part.index for part in PARTS.shown] == [17]
    assert PARTS.title == "Filters of features.9"


def test_a_curve_is_called_by_its_title_and_unit():
    assert Curve("hidden", "cm³").label == "hidden (cm³)"
    assert Curve("loss").label == "loss"


@pytest.mark.parametrize("name", list(explainers()))
def test_what_an_explainer_says_of_itself_is_in_its_description(name):
    cls = explainers()[name]
    said = json.loads(json.dumps(describe(cls)))
    assert said["color"] in Color.__args__
    assert (said["order"], said["takes_region"], said["makes_parts"]) == (cls.order, cls.takes_region, cls.makes_parts)
    assert curves_of_record(said["curves"]) == cls.curves
    for values in (said["with_parts"], said["without_parts"]):
        cls.parameters(None, values)
    for side, values in said["steered_by_region"].items():
        assert side in ("input", "output")
        cls.parameters(None, values)


def test_shipped_explainers_have_colours_that_can_be_told_apart():
    shipped = [cls.color for cls in explainers().values() if cls.__module__.startswith("core.")]
    assert len(set(shipped)) == len(shipped) > 8


def check(title: str, passed: bool | None, applies: bool = True) -> dict[str, object]:
    return {"title": title, "passed": passed, "applies": applies}


@pytest.mark.parametrize(
    ("checks", "asked", "zero", "state"),
    [
        ([check("Goal", True), check("Swap", True)], True, False, "holds"),
        ([check("Goal", True), check("Swap", False)], True, False, "fails"),
        ([check("Goal", False), check("Swap", None, False)], True, False, "fails"),
        ([check("Top", None), check("Random", None, False)], True, False, "untested"),
        ([check("Goal", True, False)], True, False, "untested"),
        ([], True, False, "untested"),
        ([], True, True, "fails"),
        ([check("Something", None, False)], False, True, "nothing"),
    ],
)
def test_a_verdict_follows_from_the_checks_that_apply(checks, asked, zero, state):
    verdict = verdict_of(checks, asked, zero)
    assert verdict.state == state
    for one in checks:
        decides = one["applies"] and one["passed"] is (state == "holds")
        assert (str(one["title"]) in verdict.sentence) == bool(decides and state in ("holds", "fails"))


@pytest.mark.parametrize(("passed", "applies"), [(False, True), (True, True), (None, False), (None, True)])
def test_a_check_without_which_there_is_no_result_withholds_it_only_where_it_failed(passed, applies):
    decisive = {**check("Goal", passed, applies), "remedy": "Try more iterations."}
    verdict = verdict_of([check("Swap", False), decisive])
    assert verdict.withheld == (passed is False)
    assert verdict.remedy == ("Try more iterations." if verdict.withheld else "")
    assert ("There is no result." in verdict.sentence) == verdict.withheld
    assert Verdict.of_record({**asdict(verdict), "mood": "good"}) == verdict
    assert Verdict.of_record({"state": "fails", "sentence": "So."}).remedy == ""


def test_checks_of_older_records_apply():
    assert verdict_of([{"title": "Swap", "passed": True}]).state == "holds"
