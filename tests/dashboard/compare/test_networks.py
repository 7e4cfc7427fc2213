import pytest

from dashboard.compare import networks
from tests.core.tiny import tiny_card

ANATOMY = ("hand", "foot", "knee")


def card(name, shape=(16, 16), classes=("CN", "AD")):
    return tiny_card(name, shape).model_copy(update={"classes": classes, "target": None, "healthy": None})


@pytest.fixture
def cards():
    made = [card("brain"), card("volume", (8, 8, 8)), *(card(name, classes=ANATOMY) for name in networks.PAPERS_THREE)]
    made.append(card("anatomy-marker", classes=ANATOMY))
    return {made.name: made for made in made}


def test_networks_that_read_the_scan_are_offered_those_of_its_dimensions_first(cards):
    assert "volume" not in networks.fitting(cards, (1, 16, 16))
    assert networks.fitting(cards, (1, 8, 8, 8)) == ["volume"]


def test_one_of_the_papers_three_brings_the_others(cards):
    names = networks.fitting(cards, (1, 16, 16))
    assert networks.preferred(names, cards, "anatomy-deeper") == networks.PAPERS_THREE
    assert networks.preferred(names, cards, "anatomy-marker") == networks.PAPERS_THREE


def test_another_network_stands_first_and_brings_those_that_share_its_classes(cards):
    names = networks.fitting(cards, (1, 16, 16))
    assert networks.preferred(names, cards, "brain") == ("brain",)
    assert networks.preferred([], cards, "brain") == ()
    del cards["anatomy-shallow"], cards["anatomy-deeper"], cards["anatomy-augmented"]
    assert networks.preferred(["brain", "anatomy-marker"], cards, "anatomy-marker") == ("anatomy-marker",)


def test_what_is_chosen_stays_as_long_as_it_can_be_compared(cards):
    names = list(cards)
    assert networks.keep_comparable(("anatomy-deeper", "brain"), names, cards) == ("anatomy-deeper",)
    assert networks.keep_comparable(("gone", "brain"), names, cards) == ("brain",)
    assert networks.keep_comparable((), names, cards) == ()


def test_shared_classes_follow_the_first_network(cards):
    other = card("other", classes=("knee", "hand", "chest"))
    assert networks.shared_classes([cards["anatomy-deeper"], other]) == ("hand", "knee")
    assert networks.shared_classes([]) == ()


def test_beside_each_other_networks_lose_what_all_their_titles_begin_with(cards):
    titles = ["Anatomy, shallow network", "Anatomy, deeper network"]
    pair = [card(f"n{n}").model_copy(update={"title": title}) for n, title in enumerate(titles)]
    assert [brief.title for brief in networks.briefly_titled(pair)] == ["Shallow network", "Deeper network"]
    assert [brief.name for brief in networks.briefly_titled(pair)] == ["n0", "n1"]
    assert networks.briefly_titled(pair[:1])[0].title == titles[0]
