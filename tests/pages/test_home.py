from markupsafe import escape

from core.wording import spelled_out
from tests.pages.conftest import DEMO, said


def test_home_leads_into_the_demo_with_one_click(workbench):
    home = workbench.open()
    home.button(key="open demo").click().run()
    assert not home.error
    page = said(home)
    assert DEMO in page
    assert "The model says" in page
    assert "synthetic data" in page
    desk = home.session_state["desk"]
    assert (desk.model, desk.explainer) == ("tiny-volume", "mask")
    assert f"<span class='said'>{escape(spelled_out(desk.target))}</span>" in page  # the first question is that class


def test_home_says_that_nothing_ran_yet(workbench):
    assert "Nothing ran yet" in said(workbench.open())


def test_home_lists_what_ran(workbench):
    workbench.finished(scan=workbench.add_scan())
    assert "Saliency" in said(workbench.open())


def test_without_assets_home_says_how_to_get_them(workbench, monkeypatch, tmp_path):
    monkeypatch.setattr("dashboard.intake.demo.ASSETS", tmp_path / "nothing")
    home = workbench.open()
    assert home.button(key="open demo").disabled
    assert "make assets" in said(home)
