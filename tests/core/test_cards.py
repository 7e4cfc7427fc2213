import pytest
from pydantic import BaseModel, field_validator

from core.cards import read_yaml_card
from core.errors import BadInput


class Small(BaseModel):
    title: str = "none"
    films: int = 3

    @field_validator("films")
    @classmethod
    def _some(cls, films):
        if films < 1:
            raise ValueError("at least one film")
        return films


@pytest.fixture
def path(tmp_path):
    (tmp_path / "hands").mkdir()
    return tmp_path / "hands" / "small.yaml"


def test_what_the_file_says_is_read_and_the_rest_is_usual(path):
    path.write_text("title: Hände\n", encoding="utf-8")
    assert read_yaml_card(path, Small) == Small(title="Hände")
    path.write_text("# nothing yet\n", encoding="utf-8")
    assert read_yaml_card(path, Small) == Small()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe\x00", "is not text in UTF-8"),
        (b"title: [", "is not valid YAML"),
        (b"title: 2026-02-31", "is not valid YAML"),
        (b"[" * 3000, "is not valid YAML"),
        (b"films: none", "films: Input should be a valid integer"),
        (b"films: 0", "films: at least one film."),
        (b"- 1", "the whole file: Input should be"),
        (b"title: !!python/object/apply:os.getcwd []", "is not valid YAML"),
    ],
)
def test_what_is_no_card_is_one_sentence_that_names_the_file_and_its_folder(path, content, told):
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"^small\.yaml of hands") as refusal:
        read_yaml_card(path, Small)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)
