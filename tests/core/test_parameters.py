import pytest
from pydantic import ValidationError

from core.errors import BadInput
from core.explainers import get_explainer
from core.parameters import Parameters, parameter, validate


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


def test_parameters_cannot_be_changed_behind_the_records_back():
    with pytest.raises(ValidationError):
        Sample().size = 2.0
