import pytest
from streamlit.testing.v1 import AppTest

from core.settings import ROOT
from dashboard.frame import preferences


def menu():
    from dashboard.frame import preferences

    preferences.show_menu()


@pytest.fixture
def remembered(monkeypatch):
    kept = []
    monkeypatch.setattr(preferences, "remember", lambda name, value: kept.append((name, value)))
    return kept


def test_what_is_chosen_adds_a_style_sheet_and_is_remembered(remembered):
    app = AppTest.from_function(menu).run()
    assert not remembered, "nothing is written before somebody chooses"
    app.toggle(key="display presenter").set_value(True).run()
    assert app.session_state["display preferences"] == {"presenter"}
    app.toggle(key="display light").set_value(True).run()
    assert remembered[-1] == ("lightbox_display", "light+presenter")
    app.toggle(key="display presenter").set_value(False).run()
    assert remembered[-1] == ("lightbox_display", "light")


@pytest.mark.parametrize(
    ("cookie", "sheets"),
    [("", []), ("light", ["light.css"]), ("light+presenter", ["presenter.css", "light.css"]), ("x+<script>", [])],
)
def test_a_page_that_is_loaded_again_looks_as_before(monkeypatch, cookie, sheets):
    monkeypatch.setattr("streamlit.session_state", {})
    monkeypatch.setattr(type(preferences.st.context), "cookies", {"lightbox_display": cookie})
    assert preferences.styles() == sheets
    assert all((ROOT / "dashboard" / "static" / sheet).is_file() for sheet in sheets)
