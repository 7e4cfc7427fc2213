import subprocess
import sys

import pytest

from core.errors import BadInput
from core.explainers import describe, explainers, get_explainer
from core.settings import ROOT

NAMES = {"mask", "ibix", "saliency", "integrated_gradients", "smoothgrad", "grad_cam", "guided_backpropagation"}
NAMES |= {"occlusion"}


def test_every_explainer_of_the_folder_is_found():
    assert set(explainers()) >= NAMES


def test_an_unknown_explainer_is_answered_with_the_known_ones():
    with pytest.raises(BadInput, match="saliency"):
        get_explainer("salienzy")


@pytest.mark.parametrize("name", sorted(explainers()))
def test_every_parameter_says_what_it_does_and_fits_its_own_range(name):
    schema = describe(get_explainer(name))["parameters"]["properties"]
    defaults = get_explainer(name).parameters().model_dump()
    for key, field in schema.items():
        assert len(field["description"]) > 15, key
        assert field["group"], key
        if field["scale"] == "log":
            assert field["minimum"] > 0, key
        if "minimum" in field:
            assert field["minimum"] <= defaults[key] <= field["maximum"], key


@pytest.mark.parametrize("name", sorted(explainers()))
def test_every_explainer_has_texts_a_paper_and_a_page(name):
    cls = get_explainer(name)
    assert cls.summary.endswith(".")
    assert any(character.isdigit() for character in cls.reference)
    page = ROOT / "docs" / "explainers" / f"{name}.md"
    text = page.read_text(encoding="utf-8")
    for heading in ("## What", "## Equation", "## How to read it", "## Limits"):
        assert heading in text
    for parameter in cls.parameters_model.model_fields:
        assert f"`{parameter}`" in text, f"{page.name} does not explain {parameter}"


@pytest.mark.parametrize("name", sorted(explainers()))
def test_a_seed_below_zero_is_refused_before_anything_is_drawn(name):
    get_explainer(name).parameters(values={"seed": 0})
    with pytest.raises(BadInput, match="seed"):
        get_explainer(name).parameters(values={"seed": -1})


def test_the_papers_values_are_those_of_the_papers():
    fields = describe(get_explainer("ibix"))["parameters"]["properties"]
    wanted = {"jitters": 100, "jitter_percent": 39.2, "superpixels": 500, "compactness": 0.1, "levels": "2"}
    assert {name: fields[name]["paper"] for name in wanted} == wanted
    fields = describe(get_explainer("mask"))["parameters"]["properties"]
    wanted = {"lambda_1": 1e-4, "lambda_2": 1e-2, "beta_1": 0.1, "learning_rate": 0.1, "patience": 200}
    assert {name: fields[name]["paper"] for name in wanted} == wanted


@pytest.mark.parametrize("name", sorted(explainers()))
def test_every_preset_is_valid(name):
    for preset in get_explainer(name).presets:
        get_explainer(name).parameters(preset)


def test_listing_explainers_with_their_schemas_does_not_import_torch():
    """The first page lists explainers, and torch costs it two seconds."""
    code = (
        "import sys; from core.explainers import describe, explainers; "
        "[describe(e) for e in explainers().values()]; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'captum', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("name", list(explainers()))
def test_what_presets_are_for_is_said_of_presets_that_there_are(name):
    cls = get_explainer(name)
    assert not cls.preset_help or list(cls.preset_help) == list(cls.presets)
    assert describe(cls)["preset_help"] == cls.preset_help


def test_parameters_say_what_of_the_model_they_pick_and_for_which_models_they_matter():
    schema = {name: describe(cls)["parameters"]["properties"] for name, cls in explainers().items()}
    picks = {(name, key): field["picks"] for name, fields in schema.items() for key, field in fields.items()}
    assert {place: what for place, what in picks.items() if what} == {
        ("deconvnet", "layer"): "layer",
        ("grad_cam", "layer"): "layer",
        ("ibix", "input_channel"): "input_channel",
        ("ibix", "output_channel"): "output_channel",
    }
    assert schema["ibix"]["score"]["only_for"] == "classification"
