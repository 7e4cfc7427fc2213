"""How good a classifier is on subjects it never saw: figures by scikit-learn, intervals that stay honest with few."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import confusion_matrix, recall_score, roc_auc_score

#: draws of a bootstrap, and how many are ranked at once: more fit no cache
_DRAWS, _AT_ONCE = 2000, 50


def held_out_metrics(probability: np.ndarray, labels: np.ndarray, target: int, seed: int) -> dict[str, Any]:
    """Balanced accuracy, area under the ROC curve of the target class, 95 % intervals.

    The interval of the balanced accuracy is that of `balanced_accuracy`. The area's is a bootstrap, left out where it
    is empty.

    Parameters
    ----------
    probability : numpy.ndarray, shape (N, classes)
        Class probabilities, one row a subject.
    labels : numpy.ndarray of int, shape (N,)
        True classes.
    target : int
        Class whose ROC is taken (against all others).
    seed : int
        Of the bootstrap: 2,000 draws of subjects, class by class, percentiles 2.5 and 97.5.
    """
    accuracy, interval = balanced_accuracy(labels, probability.argmax(axis=1))
    metrics: dict[str, Any] = {
        "subjects": len(labels),
        "balanced_accuracy": round(accuracy, 4),
        "balanced_accuracy_95": [round(bound, 4) for bound in interval],
        "auc": round(area_under_curve(probability, labels, target), 4),
    }
    areas = np.concatenate(list(_drawn_areas(probability[:, target], labels, target, seed)))
    spread = np.percentile(areas, (2.5, 97.5))
    if spread[0] < spread[1]:
        metrics["auc_95"] = [round(float(v), 4) for v in spread]
    return metrics


def film_metrics(
    probability: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], patients: Sequence[str] | None = None
) -> dict[str, Any]:
    """What a classifier of several equal classes did: films, balanced accuracy with interval, recalls, confusion.

    Parameters
    ----------
    probability : numpy.ndarray, shape (N, classes)
        Class probabilities, one row a film.
    labels : numpy.ndarray of int, shape (N,)
        True classes, index into `classes`.
    classes : tuple of str
        Names. Those without a film are left out of the balanced accuracy and of ``recall``.
    patients : sequence of str, optional
        Whose film it is; see `balanced_accuracy`.

    Returns
    -------
    dict
        ``films``, ``balanced_accuracy``, ``balanced_accuracy_95``, ``recall`` (class → share), ``confusion`` (one
        list a true class, counts of the predicted ones); with `patients` their number.
    """
    predicted = probability.argmax(axis=1)
    accuracy, interval = balanced_accuracy(labels, predicted, patients)
    return {
        "films": len(labels),
        **({} if patients is None else {"patients": len(set(patients))}),
        "balanced_accuracy": round(accuracy, 4),
        "balanced_accuracy_95": [round(bound, 4) for bound in interval],
        "recall": recalls(probability, labels, classes),
        "confusion": confusion(labels, predicted, len(classes)).tolist(),
    }


def balanced_accuracy(
    labels: np.ndarray, predicted: np.ndarray, patients: Sequence[str] | None = None
) -> tuple[float, tuple[float, float]]:
    """Mean recall of the classes that occur, and its 95 % interval.

    The interval joins the Wilson intervals of the recalls (Zou and Donner's MOVER), so that it stays honest where
    every image was put right. With `patients` it is as wide as if each of them had one image a class: images of one
    patient are alike.

    Parameters
    ----------
    labels, predicted : numpy.ndarray of int, shape (N,)
        True and predicted classes.
    patients : sequence of str, optional
        Whose image it is.
    """
    present = np.unique(labels)
    members = [np.flatnonzero(labels == c) for c in present]
    counted = [len(m) if patients is None else len({patients[int(i)] for i in m}) for m in members]
    recall = recall_score(labels, predicted, labels=present, average=None)
    bounds = np.array([wilson_interval(r * n, n) for r, n in zip(recall, counted, strict=True)])
    reach = np.sqrt(np.sum((bounds - recall[:, None]) ** 2, axis=0)) / len(members)
    accuracy = float(recall.mean())
    return accuracy, (float(accuracy - reach[0]), float(min(accuracy + reach[1], 1.0)))


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts, int64, shape (classes, classes): rows are the truth, columns what was predicted."""
    if not len(labels):
        return np.zeros((classes, classes), dtype=np.int64)
    return confusion_matrix(labels, predicted, labels=range(classes))


def wilson_interval(right: float, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); `right` may be a share of `total` that is no whole number."""
    z = 1.959964
    share = right / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * float(np.sqrt(share * (1 - share) / total + z * z / (4 * total * total)))
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def recalls(probability: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    """Share of each class that is put into it."""
    present = np.unique(labels)
    shares = recall_score(labels, probability.argmax(axis=1), labels=present, average=None)
    return {classes[c]: round(float(share), 4) for c, share in zip(present, shares, strict=True)}


def area_under_curve(probability: np.ndarray, labels: np.ndarray, target: int) -> float:
    """Area under the ROC curve of `target` against all others; ties count half. NaN where one side is empty."""
    positive = labels == target
    if positive.all() or not positive.any():
        return float("nan")
    return float(roc_auc_score(positive, probability[:, target]))


def _drawn_areas(score: np.ndarray, labels: np.ndarray, target: int, seed: int) -> Iterator[np.ndarray]:
    """`area_under_curve` of `_DRAWS` draws of subjects, class by class; float64, a few at a time.

    From the ranks of many draws at once (Mann-Whitney): scikit-learn takes five milliseconds for each.
    """
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    random = np.random.default_rng(seed)
    positive = np.concatenate([labels[of_class] == target for of_class in members])
    count = int(positive.sum())
    pairs = count * (len(labels) - count)
    for _ in range(_DRAWS // _AT_ONCE):
        draws = [np.concatenate([random.choice(m, len(m)) for m in members]) for _ in range(_AT_ONCE)]
        ranks = rankdata(score[np.stack(draws)], axis=1)
        above = ranks[:, positive].sum(axis=1) - count * (count + 1) / 2
        yield above / pairs if pairs else np.full(_AT_ONCE, np.nan)
