import json
from typing import ClassVar

import pytest
from pydantic import Field, ValidationError

from core.errors import BadInput
from core.explainers import get_explainer
from core.parameters import Parameters, Parametrised, parameter, validate


@pytest.mark.parametrize("name", ["occlusion", "mask"])
@pytest.mark.parametrize("value", ["nan", "inf", float("nan"), float("-inf")])
def test_parameters_are_finite(name, value):
    parameter = {"occlusion": "baseline_value", "mask": "mu_value"}[name]
    with pytest.raises(BadInput, match=f"{parameter}.*finite"):
        get_explainer(name).parameters(values={parameter: value})


class Sample(Parameters):
    size: float = parameter(1.0, "How large.", minimum=0.5, maximum=2.0, scale="log", unit="mm", paper=1.5)
    rounds: int = parameter(3, "How often.", minimum=1, maximum=9)


def test_strings_of_a_command_line_become_numbers_within_their_inclusive_range():
    made = validate(Sample, {"size": "2", "rounds": "9"})
    assert (made.size, made.rounds) == (2.0, 9)
    for values, name in ({"size": "2.001"}, "size"), ({"rounds": 0}, "rounds"), ({"rounds": "2.5"}, "rounds"):
        with pytest.raises(BadInput, match=f"Parameter {name}: "):
            validate(Sample, values)


def test_an_unknown_parameter_is_answered_with_the_known_ones():
    with pytest.raises(BadInput, match=r"no parameter 'siez'; there are size, rounds\."):
        validate(Sample, {"siez": 1})


def test_a_declaration_carries_everything_that_a_slider_needs():
    field = Sample.model_json_schema()["properties"]["size"]
    assert (field["default"], field["minimum"], field["maximum"]) == (1.0, 0.5, 2.0)
    assert (field["scale"], field["unit"], field["paper"], field["description"]) == ("log", "mm", 1.5, "How large.")


def test_an_end_that_is_not_allowed_is_refused_and_its_neighbours_are_taken():
    class Shares(Parameters):
        held_out: float = parameter(0.1, "How many.", minimum=0, below=0.6)
        rate: float = parameter(1e-3, "How fast.", above=0, maximum=1, scale="log")

    assert validate(Shares, {"held_out": 0.599999, "rate": 1e-12}).held_out == 0.599999
    for values in {"held_out": 0.6}, {"rate": 0.0}:
        with pytest.raises(BadInput, match=f"Parameter {next(iter(values))}: Input should be (less|greater) than 0"):
            validate(Shares, values)


def test_a_needed_parameter_is_asked_for_in_its_own_words():
    class Asking(Parameters):
        region: str = parameter(..., "File with the region.")

    with pytest.raises(BadInput, match=r"^Parameter region is needed: File with the region\.$"):
        validate(Asking, {})


@pytest.mark.parametrize("declared", [3, Field(3), Field(3, description="How many."), parameter(3, "")])
def test_a_field_that_no_screen_could_explain_cannot_be_declared(declared):
    with pytest.raises(TypeError, match=r"Careless\.size must be declared with parameter"):
        type("Careless", (Parameters,), {"__annotations__": {"size": int}, "size": declared, "__module__": __name__})


class Thing(Parametrised):
    name, title, summary = "thing", "A thing", "It does something."
    parameters_model = Sample
    presets: ClassVar = {"small": {"size": 0.5}, "often": {"rounds": 9}}


def test_the_first_preset_is_taken_unless_another_is_asked_for_and_values_go_over_it():
    assert (Thing.parameters().size, Thing.parameters().rounds) == (0.5, 3)
    assert Thing.parameters("often", {"size": "2"}) == Sample(size=2.0, rounds=9)
    assert Thing.parameters("often", {"rounds": 4}).rounds == 4
    with pytest.raises(BadInput, match=r"A thing has no preset 'large'; it has small, often\."):
        Thing.parameters("large")


def test_a_thing_tells_of_itself_in_plain_data():
    told = json.loads(json.dumps(Thing.describe()))
    assert (told["name"], told["title"], told["summary"], told["reference"]) == (
        "thing",
        "A thing",
        "It does something.",
        "",
    )
    assert (told["presets"], told["preset_help"]) == ({"small": {"size": 0.5}, "often": {"rounds": 9}}, {})
    assert told["parameters"]["properties"]["size"]["paper"] == 1.5


def test_parameters_cannot_be_changed_behind_the_records_back():
    with pytest.raises(ValidationError):
        Sample().size = 2.0
