"""Words on a card for people."""

import pytest

from core.errors import BadInput
from core.models.card import Architecture, Card, InputContract, Intensity, Training, read_card, write_card


def card(**more) -> Card:
    return Card(
        name="toy",
        title="Toy",
        task="classification",
        synthetic=True,
        architecture=Architecture(name="toy"),
        input=InputContract(dimensions=2, intensity=Intensity(low=0, high=1)),
        **{"classes": ("AD", "CN", "hand"), "training": Training(data="none"), **more},
    )


def test_a_class_is_called_by_its_title_then_by_what_it_stands_for_then_by_its_name():
    titled = card(class_titles={"CN": "healthy, as far as can be told"})
    assert [titled.title_of(name) for name in titled.classes] == [
        "Alzheimer's disease",
        "healthy, as far as can be told",
        "hand",
    ]
    assert titled.called("CN") == "healthy, as far as can be told (CN)"
    assert titled.called("hand") == "hand"
    assert card().called("CN") == "cognitively normal (CN)"


def test_a_card_without_titles_reads_as_before_and_titles_make_no_other_model(tmp_path):
    plain, titled = card(), card(class_titles={"AD": "dementia of Alzheimer's type"})
    assert plain.identity == titled.identity
    assert plain.identity != card(classes=("AD", "CN")).identity
    write_card(titled, tmp_path)
    assert read_card(tmp_path) == titled
    written = (tmp_path / "card.yaml").read_text(encoding="utf-8")
    (tmp_path / "older").mkdir()
    older = tmp_path / "older" / "card.yaml"
    older.write_text(written.replace("class_titles:\n  AD: dementia of Alzheimer's type\n", ""), encoding="utf-8")
    assert read_card(tmp_path / "older") == plain


@pytest.mark.parametrize(
    ("titles", "why"),
    [
        ({"foot": "a foot"}, "'foot', which is not one of the classes"),
        ({"AD": " "}, "the title of 'AD' in class_titles is empty"),
        ({"AD": "hand"}, "two classes have the same title"),
        ({"hand": "cognitively normal"}, "two classes have the same title"),
    ],
)
def test_titles_that_say_nothing_or_mix_classes_up_are_refused(tmp_path, titles, why):
    good = card()
    write_card(good, tmp_path)
    path = tmp_path / "card.yaml"
    path.write_text(path.read_text().replace("class_titles: {}", f"class_titles: {titles!r}"), encoding="utf-8")
    with pytest.raises(BadInput, match=why):
        read_card(tmp_path)


def test_an_older_card_whose_class_is_another_ones_words_still_reads():
    assert card(classes=("AD", "Alzheimer's disease")).title_of("AD") == "Alzheimer's disease"
