import re
import time

import pytest

from core.progress import Progress
from core.runs import ExplanationSpec, Status, manager
from core.runs.store import tables
from dashboard.desk import shelf
from dashboard.frame import opening
from dashboard.results.run_list import ago
from dashboard.runs import page as runs_page
from tests.pages.conftest import errors, read, said


def test_an_empty_list_says_what_belongs_there(workbench):
    assert "Nothing ran yet" in said(workbench.open("runs"))


def test_a_finished_run_is_listed_with_its_scores_and_opens_again(workbench):
    run = workbench.finished(scan=workbench.add_scan(), explainer="mask", parameters={"iterations": 3})
    page = workbench.open("runs")
    assert "Mask perturbation · AD" in said(page)
    assert "Probability of AD: " in said(page)
    assert re.search(r"class=.tag. title=.[^:]+: 3.", said(page))
    page.button(key=f"open {run}").click().run()
    assert page.session_state["desk"].run == run
    assert page.session_state["desk"].settings["mask"].changes == {"iterations": 3}


def tick(page, *runs):
    for run in runs:
        page.checkbox(key=f"tick {run}").check().run()
    return page


def test_what_is_deleted_can_be_taken_back(workbench):
    scan = workbench.add_scan()
    kept, gone = workbench.finished(scan=scan), workbench.finished(scan=scan, explainer="grad_cam")
    page = tick(workbench.open("runs"), gone)
    page.button(key="delete runs").click().run()
    assert [run.id for run in shelf().runs()] == [kept]
    assert "1 run deleted" in said(page)
    page.button(key="undo delete").click().run()
    assert {run.id for run in shelf().runs()} == {kept, gone}
    assert "deleted" not in said(page)
    assert page.button(key=f"open {gone}")
    page = tick(page, kept, gone)
    page.button(key="delete runs").click().run()
    assert shelf().runs() == []
    assert "Nothing ran yet" in said(page)
    page.button(key="undo delete").click().run()
    assert len(shelf().runs()) == 2
    page.button(key=f"edit {gone}").click().run()
    page.button(key=f"delete {gone}").click().run()
    page.button(key="dismiss undo").click().run()
    assert [run.id for run in shelf().runs()] == [kept]
    assert "deleted" not in said(page)


def test_a_star_keeps_a_run_and_is_told_by_its_button(workbench):
    run = workbench.finished(scan=workbench.add_scan())
    page = workbench.open("runs")
    for starred in (True, False):
        page.button(key=f"star {run}").click().run()
        assert shelf().run(run).pinned is starred
        assert page.button(key=f"star {run}").help.startswith("Take the star" if starred else "Star")
    tick(page, run).button(key="star runs").click().run()
    assert shelf().run(run).pinned
    page.toggle(key="runs starred").set_value(True).run()
    assert page.button(key=f"open {run}")
    assert page.button(key="star runs").label == "Unstar"


def test_buttons_say_which_run_they_are_of(workbench):
    run = workbench.finished(scan=workbench.add_scan(), explainer="mask", parameters={"iterations": 3})
    page = workbench.open("runs")
    shelf().table.describe(run, "My *own* [name]", "", [])
    assert read(page.button(key=f"open {run}").label) == "Open *run of Mask perturbation · AD*"
    page.run()
    for key in ("open", "star", "edit"):
        assert "run of My *own* [name]" in read(page.button(key=f"{key} {run}").label)
    assert read(page.checkbox(key=f"tick {run}").label) == "Choose run of My *own* [name]"


def test_name_note_and_tags_are_written_under_the_row_and_found(workbench):
    scan = workbench.add_scan()
    run, other = workbench.finished(scan=scan), workbench.finished(scan=scan, explainer="grad_cam")
    page = workbench.open("runs")
    page.button(key=f"edit {run}").click().run()
    page.text_input(key=f"name {run}").input("Figure 2")
    page.text_area(key=f"note {run}").input("<b>for</b> the paper")
    page.multiselect(key=f"tags {run}").set_value([])
    page.button(key=f"save {run}").click().run()
    assert not page.text_area
    assert "Figure 2" in said(page)
    assert "&lt;b&gt;for&lt;/b&gt; the paper" in said(page)
    shelf().table.tag([run], ["paper"])
    page.text_input(key="runs words").input("figure PAPER").run()
    assert "1 of 2 runs" in said(page)
    assert [button.key for button in page.button if button.key.startswith("open ")] == [f"open {run}"]
    page.text_input(key="runs words").input("nowhere").run()
    assert "No run fits" in said(page)
    page.text_input(key="runs words").input("grad").run()
    assert page.button(key=f"open {other}")
    assert said(page.switch_page("../pages/home.py").run())
    page.switch_page("../pages/runs.py").run()
    assert page.text_input(key="runs words").value == "grad"  # what was looked for stays


