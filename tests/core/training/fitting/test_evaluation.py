"""Metrics against other people's implementations; the swap test on networks whose answer is known."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from torch import nn

from core.training.fitting.evaluation import (
    Swap,
    area_under_curve,
    balanced_accuracy,
    confusion,
    film_metrics,
    held_out_metrics,
    recalls,
    swap_test,
    wilson_interval,
)


def _scores(seed: int = 0, subjects: int = 61) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, subjects)
    ill = np.round(np.clip(0.35 + 0.3 * labels + 0.25 * random.standard_normal(subjects), 0, 1), 1)  # with ties
    return np.stack([1 - ill, ill], axis=1), labels


def test_balanced_accuracy_and_area_agree_with_scikit_learn() -> None:
    probability, labels = _scores()
    metrics = held_out_metrics(probability, labels, 1, seed=0)
    found = probability.argmax(axis=1)
    assert metrics["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, found), abs=1e-4)
    assert metrics["auc"] == pytest.approx(roc_auc_score(labels, probability[:, 1]), abs=1e-4)
    assert metrics["balanced_accuracy_95"][0] < metrics["balanced_accuracy"] < metrics["balanced_accuracy_95"][1]
    assert metrics["auc_95"][0] < metrics["auc"] < metrics["auc_95"][1]


def test_a_perfect_score_still_has_an_interval() -> None:
    labels = np.array([0] * 20 + [1] * 20)
    probability = np.eye(2)[labels]
    metrics = held_out_metrics(probability, labels, 1, seed=0)
    assert metrics["balanced_accuracy"] == 1 and metrics["balanced_accuracy_95"][0] < 0.95
    assert metrics["auc"] == 1 and "auc_95" not in metrics


@pytest.mark.parametrize(("right", "total"), [(0, 5), (3, 10), (20, 20), (117, 120)])
def test_the_wilson_interval_agrees_with_scipy(right: int, total: int) -> None:
    theirs = binomtest(right, total).proportion_ci(method="wilson")
    assert wilson_interval(right, total) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_a_score_that_knows_nothing_has_half_the_area() -> None:
    assert area_under_curve(np.full((8, 2), 0.5), np.array([0, 1] * 4), 1) == 0.5


def test_recall_is_given_for_every_class_that_was_seen() -> None:
    probability = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.1, 0.9, 0]])
    assert recalls(probability, np.array([0, 0, 1]), ("CN", "AD", "other")) == {"CN": 0.5, "AD": 1.0}


class _LooksAt(nn.Module):
    """Logit of the second class: how much tissue is missing in one place."""

    def __init__(self, place: np.ndarray) -> None:
        super().__init__()
        self.place = torch.from_numpy(place)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        missing = 10 * (0.75 - (x[:, 0] * self.place).sum((1, 2)) / self.place.sum())
        return torch.stack([torch.zeros_like(missing), missing], dim=1)


def _swap(looks_at: np.ndarray, planted: np.ndarray) -> dict[str, float]:
    images = torch.where(torch.from_numpy(planted), 0.4, 1.0)[None, None].repeat(3, 1, 1, 1)
    healthy, support = torch.ones(1, 40, 40), torch.ones(40, 40, dtype=torch.bool)
    random = torch.Generator().manual_seed(0)
    return swap_test(_LooksAt(looks_at), images, 1, Swap(planted, healthy, support, (3.0, 3.0)), random)


def test_a_network_that_uses_the_planted_tissue_loses_its_probability_there_and_only_there() -> None:
    planted = np.zeros((40, 40), bool)
    planted[5:12, 5:15] = True
    result = _swap(planted, planted)
    assert result["voxels_swapped"] == 70
    assert result["probability_before"] > 0.9
    assert result["probability_planted_swapped"] < 0.1
    assert result["probability_elsewhere_swapped_lowest"] > 0.9


def test_elsewhere_holds_nothing_of_what_is_planted_however_large_that_is() -> None:
    planted = np.zeros((40, 40), bool)
    planted[:, :22] = True
    result = _swap(planted, planted)
    assert result["probability_elsewhere_swapped"] == result["probability_before"]


def test_a_network_that_looks_elsewhere_does_not_pass_the_swap_test() -> None:
    planted = np.zeros((40, 40), bool)
    planted[5:12, 5:15] = True
    result = _swap(~planted, planted)
    assert result["probability_planted_swapped"] == result["probability_before"]


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_occur() -> None:
    labels, predicted = np.array([0, 0, 0, 0, 2, 2]), np.array([0, 0, 0, 1, 2, 0])
    accuracy, (low, high) = balanced_accuracy(labels, predicted)
    assert accuracy == pytest.approx((3 / 4 + 1 / 2) / 2)
    # MOVER by hand: the distances to the Wilson bounds add as squares
    bounds = [wilson_interval(3, 4), wilson_interval(1, 2)]
    below = np.hypot(0.75 - bounds[0][0], 0.5 - bounds[1][0]) / 2
    above = np.hypot(bounds[0][1] - 0.75, bounds[1][1] - 0.5) / 2
    assert (low, high) == (pytest.approx(accuracy - below), pytest.approx(min(accuracy + above, 1)))


def test_films_of_one_patient_widen_the_interval_to_that_of_the_patients() -> None:
    labels = np.repeat([0, 1], 20)
    predicted = labels.copy()
    predicted[::5] = 1 - predicted[::5]
    patients = [f"p{i // 4}" for i in range(40)]
    plain, clustered = balanced_accuracy(labels, predicted), balanced_accuracy(labels, predicted, patients)
    as_patients = balanced_accuracy(np.repeat([0, 1], 5), np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 0]))
    assert plain[0] == clustered[0] == as_patients[0] == pytest.approx(0.8)
    assert clustered[1] == pytest.approx(as_patients[1])
    assert clustered[1][0] < plain[1][0] < plain[1][1] < clustered[1][1]


def test_rows_of_the_confusion_are_the_truth() -> None:
    counts = confusion(np.array([0, 0, 2, 2, 2]), np.array([0, 1, 2, 2, 0]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 2]]


def test_film_metrics_agree_with_each_other() -> None:
    probability = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    labels = np.random.default_rng(1).integers(0, 3, 50)
    metrics = film_metrics(probability, labels, ("a", "b", "c"), [f"p{i // 2}" for i in range(50)])
    counts = np.array(metrics["confusion"])
    shares = counts.diagonal() / counts.sum(axis=1)
    assert (metrics["films"], metrics["patients"], counts.sum()) == (50, 25, 50)
    assert metrics["recall"] == dict(zip("abc", shares.round(4), strict=True))
    assert metrics["balanced_accuracy"] == pytest.approx(shares.mean(), abs=1e-4)
