"""The page that shows any study: started, going on, failed, of yesterday, of a plug-in, hostile."""

import json
import shutil
import time
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from markupsafe import escape

from core.errors import BadInput
from core.progress import Progress, silent
from core.runs import LOCAL_OWNER, Status, StudySpec, manager
from core.runs.store import tables
from core.settings import settings
from core.studies import Study
from dashboard.desk import shelf
from dashboard.study.desk import Place
from dashboard.study.tables import rows_of
from tests.core.studies import likeness
from tests.pages.conftest import errors, may_keep, said, settle
from tests.small_anatomy import CLASSES, THREE, write_anatomy

YESTERDAY = Path(__file__).parents[1] / "core" / "studies" / "yesterday"
HOSTILE = "<script>alert(1)</script><b>bold</b>"


@pytest.fixture(scope="session")
def anatomy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("anatomy")
    write_anatomy(folder)
    return folder


@pytest.fixture
def bench(workbench, anatomy, monkeypatch, small_assets):
    """The app with the anatomy networks and their cohort beside its small models."""
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(anatomy / "models"))
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(anatomy / "cohorts"))
    monkeypatch.setattr("core.cohorts.library.ASSETS", small_assets)
    settings.cache_clear()
    return workbench


def plain(page):
    """`said`, with what was escaped for Markdown as a person reads it."""
    return said(page).replace("\\", "")


def desk(page):
    return page.session_state["study desk"]


