"""A format that Lightbox does not know is one class: its models are listed, found and loaded as others are."""

import gc

import pytest
import torch

from core.errors import BadInput
from core.models.card import Card
from core.models.folders import card_of, folder_hash, format_of, library_folders, list_cards, resolve
from core.models.formats.base import FORMATS, Format
from core.models.formats.card_folder import CardFolder
from core.models.library import load_model
from core.models.model import Model
from core.settings import settings
from tests.core.tiny import save_tiny, tiny_card


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library with one model folder, one file of a format of its own, and something that is no model."""
    save_tiny(tmp_path / "tiny", tiny_card("tiny", (4, 5)))
    (tmp_path / "foreign.toy").write_text("3.0")
    (tmp_path / "notes.txt").write_text("no model")
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def toy():
    """A format whose file holds the weight of a network of one number."""

    class Toy(Format):
        name = "toy"
        title = "A number in a text file"

        @classmethod
        def sniff(cls, path):
            return path.suffix == ".toy"

        @classmethod
        def files(cls, path):
            return [path]

        @classmethod
        def card(cls, path) -> Card:
            return tiny_card("foreign-card", (4, 5))

        @classmethod
        def load(cls, path, device=None) -> Model:
            network = torch.nn.Linear(1, 1).requires_grad_(False)
            network.weight.data.fill_(float(path.read_text()))
            return Model(cls.card(path), network, path)

    yield Toy
    del Toy
    gc.collect()


def test_without_the_format_the_file_is_no_model(library):
    assert library_folders().keys() >= {"tiny"}
    assert "foreign" not in library_folders()
    with pytest.raises(BadInput, match="no model"):
        resolve(library / "foreign.toy")
    with pytest.raises(BadInput, match=r"notes\.txt is in no format that models come in: card-folder"):
        card_of(library / "notes.txt")


def test_with_it_the_model_is_listed_found_and_loaded(library, toy):
    assert FORMATS.get("toy") is toy
    assert library_folders()["foreign"] == library / "foreign.toy"
    assert {"tiny", "foreign-card"} <= {card.name for card in list_cards()}
    for name in ("foreign", "foreign-card", library / "foreign.toy"):
        assert float(load_model(name).network.weight) == 3.0


def test_a_changed_file_is_another_model(library, toy):
    before = folder_hash(library / "foreign.toy")
    (library / "foreign.toy").write_text("4.00")
    assert folder_hash(library / "foreign.toy") != before


def test_lightboxs_own_format_is_asked_first(library, toy, monkeypatch):
    monkeypatch.setattr(toy, "sniff", classmethod(lambda cls, path: True))
    assert format_of(library / "tiny") is CardFolder
    assert format_of(library / "notes.txt") is toy


@pytest.mark.parametrize("broken", ["sniff", "card"])
def test_a_format_that_stumbles_costs_only_its_own_models(library, toy, monkeypatch, broken):
    def stumble(cls, path):
        raise ZeroDivisionError

    monkeypatch.setattr(toy, broken, classmethod(stumble))
    names = {card.name for card in list_cards()}
    assert "tiny" in names
    assert "foreign-card" not in names
