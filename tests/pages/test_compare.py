import html

import numpy as np
import pytest
import yaml
from PIL import Image

from core.runs import Landmark, Status, manager
from core.runs.store import tables
from core.settings import settings
from core.studies.anatomy.stored import anatomy_of
from dashboard.compare.desk import Cell
from dashboard.desk import shelf
from dashboard.intake import demo
from dashboard.results.landmarks import overlaps_with
from tests.pages.conftest import said, settle, viewers
from tests.small_anatomy import CLASSES, FILMS, THREE, write_anatomy


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


def film(bench, landmarks=()):
    """A film in the store, with landmarks by name."""
    scan = bench.add_scan(np.random.default_rng(3).random((1, 20, 18), np.float32), "A film")
    kept = [Landmark(name, shelf().add_region(place)) for name, place in landmarks]
    shelf().keep_landmarks(scan, kept)
    return scan


def opened(bench, scan):
    """The Compare page with a scan on it."""
    page = bench.open("compare")
    desk(page).scan = scan
    return page.run()


def desk(page):
    return page.session_state["compare desk"]


def compared(page):
    page.button(key="compare").click().run()
    return settle(page)


def studied(bench, **changes):
    """The page with a finished study of the cohort."""
    page = bench.open("compare", view="films")
    for name, value in changes.items():
        desk(page).change("study anatomy", desk(page).setting("study anatomy", "default"), name, value)
    page.run()
    page.button(key="start study").click().run()
    return settle(page)


# ---- one film


def test_without_a_scan_the_page_says_what_to_do(bench):
    page = bench.open("compare")
    assert "Nothing on the lightbox yet" in said(page)
    assert page.button(key="compare").disabled


def test_a_film_is_explained_by_the_three_networks_of_the_paper(bench):
    page = opened(bench, film(bench))
    assert desk(page).networks == tuple(THREE)
    assert desk(page).explainer == "deconvnet"
    assert "Press Compare" in said(page)
    compared(page)
    assert not page.error
    text = said(page)
    for variant in THREE.values():
        assert f"The {variant} one" in text
    assert "Likeness of the maps" in text
    assert "networks of synthetic data" in text  # of the scan, which was opened by a person, nothing is known
    assert "Draw or load landmarks on Explain" in text
    runs = [shelf().run(run) for run in desk(page).comparison]
    assert [run.request["model"] for run in runs] == list(THREE)
    assert {run.status for run in runs} == {Status.DONE}
    assert len({(run.request["scan"], run.request["explainer"], run.request["target"]) for run in runs}) == 1
    assert page.query_params["runs"] == ",".join(desk(page).comparison)


def test_a_film_that_no_network_reads_is_shown_with_the_reason(bench):
    page = opened(bench, bench.add_scan(np.zeros((3, 9, 9), np.float32)))
    text = said(page)
    assert "reads 1 channel(s), and this scan has 3." in text
    assert "Choose another scan, or add a model" in text
    assert len(viewers(page)) == 1
    assert page.button(key="compare").disabled


def test_what_ran_before_is_found_again(bench):
    page = compared(opened(bench, film(bench)))
    first = desk(page).comparison
    desk(page).comparison = ()
    page.run()
    page.button(key="compare").click().run()
    assert desk(page).comparison == first


def test_the_class_is_what_the_first_network_says_until_one_is_chosen(bench):
    page = compared(opened(bench, film(bench)))
    first = shelf().explanation(desk(page).comparison[0])
    before = first.scores["before"]
    assert desk(page).target == max(before, key=before.get)
    other = next(name for name in CLASSES if name != desk(page).target)
    next(box for box in page.selectbox if box.label == "Class to explain").select(other).run()
    assert desk(page).target == other
    assert desk(page).comparison == ()
    assert f"P({other})" in said(page)


def test_only_networks_that_share_classes_stand_beside_the_first(bench):
    page = opened(bench, film(bench))
    offered = page.multiselect[0].options
    assert "The shallow one" in offered
    desk(page).networks = ("brains",)
    page.run()
    # brains shares its two classes with the small image model and with none of the three
    assert set(page.multiselect[0].options) == {"The shallow one", "Tiny image model"}
    assert desk(page).networks == ("brains",)


def test_networks_are_picked_and_put_away(bench):
    page = opened(bench, film(bench))
    page.multiselect[0].set_value(["anatomy-augmented", "anatomy-shallow"]).run()
    assert desk(page).networks == ("anatomy-augmented", "anatomy-shallow")
    compared(page)
    assert len(desk(page).comparison) == 2
    page.multiselect[0].set_value([]).run()
    assert "Choose at least one network on the left." in said(page)
    # two networks of one title are told apart by their names
    assert {"The shallow one · anatomy-shallow", "The shallow one · brains"} <= set(page.multiselect[0].options)
    page.multiselect[0].set_value(["brains"]).run()
    assert desk(page).networks == ("brains",)
    assert not page.error


