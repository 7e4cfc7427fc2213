import math

from core.studies.agreement.words import sentence

TITLES = {"a": "Ahead", "b": "Behind", "c": "Coarse"}


def pair(one, other, rank, places=0.0, chance=math.nan):
    return {"one": one, "other": other, "rank": rank, "places": places, "chance": chance}


def test_of_two_only_one_figure_is_said():
    assert (
        sentence([pair("a", "b", 0.5)], TITLES, 1)
        == "Over 1 scan Ahead and Behind agree with a rank correlation of 0.50."
    )


def test_most_least_and_chance_are_said():
    said = sentence([pair("a", "b", 0.5, chance=0.1), pair("b", "c", 0.1, chance=0.3)], TITLES, 4)
    assert said == (
        "Over 4 scans Ahead and Behind agree most (rank correlation 0.50), Behind and Coarse least (0.10); maps of two "
        "different scans have 0.20 in common."
    )


def test_two_that_point_to_the_same_places_in_another_texture_are_named():
    said = sentence([pair("a", "b", 0.5, 0.6), pair("a", "c", 0.1, 0.9)], TITLES, 2)
    assert said.endswith("Ahead and Coarse point to the same places (0.90) and differ in their texture.")


def test_maps_that_are_the_same_everywhere_cannot_be_compared():
    said = sentence([pair("a", "b", math.nan)], TITLES, 3)
    assert said.startswith("Over 3 scans no two maps can be compared")