def until(holds, seconds=30.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def box(page, label):
    return next(found for found in page.selectbox if found.label == label)


def opened(bench, study=likeness.Likeness.name, **query):
    page = bench.open("study", **query)
    if not query:
        box(page, "Study").select(study).run()
    return page


def studied(bench, study=likeness.Likeness.name, model="anatomy-shallow", **changes):
    """The page with a finished study of the cohort."""
    page = opened(bench, study)
    if any(found.label == "Model" for found in page.selectbox):
        box(page, "Model").set_value(model).run()
    for name, value in changes.items():
        laid = desk(page)
        laid.change(f"study {study}", laid.setting(f"study {study}", "default"), name, value)
    page.run()
    page.button(key="start any study").click().run()
    return settle(page)


def stored(content, name="census", status=Status.DONE, folder=None):
    """Id of a stored run of a study with this record, as another program or version left it."""
    manager().warm_up()
    run_id = manager().submit(StudySpec(study="likeness", model="anatomy-shallow", cohort="films"))
    manager().wait(run_id, LOCAL_OWNER, 60)
    request = {"owner": "local", "study": name, "model": "anatomy-shallow", "cohort": "films", "parameters": {}}
    ledger = manager().store.ledger
    ledger.change(tables.runs.c.id == run_id, status=status, request=json.dumps(request), fingerprint=run_id)
    result = shelf().study(run_id).folder if status is Status.DONE else None
    if result is not None:
        shutil.rmtree(result)
        if folder is not None:
            shutil.copytree(folder, result)
        else:
            result.mkdir()
            (result / "study.json").write_text(json.dumps(content))
    return run_id


# ---- starting


def test_a_study_of_a_plug_in_is_chosen_with_its_settings_and_started(bench):
    page = opened(bench)
    assert "Not studied yet" in said(page)
    assert likeness.Likeness.summary in said(page)
    assert box(page, "Cohort").options == ["A few films"]
    # those that know classes of the cohort come first, and those of another task are not offered
    offered = box(page, "Model").options
    assert offered.index("The deeper one") < offered.index("Tiny image model")
    assert {"The shallow one · anatomy-shallow", "The shallow one · brains"} <= set(offered)
    assert "Tiny maker model" not in offered
    assert {box(page, "One").value, box(page, "Other").value} == {"saliency", "grad_cam"}
    assert not may_keep(page)
    assert not page.button(key="start any study").disabled


def test_it_is_a_run_with_its_sentence_table_and_figure(bench):
    page = studied(bench, other="smoothgrad", scans=3)
    assert not page.error
    run = shelf().run(desk(page).shown)
    assert (run.kind, run.status) == ("study", Status.DONE)
    assert run.request["parameters"] == {"other": "smoothgrad", "scans": 3}
    assert page.query_params["run"] == run.id
    text = said(page)
    assert shelf().study(run.id).sentence in text
    assert "3 rows · click a cell" in text
    assert "synthetic data" in text
    assert "Likeness of two" in text
    assert page.dataframe[0].value["scan"].tolist() == ["hand-0", "hand-1", "hand-2"]
    assert len(page.get("plotly_chart")) == 1
    assert may_keep(page)


def test_a_cell_opens_the_scan_with_the_map_of_the_explainer_it_names(bench):
    page = studied(bench, other="smoothgrad", scans=3)
    desk(page).opened = Place("scans", "1", "smoothgrad")
    page.run()
    settle(page)
    assert not page.error
    (run_id,) = desk(page).explained.values()
    request = shelf().run(run_id).request
    assert (request["explainer"], request["model"]) == ("smoothgrad", "anatomy-shallow")
    assert shelf().scan_meta(request["scan"])["label"] == "films · hand-1"
    assert shelf().explanation(run_id).sentence in said(page)
    assert page.query_params["open"] == "scans~1~smoothgrad"
    page.button(key="study opened open").click().run()
    assert page.session_state["desk"].run == run_id
    assert not page.error


def test_a_cell_without_an_explainer_opens_the_scan_alone(bench):
    page = studied(bench, other="smoothgrad", scans=3)
    desk(page).opened = Place("scans", "0", "truth")
    page.run()
    assert not page.error
    assert desk(page).explained == {}
    page.button(key="study opened open").click().run()
    laid = page.session_state["desk"]
    assert shelf().scan_meta(laid.scan)["label"] == "films · hand-0"
    assert laid.model == "anatomy-shallow"


def test_what_is_open_is_put_away(bench):
    page = studied(bench, other="smoothgrad", scans=3)
    desk(page).opened = Place("scans", "0", "truth")
    page.run()
    page.button(key="study opened close").click().run()
    assert desk(page).opened is None
    assert "open" not in page.query_params


def test_a_link_reopens_the_study_and_what_is_open_in_it(bench):
    page = studied(bench, other="smoothgrad", scans=3)
    run = desk(page).shown
    again = bench.open("study", run=run, open="scans~1~smoothgrad")
    settle(again)
    assert not again.error
    assert (desk(again).study, desk(again).cohort, desk(again).models) == ("likeness", "films", ("anatomy-shallow",))
    assert desk(again).opened == Place("scans", "1", "smoothgrad")
    assert "settings changed" not in said(again)
    assert box(again, "Other").value == "smoothgrad"
    laid = desk(again)
    laid.change("study likeness", laid.setting("study likeness", "default"), "scans", 5)
    again.run()
    assert "settings changed since this result" in said(again)


@pytest.mark.parametrize("place", ["scans~99~truth", "scans~x~truth", "scans~0~ghost", "ghosts~0~truth", "x", "~~"])
def test_a_link_to_a_place_that_is_not_there_shows_the_study(bench, place):
    page = studied(bench, other="smoothgrad", scans=3)
    again = bench.open("study", run=desk(page).shown, open=place, cell=place)
    assert not again.error
    assert "3 rows" in said(again)


@pytest.mark.parametrize("link", ["0000000000000000", "nothing"])
def test_a_link_to_nothing_says_so(bench, link):
    page = bench.open("study", run=link)
    assert len(page.error) == 1


def test_a_link_to_an_explanation_leads_to_where_it_is_shown(bench):
    run = bench.finished(scan=bench.add_scan())
    page = bench.open("study", run=run)
    assert page.session_state["desk"].run == run
    assert not page.error


def test_a_study_is_opened_from_the_list_of_runs(bench):
    page = studied(bench, other="smoothgrad", scans=3)
    run = desk(page).shown
    runs = bench.open("runs")
    assert "Study likeness · A few films" in said(runs)
    runs.button(key=f"open {run}").click().run()
    assert not runs.error
    assert desk(runs).shown == run
    assert shelf().study(run).sentence in said(runs)


def test_a_deleted_study_leaves_the_page(bench):
    page = studied(bench, other="smoothgrad", scans=3)
    shelf().delete(desk(page).shown)
    page.run()
    assert not page.error
    assert desk(page).shown is None
    assert "Not studied yet" in said(page)


# ---- how it stands


def test_a_study_that_fails_says_why(bench, monkeypatch):
    monkeypatch.setattr(likeness.Likeness, "run", Mock(side_effect=BadInput("hand-0: turn it.")))
    page = studied(bench)
    assert all(words in said(page) for words in ("Failed", "hand-0: turn it."))
    assert not page.dataframe


def test_a_study_that_goes_on_says_how_far_it_is_and_is_cancelled(bench):
    class Endless(Study):
        name = "endless"
        title = "Endless"
        summary = "It goes on until it is stopped."

        def run(self, parameters, model, cohort, out, report=silent):
            while True:
                report(Progress(0.4, "scan 2 of 5: waiting"))
                time.sleep(0.02)

    page = opened(bench, "endless")
    page.button(key="start any study").click().run()
    run = desk(page).shown
    until(lambda: "waiting" in shelf().progress(run).message)
    page.run()
    assert "It goes on when this page is left or closed" in said(page)
    assert not page.dataframe
    page.button(key="cancel any study").click().run()
    until(lambda: shelf().run(run).status.final)
    page.run()
    assert "Cancelled" in said(page)
    assert "Press Run to start again." in said(page)


def test_a_study_that_was_cut_off_says_so(bench):
    run = stored(None, status=Status.INTERRUPTED)
    page = bench.open("study", run=run)
    assert "Interrupted" in said(page)
    assert "Press Run to start again." in said(page)


def test_a_study_that_needs_a_region_asks_for_one(bench):
    page = opened(bench, "group-trace")
    assert "This study asks about a marked region: choose one on the left." in plain(page)
    assert page.button(key="start any study").disabled
    region = np.zeros((20, 18), bool)
    region[4:6, 4:6] = True
    desk(page).region = shelf().add_region(region)
    page.run()
    assert "4 samples of 20×18 are marked." in said(page)
    assert not page.button(key="start any study").disabled


def test_a_study_that_is_gone_is_shown_and_cannot_be_started(bench):
    page = bench.open("study", run=stored({"study": "census", "sentence": "Two were found.", "rows": [{"who": "a"}]}))
    assert "Two were found." in said(page)
    assert "The study census is not installed here" in plain(page)
    assert page.button(key="start any study").disabled
    assert page.dataframe[0].value["who"].tolist() == ["a"]


def test_a_record_that_cannot_be_read_says_so(bench):
    page = bench.open("study", run=stored([]))
    assert errors(page) == ["The record of this study cannot be read: run it again."]


def test_a_library_without_cohorts_says_what_to_do(bench, monkeypatch, tmp_path):
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(tmp_path / "nowhere"))
    settings.cache_clear()
    page = opened(bench)
    assert "This study needs a cohort: set LIGHTBOX_COHORTS_DIR" in plain(page)
    assert page.button(key="start any study").disabled


