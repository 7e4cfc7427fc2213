import pytest

from core.errors import BadInput
from core.studies import get_study, studies


def test_every_study_of_the_folder_is_found_with_texts_and_explained_parameters():
    assert "group-trace" in studies()
    for name, study in studies().items():
        assert study.name == name
        assert study.title
        assert study.summary.endswith(".")
        for key, field in study.parameters_model.model_fields.items():
            assert len(field.description or "") > 15, key


def test_an_unknown_study_is_answered_with_the_known_ones():
    with pytest.raises(BadInput, match="group-trace"):
        get_study("grouptrace")


def test_parameters_come_from_plain_words_of_the_command_line():
    found = get_study("group-trace").parameters(
        values={"region": "marked.npy", "jitters": "20", "direction": "backward"}
    )
    assert (found.jitters, found.direction, str(found.region)) == (20, "backward", "marked.npy")


def test_a_parameter_out_of_range_is_named():
    with pytest.raises(BadInput, match="jitters"):
        get_study("group-trace").parameters(values={"region": "marked.npy", "jitters": "1"})


def test_what_a_study_says_of_itself_is_enough_for_a_form():
    found = get_study("anatomy").describe()
    assert (found["name"], found["needs_cohort"], found["task"]) == ("anatomy", False, "classification")
    fields = found["parameters"]["properties"]
    assert (fields["films"]["maximum"], fields["others"]["picks"]) == (100_000, "models")
    assert fields["explainer"]["picks"] == "explainer"
    assert get_study("group-trace").describe()["parameters"]["properties"]["region"]["picks"] == "region"
