import re
from typing import Literal

import pytest
from streamlit.testing.v1 import AppTest

from core.parameters import Parameters, parameter
from core.training import known_recipes
from dashboard.intake import widgets
from dashboard.intake.widgets import Control, format_value, help_text, is_log, position, read_schema, slider_values


class Sample(Parameters):
    weight: float = parameter(
        1e-4, "What it does.", minimum=1e-6, maximum=1.0, scale="log", title="λ weight", group="Size", paper=3e-5
    )
    share: float = parameter(0.5, "A share.", minimum=0.0, maximum=1.0, step=0.05, unit="mm", paper=0.95)
    rounds: int = parameter(60, "How often.", minimum=1, maximum=5000, unit="iterations")
    few: int = parameter(3, "How many.", minimum=1, maximum=10)
    how: Literal["one_way", "other"] = parameter("other", "Which way.")
    at_most: float = parameter(1.0, "Two words.", minimum=0.0, maximum=2.0, unit="mm")
    really: bool = parameter(True, "Whether.", advanced=True)
    layer: str | None = parameter(None, "Which layer.")
    limit: float | None = parameter(None, "Perhaps a limit.", minimum=0.0, maximum=2.0)


CONTROLS = {control.name: control for control in read_schema(Sample.model_json_schema())}


def test_every_declared_property_reaches_the_screen():
    weight = CONTROLS["weight"]
    assert (weight.minimum, weight.maximum, weight.scale) == (1e-6, 1.0, "log")
    assert (weight.label, weight.group, weight.paper, weight.default) == ("λ weight", "Size", 3e-5, 1e-4)
    assert CONTROLS["share"].step == 0.05
    assert CONTROLS["really"].advanced


def test_kinds_of_controls_follow_the_types():
    kinds = {name: control.kind for name, control in CONTROLS.items()}
    assert kinds == {
        "weight": "number",
        "share": "number",
        "rounds": "integer",
        "few": "integer",
        "how": "choice",
        "at_most": "number",
        "really": "switch",
        "layer": "text",
        "limit": "number",
    }
    assert CONTROLS["how"].choices == ("one_way", "other")
    assert CONTROLS["limit"].maximum == 2.0


def test_labels_are_words_with_a_unit_where_that_says_more():
    assert CONTROLS["share"].label == "Share (mm)"
    assert CONTROLS["at_most"].label == "At most (mm)"
    assert Control("iterations", "iterations", "", "integer", 60, unit="iterations").label == "Iterations"


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


def test_values_are_written_as_people_write_them():
    assert [format_value(v) for v in (1e-4, 0.25, 1500, 2e6, True, None, "one_way", 0, 3e-5)] == [
        "1e-4",
        "0.25",
        "1,500",
        "2e6",
        "on",
        "automatic",
        "one way",
        "0",
        "3e-5",
    ]


def test_help_names_default_and_published_value():
    text = help_text(CONTROLS["weight"])
    assert text.startswith("What it does.")
    assert "Default 1e-4" in text
    assert "paper 3e-5" in text


class Ends(Parameters):
    held_out: float = parameter(0.1, "How many.", minimum=0, below=0.6)
    rate: float = parameter(1e-3, "How fast.", above=0, maximum=1, scale="log")
    times: int = parameter(3, "How often.", above=0, below=10)
    clip: float = parameter(1.0, "How long.", above=0)
    shift: float | None = parameter(None, "How far.", above=-1, below=1, step=0.25)


def test_an_end_that_is_not_allowed_cannot_be_chosen():
    controls = {control.name: control for control in read_schema(Ends.model_json_schema())}
    ends = {name: (control.minimum, control.maximum) for name, control in controls.items()}
    assert ends == {
        "held_out": (0, 0.59),
        "rate": (1e-6, 1),
        "times": (1, 9),
        "clip": (None, None),
        "shift": (-0.75, 0.75),
    }
    assert slider_values(controls["rate"])[0] == 1e-6
    for name, control in controls.items():
        for end in (control.minimum, control.maximum):
            assert end is None or Ends(**{name: end})


def _groups():
    from core.parameters import Parameters, parameter
    from dashboard.intake.widgets import read_schema, show_controls

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

    from dashboard.intake.widgets import Control, show_controls

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
    from dashboard.intake.widgets import read_schema, show_controls

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