def test_filters_sort_and_groups_are_the_stores(workbench):
    from tests.core.runs.store.many import fill

    fill(manager().store, "local", 120)
    page = workbench.open("runs")
    assert "120 runs" in said(page)
    page.session_state["runs filter method"] = ["mask"]
    page.session_state["runs sort"] = "change"
    page.session_state["runs group"] = "scan"
    page.run()
    assert "20 of 120 runs" in said(page)
    assert "No scan, or one that is no longer in the store" in said(page)
    assert len([button for button in page.button if button.key.startswith("open ")]) == 20
    page.session_state["runs filter method"] = []
    page.session_state["runs group"] = "day"
    page.run()
    rows = [button.key for button in page.button if button.key.startswith("open ")]
    assert len(rows) == runs_page.ROWS
    page.session_state["runs page"] = 5
    page.run()
    last = [button.key for button in page.button if button.key.startswith("open ")]
    assert len(last) == 120 - 4 * runs_page.ROWS
    assert not set(last) & set(rows)


def test_two_to_six_explanations_are_compared(workbench, monkeypatch):
    scan = workbench.add_scan()
    runs = [workbench.finished(scan=scan, explainer=name) for name in ("saliency", "grad_cam")]
    page = tick(workbench.open("runs"), runs[0])
    assert page.button(key="compare runs").disabled
    assert "2 to 9" in page.button(key="compare runs").help
    asked = []
    monkeypatch.setattr(opening, "go_to", lambda name, place: asked.append((name, place)))
    tick(page, runs[1]).button(key="compare runs").click().run()
    assert asked == [("compare", {"runs": ",".join(runs)})]
    failed = workbench.finished(scan=scan, explainer="grad_cam", parameters={"layer": "no.such.layer"})
    page.run()
    tick(page, failed)
    assert page.button(key="compare runs").disabled
    assert "done" in page.button(key="compare runs").help
    page.checkbox(key="tick all").check().run()
    assert "3 chosen" in said(page)
    page.button(key="untick runs").click().run()
    assert "3 chosen" not in said(page)


def test_a_page_opened_by_the_address_of_another_gets_its_place(workbench):
    page = workbench.open("runs")
    opening_asked = {"run": "0" * 16}
    page.session_state["page to turn to"] = ("explain", opening_asked)
    page.run()
    assert "no such run" in "".join(errors(page))


def test_what_goes_on_stands_above_and_can_be_cancelled(workbench, monkeypatch):
    def endless(self, question, parameters):
        while True:
            question.report(Progress(0.25, "counting"))
            time.sleep(0.01)

    scan = workbench.add_scan()
    done = workbench.finished(scan=scan)
    monkeypatch.setattr("core.explainers.captum.saliency.Saliency.run", endless)
    going = shelf().submit(ExplanationSpec(scan=scan, model="tiny-volume", explainer="saliency", target="CN"))
    page = workbench.open("runs")
    assert page.button(key=f"open {done}")
    assert f"tick {going}" not in {box.key for box in page.checkbox}
    page.button(key=f"cancel {going}").click().run()
    assert shelf().wait(going, 60).status is Status.CANCELLED
    page.run()
    page.run()
    assert page.checkbox(key=f"tick {going}")
    assert "Cancelled" in said(page)


def test_a_failed_run_says_why(workbench):
    scan = workbench.add_scan(None)
    run = workbench.finished(scan=scan, explainer="grad_cam", parameters={"layer": "no.such.layer"})
    assert shelf().run(run).status is Status.FAILED
    text = said(workbench.open("runs"))
    assert "Failed" in text
    assert "no.such.layer" in text


@pytest.mark.parametrize("damage", [{"request": "{"}, {"request": '{"scan": 1}'}, {"status": "dnoe"}, None])
def test_a_damaged_run_stands_beside_the_others_and_can_be_removed(workbench, damage):
    scan = workbench.add_scan()
    good = workbench.finished(scan=scan)
    bad = workbench.finished(scan=scan, parameters={"iterations": 2}, explainer="mask")
    if damage is None:
        (shelf().result(bad) / "explanation.json").write_text('{"explainer"')
    else:
        manager().store.ledger.change(tables.runs.c.id == bad, **damage)
    for name in ("home", "runs"):
        page = workbench.open(name)
        assert "not your doing" not in said(page)
        assert f"open {good}" in {button.key for button in page.button}
    tick(page, bad).button(key="delete runs").click().run()
    assert [run.id for run in shelf().runs()] == [good]


def test_runs_of_others_are_not_listed(workbench):
    scan = workbench.add_scan()
    shelf("somebody else").add_scan(shelf().scan(scan))
    workbench.finished(scan=scan, owner="somebody else")
    assert "Nothing ran yet" in said(workbench.open("runs"))


def test_ages_are_told_in_words():
    assert ago(100.0, 130.0) == "just now"
    assert ago(100.0, 100.0 + 600) == "10 min ago"
    assert ago(100.0, 100.0 + 7200) == "2 h ago"
    assert ago(0.0, 1e8).endswith("1970")
