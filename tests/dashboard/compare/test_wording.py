import math

from dashboard.compare.wording import Held, alikeness, answers, landmark_contrast, listed


def test_names_are_listed_as_people_do():
    assert [listed(names) for names in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == ["", "A", "A and B", "A, B and C"]


def test_networks_that_agree_are_counted():
    sure, less = {"hand": 0.98, "foot": 0.02}, {"hand": 0.62, "foot": 0.38}
    assert answers({"A": sure, "B": less, "C": sure}) == "All three say hand (P\u00a062% to 98.0%)."
    assert answers({"A": sure, "B": sure}) == "Both say hand (P\u00a098.0%)."
    assert answers({"A": sure}) == "A says hand (P\u00a098.0%)."
    assert answers(dict.fromkeys("ABCDE", sure)) == "All 5 say hand (P\u00a098.0%)."


def test_networks_that_differ_are_named_with_what_they_say():
    hand, foot = {"hand": 0.9, "foot": 0.1}, {"hand": 0.4, "foot": 0.6}
    assert (
        answers({"A": hand, "B": foot, "C": hand})
        == "A (P\u00a090%) and C (P\u00a090%) say hand; B (P\u00a060%) says foot."
    )


def test_nothing_is_said_without_answers():
    assert answers({}) == ""
    assert answers({"A": {}}) == ""


def test_the_landmark_with_the_largest_difference_is_spoken_of():
    held = {
        "A": {"bone": Held(0.61, 0.22), "marker": Held(0.02, 0.01)},
        "B": {"bone": Held(0.38, 0.22), "marker": Held(0.03, 0.01)},
    }
    assert landmark_contrast(held) == "Bone holds 61% of the map of A and 38% of that of B, on 22% of the film."


def test_a_small_landmark_that_one_network_reads_is_named_before_a_large_one():
    misled = {"bone": Held(0.28, 0.2), "marker": Held(0.33, 0.02)}
    clean = {"bone": Held(0.6, 0.2), "marker": Held(0.03, 0.02)}
    sentence = landmark_contrast({"misled": misled, "clean": clean})
    assert sentence == "Marker holds 33% of the map of misled and 3.0% of that of clean, on 2.0% of the film."


def test_an_empty_map_has_no_share():
    nothing = Held(math.nan, 0.2)
    assert nothing.empty
    assert landmark_contrast({"A": {"bone": nothing}}) == ""
    one = landmark_contrast({"A": {"bone": nothing}, "B": {"bone": Held(0.5, 0.2)}})
    assert one == "Bone holds 50% of the map of B, on 20% of the film."
    assert landmark_contrast({}) == ""


def test_the_ratio_is_share_over_area():
    assert Held(0.6, 0.2).ratio == 0.6 / 0.2
    assert math.isnan(Held(0.6, 0.0).ratio)


def test_pairs_of_maps_are_compared():
    assert alikeness({}) == ""
    assert alikeness({("A", "B"): 0.2}) == "The two maps are little alike (correlation 0.20)."
    assert alikeness({("A", "B"): 0.9}) == "The two maps are alike (correlation 0.90)."
    three = {("A", "B"): 0.9, ("A", "C"): 0.1, ("B", "C"): 0.4}
    assert alikeness(three) == "Most alike are the maps of A and B (correlation 0.90), least those of A and C (0.10)."
