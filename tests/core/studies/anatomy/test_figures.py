import math

import pytest

from core.studies.anatomy.figures import answers_of, kind_of, kinds_of, landmark_order, landmarks_of

NAN = float("nan")


def row(film, truth, predicted="a", inside=None, area=None, control=None, random=None):
    return {
        "film": film,
        "truth": truth,
        "predicted": predicted,
        "inside": inside or {},
        "area": area or {},
        "control": control or {},
        "random": random or {},
    }


def test_answers_of_six_films_are_those_counted_by_hand():
    rows = [row("1", "a", "a"), row("2", "a", "a"), row("3", "a", "b"), row("4", "a", "a"), row("5", "b", "b")]
    rows.append(row("6", "b", "c"))
    found = answers_of(rows, ("a", "b", "c"), {str(n): str(n) for n in range(1, 7)})
    assert found["confusion"] == [[3, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert found["recall"] == {"a": 0.75, "b": 0.5}
    assert found["balanced_accuracy"] == pytest.approx(0.625)  # of a and b: nobody asked about c
    low, high = found["balanced_accuracy_95"]
    assert 0 < low < 0.625 < high < 1


def test_films_of_one_patient_widen_the_interval():
    rows = [row(str(n), "ab"[n % 2], "a" if n % 5 else "b") for n in range(20)]
    alone = answers_of(rows, ("a", "b"), {str(n): str(n) for n in range(20)})["balanced_accuracy_95"]
    shared = answers_of(rows, ("a", "b"), {str(n): str(n // 4) for n in range(20)})["balanced_accuracy_95"]
    assert shared[1] - shared[0] > alone[1] - alone[0]


def test_landmarks_are_means_over_the_films_that_have_them_and_a_map():
    rows = [
        row("1", "a", inside={"bone": 0.5, "marker": 0.1}, area={"bone": 0.25, "marker": 0.1}, control={"bone": 0.2}),
        row("2", "a", inside={"bone": 0.3}, area={"bone": 0.15}, random={"bone": 0.35}),
        row("3", "b", inside={"bone": NAN}, area={"bone": 0.9}, control={"bone": 0.4}),
    ]
    found = landmarks_of(rows, ("bone", "marker"))
    bone = found["all"]["bone"]
    assert (bone["share"], bone["area"], bone["ratio"]) == (pytest.approx(0.4), pytest.approx(0.2), pytest.approx(2))
    assert (bone["films"], bone["uniform"]) == (2, bone["area"])
    assert (bone["control"], bone["random"]) == (pytest.approx(0.2), pytest.approx(0.35))
    assert found["a"] == found["all"]
    assert found["all"]["marker"] == {
        "share": 0.1,
        "area": 0.1,
        "ratio": pytest.approx(1),
        "films": 1,
        "uniform": 0.1,
        "control": None,
        "random": None,
    }
    assert found["b"] == {}  # its only map is empty


def test_the_landmark_that_most_films_have_comes_first():
    rows = [row("1", "a", area={"marker": 0.1}), row("2", "a", area={"bone": 0.1, "marker": 0.1})]
    assert landmark_order([*rows, row("3", "a", area={"bone": 0.1}), row("4", "a", area={"bone": 0.1})]) == (
        "bone",
        "marker",
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("deep-seed-3", "deep"), ("deep-seed-31", "deep"), ("deep-seed-", "deep-seed-"), ("seed-3-deep", "seed-3-deep")],
)
def test_a_seed_at_the_end_of_a_name_is_no_part_of_the_kind(name, kind):
    assert kind_of(name) == kind


def network(name, accuracy, share):
    return {"name": name, "balanced_accuracy": accuracy, "landmarks": {"all": {"bone": {"share": share}}}}


def test_kinds_are_means_over_seeds_with_points_between_them():
    networks = [
        network("deep-seed-0", 0.8, 0.4),
        network("flat-seed-0", 0.5, 0.3),
        network("deep-seed-1", 0.9, 0.2),
        network("flat-seed-1", 0.7, 0.3),
    ]
    flat, deep = kinds_of(networks, ("bone", "marker"))
    assert (flat["name"], flat["networks"], flat["points_above"]) == ("flat", 2, None)
    assert flat["balanced_accuracy"] == {"mean": pytest.approx(0.6), "lowest": 0.5, "highest": 0.7}
    assert deep["points_above"] == pytest.approx(25)
    assert deep["landmarks"] == {"bone": {"mean": pytest.approx(0.3), "lowest": 0.2, "highest": 0.4}}


def test_networks_without_seeds_have_no_kinds():
    assert kinds_of([network("deep", 0.8, 0.4), network("flat", 0.7, 0.4)], ("bone",)) == []


def test_shares_that_are_no_numbers_count_for_nothing():
    rows = [row("1", "a", inside={"bone": 0.2}, area={"bone": 0.1}, control={"bone": NAN})]
    assert landmarks_of(rows, ("bone",))["all"]["bone"]["control"] is None
    assert math.isfinite(landmarks_of(rows, ("bone",))["all"]["bone"]["share"])
