from markupsafe import escape

from core.wording import spelled_out
from tests.pages.conftest import DEMO, said, settle


def test_the_demo_is_explained_with_one_click(workbench):
    home = workbench.open()
    home.button(key="open demo").click().run()
    assert not home.error
    page = said(settle(home))
    assert DEMO in page
    assert "synthetic data" in page
    desk = home.session_state["desk"]
    assert (desk.model, desk.explainer) == ("tiny-volume", "mask")
    assert f"<span class='said'>{escape(spelled_out(desk.target))}</span>" in page  # the first question is that class
    assert desk.current().status == "done"
    assert not desk.begin, "it is asked once"


def test_a_scan_that_is_dropped_hangs_on_explain(workbench, monkeypatch):
    dropped = workbench.add_scan()

    def take(laid, then):
        if laid.scan is None:
            laid.scan = dropped
            then()

    monkeypatch.setattr("dashboard.intake.dropping.scans.take_files", take)
    home = workbench.open()
    home.run()
    assert home.session_state["desk"].scan == dropped
    assert "Volume" in said(home)


def test_home_says_that_nothing_ran_yet(workbench):
    assert "Nothing ran yet" in said(workbench.open())


def test_home_lists_what_ran(workbench):
    run = workbench.finished(scan=workbench.add_scan())
    home = workbench.open()
    page = said(home)
    assert "Saliency" in page
    assert home.button(key=f"open {run}").label.startswith("Open *run of Saliency")
    home.button(key=f"open {run}").click().run()
    assert not home.error
    assert home.session_state["desk"].current().id == run
    assert "<span class='run-film'><img src='data:image/png" in page
    assert "alt='Saliency" in page


def test_without_assets_home_says_how_to_get_them(workbench, monkeypatch, tmp_path):
    monkeypatch.setattr("dashboard.intake.demo.ASSETS", tmp_path / "nothing")
    home = workbench.open()
    assert home.button(key="open demo").disabled
    assert "make assets" in said(home)
