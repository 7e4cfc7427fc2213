import os
import time

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


def laughs(levels: int = 10) -> bytes:
    """Every list is ten of the one before."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines).encode()


def tables(levels: int = 8) -> bytes:
    """Every table is twenty of the one before."""
    lines = ["b0: &b0 {x: 1}"]
    lines += [f"b{n}: &b{n} {{{', '.join(f'k{key}: *b{n - 1}' for key in range(20))}}}" for n in range(1, levels)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (laughs(), "its aliases written out"),
        (b"a: &a " + b"x" * 500_000 + b"\nb: [" + b"*a, " * 5000 + b"*a]", "its aliases written out"),
        (tables(), "its aliases written out"),
        (b"a: &a\n  b: *a", "holds itself: the alias *a"),
        (b"- &a [1, [*a]]", "holds itself"),
        (b"title: " + b"[" * 60 + b"]" * 60, "more than 50 levels"),
        (b"films: " + b"[" + b"1," * 60_000 + b"]", "holds more than a card can"),
        (b"title: " + b"x" * 2**21, "larger than the 1 MB"),
        (b"title: *nowhere", "is not valid YAML"),
        (b"films: " + b"9" * 5000, "is not valid YAML"),
    ],
)
def test_what_grows_or_holds_itself_is_refused_before_it_is_made(path, content, told):
    path.write_bytes(content)
    started = time.perf_counter()
    with pytest.raises(BadInput, match=r"^small\.yaml of hands") as refusal:
        read_yaml_card(path, Small)
    assert told in str(refusal.value)
    assert len(str(refusal.value)) < 450
    assert time.perf_counter() - started < 5


def test_a_card_may_use_aliases(path):
    path.write_bytes(b"title: &name hands\nother: *name\nfilms: 4")
    assert read_yaml_card(path, Small) == Small(title="hands", films=4)


@pytest.mark.parametrize("made", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_not_waited_for(path, made):
    made(path)
    with pytest.raises(BadInput, match=r"small\.yaml of hands is no file but a pipe, a device or a folder"):
        read_yaml_card(path, Small)


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