# ---- studies of yesterday, and networks on films


def test_an_anatomy_study_of_yesterday_is_shown_with_its_tables_figures_and_maps(bench):
    run = stored(None, "anatomy", folder=YESTERDAY / "anatomy")
    page = bench.open("study", run=run)
    assert not page.error
    text = said(page)
    assert "One model puts 33% of the films of a class right" in text
    assert "The cohort has no splits" in text
    assert page.dataframe[0].value["films"].tolist() == [6, 6]
    desk(page).open_rows(Place("confusion-1", "hand", "foot"), "films")
    page.run()
    assert "The film shows hand · The network says foot: 2 rows" in said(page)
    assert page.dataframe[0].value["film"].tolist() == ["hand-0", "hand-1"]
    page.button(key="study all rows").click().run()
    assert len(page.dataframe[0].value) == 12
    # its own view shows the same
    page.button(key="open own page").click().run()
    assert page.session_state["compare desk"].study == run
    assert "Confusion" in said(page)
    assert not page.error


def test_networks_on_films_are_one_study_among_others(bench):
    page = opened(bench, "anatomy")
    page.multiselect[0].set_value(["anatomy-shallow", "anatomy-deeper"]).run()
    page.button(key="start any study").click().run()
    settle(page)
    assert not page.error
    run = shelf().run(desk(page).shown)
    assert run.request["parameters"] == {"others": "anatomy-deeper"}
    study = shelf().study(run.id)
    assert str(escape(study.sentence)) in said(page)
    first = study.parts.table("films").rows[0]
    cell = Place("confusion-1", first[2], first[3])
    desk(page).open_rows(cell, "films")
    page.run()
    shown = rows_of(study.parts.table("films"), study, cell)
    assert f"{len(shown)} row" in said(page)
    assert set(page.dataframe[0].value["network"]) == {"The shallow one"}
    assert {first[2]} <= set(CLASSES)
    assert next(iter(THREE)) == first[1]


# ---- words from outside


def test_no_word_of_a_record_is_read_as_markup(bench):
    table = {
        "name": "t",
        "title": HOSTILE,
        "columns": [{"name": "a", "title": HOSTILE, "note": "plain"}],
        "rows": [[HOSTILE]],
        "note": HOSTILE,
    }
    matrix = {
        "kind": "matrix",
        "name": "m",
        "title": HOSTILE,
        "rows": [HOSTILE],
        "columns": [HOSTILE],
        "values": [[1]],
        "note": HOSTILE,
        "x": {"title": HOSTILE},
        "y": {"title": HOSTILE},
        "opens": {"table": "t", "row": "a", "column": "a"},
    }
    bar = {"kind": "bar", "name": "b", "title": HOSTILE, "series": [{"name": HOSTILE, "x": [HOSTILE], "y": [1]}]}
    record = {
        "study": HOSTILE,
        "title": HOSTILE,
        "sentence": HOSTILE,
        "notes": [HOSTILE],
        "numbers": {HOSTILE: 1},
        "parameters": {HOSTILE: HOSTILE},
        "hashes": {HOSTILE: HOSTILE},
        "tables": [table, {**table, "name": "u"}],
        "figures": [matrix, bar],
        "maps": [],
    }
    page = bench.open("study", run=stored(record, HOSTILE))
    desk(page).open_rows(Place("m", HOSTILE, HOSTILE), "t")
    page.run()
    assert not page.exception
    for kind in ("markdown", "html", "error", "warning", "caption"):
        for element in page.get(kind):
            assert "<script>" not in str(element.value), kind
            assert "<b>bold" not in str(element.value), kind
    assert "&lt;script&gt;" in said(page)
