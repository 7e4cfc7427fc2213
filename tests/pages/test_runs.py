import pytest

from core.runs import Status, manager
from core.runs.store import tables
from dashboard.desk import shelf
from dashboard.results.run_list import ago
from tests.pages.conftest import said


def test_an_empty_list_says_what_belongs_there(workbench):
    assert "Nothing ran yet" in said(workbench.open("runs"))


def test_a_finished_run_is_listed_with_its_scores_and_opens_again(workbench):
    run = workbench.finished(scan=workbench.add_scan(), explainer="mask", parameters={"iterations": 3})
    page = workbench.open("runs")
    assert "Mask perturbation · AD" in said(page)
    assert "P(AD)" in said(page)
    page.button(key=f"open {run}").click().run()
    assert page.session_state["desk"].run == run
    assert page.session_state["desk"].settings["mask"].changes == {"iterations": 3}


def test_a_run_is_deleted_for_good(workbench):
    run = workbench.finished(scan=workbench.add_scan())
    page = workbench.open("runs")
    page.button(key=f"delete {run}").click().run()
    assert shelf().runs() == []
    assert "Nothing ran yet" in said(page)


def test_a_run_is_pinned_and_unpinned(workbench):
    run = workbench.finished(scan=workbench.add_scan())
    page = workbench.open("runs")
    for pinned in (True, False):
        page.button(key=f"pin {run}").click().run()
        assert shelf().run(run).pinned is pinned
        assert page.button(key=f"pin {run}").help.startswith("Unpin" if pinned else "Pin")


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
        assert {button.key for button in page.button} >= {f"open {good}", f"delete {bad}"}
    page.button(key=f"delete {bad}").click().run()
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
