"""From scan space to the model's and back, whatever the explainer."""

import numpy as np
import pytest

from core.errors import BadInput
from core.explainers import explain, get_explainer
from core.explainers.base import Findings, MapArray
from core.scans.scan import Scan


def test_a_region_given_to_an_explainer_that_takes_none_is_said_to_have_changed_nothing(trained):
    region = np.ones(trained.scan(400).shape, dtype=bool)
    with_region = explain(trained.scan(400), trained.model, "saliency", region=region)
    without = explain(trained.scan(400), trained.model, "saliency")
    np.testing.assert_array_equal(with_region.arrays["map"].values, without.arrays["map"].values)
    assert "Saliency takes no region: yours changed nothing" in with_region.warnings
    assert not any("region" in warning for warning in without.warnings)


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
