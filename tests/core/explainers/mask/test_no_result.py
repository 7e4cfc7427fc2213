"""A mask that missed its goal, or that lies over everything, is no result: its files leave marked, nothing is drawn."""

import json
from dataclasses import replace

import nibabel
import numpy as np
import torch
from PIL import Image

from core.explainers import explain
from core.explainers.base import Question
from core.explainers.mask.explainer import Mask
from core.explainers.mask.parameters import MaskParameters
from core.explainers.mask.session import MaskSession
from core.explainers.mask.telling import remedy_of
from core.reports.explanation import export_explanation, read_explanation, write_explanation
from core.scans import Scan
from tests.core.explainers.toys import affine, card


class HowMuchTissue(torch.nn.Module):
    """Says AD of any head until most of its tissue is gone, wherever that lay."""

    def __init__(self, whole: float) -> None:
        super().__init__()
        self.whole = whole

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        share = x.flatten(1).sum(dim=1) / self.whole
        return torch.stack([torch.zeros_like(share), 40 * (share - 0.3)], dim=1)


def head(trained, inside: float) -> Scan:
    """A round head on a dark ground, which it fills by about `inside`."""
    shape = trained.scan(200).shape
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    values = (radius <= np.quantile(radius, inside)).astype(np.float32)
    return Scan(values[None], affine(trained.dimensions))


def asked(trained, inside: float, **values):
    scan = head(trained, inside)
    model = replace(trained.model, network=HowMuchTissue(float(scan.array.sum())).eval())
    model = replace(model, references={"healthy_mean": np.zeros(scan.shape, np.float32)})
    named = card(trained.dimensions).model_copy(update={"healthy": None})
    values = {"mu": "constant", "mu_value": 0.0, "support": "everywhere", "iterations": 40, **values}
    return explain(scan, replace(model, card=named), "mask", target="AD", **values)


def test_a_veil_over_most_of_the_tissue_is_no_result(trained):
    found = asked(trained, 0.6)
    checks = {check.name: check for check in found.checks}
    assert checks["goal"].passed, "it did what was asked"
    assert not checks["empty"].passed
    assert "a veil, which is no place" in checks["empty"].sentence
    assert "Not applicable: the mask is a veil" in checks["swap"].sentence
    assert found.verdict.withheld
    assert "larger λ₁" in found.verdict.remedy


def test_of_a_small_head_in_a_large_image_the_head_is_what_a_veil_lies_over(trained):
    scan = head(trained, 0.2)
    model = replace(trained.model, references={})
    session = MaskSession(Question(model, model.prepare(scan), 1), MaskParameters(mu="blur", support="everywhere"))
    assert session.support.all()
    np.testing.assert_array_equal(session.tissue, scan.array[0] > 0)
    chosen = session._chosen((scan.array[0] * 0.5).astype(np.float32), 0)
    checks, numbers = session._check(chosen, 0.99, 0.01)
    assert numbers["touched_share"] == 1
    assert "a veil" in next(check.sentence for check in checks if check.name == "empty")


def test_a_mask_that_misses_its_goal_is_no_result_and_names_no_place(trained, tmp_path):
    found = explain(trained.scan(200), trained.model, "mask", target="AD", mu="blur", blur_mm=1.0, iterations=5)
    assert found.verdict.withheld
    assert found.verdict.state == "fails"
    assert "another μ fill" in found.verdict.remedy
    region = replace(found.regions[0], name="left hippocampus", share=0.9) if found.regions else None
    named = replace(found, regions=(region,)) if region is not None else found
    halved = {**found.scores, "after": {"CN": 0.6, "AD": 0.4}}
    numbers = {**found.numbers, "hidden_share": 0.1, "after_on_model_grid": 0.4}
    said = Mask.sentence(replace(named, scores=halved, numbers=numbers))
    assert "short of the goal" in said
    assert "hippocampus" not in said

    export_explanation(found, tmp_path)
    record = json.loads((tmp_path / "explanation.json").read_text())
    assert record["verdict"]["remedy"] == found.verdict.remedy
    assert record["caution"] == "Do not believe: this explanation does not hold."
    for name in found.arrays:
        if trained.dimensions == 3:
            words = nibabel.load(tmp_path / f"{name}.nii.gz").header["descrip"].tobytes().rstrip(b"\0").decode()
        else:
            with Image.open(tmp_path / f"{name}.png") as picture:
                words = picture.text["caution"]
        assert words == record["caution"]


def test_a_mask_that_holds_is_a_result(trained):
    found = explain(trained.scan(200), trained.model, "mask", target="AD")
    assert (found.verdict.state, found.verdict.remedy) == ("holds", "")


def test_a_goal_that_was_met_on_the_models_grid_was_found(trained):
    """What a coarse scan's samples cannot hold is told by warnings: the place is an answer all the same."""
    prepared = trained.model.prepare(trained.scan(200))
    session = MaskSession(Question(trained.model, prepared, 1), MaskParameters(mu="blur"))
    assert session._goal_check(0.99, 0.3, 0.03).remedy == ""
    assert session._goal_check(0.99, 0.6, 0.6).remedy
    assert not session._goal_check(0.99, 0.3, 0.03).passed


def test_a_mask_short_of_its_goal_that_changed_the_answer_is_drawn_and_does_not_hold(trained):
    session = MaskSession(Question(trained.model, trained.model.prepare(trained.scan(200)), 1), MaskParameters())
    check = session._goal_check(0.99, 0.08, 0.08)
    assert not check.passed
    assert check.remedy == ""
    assert "the goal of 4% was not reached" in check.sentence
    record = {"name": "goal", "passed": False, "value": 0.08}
    assert remedy_of(record, {}, before=0.99) == ""
    assert remedy_of(record, {}, before=0.1)
    assert remedy_of(record, {}, before=None)


def test_a_record_of_yesterday_is_no_more_a_result_than_one_of_today(trained, tmp_path):
    found = explain(trained.scan(200), trained.model, "mask", target="AD", mu="blur", blur_mm=1.0, iterations=5)
    write_explanation(found, tmp_path)
    path = tmp_path / "explanation.json"
    record = json.loads(path.read_text())
    del record["verdict"]["remedy"]
    for check in record["checks"]:
        del check["remedy"]
    path.write_text(json.dumps(record))
    assert read_explanation(tmp_path).verdict == found.verdict
