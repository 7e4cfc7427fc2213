"""What a method needs that asks about many changed scans, and RISE written with nothing else."""

import gc
import re

import numpy as np
import pytest
import torch

from core.errors import Cancelled
from core.explainers import Question, explain, explainers
from core.explainers.sampling import BaselineParameters, baseline_image, scores_of, voxels
from core.progress import Progress
from core.wording import percent
from tests.core.explainers.rise import RiseParameters, make_rise, masks_of
from tests.core.explainers.toys import Toy
from tests.oracles.rise import rise as oracle


@pytest.fixture
def rise():
    """The plug-in's explainer, known while the test runs."""
    kept = [make_rise()]
    yield
    kept.clear()
    gc.collect()
    assert "toy-rise" not in explainers()


def test_rise_from_outside_is_its_equation(trained: Toy, rise):
    scan, values = trained.scan(400), {"masks": 12, "cells": 4, "seed": 3, "baseline": "constant", "hide_share": 10}
    found = explain(scan, trained.model, "toy-rise", target="AD", parameters=values)
    image = scan.array[0].astype(np.float64)

    def probability(seen):
        return trained.model.probabilities(torch.from_numpy(seen.astype(np.float32))[None, None])["AD"]

    masks = list(masks_of(scan.shape, RiseParameters(**values)))
    expected = oracle(probability, image, np.zeros(scan.shape), masks, 0.5)
    np.testing.assert_allclose(found.arrays["map"].values, expected, atol=2e-5)
    assert {"hide_top", "control"} <= {check.name for check in found.checks}
    assert re.search(rf"AD (at|from) {percent(found.scores['before']['AD'])}", found.sentence)


def test_rise_finds_what_was_planted(trained: Toy, rise):
    found = explain(trained.scan(400), trained.model, "toy-rise", target="AD", masks=300, cells=6)
    assert found.parameters["baseline"] == "healthy_mean"
    values, support = found.arrays["map"].values, trained.model.references["support"] > 0.5
    assert values[trained.planted & support].mean() > values[~trained.planted & support].mean()


def test_scores_are_those_of_the_model_whatever_the_batch(trained: Toy):
    scan = trained.scan(400)
    question = Question(trained.model, trained.model.prepare(scan), trained.model.class_index("AD"))
    shares = [0.0, 0.25, 0.5, 0.75, 1.0]

    def scores(**options):
        return dict(scores_of(question, shares, lambda share: question.prepared.tensor * share, len(shares), **options))

    logits = {share: float(trained.model.network(question.prepared.tensor * share)[0, 1]) for share in shares}
    for batch in (1, 2, 5, 8):
        assert scores(batch=batch) == pytest.approx(logits, abs=1e-4)
    exact = {share: trained.model.probabilities(question.prepared.tensor * share)["AD"] for share in shares}
    assert scores(probability=True) == pytest.approx(exact, abs=1e-5)


def test_items_are_made_on_the_way_and_every_batch_is_told_and_may_be_the_last(trained: Toy):
    made, told = [], []

    def items():
        for number in range(9):
            made.append(number)
            yield number

    def report(progress: Progress) -> None:
        told.append((progress.fraction, progress.message))
        if len(told) == 2:
            raise Cancelled

    question = Question(trained.model, trained.model.prepare(trained.scan(400)), 1, report=report)
    seen = []
    with pytest.raises(Cancelled):
        seen.extend(item for item, _ in scores_of(question, items(), lambda _: question.prepared.tensor, 9, batch=3))
    assert told == [(3 / 9, "asked the model 3 of 9 times"), (6 / 9, "asked the model 6 of 9 times")]
    assert made == list(range(6))


def test_the_baseline_is_what_was_asked_for(trained: Toy):
    question = Question(trained.model, trained.model.prepare(trained.scan(400)), 1)
    one = baseline_image(question, BaselineParameters(baseline="constant", baseline_value=0.25))
    assert torch.equal(one, torch.full_like(question.prepared.tensor, 0.25))
    mean = baseline_image(question, BaselineParameters(baseline="healthy_mean"))
    np.testing.assert_array_equal(mean[0, 0].numpy(), trained.model.references["healthy_mean"])


def test_a_length_is_at_least_a_voxel_and_at_most_the_axis():
    assert voxels(10.0, (3.0, 4.0, 30.0), (20, 2, 9)) == (3, 2, 1)
