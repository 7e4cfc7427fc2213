from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from dashboard.desk import Desk, desk_of_session
    from dashboard.intake.order import Order
    from dashboard.results.actions import start_button

    laid = desk_of_session("desk", Desk)
    laid.problem = st.session_state.pop("refused", None)

    def start(word):
        st.session_state.started = word

    refusal = "Choose a *scan* first." if st.session_state.get("empty") else None
    order = Order(cards=("a network",), entry="an explainer", refusal=refusal)
    start_button(laid, "Go", key="go", order=order, on_click=start, args=("now",))
    st.session_state.left = laid.problem


def test_a_press_starts_with_what_the_page_gave():
    shown = AppTest.from_function(page).run()
    shown.button(key="go").click().run()
    assert shown.session_state["started"] == "now"
    assert not shown.error


def test_what_cannot_be_started_says_why_beside_the_button():
    asked = AppTest.from_function(page)
    asked.session_state["empty"] = True
    button = asked.run().button(key="go")
    assert button.disabled
    assert button.help == "Choose a \\*scan\\* first."


def test_why_a_start_was_refused_is_said_once():
    asked = AppTest.from_function(page)
    asked.session_state["refused"] = "Choose a model."
    shown = asked.run()
    assert [problem.value for problem in shown.error] == ["Choose a model."]
    assert shown.session_state["left"] is None
    assert not shown.run().error
