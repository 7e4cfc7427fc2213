"""Recipes: found by name, parameters from plain strings."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import BadInput
from core.settings import ROOT
from core.training import get_recipe, known_recipes
from core.training.base import command_line


def test_every_recipe_of_the_folder_is_found_under_its_name() -> None:
    found = known_recipes()
    assert {"classifier", "demo"} <= set(found)
    assert all(recipe.name == name and recipe.title for name, recipe in found.items())


def test_an_unknown_recipe_is_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(BadInput, match=r"no training recipe 'dream'.*classifier"):
        get_recipe("dream")


def test_parameters_are_read_from_the_strings_of_a_command_line() -> None:
    parameters = get_recipe("classifier").parameters(values={"steps": "12", "plane": "axial", "learning_rate": "1e-4"})
    assert (parameters.steps, parameters.plane, parameters.learning_rate) == (12, "axial", 1e-4)


@pytest.mark.parametrize(("name", "value"), [("steps", "many"), ("steps", "0"), ("plane", "oblique"), ("stpes", "3")])
def test_a_wrong_parameter_is_named(name: str, value: str) -> None:
    with pytest.raises(BadInput, match=f"^Parameter {name}: |no parameter '{name}'; there are architecture, "):
        get_recipe("classifier").parameters(values={name: value})


def test_recipes_are_listed_and_described_without_torch() -> None:
    code = (
        "import sys, json; from core.training import known_recipes; "
        "print(json.dumps([recipe.describe() for recipe in known_recipes().values()])); "
        "print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr.strip() == "False"
    described = {recipe["name"]: recipe for recipe in json.loads(done.stdout)}
    assert all(recipe["title"] and recipe["summary"] for recipe in described.values())
    rate = described["pix2pix"]["parameters"]["properties"]["learning_rate"]
    assert (rate["group"], rate["scale"], rate["paper"], rate["exclusiveMinimum"]) == ("How it learns", "log", 2e-4, 0)


def test_the_record_of_a_card_holds_every_setting_as_plain_values_and_what_is_told_beside_them() -> None:
    recipe = get_recipe("autoencoder")
    parameters = recipe.parameters(values={"seed": "3", "widths": "8,4", "weights": "somewhere/start.safetensors"})
    record = recipe.record(parameters, Path("somewhere/m"), "12 pairs", with_cohort=False, weights="start.safetensors")
    assert (record.recipe, record.seed, record.data) == ("autoencoder", 3, "12 pairs")
    assert set(record.details) == set(recipe.parameters_model.model_fields) - {"architecture", "architecture_arguments"}
    assert (record.details["widths"], record.details["weights"]) == ([8, 4], "start.safetensors")
    assert "somewhere" not in record.model_dump_json()


def test_the_command_of_a_card_can_be_typed_as_it_stands() -> None:
    values = {"separator": "|", "exclude": "Others,Lower Leg", "size": "64", "label_column": "part of body"}
    parameters = get_recipe("anatomy").parameters(values=values)
    words = shlex.split(command_line("anatomy", parameters, Path("somewhere/My Model"), with_cohort=True))
    assert words[:8] == ["python", "-m", "core", "train", "anatomy", "--cohort", "DIR", "--out"]
    repeated = dict(word.split("=", 1) for word in words if "=" in word)
    assert repeated == values
    assert get_recipe("anatomy").parameters(values=repeated) == parameters