def test_landmarks_of_the_film_are_in_the_table(bench):
    place = np.zeros((20, 18), dtype=bool)
    place[:, :9] = True
    page = opened(bench, film(bench, [("left half", place)]))
    assert "Draw or load landmarks" not in said(page)
    compared(page)
    text = said(page)
    assert "Map in left half (50% of the film)" in text
    assert "Left half holds" in text
    assert "Draw or load landmarks" not in text


def test_any_explainer_compares_volumes_too(bench):
    page = opened(bench, bench.add_scan())
    assert desk(page).networks[0] == "tiny-volume"
    desk(page).explainer = "saliency"
    page.run()
    compared(page)
    assert not page.error
    assert "Tiny volume model says" in said(page)


def test_an_explainer_that_does_not_fit_is_refused_with_the_reason(bench):
    page = opened(bench, film(bench))
    desk(page).networks = ("brains", "tiny-image")
    desk(page).explainer = "deconvnet"
    page.run()
    refused = "Tiny image model: " in said(page)
    assert refused == page.button(key="compare").disabled
    desk(page).explainer = "saliency"
    page.run()
    assert not page.button(key="compare").disabled


def test_a_link_reopens_the_comparison(bench):
    page = compared(opened(bench, film(bench)))
    link, text = page.query_params["runs"], said(page)
    again = bench.open("compare", runs=link)
    assert not again.error
    assert desk(again).comparison == desk(page).comparison
    assert desk(again).networks == tuple(THREE)
    sentence = next(line for line in text.splitlines() if "class='sentence'" in line)
    assert sentence in said(again)


def test_a_run_that_was_asked_about_no_class_opens_with_its_result(bench):
    run = bench.finished(scan=film(bench), model="anatomy-deeper", explainer="saliency", target=None)
    explained = shelf().explanation(run)
    page = bench.open("explain", run=run)
    laid = page.session_state["desk"]
    assert (laid.run, laid.target) == (run, explained.target)
    assert page.query_params["run"] == run
    assert html.unescape(said(page)).count(explained.sentence.split(".")[0])


@pytest.mark.parametrize("link", ["0000000000000000", "nothing", ""])
def test_a_link_to_nothing_says_so(bench, link):
    page = bench.open("compare", runs=link)
    assert len(page.error) == 1
    assert page.error[0].value.endswith(".")


def test_runs_that_are_no_networks_on_one_film_stand_side_by_side_as_results(bench):
    one = bench.finished(scan=bench.add_scan())
    other = bench.finished(scan=bench.add_scan(np.ones((1, 12, 14, 12), np.float32)))
    page = bench.open("compare", runs=f"{one},{other}")
    assert not page.error
    assert (desk(page).view, desk(page).beside) == ("results", (one, other))


def test_a_network_that_fails_leaves_the_others_their_maps(bench, anatomy, tmp_path, monkeypatch):
    page = opened(bench, film(bench))
    laid = desk(page)
    laid.change("deconvnet", laid.setting("deconvnet", "paper"), "layer", "features.block4.conv3")
    page.run()
    compared(page)
    # the shallow network has one block only
    assert len(page.error) == 1
    assert page.error[0].value.startswith(r"The shallow one\: ")
    assert "Likeness of the maps" in said(page)


def test_cancelled_networks_are_named_in_one_line(bench):
    page = compared(opened(bench, film(bench)))
    for run in desk(page).comparison[:2]:
        manager().store.ledger.change(tables.runs.c.id == run, status=Status.CANCELLED)
    page.run()
    assert "Cancelled: The shallow one and The deeper one. Press Compare to start again." in said(page)
    assert "The regularised one" in said(page)


def test_the_home_page_leads_to_the_comparison_of_a_radiograph(bench, tmp_path, monkeypatch):
    (tmp_path / "scans").mkdir()
    Image.fromarray((np.random.default_rng(5).random((20, 18)) * 255).astype(np.uint8)).save(
        tmp_path / "scans" / "hand.png"
    )
    listing = [{"file": "hand.png", "title": "A hand", "model": "anatomy-deeper", "explainer": "deconvnet"}]
    (tmp_path / "scans" / "scans.yaml").write_text(yaml.safe_dump(listing))
    monkeypatch.setattr("dashboard.intake.demo.ASSETS", tmp_path)
    demo.scans.cache_clear()
    page = bench.open()
    page.button(key="compare demo").click().run()
    assert not page.error
    assert desk(page).networks == tuple(THREE)
    assert "A hand" in said(page)
    assert "Press Compare" in said(page)


# ---- all films


def test_without_a_cohort_the_page_says_how_to_add_one(bench, monkeypatch, tmp_path):
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(tmp_path / "nowhere"))
    settings.cache_clear()
    page = bench.open("compare", view="films")
    assert "No cohort in the library" in said(page)
    assert "LIGHTBOX_COHORTS_DIR" in said(page)


