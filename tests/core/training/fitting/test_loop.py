"""Batches, and batch-norm statistics after training."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

from core.cohorts.cohort import Entry
from core.errors import BadInput, Cancelled
from core.progress import Progress
from core.training.fitting.data import Images
from core.training.fitting.loop import (
    Schedule,
    balanced_batches,
    optimise,
    plain_batches,
    probabilities,
    reestimate_batch_norm,
    settle_batch_norm,
    unchanged,
)

SCHEDULE = Schedule(steps=40, plain_steps=40, batch=8, learning_rate=0.01, gradient_clip=1.0)


def images_of(labels: list[int], pairs: list[str] | None = None) -> Images:
    entries = tuple(
        Entry(f"sub-{i}", "ses-0", str(label), pair=pairs[i] if pairs else "") for i, label in enumerate(labels)
    )
    values = torch.tensor(labels, dtype=torch.float32)[:, None] + 0.3 * torch.randn(
        len(labels), 4, generator=torch.Generator().manual_seed(0)
    )
    return Images(values, torch.tensor(labels), entries)


def test_every_batch_has_as_many_of_each_class_though_the_cohort_has_not() -> None:
    images = images_of([0] * 20 + [1] * 3 + [2] * 5)
    for batch in islice(balanced_batches(images, 6, np.random.default_rng(0)), 30):
        assert torch.bincount(images.labels[batch]).tolist() == [2, 2, 2]


def test_twins_come_side_by_side_and_each_pair_once_a_round() -> None:
    pairs = [f"pair-{i // 2}" for i in range(12)]
    images = images_of([0, 1] * 6, pairs)
    batches = torch.stack(list(islice(balanced_batches(images, 4, np.random.default_rng(0)), 3))).reshape(-1, 2)
    assert [pairs[a] for a, _ in batches.tolist()] == [pairs[b] for _, b in batches.tolist()]
    assert sorted(batches.flatten().tolist()) == list(range(12))


def test_a_class_without_training_scans_is_refused() -> None:
    with pytest.raises(BadInput, match="no scan for training"):
        next(balanced_batches(images_of([0, 2, 2]), 4, np.random.default_rng(0)))


def test_a_plain_round_holds_every_image_once_whatever_its_class() -> None:
    images = images_of([0] * 7 + [1] * 2)
    batches = torch.cat(list(islice(plain_batches(images, 6, np.random.default_rng(0)), 3)))
    assert sorted(batches[:9].tolist()) == sorted(batches[9:].tolist()) == list(range(9))


def test_bfloat16_leaves_the_weights_in_float32_and_learns_as_fast() -> None:
    losses = []
    for bfloat16 in (False, True):
        torch.manual_seed(0)
        network, kinds = nn.Linear(4, 2), set[torch.dtype]()
        network.register_forward_hook(lambda module, given, made, seen=kinds: seen.add(made.dtype))
        reports: list[Progress] = []
        schedule = replace(SCHEDULE, bfloat16=bfloat16)
        optimise(network, images_of([0, 1] * 20), schedule, lambda x: x, np.random.default_rng(0), reports.append)
        assert kinds == {torch.bfloat16 if bfloat16 else torch.float32} and network.weight.dtype == torch.float32
        losses.append(reports[-1].history["loss"])
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


def test_training_lowers_the_loss_and_reports_its_curve() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.LeakyReLU(), nn.Linear(8, 2))
    reports: list[Progress] = []
    optimise(network, images_of([0, 1] * 20), SCHEDULE, lambda x: x, np.random.default_rng(0), reports.append)
    assert [r.history["step"] for r in reports] == [10, 20, 30, 40]
    assert reports[-1].history["loss"] < 0.8 * reports[0].history["loss"]
    assert reports[-1].fraction == 1


def test_weights_that_are_named_learn_slower() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    before = {name: weights.detach().clone() for name, weights in network.named_parameters()}
    schedule = replace(SCHEDULE, steps=10, slower={"0.weight": 0.01})
    optimise(network, images_of([0, 1] * 20), schedule, lambda x: x, np.random.default_rng(0), lambda progress: None)
    moved = {name: float((weights.detach() - before[name]).abs().max()) for name, weights in network.named_parameters()}
    assert 0 < moved["0.weight"] < 0.05 * min(moved["0.bias"], moved["1.weight"])


def test_fills_begin_after_the_plain_start() -> None:
    filled: list[int] = []

    def fill(x: torch.Tensor) -> torch.Tensor:
        filled.append(len(x))
        return x

    schedule = Schedule(steps=10, plain_steps=7, batch=4, learning_rate=0.01, gradient_clip=1.0)
    optimise(nn.Linear(4, 2), images_of([0, 1] * 4), schedule, fill, np.random.default_rng(0), lambda progress: None)
    assert filled == [4, 4, 4]


def test_cancelling_stops_at_the_next_report() -> None:
    def cancel(progress: Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        optimise(nn.Linear(4, 2), images_of([0, 1] * 4), SCHEDULE, lambda x: x, np.random.default_rng(0), cancel)


def test_a_training_that_diverges_says_so() -> None:
    images = images_of([0, 1] * 4)
    images.tensor[:] = float("inf")
    with pytest.raises(BadInput, match="diverged at step 1: choose a lower learning_rate"):
        optimise(nn.Linear(4, 2), images, SCHEDULE, lambda x: x, np.random.default_rng(0), lambda progress: None)


def test_re_estimated_statistics_are_the_plain_mean_over_the_batches() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(3)
    network = nn.Sequential(norm, nn.Dropout(0.5))
    norm(100 + torch.randn(8, 3))  # what training left behind
    batches = [torch.randn(8, 3) * (i + 1) + i for i in range(5)]
    reestimate_batch_norm(network, iter(batches), count=5)
    torch.testing.assert_close(norm.running_mean, torch.stack([b.mean(0) for b in batches]).mean(0))
    torch.testing.assert_close(norm.running_var, torch.stack([b.var(0) for b in batches]).mean(0))
    assert norm.momentum == 0.1 and not network.training and not norm.training


@pytest.mark.parametrize("balanced, mean", [(True, 0.5), (False, 0.2)])
def test_batch_norm_settles_on_what_training_saw_balanced_or_not(balanced: bool, mean: float) -> None:
    images = images_of([0] * 80 + [1] * 20)
    norm = nn.BatchNorm1d(4)
    schedule = replace(SCHEDULE, balanced=balanced, batch=10)
    settle_batch_norm(norm, images, schedule, unchanged, np.random.default_rng(0))
    assert norm.running_mean is not None
    assert float(norm.running_mean.mean()) == pytest.approx(mean, abs=0.05)


def test_batch_norm_settles_on_changed_images_about_as_many_as_there_are() -> None:
    seen: list[int] = []

    def higher(images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        return images + 7

    norm = nn.BatchNorm1d(4)
    settle_batch_norm(norm, images_of([0, 1] * 20), SCHEDULE, higher, np.random.default_rng(0))
    assert seen == [8] * 5
    assert norm.running_mean is not None
    assert float(norm.running_mean.mean()) == pytest.approx(7.5, abs=0.1)


def test_probabilities_do_not_depend_on_the_chunk() -> None:
    network, x = nn.Linear(4, 3), torch.randn(7, 4)
    one, two = probabilities(network.double(), x.double(), 2), probabilities(network, x.double(), 7)
    np.testing.assert_allclose(one, two)
    np.testing.assert_allclose(one.sum(axis=1), 1)
