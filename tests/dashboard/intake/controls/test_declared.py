"""What a declared parameter becomes on a screen."""

import re
from typing import Literal

import pytest

from core.explainers import describe, explainers
from core.parameters import Parameters, parameter
from dashboard.intake.controls.declared import Control, format_value, parted, read_schema
from dashboard.intake.controls.widgets import help_text, slider_values


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


#: What stands for a choice that needs no other word than its own.
_PLAIN = re.compile(r"[A-Z(]?[a-z0-9,'’³²() -]+")


@pytest.mark.parametrize("explainer", explainers().values(), ids=lambda cls: cls.name)
def test_every_setting_of_an_explainer_has_a_plain_name_before_any_letter_of_a_paper(explainer):
    controls = read_schema(describe(explainer)["parameters"])
    assert len({control.label for control in controls}) == len(controls)
    for control in controls:
        assert control.label[0].isupper() and control.label[0].isascii(), control.name
        assert not re.search(r"[Α-Ωα-ω]", control.label.split("(")[0]), control.label
        assert control.title.lower() != control.name or "_" not in control.name
        assert f"`{control.name}` on the command line" in help_text(control)
        assert set(control.words) <= {str(choice) for choice in control.choices}
        for choice in control.choices:
            words = control.called(choice)
            assert not re.search(r"^(card|hinge|auto)$", words), (control.name, choice)
            assert "_" not in words
        # whoever reads what is not chosen by its own word must find it by that of the list
        assert not re.search(r"\b(card|auto)\b", control.help), control.help


@pytest.mark.parametrize("explainer", explainers().values(), ids=lambda cls: cls.name)
def test_four_settings_of_an_explainer_are_open_and_the_rest_is_folded(explainer):
    controls = read_schema(describe(explainer)["parameters"])
    steered = {name for values in explainer.steered_by_region.values() for name in values}
    shown, folded = parted([c for c in controls if c.name not in steered and "_channel" not in c.name], 4)
    assert 0 < len(shown) <= 4
    assert not any(control.advanced for control in shown)
    assert {c.name for c in shown} | {c.name for c in folded} == {
        c.name for c in controls if c.name not in steered and "_channel" not in c.name
    }


def test_what_is_open_is_of_the_first_headings_and_a_channel_is_never_folded():
    def control(name: str, group: str, order: int = 0, picks: str = "", advanced: bool = False) -> Control:
        return Control(name, name, "", "integer", 1, group=group, order=order, picks=picks, advanced=advanced)

    controls = [
        control("last", "Test", order=1),
        control("a", "What"),
        control("b", "What", advanced=True),
        control("c", "How"),
        control("d", "What"),
        control("channel", "How", picks="input_channel", advanced=True),
    ]
    for most, names in ((None, "last a c d channel"), (3, "a c d channel"), (1, "a channel")):
        shown, folded = parted(controls, most)
        assert [c.name for c in shown] == names.split()
        assert len(shown) + len(folded) == len(controls)
    assert [c.name for c in parted(controls, 2)[0]] == ["a", "d", "channel"]


def test_the_mask_shows_what_it_hides_how_smooth_and_how_long():
    shown, _ = parted(read_schema(describe(explainers()["mask"])["parameters"]), 4)
    assert [(control.group, control.label) for control in shown] == [
        ("What to hide", "Fill (μ)"),
        ("What to hide", "Size penalty (λ₁)"),
        ("How smooth", "Edge penalty (λ₂)"),
        ("How long", "Most iterations"),
    ]


def test_a_value_is_called_by_its_word_where_it_has_one():
    control = Control("n", "n", "", "choice", "a_b", choices=("a_b", "c"), words={"c": "the third"})
    assert [control.called(value) for value in ("a_b", "c", "", 1500)] == ["a b", "the third", "automatic", "1,500"]
