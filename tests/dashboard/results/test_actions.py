from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from dashboard.desk import Desk, desk_of_session
    from dashboard.results.actions import start_button

    laid = desk_of_session("desk", Desk)
    laid.problem = st.session_state.pop("refused", None)

    def start(word):
        st.session_state.started = word

    start_button(laid, "Go", key="go", ready=not st.session_state.get("empty"), on_click=start, args=("now",))
    st.session_state.left = laid.problem


def test_a_press_starts_with_what_the_page_gave():
    shown = AppTest.from_function(page).run()
    shown.button(key="go").click().run()
    assert shown.session_state["started"] == "now"
    assert not shown.error


def test_nothing_can_be_started_where_nothing_is_laid_out():
    asked = AppTest.from_function(page)
    asked.session_state["empty"] = True
    assert asked.run().button(key="go").disabled


def test_why_a_start_was_refused_is_said_once():
    asked = AppTest.from_function(page)
    asked.session_state["refused"] = "Choose a model."
    shown = asked.run()
    assert [problem.value for problem in shown.error] == ["Choose a model."]
    assert shown.session_state["left"] is None
    assert not shown.run().error
