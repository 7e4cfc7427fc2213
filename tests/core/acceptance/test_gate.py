"""Whether a model can read a scan."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.acceptance import judge, learn, write_statistics
from core.acceptance.verdict import STATISTICS
from core.errors import BadInput
from core.explainers import explain
from core.models.library import load_model
from core.reports.explanation import read_explanation, record_of, write_explanation
from core.scans import Scan, load_scan
from core.settings import ASSETS
from tests.core.acceptance.test_statistics import drawn
from tests.core.tiny import save_tiny, tiny_card


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    made = save_tiny(tmp_path_factory.mktemp("models") / "tiny", tiny_card("tiny", (24, 24)))
    model = load_model(made, device="cpu")
    write_statistics(learn(model.network, model.card, drawn(200, 0), drawn(60, 1), torch.arange(200) % 2), made)
    return made


def _scan(image) -> Scan:
    return Scan(np.asarray(image, dtype=np.float32)[0], np.eye(4), units="grey-matter probability")


def _judged(folder, scan):
    model = load_model(folder, device="cpu")
    return judge(model, model.prepare(scan))


def test_a_scan_like_those_of_training_is_accepted_and_noise_is_refused(folder):
    assert _judged(folder, _scan(drawn(1, 5))).state == "accepted"
    noise = _judged(folder, _scan(np.random.default_rng(0).random((1, 1, 24, 24))))
    assert noise.state == "refused"
    assert "Layout" in {sign.title for sign in noise.signs if not sign.passed}
    assert noise.reasons


def test_values_that_are_far_out_stay_finite_in_the_record(folder):
    far = _judged(folder, _scan(np.full((1, 1, 24, 24), 1e30)))
    assert far.refused
    assert all(sign.value is None or np.isfinite(sign.value) for sign in far.signs)


def test_without_statistics_it_is_not_known(folder, tmp_path):
    other = save_tiny(tmp_path / "other", tiny_card("other", (24, 24)))
    assert _judged(other, _scan(drawn(1, 5))).state == "unknown"
    assert _judged(other, _scan(drawn(1, 5) * 100)).state == "refused"  # this the card alone says


def test_statistics_of_other_weights_or_damaged_ones_are_none(folder, tmp_path):
    torch.manual_seed(7)
    other = save_tiny(tmp_path / "other", tiny_card("other", (24, 24)))
    (other / STATISTICS).write_bytes((folder / STATISTICS).read_bytes())
    assert _judged(other, _scan(drawn(1, 5))).state == "unknown"
    (other / STATISTICS).write_bytes(b"damaged")
    assert _judged(other, _scan(drawn(1, 5))).state == "unknown"


def test_the_scan_stays_as_it_is(folder):
    model = load_model(folder, device="cpu")
    prepared = model.prepare(_scan(drawn(1, 5)))
    before = prepared.tensor.clone()
    judge(model, prepared)
    assert torch.equal(prepared.tensor, before)


def test_a_record_holds_it_and_an_older_record_has_none(folder, tmp_path):
    found = explain(_scan(1 - drawn(1, 5)), load_model(folder, device="cpu"), "saliency")
    assert found.acceptance.refused
    write_explanation(found, tmp_path)
    assert read_explanation(tmp_path).acceptance == found.acceptance
    record = record_of(found, {})
    assert record["acceptance"]["state"] == "refused"
    assert "not what the model was made for" in record["acceptance"]["sentence"]
    older = replace(read_explanation(tmp_path), record={k: v for k, v in record.items() if k != "acceptance"})
    assert older.acceptance is None


def test_no_region_is_named_of_a_scan_that_does_not_lie_in_mni_space():
    model = load_model("alzheimer-phantom", device="cpu")
    head = load_scan(ASSETS / "scans" / "ad-moderate.nii.gz")
    moved = head.affine.copy()
    moved[1, 3] += 25
    named = explain(head, model, "saliency")
    assert named.atlas
    assert named.regions
    beside = explain(replace(head, affine=moved), model, "saliency")
    assert not beside.atlas
    assert not beside.regions
    assert beside.acceptance.in_mni_space is False


@pytest.mark.parametrize("low, accepted", [(-30.0, True), (20.0, False)])
def test_of_a_slab_only_the_plane_that_the_model_reads_has_to_be_there(low, accepted):
    model = load_model("alzheimer-phantom-slice", device="cpu")
    head = load_scan(ASSETS / "scans" / "ad-moderate.nii.gz")
    first = int(np.ceil((low - head.affine[1, 3]) / head.affine[1, 1]))
    affine = head.affine.copy()
    affine[1, 3] += first * affine[1, 1]
    slab = replace(head, array=head.array[:, :, first : first + round(21 / affine[1, 1])], affine=affine)
    try:
        said = judge(model, model.prepare(slab))
    except BadInput:
        assert not accepted
        return
    assert (said.state == "accepted") is accepted, said.sentence


@pytest.mark.parametrize(
    "name, files",
    [
        ("alzheimer-phantom", ["ad-early.nii.gz", "cn-old.nii.gz"]),
        ("alzheimer-phantom-slice", ["ad-slice.png", "cn-slice.png", "ad-moderate.nii.gz"]),
        ("anatomy-augmented", ["film-hand.png", "film-chest.png", "film-spine.png", "film-elbow.png"]),
        ("anatomy-marker", ["film-hand-marker.png"]),
        ("t1-t2-phantom", ["t1-slice-1.png", "t1-slice-3.png"]),
        ("mr-ct-phantom", ["mr-slice-1.png", "mr-slice-3.png"]),
    ],
)
def test_demo_models_know_their_own_scans_and_no_others(name, files):
    model = load_model(name, device="cpu")
    scans = [load_scan(ASSETS / "scans" / file) for file in files]
    for scan in scans:
        assert judge(model, model.prepare(scan)).state == "accepted"
    random = np.random.default_rng(0)
    first = scans[0]
    spoilt = [
        random.permutation(first.array.ravel()).reshape(first.array.shape),
        first.array.max() - first.array,
    ]
    if model.card.input.affine is not None:  # a single axial slice looks much the same from back to front
        spoilt.append(np.flip(first.array, axis=1 if first.dimensions == 2 else 3))
    for array in spoilt:
        foreign = replace(first, array=np.ascontiguousarray(array))
        assert judge(model, model.prepare(foreign)).state == "refused"
