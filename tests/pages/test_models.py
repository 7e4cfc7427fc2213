from core.models.card import read_card
from core.settings import settings
from dashboard.models import words
from tests.pages.conftest import errors, said


def shown(workbench, name):
    """The page with one card on it."""
    return workbench.open("models").button(key=f"details {name}").click().run()


def test_the_list_has_a_line_a_model_and_a_click_shows_the_card(workbench):
    page = workbench.open("models")
    text = said(page)
    assert text.count("class='model-row'") == 3
    assert "<b>Tiny volume model</b><span>3D classifier" in text
    assert "(95%: 0.400 to 0.600)" in text
    assert "none, random weights" not in text
    page.button(key="details tiny-volume").click().run()
    assert page.query_params["model"] in ("tiny-volume", ["tiny-volume"])
    assert "none, random weights" in said(page)
    page.button(key="all models").click().run()
    assert "class='model-row'" in said(page)


def test_a_link_names_a_model_and_one_that_is_gone_is_said(workbench):
    page = workbench.open("models")
    page.query_params["model"] = "tiny-image"
    assert "none, random weights" in said(page.run())
    page.query_params["model"] = "![gone](http://beacon.example)"
    page.run()
    assert "There is no model" in errors(page)[0]
    assert "Tiny volume model" in said(page)


def test_models_are_searched_by_any_of_their_words(workbench, monkeypatch):
    monkeypatch.setattr("dashboard.models.page._SEARCHED", 1)
    page = workbench.open("models")
    page.text_input(key="search models").set_value("tiny VOLUME").run()
    text = said(page)
    assert "Tiny volume model" in text
    assert "Tiny maker model" not in text
    page.text_input(key="search models").set_value("no such thing").run()
    assert "No model has all these words" in said(page)


def test_cards_say_what_a_model_is_for_and_where_it_comes_from(workbench):
    page = shown(workbench, "tiny-volume")
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
    assert "<img src=x" not in text
    assert "&lt;img" in text


def test_contract_rows_name_the_slice_a_2d_model_takes(small_assets):
    card = read_card(small_assets / "models" / "tiny-image")
    taken = card.model_copy(update={"input": card.input.model_copy(update={"plane": "coronal", "position_mm": -20.0})})
    assert ("from a volume", "coronal slice at -20 mm") in words.contract_rows(taken)


def test_what_is_left_out_is_named_with_its_reason_and_the_others_are_there(workbench, monkeypatch, tmp_path):
    (tmp_path / "own" / "odd").mkdir(parents=True)
    (tmp_path / "own" / "odd" / "card.yaml").write_text("- 1")
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path / "own"))
    settings.cache_clear()
    try:
        text = said(workbench.open("models"))
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert "The model in odd is left out: card.yaml of odd: the whole file" in text
    assert "Tiny volume model" in text


def test_a_card_that_cannot_be_shown_takes_no_other_with_it(workbench, monkeypatch):
    rows = words.one_line
    broken = "tiny-image"

    def one_line(card):
        if card.name == broken:
            raise KeyError("whatever nobody thought of")
        return rows(card)

    monkeypatch.setattr(words, "one_line", one_line)
    page = workbench.open("models")
    assert not page.exception
    assert len(page.error) == 1
    text = said(page)
    assert f"The card of {broken} cannot be shown" in text
    assert "Tiny volume model" in text
    assert "Tiny maker model" in text


def test_what_was_seen_of_a_network_stands_on_its_card(workbench, monkeypatch):
    seen = "the network answers the same scan differently each time ![x](http://beacon.example)"
    monkeypatch.setattr("dashboard.intake.catalogue.seen_of", lambda card: (seen,) if card.name == "tiny-image" else ())
    page = shown(workbench, "tiny-image")
    assert [warning.value for warning in page.warning] == [
        r"The network answers the same scan differently each time \!\[x\]\(http\://beacon.example\)"
    ]
