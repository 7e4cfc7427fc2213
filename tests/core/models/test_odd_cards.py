"""One bad model folder is named with its reason, costs no time, and costs the others nothing."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from core.command_line.main import main
from core.errors import BadInput
from core.models import load_model
from core.models.card import read_card
from core.models.folders import left_out, list_cards, resolve
from core.settings import settings
from tests.core.test_cards import laughs, tables
from tests.core.tiny import save_tiny, tiny_card

GOOD = ("good", "other")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A library of two good models."""
    monkeypatch.setattr("core.models.folders.ASSETS", tmp_path / "none")
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path / "own"))
    settings.cache_clear()
    for name in GOOD:
        save_tiny(tmp_path / "own" / name, tiny_card(name, (16, 16)))
    yield tmp_path / "own"
    monkeypatch.undo()
    settings.cache_clear()


def add(library: Path, name: str, content: bytes) -> Path:
    (library / name).mkdir()
    (library / name / "card.yaml").write_bytes(content)
    return library / name


def card_with(name: str = "odd", **fields: object) -> bytes:
    return yaml.safe_dump({**tiny_card(name, (16, 16)).model_dump(mode="json"), **fields}).encode()


ODD = {
    "bomb": (b"metrics:\n  " + laughs().replace(b"\n", b"\n  "), "its aliases written out"),
    "bomb of tables": (b"metrics:\n  " + tables().replace(b"\n", b"\n  "), "its aliases written out"),
    "holds itself": (b"metrics: &m\n  again: *m", "holds itself"),
    "30 MB": (b"title: " + b"x" * 30_000_000, "larger than the 1 MB"),
    "deep": (b"metrics: " + b"{a: " * 3000, "levels"),
    "bytes": (card_with() + b"license: !!binary /+8=\n", "license"),
    "bytes in metrics": (
        card_with(metrics=None).replace(b"metrics: null", b"metrics: {a: !!binary /+8=}"),
        "no text, number",
    ),
    "digits": (
        card_with(metrics=None).replace(b"metrics: null", b"metrics: {a: 0x" + b"f" * 20_000 + b"}"),
        "no text, number",
    ),
    "a list": (b"- 1", "the whole file"),
    "nothing": (b"", "name: Field required"),
    "long name of a field": (b"? " + b"x" * 200_000 + b"\n: 1", "name: Field required"),
    "not text": (b"\xff\xfe\x00", "UTF-8"),
    "a tag": (b"!!python/object/apply:os.system [true]", "YAML"),
    "no shape": (card_with(input={"dimensions": 2, "shape": [], "intensity": {"low": 0, "high": 1}}), "input"),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_bad_card_is_left_out_with_a_sentence_and_the_others_are_there(library: Path, kind: str):
    content, told = ODD[kind]
    add(library, "odd", content)
    started = time.perf_counter()
    assert [card.name for card in list_cards()] == list(GOOD)
    (left,) = left_out()
    assert left.what == "The model in odd"
    assert told in left.sentence
    assert "\n" not in left.sentence
    assert len(left.sentence) < 500
    assert time.perf_counter() - started < 3
    with pytest.raises(BadInput):
        load_model("odd")


def test_a_folder_of_odd_cards_costs_no_time_the_second_time(library: Path):
    for number, kind in enumerate(list(ODD) * 3):
        add(library, f"odd-{number}", ODD[kind][0])
    list_cards()
    started = time.perf_counter()
    assert len(list_cards()) == len(GOOD)
    assert len(left_out()) == 3 * len(ODD)
    assert time.perf_counter() - started < 0.5


def test_a_refusal_is_looked_at_again_when_the_file_changes(library: Path):
    folder = add(library, "odd", b"- 1")
    assert len(left_out()) == 1
    (folder / "card.yaml").write_bytes(card_with("odd"))
    assert left_out() == []
    assert [card.name for card in list_cards()] == ["good", "odd", "other"]


@pytest.mark.parametrize("name", ["card.yaml", "weights.safetensors", "references.safetensors"])
@pytest.mark.parametrize("made", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), os.mkdir])
def test_a_pipe_or_device_in_the_place_of_a_file_is_refused_at_once(library: Path, name: str, made):
    folder = save_tiny(library / "odd", tiny_card("odd", (16, 16)))
    (folder / name).unlink(missing_ok=True)
    made(folder / name)
    with pytest.raises(BadInput, match=f"{name} of odd is no file but a pipe, a device or a folder"):
        load_model(folder)
    assert {"good", "other"} <= {card.name for card in list_cards()}


def test_a_card_that_is_a_link_to_nothing_is_said(library: Path):
    (library / "odd").mkdir()
    (library / "odd" / "card.yaml").symlink_to("nowhere")
    assert "cannot be read" in left_out()[0].sentence


def test_a_card_with_the_name_of_another_model_never_stands_for_it(library: Path):
    """The page showed one card and asked the other network."""
    save_tiny(library / "a-copy", tiny_card("other", (8, 8)))
    assert [card.input.shape for card in list_cards()] == [(16, 16), (16, 16)]
    assert resolve("other") == library / "other"
    assert "its card has the name 'other'" in left_out()[0].sentence
    # also where the folder of that name cannot be read itself
    (library / "other" / "card.yaml").write_bytes(b"- 1")
    assert [card.name for card in list_cards()] == ["good"]
    assert {left.what for left in left_out()} == {"The model in a-copy", "The model in other"}


def test_of_two_folders_with_one_card_the_first_is_kept(library: Path):
    for name in ("first", "second"):
        save_tiny(library / name, tiny_card("twin", (16, 16)))
    assert [card.name for card in list_cards()] == ["good", "other", "twin"]
    assert resolve("twin") == library / "first"
    assert left_out()[0].what == "The model in second"


@pytest.mark.parametrize("command", [["models"], ["list", "models"]])
def test_the_command_line_names_what_is_left_out(library: Path, capsys: pytest.CaptureFixture[str], command: list[str]):
    add(library, "odd", b"- 1")
    assert main(command) == 0
    told = capsys.readouterr()
    assert "good" in told.out
    assert "odd" not in told.out
    assert "note: The model in odd is left out: card.yaml of odd" in told.err


def test_a_plain_card_of_odd_values_is_read(library: Path):
    odd = {
        "metrics": {"a": {"1": [1, [2]], "when": "2026-01-01"}, "b": [], "c": None, "d_95": 3, "confusion": [[1], [2]]}
    }
    folder = add(library, "odd", card_with("odd", **odd))
    assert read_card(folder).metrics["d_95"] == 3
    assert left_out() == []
