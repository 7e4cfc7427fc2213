"""What the masked place is filled with a second time, and when that is passed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.explainers.mask.parameters import MaskParameters
from core.explainers.mask.swap import Fill, independent_fills, swap_check
from core.models import load_model
from core.scans.loading import load_scan

PLACE = (slice(2, 6), slice(3, 7))


def with_subjects(trained, count, like=None):
    """The toy with healthy subjects beside it; `like` is one of them."""
    subjects = {
        f"healthy_{number}": trained.scan(900 + number, diseased=False).array[0] for number in range(1, count + 1)
    }
    if like is not None:
        subjects["healthy_1"] = like
    return replace(trained.model, references=trained.model.references | subjects)


def fills_of(trained, model=None, place=None, **values):
    model = model or trained.model
    prepared = model.prepare(trained.scan(200))
    shape = prepared.tensor.shape[2:]
    marked = np.zeros(shape, dtype=bool)
    marked[(slice(2, 6),) * len(shape)] = True
    chosen = marked if place is None else place
    return independent_fills(model, prepared, MaskParameters(**values), chosen), prepared


@pytest.mark.parametrize(
    ("values", "subjects", "names"),
    [
        ({"mu": "healthy_mean"}, 0, ["highest", "blur", "inpainted"]),
        ({"mu": "healthy_mean"}, 3, ["subjects", "highest", "blur", "inpainted"]),
        ({"mu": "blur"}, 1, ["subjects", "healthy_mean", "highest", "inpainted"]),
        ({"mu": "constant", "mu_value": 1.0}, 0, ["healthy_mean", "blur", "inpainted"]),
        ({"mu": "constant", "mu_value": 0.0}, 0, ["healthy_mean", "highest", "blur", "inpainted"]),
    ],
)
def test_no_fill_is_the_masks_own_and_healthy_tissue_comes_first(trained, values, subjects, names):
    found, prepared = fills_of(trained, with_subjects(trained, subjects), **values)
    assert [fill.name.removeprefix("swap_") for fill in found] == names
    assert [fill.healthy for fill in found] == sorted((fill.healthy for fill in found), reverse=True)
    for fill in found:
        assert all(image.shape == prepared.tensor.shape for image in fill.images)
    if subjects:
        assert len(found[0].images) == subjects
        assert ("another healthy subject" in found[0].words) == (subjects == 1)


def test_a_subject_that_is_the_scan_itself_is_left_out(trained):
    """Its own tissue changes nothing; in a model's folder it has three digits."""
    same = trained.scan(200).array[0].astype(np.float16).astype(np.float32)
    found, _ = fills_of(trained, with_subjects(trained, 3, like=same), mu="healthy_mean")
    assert len(found[0].images) == 2
    found, _ = fills_of(trained, with_subjects(trained, 1, like=same), mu="healthy_mean")
    assert "swap_subjects" not in {fill.name for fill in found}


def test_what_lies_around_a_place_fills_it_smoothly_within_the_scans_range(trained):
    found, prepared = fills_of(trained, mu="healthy_mean")
    filled = next(fill for fill in found if fill.name == "swap_inpainted").images[0]
    place = np.zeros(prepared.tensor.shape[2:], dtype=bool)
    place[(slice(2, 6),) * place.ndim] = True
    outside = torch.from_numpy(~place)
    torch.testing.assert_close(filled[0, 0][outside], prepared.tensor[0, 0][outside])
    assert prepared.tensor.min() <= filled.min() <= filled.max() <= prepared.tensor.max()
    everything, _ = fills_of(trained, mu="healthy_mean", place=np.ones_like(place))
    assert "swap_inpainted" not in {fill.name for fill in everything}


def brightness(x: torch.Tensor) -> float:
    return float(x[0, 0][PLACE].mean())


def flat(value):
    return torch.full((1, 1, 8, 9), value)


@pytest.mark.parametrize(
    ("fills", "passed", "decides", "end"),
    [
        # of two kinds of healthy tissue both have to change the answer
        ([("a", 0.1, True), ("b", 0.2, True), ("c", 0.9, False)], True, 0.2, "the model uses what is there"),
        ([("a", 0.1, True), ("b", 0.8, True)], False, 0.8, "healthy tissue does not change the answer"),
        # one that is not healthy cannot save it
        ([("a", 0.9, True), ("c", 0.0, False)], False, 0.9, "healthy tissue does not change the answer"),
        # without healthy tissue, one of the others is enough
        ([("c", 0.9, False), ("d", 0.3, False)], True, 0.3, "the model uses what is there"),
        ([("c", 0.9, False), ("d", 0.7, False)], False, 0.7, "no other fill changes the answer"),
    ],
)
def test_healthy_tissue_decides_where_there_is_any(fills, passed, decides, end):
    hidden = np.zeros((8, 9), np.float32)
    hidden[PLACE] = 0.3
    made = [Fill(f"swap_{name}", name, (flat(value),), healthy) for name, value, healthy in fills]
    check, numbers = swap_check(brightness, flat(1.0), hidden, made, "AD")
    assert (check.passed, check.value) == (passed, pytest.approx(decides))
    assert check.sentence.endswith(f"{end}.")
    assert numbers["swap"] == pytest.approx(decides)
    assert {name: numbers[f"swap_{name}"] for name, _, _ in fills} == pytest.approx({n: v for n, v, _ in fills})
    for name, _, _ in fills:
        assert f"{name} " in check.sentence


def test_of_several_subjects_the_score_is_the_mean():
    hidden = np.zeros((8, 9), np.float32)
    hidden[PLACE] = 1
    subjects = Fill("swap_subjects", "tissue of 2 other healthy subjects", (flat(0.2), flat(0.6)), healthy=True)
    check, numbers = swap_check(brightness, flat(1.0), hidden, [subjects], "AD")
    assert numbers["swap_subjects"] == pytest.approx(0.4)
    assert check.passed


def test_the_demo_models_mask_is_tested_with_tissue_of_other_healthy_subjects():
    model = load_model("alzheimer-phantom")
    prepared = model.prepare(load_scan("assets/scans/ad-moderate.nii.gz"))
    place = np.zeros(prepared.tensor.shape[2:], dtype=bool)
    place[24:28, 34:40, 20:24] = True
    first = independent_fills(model, prepared, MaskParameters(mu="healthy_mean"), place)[0]
    assert (first.name, len(first.images), first.healthy) == ("swap_subjects", 3, True)
    mean = torch.from_numpy(model.references["healthy_mean"])
    for image in first.images:
        assert np.corrcoef(image.flatten(), mean.flatten())[0, 1] > 0.9, "it is a brain in the same place"
        assert (image[0, 0] - mean).abs().max() > 0.2, "and not the mean"
        assert model.probabilities(image)["CN"] > 0.9
    assert not torch.equal(first.images[0], first.images[1])
