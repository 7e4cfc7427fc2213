"""Healthy subjects are put beside a model that is there: nothing else of it changes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from core.command_line.main import main
from core.errors import BadInput
from core.models import load_model
from core.models.card import read_card
from core.training import get_recipe
from core.training.healthy import make_healthy
from tests.core.tiny import save_tiny, tiny_card
from tests.core.training.recipes.classifier.test_training import pictures

CLASSIFIER = get_recipe("classifier")


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a few phantoms, as its recipe writes it."""
    out = tmp_path_factory.mktemp("phantoms") / "small"
    values = {"spacing_mm": 8, "phantom_twins": 4, "phantom_singles": 2, "steps": 2}
    CLASSIFIER.train(CLASSIFIER.parameters(values=values), None, out)
    return out


def test_a_recipe_writes_healthy_training_subjects_and_the_command_finds_the_same_again(
    phantoms: Path, tmp_path: Path
) -> None:
    written = load_model(phantoms)
    assert written.card.references == ("healthy_mean", "support", "healthy_1", "healthy_2", "healthy_3")
    folder = tmp_path / "small"
    shutil.copytree(phantoms, folder)
    assert make_healthy(folder, subjects=0) == 0
    without = load_model(folder)
    assert set(without.references) == {"healthy_mean", "support"}
    assert make_healthy(folder) == 3
    again = load_model(folder)
    for name, values in written.references.items():
        np.testing.assert_array_equal(again.references[name], values)
    for name in ("weights.safetensors", "acceptance.safetensors"):
        if (phantoms / name).exists():
            assert (folder / name).read_bytes() == (phantoms / name).read_bytes()
    assert read_card(folder) == read_card(phantoms)
    assert without.card.model_copy(update={"references": written.card.references}) == written.card


def test_images_of_a_cohorts_people_leave_with_a_model_only_when_asked_to(tmp_path: Path) -> None:
    cohort = pictures(tmp_path / "cohort")
    values = {"label_column": "finding", "healthy": "nothing", "target": "right", "steps": 2, "batch": 6}
    values |= {"test": 0.25, "validation": 0, "support": "mean"}
    assert CLASSIFIER.parameters(values=values).healthy_subjects is None
    for count, kept in ((None, ()), (2, ("healthy_1", "healthy_2"))):
        more = {} if count is None else {"healthy_subjects": count}
        card = CLASSIFIER.train(CLASSIFIER.parameters(values=values | more), cohort, tmp_path / f"kept-{count}")
        assert card.references == ("healthy_mean", "support", *kept)


def test_where_they_must_not_leave_none_is_written(tmp_path: Path) -> None:
    values = {"spacing_mm": 8, "phantom_twins": 2, "phantom_singles": 2, "steps": 2, "healthy_subjects": 0}
    card = CLASSIFIER.train(CLASSIFIER.parameters(values=values), None, tmp_path / "small")
    assert card.references == ("healthy_mean", "support")
    assert set(load_file(tmp_path / "small" / "references.safetensors")) == {"healthy_mean", "support"}


def test_a_model_that_was_trained_elsewhere_gets_those_of_a_cohort(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tiny_card("elsewhere", (20, 24)).model_copy(update={"healthy": "nothing", "classes": ("nothing", "right")})
    card = card.model_copy(update={"target": "right", "training": card.training.model_copy(update={"recipe": ""})})
    folder = save_tiny(tmp_path / "elsewhere", card)
    cohort = pictures(tmp_path / "cohort")
    table = cohort / "participants.tsv"
    table.write_text(table.read_text(encoding="utf-8").replace("finding", "diagnosis"), encoding="utf-8")
    with pytest.raises(BadInput, match="give the cohort with --cohort"):
        make_healthy(folder)
    assert main(["healthy", str(folder), "--cohort", str(cohort), "--subjects", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"healthy_subjects": 2}
    model = load_model(folder)
    for name in ("healthy_1", "healthy_2"):
        assert model.references[name].mean() == pytest.approx(90 / 255, abs=0.02), "nothing bright is in them"
    assert main(["healthy", str(folder), "--subjects", "21"]) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"healthy": None}, "no healthy class"), ({"healthy": "CN"}, "how its training scans are drawn")],
)
def test_what_a_model_does_not_say_is_asked_for(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    folder = save_tiny(tmp_path / "tiny", tiny_card("tiny", (12, 12)).model_copy(update=changes))
    with pytest.raises(BadInput, match=words):
        make_healthy(folder)
