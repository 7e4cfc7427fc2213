"""A value that no control offers is refused in a sentence: nothing on the desk changes, nothing fails in the log."""

import logging
from dataclasses import asdict

import pytest
from streamlit.elements.widgets.slider import SliderSerde

from dashboard.frame.shell import show_problem
from dashboard.offered import REFUSAL, of_another_type
from tests.pages.conftest import errors

#: Values that are of a control's own kind on the wire, and nobody's.
FORGED = {
    "selectbox": {"string_value": "made up"},
    "button_group": {"string_array_value": ["made up"]},
    "radio": {"string_value": "made up"},
    "select_slider": {"string_array_value": ["made up"]},
    "slider": {"double_array_value": [1e300]},
    "number_input": {"double_value": float("nan")},
}
#: What no selection has on the wire: Streamlit's own reader of values fails.
OF_ANOTHER_TYPE = {"string_value": "made up", "string_array_value": ["made up"], "bool_value": True}


def send(page, widget, kind, value):
    """The page run again, as if the browser had sent this for one of its controls."""
    sent = page._tree.get_widget_states()
    for state in sent.widgets:
        if state.id == widget.proto.id:
            break
    else:
        state = sent.widgets.add()
        state.id = widget.proto.id
    state.ClearField(state.WhichOneof("value") or "string_value")
    if isinstance(value, list):
        getattr(state, kind).data[:] = value
    else:
        setattr(state, kind, value)
    return page._run(sent)


def controls(page):
    """One control of each kind that is on the page."""
    kinds = ("selectbox", "button_group", "select_slider", "slider", "number_input", "toggle", "checkbox", "radio")
    return {kind: page.get(kind)[0] for kind in kinds if page.get(kind)}


@pytest.fixture
def explaining(workbench):
    page = workbench.open("explain")
    page.session_state["desk"].scan = workbench.add_scan()
    return page.run()


def test_what_no_control_offers_is_refused_or_left_and_nothing_on_the_desk_changes(explaining, caplog):
    page = explaining
    found = controls(page)
    assert {"selectbox", "button_group", "slider"} <= set(found), "kinds of controls that a forged value can be for"
    refused = set()
    with caplog.at_level(logging.ERROR):
        for name, widget in found.items():
            for kind, value in FORGED.get(name, {}).items():
                before = asdict(page.session_state["desk"])
                send(page, widget, kind, value)
                assert set(errors(page)) <= {REFUSAL}, name
                assert not page.exception, name
                refused |= {name} if errors(page) else set()
                assert asdict(page.session_state["desk"]) == before, name
                page.run()
                assert not errors(page), "the next request is one like others"
    assert "selectbox" in refused, "of the others Streamlit takes the value before"
    assert not [record for record in caplog.records if "failed" in record.getMessage()]


@pytest.mark.parametrize("kind", OF_ANOTHER_TYPE)
def test_a_value_of_another_type_than_the_controls_is_known_by_where_it_fails(kind):
    slider = SliderSerde([0.5], 1, True, None, 0.0, 1.0)
    try:
        slider.deserialize(OF_ANOTHER_TYPE[kind])
    except Exception as problem:
        assert of_another_type(problem)
        assert show_problem(problem)
    else:
        assert kind == "string_value", "words are as long as a wrong number of values: the default is taken"


def test_what_fails_elsewhere_is_no_forged_value():
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    assert not of_another_type(caught.value)