def test_a_cohort_that_no_network_knows_says_how_to_train_one(bench, monkeypatch, tmp_path, small_assets):
    monkeypatch.delenv("LIGHTBOX_MODELS_DIR")
    settings.cache_clear()
    page = bench.open("compare", view="films")
    assert "No network of the library knows two of this cohort's classes (hand, foot)" in said(page)
    assert page.button(key="start study").disabled


def test_a_study_of_the_cohort_is_a_run_with_its_tables(bench):
    page = studied(bench)
    assert not page.error
    run = shelf().run(desk(page).study)
    assert (run.kind, run.status) == ("study", Status.DONE)
    assert page.query_params["run"] == run.id
    text = said(page)
    study = anatomy_of(shelf().study(run.id))
    for network in study.networks.values():
        assert f"{network.balanced_accuracy:.1%}" in text
    for words in ("Landmarks by class", "Map in bone", "What the class looks like", "mean over 3 films", "synthetic"):
        assert words in text


def test_a_cell_opens_its_films_and_a_film_its_map(bench):
    page = studied(bench)
    study = anatomy_of(shelf().study(desk(page).study))
    first = study.films["anatomy-deeper"][0]
    desk(page).shown = "anatomy-deeper"
    desk(page).open_cell(Cell("anatomy-deeper", first.truth, first.predicted))
    page.run()
    count = len(study.of_cell("anatomy-deeper", first.truth, first.predicted))
    assert f"{count} film" in said(page)
    desk(page).open_film(first.film)
    page.run()
    settle(page)
    assert not page.error
    text = said(page)
    assert "strongest" in text
    assert "in bone." in text
    assert page.query_params["film"] == first.film
    (run_id,) = desk(page).explained.values()
    explanation = shelf().explanation(run_id)
    assert sum(name.startswith("filter_") for name in explanation.arrays) == 25
    # the same map as the study's: the same part of it lies on the bone
    scan = shelf().run(run_id).request["scan"]
    (bone,) = overlaps_with(scan, str(explanation.arrays["map"].path))
    assert bone.share == pytest.approx(first.inside["bone"], rel=1e-3)
    page.button(key="compare film open").click().run()
    assert page.session_state["desk"].run == run_id


def test_an_empty_cell_and_a_class_without_a_film_say_so_in_a_sentence(bench):
    page = studied(bench)
    study = anatomy_of(shelf().study(desk(page).study))
    empty = next(
        (truth, predicted)
        for truth in FILMS
        for predicted in CLASSES
        if truth != predicted and not study.of_cell("anatomy-shallow", truth, predicted)
    )
    desk(page).open_cell(Cell("anatomy-shallow", *empty))
    page.run()
    assert f"The shallow one took no film of {empty[0]} for {empty[1]}." in said(page)
    desk(page).open_cell(Cell("anatomy-shallow", "knee", "hand"))
    page.run()
    assert "The class knee has no film in this study." in said(page)
    desk(page).class_name = "knee"
    page.run()
    assert "The class knee has no film in this study: there is nothing to take a mean of." in said(page)


def test_a_link_reopens_the_study_the_cell_and_the_film(bench):
    page = studied(bench)
    study = anatomy_of(shelf().study(desk(page).study))
    first = study.films["anatomy-shallow"][0]
    cell = f"anatomy-shallow~{first.truth}~{first.predicted}"
    again = bench.open("compare", run=desk(page).study, cell=cell, film=first.film)
    settle(again)
    assert desk(again).film == first.film
    assert desk(again).cohort == "films"
    assert "strongest" in said(again)
    assert "settings changed" not in said(again)


def test_settings_that_changed_since_are_said(bench):
    page = studied(bench, films=1)
    assert "settings changed" not in said(page)
    laid = desk(page)
    laid.change("study anatomy", laid.setting("study anatomy", "default"), "films", 2)
    page.run()
    assert "settings changed since this result" in said(page)


def test_a_study_that_fails_says_why(bench):
    page = studied(bench, layer="no such layer")
    assert "Failed" in said(page)
    assert "no such layer" in said(page)


def test_a_study_is_opened_from_the_list_of_runs(bench):
    page = studied(bench, films=1)
    run = desk(page).study
    runs = bench.open("runs")
    assert "Study anatomy · A few films" in said(runs)
    assert "The shallow one · The deeper one" in said(runs)
    runs.button(key=f"open {run}").click().run()
    assert desk(runs).study == run
    assert desk(runs).view == "films"


def test_a_link_to_a_run_that_is_no_study_leads_to_the_page_that_shows_it(bench):
    run = bench.finished(scan=bench.add_scan())
    page = bench.open("compare", run=run)
    assert not page.error
    assert page.session_state["desk"].run == run
    assert "How sure" in said(page)


def test_a_deleted_run_leaves_the_desk(bench):
    page = compared(opened(bench, film(bench)))
    gone = desk(page).comparison[0]
    shelf().delete(gone)
    page.run()
    assert not page.error
    assert desk(page).comparison == ()
