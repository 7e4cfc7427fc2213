"""Figures of a classifier against other people's implementations and against counting by hand."""

import warnings

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from core.metrics.classification import (
    area_under_curve,
    balanced_accuracy,
    confusion,
    film_metrics,
    held_out_metrics,
    recalls,
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


def _counted_area(probability: np.ndarray, labels: np.ndarray, target: int) -> float:
    """How often a target scan scores above another, pair by pair; ties count half."""
    positive, negative = probability[labels == target, target], probability[labels != target, target]
    if not (len(positive) and len(negative)):
        return float("nan")
    return float((positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean())


@pytest.mark.parametrize("seed", range(40))
def test_figures_on_random_input_are_what_counting_gives(seed: int) -> None:
    random = np.random.default_rng(seed)
    classes, subjects = int(random.integers(2, 6)), int(random.integers(1, 40))
    # ties, classes without a subject, and now and then a single class
    probability = np.round(random.dirichlet(np.ones(classes), subjects), 1)
    labels = random.integers(0, int(random.integers(1, classes + 1)), subjects)
    predicted = probability.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for target in range(classes):
            area = area_under_curve(probability, labels, target)
            assert area == pytest.approx(_counted_area(probability, labels, target), nan_ok=True)
        present = [c for c in range(classes) if np.any(labels == c)]
        shares = {f"c{c}": round(float(np.mean(predicted[labels == c] == c)), 4) for c in present}
        assert recalls(probability, labels, tuple(f"c{c}" for c in range(classes))) == shares
        exact = [np.mean(predicted[labels == c] == c) for c in present]
        assert balanced_accuracy(labels, predicted)[0] == pytest.approx(np.mean(exact))
        counts = [[int(np.sum((labels == r) & (predicted == p))) for p in range(classes)] for r in range(classes)]
        assert confusion(labels, predicted, classes).tolist() == counts


def test_no_subject_at_all_makes_an_empty_confusion() -> None:
    assert confusion(np.array([], dtype=int), np.array([], dtype=int), 3).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize("target", [0, 1, 2])
def test_the_interval_of_the_area_is_that_of_scikit_learn_on_the_same_draws(
    monkeypatch: pytest.MonkeyPatch, target: int
) -> None:
    monkeypatch.setattr("core.metrics.classification._DRAWS", 100)
    random = np.random.default_rng(5)
    labels = random.integers(0, 3, 37)
    probability = np.round(random.dirichlet(np.ones(3), 37) + 0.3 * np.eye(3)[labels], 1)
    again = np.random.default_rng(7)
    members = [np.flatnonzero(labels == c) for c in range(3)]
    draws = [np.concatenate([again.choice(m, len(m)) for m in members]) for _ in range(100)]
    areas = [roc_auc_score(labels[d] == target, probability[d, target]) for d in draws]
    expected = [round(float(v), 4) for v in np.percentile(areas, (2.5, 97.5))]
    assert held_out_metrics(probability, labels, target, seed=7)["auc_95"] == expected


def test_one_class_alone_has_no_area_and_no_interval() -> None:
    probability = np.array([[0.2, 0.8], [0.6, 0.4]])
    metrics = held_out_metrics(probability, np.array([1, 1]), 1, seed=0)
    assert np.isnan(metrics["auc"]) and "auc_95" not in metrics
    assert metrics["balanced_accuracy"] == 0.5
