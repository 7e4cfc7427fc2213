import re

import pytest
from streamlit.testing.v1 import AppTest

from core.training import known_recipes
from dashboard.intake.controls import widgets
from dashboard.intake.controls.declared import Control, read_schema
from dashboard.intake.controls.widgets import help_text, is_log, position, slider_values
from tests.dashboard.intake.controls.test_declared import CONTROLS


def test_a_log_slider_moves_over_round_numbers_and_reaches_every_value_that_matters():
    stops = slider_values(CONTROLS["weight"], 1.234e-3)
    assert stops[0] == 1e-6
    assert stops[-1] == 1.0
    assert {1e-4, 3e-5, 1.234e-3, 5e-2} <= set(stops)
    assert stops == sorted(set(stops))


def test_a_log_slider_of_whole_numbers_has_whole_stops():
    assert all(isinstance(stop, int) for stop in slider_values(CONTROLS["rounds"]))
    assert 60 in slider_values(CONTROLS["rounds"])


def test_a_log_slider_may_start_at_zero():
    control = Control("n", "n", "", "integer", 0, minimum=0, maximum=1000, scale="log")
    assert slider_values(control)[:3] == [0, 1, 2]


def test_wide_ranges_of_whole_numbers_become_log_sliders_and_small_ones_do_not():
    assert is_log(CONTROLS["rounds"])
    assert not is_log(CONTROLS["few"])
    assert not is_log(CONTROLS["share"])


def test_the_published_value_is_marked_where_the_thumb_would_stand():
    assert position(CONTROLS["share"], CONTROLS["share"].paper) == pytest.approx(0.95)
    stops = slider_values(CONTROLS["weight"])
    assert position(CONTROLS["weight"], 3e-5, stops) == pytest.approx(stops.index(3e-5) / (len(stops) - 1))


@pytest.mark.parametrize(("paper", "side"), [(0.05, "left"), (0.5, "left"), (0.95, "right")])
def test_the_words_at_the_mark_hang_towards_the_middle(monkeypatch, paper, side):
    drawn = []
    monkeypatch.setattr(widgets.text, "show", drawn.append)
    control = Control("n", "n", "", "number", 0.5, minimum=0.0, maximum=1.0, paper=paper)
    widgets._mark(control, position(control, paper))
    widgets._mark(control, None)
    assert drawn == [drawn[0]]
    assert f"<span class='{side}' style='left:{paper:.2%}'>paper {paper:g}</span>" in drawn[0]


def test_a_published_value_off_the_track_is_not_marked():
    assert position(CONTROLS["share"], 7.0) is None
    assert position(CONTROLS["share"], None) is None
    assert position(CONTROLS["how"], "other") is None


def test_help_names_default_and_published_value():
    text = help_text(CONTROLS["weight"])
    assert text.startswith("What it does.")
    assert "Default 1e-4" in text
    assert "paper 3e-5" in text


def _groups():
    from core.parameters import Parameters, parameter
    from dashboard.intake.controls.declared import read_schema
    from dashboard.intake.controls.widgets import show_controls

    class Grouped(Parameters):
        last: int = parameter(3, "Of the last group.", minimum=1, maximum=9, group="Zebra", order=1)
        first: str = parameter("", "A layer by another name.", group="Shown", picks="layer")
        folded: int = parameter(3, "Folded away.", minimum=1, maximum=9, advanced=True)
        second: tuple[int, ...] = parameter((16, 8), "Several.", group="Widths")
        layer: str = parameter("named", "No choice, whatever it is called.", group="Widths")

    show_controls(
        read_schema(Grouped.model_json_schema()),
        {},
        key="k",
        offered={"layer": ("conv1", "conv2")},
        on_change=lambda *_: None,
    )


def test_groups_stand_in_the_declared_order_and_a_layer_is_chosen_where_one_is_declared():
    app = AppTest.from_function(_groups).run()
    assert not app.exception
    assert [line.value for line in app.markdown] == ["## Shown", "## Widths", "## Zebra"]
    assert (app.selectbox[0].label, app.selectbox[0].options) == ("First", ["automatic", "conv1", "conv2"])
    assert [(field.label, field.value) for field in app.text_input] == [("Second", "16, 8"), ("Layer", "named")]


@pytest.mark.parametrize("recipe", known_recipes().values(), ids=lambda recipe: recipe.name)
def test_every_setting_of_a_recipe_makes_a_control_of_its_own(recipe):
    controls = read_schema(recipe.describe()["parameters"])
    assert {control.name for control in controls} == set(recipe.parameters_model.model_fields)
    assert len({control.label for control in controls}) == len(controls)
    assert all(control.help.endswith(".") and control.help[0].isupper() for control in controls)
    defaults = recipe.parameters().model_dump(mode="json")
    for control in controls:
        assert control.default == defaults[control.name]
        for end in (control.minimum, control.maximum):
            assert end is None or recipe.parameters(values={control.name: end})


def _marked(scale, paper):
    import streamlit as st

    from dashboard.intake.controls.declared import Control
    from dashboard.intake.controls.widgets import show_controls

    control = Control(
        "n", "n", "", "number", 0.5, minimum=0.01, maximum=1.0, step=0.01, scale=scale, paper=paper, group="g"
    )
    show_controls([control], {}, key="k", on_change=lambda *_: None)
    st.session_state.drawn = True


@pytest.mark.parametrize("paper", [0.02, 0.1, 0.7, 1.0])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_tick_stands_where_the_slider_stands_at_the_published_value(scale, paper):
    page = AppTest.from_function(_marked, args=(scale, paper)).run()
    assert not page.exception
    if scale == "log":
        stops = [float(option) for option in page.get("select_slider")[0].options]
        place = min(range(len(stops)), key=lambda n: abs(stops[n] - paper)) / (len(stops) - 1)
    else:
        slider = page.slider[0]
        place = (paper - slider.min) / (slider.max - slider.min)
    (drawn,) = (html.proto.body for html in page.get("html"))
    tick = float(re.search(r"<i style='left:([\d.]+)%'>", drawn).group(1)) / 100
    words = float(re.search(r"<span class='\w+' style='left:([\d.]+)%'>", drawn).group(1)) / 100
    assert tick == pytest.approx(place, abs=1e-3)
    assert words == tick


def _explainers():
    from core.parameters import Parameters, parameter
    from dashboard.intake.controls.declared import read_schema
    from dashboard.intake.controls.widgets import show_controls

    class Chosen(Parameters):
        one: str = parameter("mask", "An explainer.", picks="explainer")
        several: tuple[str, ...] = parameter(("mask", "ibix"), "Explainers.", picks="explainers")

    offered = {"saliency": "Saliency", "mask": "Mask perturbation", "ibix": "IBIX"}
    controls = read_schema(Chosen.model_json_schema())
    show_controls(
        controls, {"several": "saliency, gone"}, key="c", explainers=offered, on_change=lambda name, key: None
    )
    show_controls(controls, {}, key="d", on_change=lambda name, key: None)


def test_explainers_are_picked_by_their_titles_where_they_are_known():
    page = AppTest.from_function(_explainers).run()
    assert not page.exception
    assert (page.selectbox[0].value, page.selectbox[0].options) == ("mask", ["Saliency", "Mask perturbation", "IBIX"])
    assert page.multiselect[0].value == ["saliency"]
    # where a page does not say which there are, they are typed
    assert [field.value for field in page.text_input] == ["mask", "mask, ibix"]
