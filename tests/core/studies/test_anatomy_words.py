from core.studies._anatomy_words import sentence


def network(name, accuracy, interval, share=None, control=None, random=None):
    bone = {} if share is None else {"bone": {"share": share, "area": 0.2, "control": control, "random": random}}
    return {"name": name, "balanced_accuracy": accuracy, "balanced_accuracy_95": interval, "landmarks": {"all": bone}}


def kind(name, mean, share, points):
    spread = {"mean": mean, "lowest": mean - 0.01, "highest": mean + 0.02}
    bone = {"bone": {"mean": share, "lowest": share, "highest": share}}
    return {"name": name, "networks": 3, "balanced_accuracy": spread, "landmarks": bone, "points_above": points}


THREE = [
    network("flat", 0.60, (0.55, 0.65), 0.30),
    network("deep", 0.70, (0.66, 0.74), 0.40),
    network("wide", 0.72, (0.67, 0.77), 0.50),
]


def test_accuracy_is_told_in_order_with_differences_and_intervals():
    said = sentence(THREE, [], "bone")
    assert said.startswith(
        "wide puts 72% of the films of a class right, averaged over classes (95% interval 67% to 77%)"
    )
    assert "that is 2.0 points more than deep (the intervals overlap)" in said
    assert "deep 10.0 points more than flat (the intervals lie apart)" in said


def test_the_map_that_lies_most_on_the_landmark_is_named_beside_what_chance_has():
    said = sentence(THREE, [], "bone")
    assert "The map of wide lies 50% on bone, against 20% of a map that is the same everywhere; the others: " in said
    assert "the others: flat 30%, deep 40%." in said
    said = sentence([network("flat", 0.6, (0.5, 0.7), 0.3, control=0.22, random=0.28)], [], "bone")
    assert "20% of a map that is the same everywhere, 22% of another film's map, 28% with random weights." in said


def test_maps_that_agree_with_the_order_and_maps_that_do_not_are_told_apart():
    assert "The maps agree with that order" in sentence(THREE, [], "bone")
    swapped = [THREE[0], network("deep", 0.70, (0.66, 0.74), 0.6), THREE[2]]
    said = sentence(swapped, [], "bone")
    assert "The maps do not agree with that order: by the share on bone it is deep, wide, flat." in said


def test_kinds_are_told_with_their_seeds_and_margins():
    kinds = [kind("flat", 0.6, 0.3, None), kind("deep", 0.65, 0.2, 5.0)]
    networks = [network("flat-seed-0", 0.6, (0.5, 0.7), 0.3), network("deep-seed-0", 0.65, (0.5, 0.7), 0.2)]
    said = sentence(networks, kinds, "bone")
    assert "flat 60% (3 seeds, 59% to 62%), deep 65% (3 seeds, 64% to 67%, 5.0 points more)" in said
    assert "by the share on bone it is flat, deep" in said


def test_one_network_is_compared_with_nothing():
    said = sentence(THREE[:1], [], "bone")
    assert "agree" not in said
    assert "points" not in said
    assert "lies 30% on bone" in said


def test_films_without_landmarks_and_empty_maps_are_not_made_up():
    assert "no landmarks" in sentence(THREE[:1], [], None)
    said = sentence([network("flat", 0.6, (0.5, 0.7))], [], "bone")
    assert "bone" not in said


def test_all_films_are_all_and_none_are_none():
    said = sentence([network("flat", 1.0, (0.9, 1.0), 0.0)], [], "bone")
    assert "puts 100% of the films of a class right" in said
    assert "lies 0% on bone" in said
