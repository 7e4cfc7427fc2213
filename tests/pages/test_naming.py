import numpy as np

from dashboard.desk import shelf
from tests.pages.conftest import DEMO, said


def opened(workbench, scan):
    page = workbench.open("explain")
    page.session_state["desk"].scan = scan
    return page.run()


def test_a_scan_gets_a_name_that_is_shown_everywhere(workbench):
    scan = workbench.add_scan()
    page = opened(workbench, scan)
    page.session_state["scan words"] = True
    page.run()
    page.text_input(key=f"scan name {scan}").input("Patient study 7")
    page.text_area(key=f"scan note {scan}").input("second visit")
    page.button(key="save scan words").click().run()
    (kept,) = [one for one in shelf().scans() if one.hash == scan]
    assert (kept.label, kept.note) == ("Patient study 7", "second visit")
    box = next(box for box in page.selectbox if box.label == "Scan")
    assert box.options[0] == "Patient study 7"
    assert DEMO in box.options
    assert "Patient study 7" in said(page)


def test_a_scan_is_forgotten_with_its_runs(workbench):
    scan = workbench.add_scan(np.random.default_rng(9).random((1, 12, 14, 12), np.float32))
    workbench.finished(scan=scan)
    page = opened(workbench, scan)
    page.session_state["scan words"] = True
    page.run()
    assert "and its 1 run:" in said(page)
    page.button(key="delete scan").click().run()
    assert shelf().runs() == []
    assert shelf().scans() == []
    assert page.session_state["desk"].scan is None
    assert not page.error


def test_a_demo_scan_keeps_its_title(workbench):
    page = workbench.open("home")
    page.button(key="open demo").click().run()
    assert "scan words" not in {block.proto.id for block in page.get("popover") if hasattr(block, "proto")}
    assert not [box for box in page.text_input if box.key and box.key.startswith("scan name")]
