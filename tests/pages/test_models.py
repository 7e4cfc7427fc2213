from core.models.card import read_card
from dashboard.models import page as models
from tests.pages.conftest import said


def test_cards_say_what_a_model_is_for_and_where_it_comes_from(workbench):
    page = workbench.open("models")
    text = said(page)
    assert "Tiny volume model" in text
    assert "12×14×12" in text
    assert "0.500 (95%: 0.400 to 0.600)" in text
    assert "none, random weights" in text
    assert "synthetic data" in text
    assert "Mask perturbation: robust, paper" in text


def test_a_model_can_be_taken_to_the_explain_page(workbench):
    page = workbench.open("models")
    page.button(key="explain tiny-image").click().run()
    assert page.session_state["desk"].model == "tiny-image"


def test_an_empty_library_says_what_to_do(workbench, monkeypatch, tmp_path):
    monkeypatch.setattr("core.models.folders.ASSETS", tmp_path)
    assert "LIGHTBOX_MODELS_DIR" in said(workbench.open("models"))


def test_names_from_a_card_are_never_taken_for_html(workbench, small_assets, monkeypatch):
    card = read_card(small_assets / "models" / "tiny-volume")
    hostile = card.model_copy(update={"title": "<img src=x onerror=alert(1)>"})
    monkeypatch.setattr("dashboard.intake.catalogue.list_cards", lambda: [hostile])
    text = said(workbench.open("models"))
    assert "<img" not in text
    assert "&lt;img" in text


def test_contract_rows_name_the_slice_a_2d_model_takes(small_assets):
    card = read_card(small_assets / "models" / "tiny-image")
    taken = card.model_copy(update={"input": card.input.model_copy(update={"plane": "coronal", "position_mm": -20.0})})
    assert ("from a volume", "coronal slice at -20 mm") in models.contract_rows(taken)
