import pytest

from dashboard.intake import catalogue
from tests.core.tiny import tiny_card


@pytest.fixture
def cards():
    made = (
        tiny_card("brain", (8, 8, 8)),
        tiny_card("a-slice", (8, 8), plane="coronal", position_mm=0.0),
        tiny_card("film", (8, 8)),
        tiny_card("film-of-colours", (8, 8), channels=3),
    )
    return {card.name: card for card in made}


@pytest.mark.parametrize(
    ("shape", "refused"),
    [
        ((1, 9, 9), {"brain"}),
        ((1, 9, 9, 9), {"film", "film-of-colours"}),
        ((1, 9, 9, 1), set()),  # a volume of one slice is an image
        ((2, 9, 9), {"brain", "a-slice", "film", "film-of-colours"}),
        ((3, 9, 9), {"brain", "a-slice", "film"}),
    ],
)
def test_a_model_that_cannot_read_a_scan_is_not_offered(cards, shape, refused):
    reasons = {name: catalogue.why_model_unfit(card, shape) for name, card in cards.items()}
    assert {name for name, reason in reasons.items() if reason} == refused
    assert all(reason.startswith(cards[name].title) for name, reason in reasons.items() if reason)


def test_a_film_is_read_by_a_model_of_films_first_and_a_volume_by_one_of_volumes(cards):
    assert catalogue.nearest_first(cards, cards, (1, 9, 9)) == ["film", "film-of-colours", "a-slice", "brain"]
    assert catalogue.nearest_first(reversed(cards), cards, (1, 9, 9, 9))[0] == "brain"


def test_where_none_fits_every_reason_and_a_way_out_are_told(cards):
    told = catalogue.why_none_fits([cards["brain"]], (1, 9, 9))
    assert "Brain model reads volumes" in told and "LIGHTBOX_MODELS_DIR" in told
    assert "empty" in catalogue.why_none_fits([], (1, 9, 9))
