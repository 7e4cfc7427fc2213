"""From scan space to the model's and back, whatever the explainer."""

import dataclasses
import re

import numpy as np
import pytest

from core.errors import BadInput
from core.explainers import explain, get_explainer
from core.explainers.base import Findings, MapArray
from core.metrics.atlas import Atlas
from core.parameters import Parameters, parameter
from core.scans.scan import Scan
from core.wording import percent


@pytest.mark.parametrize("name", ["saliency", "deconvnet"])
def test_a_region_given_to_an_explainer_that_takes_none_is_a_landmark_and_its_share_of_the_map_is_recorded(
    trained, name
):
    scan = trained.scan(400)
    region = np.zeros(scan.shape, dtype=bool)
    region[: scan.shape[0] // 2] = True
    with_region = explain(scan, trained.model, name, region=region)
    without = explain(scan, trained.model, name)
    values = with_region.arrays["map"].values
    np.testing.assert_array_equal(values, without.arrays["map"].values)
    np.testing.assert_array_equal(with_region.arrays["region"].values, region)
    assert with_region.numbers["region_share"] == pytest.approx(np.abs(values)[region].sum() / np.abs(values).sum())
    assert with_region.numbers["region_area"] == 0.5
    share = percent(with_region.numbers["region_share"])
    assert with_region.sentence.endswith(f" The marked region, 50% of the scan, holds {share} of the map.")
    assert not any("region" in warning for warning in with_region.warnings)
    assert "region" not in without.arrays
    assert "region_share" not in without.numbers


def test_an_empty_map_has_no_share_in_a_region(trained, monkeypatch):
    scan = trained.scan(400)
    empty = Findings({"map": MapArray(np.zeros(scan.shape, dtype=np.float32), "nothing", "attribution")})
    monkeypatch.setattr(get_explainer("saliency"), "run", lambda self, question, parameters: empty)
    found = explain(scan, trained.model, "saliency", region=np.ones(scan.shape, dtype=bool))
    assert "region_share" not in found.numbers
    assert "marked region" not in found.sentence


def test_without_a_class_the_cards_is_explained_and_else_the_one_that_the_model_gives_most(trained):
    scan, card = trained.scan(400), trained.model.card
    assert explain(scan, trained.model, "saliency").target == card.target
    for hung in (trained.scan(400), trained.scan(401), trained.scan(402)):
        untargeted = dataclasses.replace(trained.model, card=card.model_copy(update={"target": None}))
        said = untargeted.predict(hung)
        assert explain(hung, untargeted, "saliency").target == max(said, key=said.get)
    with pytest.raises(BadInput, match="'spleen' is not a class"):
        explain(scan, untargeted, "saliency", target="spleen")


def finer(scan):
    """The same image on a grid with twice as many samples along each axis, in the same place."""
    array = scan.array
    affine = scan.affine.copy()
    for axis in range(scan.dimensions):
        array = array.repeat(2, axis=axis + 1)
        affine[axis, 3] -= affine[axis, axis] / 4
        affine[axis, axis] /= 2
    return Scan(array, affine)


def test_maps_come_back_in_the_space_of_the_scan_and_not_of_the_model(trained, monkeypatch):
    scan = finer(trained.scan(400))
    model_shape = trained.scan(400).shape
    spot = tuple(n // 3 for n in model_shape)

    def one_spot(self, question, parameters):
        values = np.zeros(model_shape, dtype=np.float32)
        values[spot] = 1
        return Findings({"map": MapArray(values, "spot", "attribution")})

    monkeypatch.setattr(get_explainer("saliency"), "run", one_spot)
    values = explain(scan, trained.model, "saliency").arrays["map"].values
    assert values.shape == scan.shape
    assert values.dtype == np.float32
    peak = np.unravel_index(values.argmax(), values.shape)
    assert all(place // 2 == wanted for place, wanted in zip(peak, spot, strict=True))


def test_labels_come_back_as_they_are_and_not_blended_with_their_neighbours(trained, monkeypatch):
    scan, shape = finer(trained.scan(400)), trained.scan(400).shape
    labels = np.zeros(shape, dtype=np.float32)
    labels[: shape[0] // 2], labels[:, : shape[1] // 3] = 3, 7
    soft = MapArray(labels, "map", "attribution")
    findings = Findings({"map": soft, "places": MapArray(labels, "places", "labels")})
    monkeypatch.setattr(get_explainer("saliency"), "run", lambda self, question, parameters: findings)
    arrays = explain(scan, trained.model, "saliency").arrays
    assert set(np.unique(arrays["places"].values)) == {0, 3, 7}
    assert len(np.unique(arrays["map"].values)) > 3


def test_a_picture_of_a_slice_says_what_the_names_of_its_regions_rest_on(trained, monkeypatch):
    atlas = Atlas("one", np.ones(trained.scan(400).shape, np.int32), {1: "head"})
    monkeypatch.setattr("core.explainers.run._atlas", lambda *_: atlas)
    placed = trained.model.card.input.model_copy(update={"plane": "axial", "position_mm": -21.0})
    model = dataclasses.replace(trained.model, card=trained.model.card.model_copy(update={"input": placed}))
    words = "regions are named as if the picture were the axial slice at -21 mm in MNI"
    assert (words in explain(trained.scan(400), model, "saliency").notes) == (trained.dimensions == 2)
    assert not any("regions are" in note for note in explain(trained.scan(400), trained.model, "saliency").notes)


def test_a_region_must_be_marked_and_lie_on_the_scan(trained):
    scan = trained.scan(400)
    with pytest.raises(BadInput, match="has shape"):
        explain(scan, trained.model, "saliency", region=np.ones(scan.shape[::-1][:-1], dtype=bool))
    with pytest.raises(BadInput, match="empty"):
        explain(scan, trained.model, "saliency", region=np.zeros(scan.shape, dtype=bool))


def test_the_record_says_with_what_and_on_what_it_was_made(trained):
    found = explain(trained.scan(400), trained.model, "saliency")
    assert found.hashes == {"scan": trained.scan(400).content_hash, "model": trained.model.content_hash}
    assert {"lightbox", "python", "torch", "captum"} <= found.versions.keys()
    assert found.parameters == get_explainer("saliency").parameters().model_dump(mode="json")
    assert found.preset == "default"
    assert found.seconds > 0


def test_labels_come_back_as_the_whole_numbers_that_they_are_and_maps_between_their_values(trained, monkeypatch):
    """Superpixel 3 beside superpixel 9 once came back as 4.5, 6 and 7.5 where the scan is finer than the model."""
    scan = finer(trained.scan(400))
    stripes = np.where(np.arange(trained.scan(400).shape[0]) % 2, 9.0, 3.0).astype(np.float32)
    values = np.broadcast_to(stripes.reshape(-1, *[1] * (scan.dimensions - 1)), trained.scan(400).shape).copy()

    def striped(self, question, parameters):
        return Findings(
            {name: MapArray(values, name, kind) for name, kind in (("map", "attribution"), ("pieces", "labels"))}
        )

    monkeypatch.setattr(get_explainer("saliency"), "run", striped)
    found = explain(scan, trained.model, "saliency").arrays
    inside = found["pieces"].values[tuple(slice(1, -1) for _ in scan.shape)]  # at the rim the model sees nothing: 0
    assert set(np.unique(inside)) == {3.0, 9.0}
    assert found["pieces"].values.shape == scan.shape
    assert len(np.unique(found["map"].values)) > 2


def test_an_explainer_that_takes_a_region_is_not_run_without_one_unless_it_says_that_it_may_be(trained, monkeypatch):
    """A region that was left out used to arrive as None, deep inside."""
    scan, cls = trained.scan(400), get_explainer("saliency")
    monkeypatch.setattr(cls, "takes_region", True)
    monkeypatch.setattr(trained.model.network, "forward", lambda x: pytest.fail("the model was asked"))
    words = "Saliency explains a marked region: mark one with --region FILE, or on the Trace page."
    with pytest.raises(BadInput, match=f"^{re.escape(words)}$"):
        explain(scan, trained.model, "saliency")
    monkeypatch.undo()
    monkeypatch.setattr(cls, "takes_region", True)
    monkeypatch.setattr(cls, "needs_region", classmethod(lambda cls, model, parameters: False))
    assert explain(scan, trained.model, "saliency").arrays["map"].values.any()


class Clashing(Parameters):
    target: str = parameter("left", "Named like a word of the framework.")
    report: int = parameter(1, "So is this.")


def test_parameters_may_be_named_like_words_of_the_framework(trained, monkeypatch):
    cls, seen = get_explainer("saliency"), []

    def run(self, question, parameters):
        seen.append((question.target, parameters))
        return Findings({"map": MapArray(np.ones(question.prepared.tensor.shape[2:], np.float32), "m", "attribution")})

    monkeypatch.setattr(cls, "parameters_model", Clashing)
    monkeypatch.setattr(cls, "run", run)
    asked = {"target": "right", "report": 2}
    found = explain(trained.scan(400), trained.model, "saliency", target="CN", parameters=asked)
    assert (found.target, found.parameters) == ("CN", asked)
    assert seen[0][0] == trained.model.class_index("CN")


def test_values_written_out_are_over_those_in_a_mapping(trained):
    found = explain(
        trained.scan(400), trained.model, "saliency", parameters={"signed": True, "hide_share": 7}, hide_share=9
    )
    assert (found.parameters["signed"], found.parameters["hide_share"]) == (True, 9)
