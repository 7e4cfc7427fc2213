"""Statistics of a model's training scans, made again; and held-out phantoms that are drawn for them."""

import json

import pytest
import torch

from core.acceptance.statistics import read_statistics
from core.acceptance.verdict import STATISTICS
from core.command_line.main import main
from core.errors import BadInput
from core.models.card import read_card
from core.progress import silent
from core.settings import ASSETS
from core.training import get_recipe
from core.training.fitting.data import TrainingImages
from core.training.fitting.held_out import with_fresh
from core.training.statistics import make_statistics
from tests.core.studies.films import save_films, save_network

_FEW = {
    "classifier": {"phantom_twins": 2, "phantom_singles": 2},
    "anatomy": {"films": 4},
    "autoencoder": {"phantom_train": 4, "phantom_held_out": 1},
    "pix2pix": {"phantom_train": 4, "phantom_test": 1},
}
_OF = {
    "classifier": "alzheimer-phantom-slice",
    "anatomy": "anatomy-shallow",
    "autoencoder": "t1-t2-phantom",
    "pix2pix": "mr-ct-phantom",
}


def _settings(recipe, name, card):
    known = recipe.parameters_model.model_fields
    made = {key: value for key, value in card.training.details.items() if key in known}
    return recipe.parameters(values=made | _FEW[name])


@pytest.mark.parametrize("name", _FEW)
def test_phantoms_drawn_anew_are_of_the_same_kind_and_none_is_one_of_the_models(name):
    recipe, card = get_recipe(name), read_card(ASSETS / "models" / _OF[name])
    parameters = _settings(recipe, name, card)
    own = recipe.training_images(parameters, None, card, silent)
    images = with_fresh(own, recipe, parameters, card, silent)
    fresh = images.held_out[0 if own.held_out is None else len(own.held_out) :]
    wanted = len(own.train) - (0 if own.held_out is None else len(own.held_out))
    assert wanted <= len(fresh) or wanted <= 0
    assert torch.equal(images.train, own.train)
    every = [own.train, *([] if own.held_out is None else [own.held_out])]
    for image in fresh:
        assert not any(torch.equal(image, known) for part in every for known in part)


def test_the_same_are_drawn_every_time():
    recipe, card = get_recipe("autoencoder"), read_card(ASSETS / "models" / _OF["autoencoder"])
    parameters = recipe.drawn_anew(_settings(recipe, "autoencoder", card), 2)
    one, other = (recipe.training_images(parameters, None, card, silent).train for _ in range(2))
    assert torch.equal(one, other)
    assert parameters.seed != card.training.seed


class _Draws:
    """Of a recipe what draws."""

    def __init__(self, draws=True):
        self.asked, self._draws = [], draws

    def drawn_anew(self, parameters, count):
        self.asked.append(count)
        return count if self._draws else None

    def training_images(self, count, cohort, card, report):
        return TrainingImages(torch.ones((count - 1, 1, 4, 4)), torch.ones((1, 1, 4, 4)))


@pytest.mark.parametrize(("train", "held_out", "asked"), [(30, 10, [20]), (30, None, [30]), (900, 100, [300])])
def test_so_many_are_held_out_as_were_trained_on_or_enough(train, held_out, asked):
    recipe = _Draws()
    own = TrainingImages(torch.zeros((train, 1, 4, 4)), None if held_out is None else torch.zeros((held_out, 1, 4, 4)))
    found = with_fresh(own, recipe, None, None, silent)
    assert recipe.asked == asked
    assert len(found.held_out) == min(train, 400)
    assert found.held_out.sum() == asked[0] * 16  # those of the model stay among them


def test_nothing_is_drawn_where_enough_are_held_out_or_the_recipe_draws_nothing():
    own, recipe = TrainingImages(torch.zeros((30, 1, 4, 4)), torch.zeros((40, 1, 4, 4))), _Draws()
    assert with_fresh(own, recipe, None, None, silent) is own
    assert recipe.asked == []
    few = TrainingImages(torch.zeros((30, 1, 4, 4)), torch.zeros((4, 1, 4, 4)))
    assert with_fresh(few, _Draws(draws=False), None, None, silent) is few


def test_scans_of_a_folder_are_looked_at_for_a_model_that_was_trained_elsewhere(tmp_path, capsys):
    folder = save_network(tmp_path, "elsewhere")
    cohort = save_films(tmp_path / "cohort", films=12)
    assert main(["statistics", str(folder), "--cohort", str(cohort), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = read_statistics(folder)
    assert set(told) == set(found.groups) == {"values", "sharpness", "detail", "layout", "orientation", "features"}
    assert all(row["furthest"] < row["limit"] for row in told.values())


def test_without_a_recipe_or_a_cohort_there_is_nothing_to_look_at(tmp_path):
    folder = save_network(tmp_path, "elsewhere")
    with pytest.raises(BadInput, match=r"does not say how its training scans are drawn: give the cohort with --cohort"):
        make_statistics(folder)
    assert not (folder / STATISTICS).exists()
