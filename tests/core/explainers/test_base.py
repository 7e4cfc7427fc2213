"""What every explainer says of its map, and which classes can be none."""

import dataclasses
import re

import numpy as np
import pytest

from core.explainers import explain, get_explainer
from core.explainers.base import EXPLAINERS, Explainer, Explanation
from core.metrics.atlas import Atlas
from core.metrics.localisation import OUTSIDE, RegionShare
from core.wording import percent


class SaidByDefault(Explainer):
    """Never registered: it stays abstract."""

    @classmethod
    def meaning(cls, explanation: Explanation) -> str:
        return "what saliency shows."


@pytest.fixture
def regions(trained, monkeypatch):
    """An atlas of the toy's halves."""
    labels = np.ones(trained.scan(0).shape, np.int32)
    labels[: len(labels) // 2] = 2
    atlas = Atlas("halves", labels, {1: "back", 2: "front"})
    monkeypatch.setattr("core.explainers.run._atlas", lambda *_: atlas)


def test_the_sentence_names_the_regions_that_hold_most(trained, regions):
    found = explain(trained.scan(400), trained.model, "saliency")
    first, second = (f"{region.name} ({percent(region.share)})" for region in found.regions)
    assert {region.name for region in found.regions} == {"front", "back"}
    assert found.sentence.startswith(f"Small changes of brightness move the answer AD most in {first} and {second}.")
    said = SaidByDefault.sentence(dataclasses.replace(found, regions=found.regions[:1], scores=None))
    assert said == f"What saliency shows, most of all in {first}."
    asked = SaidByDefault.sentence(dataclasses.replace(found, regions=found.regions[:1]))
    assert asked == f"{said} The model gives AD {percent(found.scores['before']['AD'])}."
    nowhere = [dataclasses.replace(region, share=0.0) for region in found.regions]
    outside = dataclasses.replace(found.regions[0], name=OUTSIDE)
    for named in ((), nowhere, [outside]):
        said = SaidByDefault.sentence(dataclasses.replace(found, regions=tuple(named), scores=None))
        values, zeros = np.abs(found.arrays["map"].values), np.zeros_like(found.arrays["map"].values)
        held = re.fullmatch(
            r"What saliency shows\. Half of the map lies on ([\d.]+)% of the (?:picture|volume)\.", said
        )
        largest = np.sort(values, axis=None)[::-1][: round(float(held[1]) / 100 * values.size)]
        assert largest.sum() == pytest.approx(values.sum() / 2, rel=0.05)
    empty = dataclasses.replace(found.arrays["map"], values=zeros)
    said = SaidByDefault.sentence(dataclasses.replace(found, arrays={"map": empty}, scores=None))
    assert said == "The map is zero everywhere: it says nothing about this scan."


def test_a_class_is_no_explainer_with_a_colour_that_there_is_not(monkeypatch):
    cls = get_explainer("saliency")
    assert EXPLAINERS._judge(cls) is None
    monkeypatch.setattr(cls, "color", None)
    assert EXPLAINERS._judge(cls) is None
    monkeypatch.setattr(cls, "color", "khaki")
    assert re.search(r"^there is no colour 'khaki'; there is \w+, ", EXPLAINERS._judge(cls))


@pytest.mark.parametrize("name", ["saliency", "mask"])
@pytest.mark.parametrize("changes", [{"target": None}, {"scores": None}, {"after": None}])
def test_an_explanation_without_a_class_or_without_what_it_changed_still_has_its_sentence(trained, name, changes):
    # a group's explanation has no scores, and an explainer may change nothing
    found = explain(trained.scan(400), trained.model, name, **({"iterations": 3} if name == "mask" else {}))
    if "after" in changes:
        changes = {"scores": {**found.scores, "after": None}}
    cut = dataclasses.replace(found, **changes)
    words = get_explainer(name).sentence(cut)
    assert words == super(get_explainer(name), get_explainer(name)).sentence(cut)
    assert words.endswith(".")


def test_a_map_that_is_spread_out_or_mostly_outside_says_so_and_names_no_place_for_it(trained, regions):
    found = explain(trained.scan(400), trained.model, "saliency")

    def told(*shares, outside=0.0):
        rows = [RegionShare(f"region {number}", share, 1.0, 9) for number, share in enumerate(shares)]
        rows.append(RegionShare(OUTSIDE, outside, 1.0, 9))
        return SaidByDefault.main_fact(dataclasses.replace(found, regions=tuple(rows)))

    few = told(0.5, 0.3, 0.1)
    assert few.endswith("most of all in region 0 (50%), region 1 (30%) and region 2 (10%).")
    many = told(0.1, 0.06, 0.05, 0.04)
    assert many.endswith("region 2 (5.0%). Together these hold only 21% of the map: it is spread out.")
    assert "region" not in told(0.2, 0.1, outside=0.6)
