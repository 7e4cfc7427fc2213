import json
import re
import time

import numpy as np
from markupsafe import escape

from core.progress import Progress
from core.runs import Status
from core.wording import percent
from dashboard.desk import shelf
from tests.pages.conftest import DEMO, SHAPE, errors, may_keep, said, settle


def opened(workbench, scan=None):
    """The Explain page with a scan on it."""
    page = workbench.open("explain")
    page.session_state["desk"].scan = scan or workbench.add_scan()
    return page.run()


def parameter(page, name, kind):
    return next(widget for widget in page.get(kind) if widget.key.endswith(f":{name}"))


def test_without_a_scan_the_page_says_what_to_do_and_cannot_explain(workbench):
    page = workbench.open("explain")
    assert "Nothing on the lightbox yet" in said(page)
    assert page.button(key="explain").disabled


def test_keep_has_its_place_before_there_is_something_to_keep(workbench):
    page = opened(workbench)
    assert not may_keep(page)
    page.button(key="explain").click().run()
    assert may_keep(settle(page))


def test_the_probability_is_there_as_soon_as_scan_and_model_are_chosen(workbench):
    page = opened(workbench)
    assert "The model says" in said(page)
    assert not page.button(key="explain").disabled


def test_a_demo_scan_is_chosen_from_the_list(workbench):
    page = workbench.open("explain")
    page.selectbox[0].select("demo:volume").run()
    assert DEMO in said(page)
    assert shelf().scans()[0].label == DEMO


def test_a_scan_that_no_model_fits_says_why(workbench):
    page = opened(workbench, workbench.add_scan(np.zeros((3, 9, 9), np.float32)))
    text = said(page)
    assert "Tiny volume model reads volumes, and this is a single image." in text
    assert "Tiny image model reads 1 channel(s), and this scan has 3." in text
    assert "Choose another scan, or add a model" in text
    assert page.button(key="explain").disabled


def test_an_image_is_offered_the_model_that_reads_images(workbench):
    page = opened(workbench, workbench.add_scan(np.random.default_rng(0).random((1, 16, 20), np.float32)))
    assert page.session_state["desk"].model == "tiny-image"
    assert "The model says" in said(page)


def test_values_out_of_the_trained_range_are_warned_about(workbench):
    page = opened(workbench, workbench.add_scan(np.full((1, *SHAPE), 500.0, np.float32)))
    assert "lie outside what the model was trained on" in said(page)


def test_explain_runs_and_the_result_says_what_where_and_how_sure(workbench):
    page = opened(workbench)
    parameter(page, "iterations", "select_slider").set_value(5).run()
    page.button(key="explain").click().run()
    settle(page)
    text = said(page)
    assert "class='after'" in text
    for heading in ("Where", "How sure", "How it got there"):
        assert heading in text
    run = page.session_state["desk"].run
    assert page.query_params["run"] == run
    explanation = shelf().explanation(run)
    assert explanation.record["parameters"]["iterations"] == 5
    assert explanation.checks
    for check in explanation.checks:
        assert check["title"] in text
    assert f"({escape(percent(max(explanation.scores['before'].values())))})" in text


def test_what_is_no_result_is_not_drawn_as_one(workbench, monkeypatch):
    drawn = []
    monkeypatch.setattr("dashboard.explain.stage.viewer", lambda panels, **more: drawn.append(panels))
    asked = {"explainer": "mask", "preset": "paper", "parameters": {"iterations": 4}, "target": "CN"}
    run = workbench.finished(scan=workbench.add_scan(), **asked)
    page = workbench.open("home", run=run)
    page.query_params["run"] = run
    page.switch_page("../pages/explain.py")
    page.query_params["run"] = run
    page.run()
    scan, overlay, changed = drawn[-1]
    assert (changed.dimmed, changed.empty) == (True, "Nothing is changed.")
    assert (overlay.title, [layer.role for layer in overlay.layers]) == ("No result", ["image"])
    assert "the preset robust" in overlay.struck
    assert (scan.title, scan.struck) == ("Scan", "")
    assert "Does not hold" in said(page)
    assert "No region is named" in said(page)
    assert may_keep(page)


def test_a_link_opens_a_run_with_everything_as_it_was(workbench):
    run = workbench.finished(scan=workbench.add_scan(), explainer="mask", preset="paper", parameters={"iterations": 4})
    page = workbench.open("home", run=run)
    page.query_params["run"] = run
    page.switch_page("../pages/explain.py")
    page.query_params["run"] = run
    page.run()
    assert shelf().explanation(run).sentence.split()[0] in said(page)
    desk = page.session_state["desk"]
    assert (desk.run, desk.explainer, desk.target) == (run, "mask", "AD")
    assert parameter(page, "iterations", "select_slider").value == 4
    assert parameter(page, "lambda_2", "select_slider").value == 1e-2


def test_a_link_to_nothing_is_one_sentence(workbench):
    for wanted in ("0123456789abcdef", "../../etc/passwd", "<script>"):
        page = workbench.open("home")
        page.switch_page("../pages/explain.py")
        page.query_params["run"] = wanted
        page.run()
        assert errors(page) == ["There is no such run here: it was removed, or the link is not yours."]
        assert "Nothing on the lightbox yet" in said(page)


def test_a_result_from_other_settings_says_so(workbench):
    page = opened(workbench)
    parameter(page, "iterations", "select_slider").set_value(5).run()
    page.button(key="explain").click().run()
    settle(page)
    assert "settings changed" not in said(page)
    parameter(page, "threshold", "slider").set_value(0.8).run()
    assert "settings changed since this result" in said(page)
    page.button(key="undo parameters").click().run()
    assert "settings changed" not in said(page)


def test_the_same_question_is_answered_from_the_store(workbench):
    page = opened(workbench)
    page.session_state["desk"].explainer = "saliency"
    page.session_state["desk"].revision += 1
    page.run()
    page.button(key="explain").click().run()
    settle(page)
    first = page.session_state["desk"].run
    page.button(key="explain").click().run()
    assert page.session_state["desk"].run == first
    assert len(shelf().runs()) == 1


def test_a_failed_run_says_what_to_do(workbench):
    page = opened(workbench)
    desk = page.session_state["desk"]
    desk.explainer, desk.target = "grad_cam", "AD"
    desk.run = workbench.finished(scan=desk.scan, explainer="grad_cam", parameters={"layer": "no.such.layer"})
    page.run()
    text = said(page)
    assert "Failed" in text
    assert "features.block1.conv1" in text


def test_a_run_that_goes_on_shows_where_it_is_and_can_be_cancelled(workbench, monkeypatch):
    def endless(self, question, parameters):
        for step in range(100_000):
            question.report(Progress(0.25, "counting", {"loss": float(step)}, np.full(SHAPE, 0.5, np.float32)))
            time.sleep(0.02)

    monkeypatch.setattr("core.explainers.captum.saliency.Saliency.run", endless)
    page = opened(workbench)
    page.session_state["desk"].explainer = "saliency"
    page.session_state["desk"].revision += 1
    page.run()
    page.button(key="explain").click().run()
    run = page.session_state["desk"].run
    deadline = time.monotonic() + 20
    while shelf().progress(run).preview_version is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    page.run()
    assert [(bar.value, bar.text.split(" · ")[0]) for bar in page.get("progress")] == [(25, "Counting")]
    page.button(key="cancel run").click().run()
    settle(page)
    assert shelf().run(run).status is Status.CANCELLED
    assert "Cancelled" in said(page)
    assert not page.button(key="explain").disabled


def test_an_empty_map_is_named_and_not_drawn_as_a_finding(workbench):
    scan = workbench.add_scan()
    run = workbench.finished(scan=scan, explainer="mask", parameters={"iterations": 2})
    folder = shelf().result(run)
    np.save(folder / "map.npy", np.zeros(SHAPE, np.float32))
    record = json.loads((folder / "explanation.json").read_text())
    record["regions"] = [{**region, "share": 0.0} for region in record["regions"] or [_REGION]]
    (folder / "explanation.json").write_text(json.dumps(record))
    page = workbench.open("explain")
    desk = page.session_state["desk"]
    desk.scan, desk.model, desk.explainer, desk.target = scan, "tiny-volume", "mask", "AD"
    desk.model_for, desk.run = scan, run
    page.run()
    assert not page.error
    assert "The map is empty: no region holds any of it." in said(page)


_REGION = {"name": "left hippocampus", "share": 0.0, "density": 0.0, "voxels": 5}


def test_parameters_keep_their_values_over_pages_and_can_be_undone(workbench):
    page = opened(workbench)
    before = parameter(page, "lambda_1", "select_slider").value
    parameter(page, "lambda_1", "select_slider").set_value(1e-4).run()
    parameter(page, "threshold", "slider").set_value(0.9).run()
    page.switch_page("../pages/models.py").run()
    page.switch_page("../pages/explain.py").run()
    assert parameter(page, "lambda_1", "select_slider").value == 1e-4
    assert parameter(page, "threshold", "slider").value == 0.9
    page.button(key="undo parameters").click().run()
    assert parameter(page, "threshold", "slider").value == 0.95
    assert parameter(page, "lambda_1", "select_slider").value == 1e-4
    page.button(key="undo parameters").click().run()
    assert parameter(page, "lambda_1", "select_slider").value == before
    assert page.button(key="undo parameters").disabled


def test_a_preset_sets_all_parameters_and_reset_goes_back_to_it(workbench):
    page = opened(workbench)
    next(widget for widget in page.get("button_group") if "preset" in widget.key).set_value("paper").run()
    assert parameter(page, "lambda_2", "select_slider").value == 1e-2
    parameter(page, "lambda_2", "select_slider").set_value(1e-3).run()
    page.button(key="reset parameters").click().run()
    assert parameter(page, "lambda_2", "select_slider").value == 1e-2


def test_every_parameter_of_every_explainer_has_help(workbench):
    from dashboard.intake.catalogue import explainer_entries

    for entry in explainer_entries().values():
        assert entry.summary
        for control in entry.controls:
            assert control.help, f"{entry.name}: {control.name}"


def test_a_new_scan_gets_a_model_of_its_own_kind(workbench, small_assets, monkeypatch):
    from core.models.card import read_card

    image = read_card(small_assets / "models" / "tiny-image")
    volume = read_card(small_assets / "models" / "tiny-volume")
    sliced = image.model_copy(update={"input": image.input.model_copy(update={"plane": "coronal"})})
    monkeypatch.setattr("dashboard.intake.catalogue.list_cards", lambda: [sliced, volume])
    page = opened(workbench, workbench.add_scan(np.random.default_rng(0).random((1, 16, 20), np.float32)))
    assert page.session_state["desk"].model == "tiny-image"
    page.session_state["desk"].scan = workbench.add_scan()
    page.run()
    assert page.session_state["desk"].model == "tiny-volume"
    next(box for box in page.selectbox if box.label == "Model").select("tiny-image").run()
    page.run()
    assert page.session_state["desk"].model == "tiny-image", "what a person chose is kept"


def test_a_broken_model_is_one_sentence_and_another_can_be_chosen(workbench, small_assets, monkeypatch, tmp_path):
    import shutil

    shutil.copytree(small_assets / "models", tmp_path / "models")
    (tmp_path / "models" / "tiny-volume" / "weights.safetensors").write_bytes(b"not weights")
    monkeypatch.setattr("core.models.folders.ASSETS", tmp_path)
    page = opened(workbench)
    assert len(page.warning) == 1
    assert "The weights of tiny-volume are not a safetensors file." in said(page)
    assert page.button(key="explain").disabled
    assert any(box.label == "Model" for box in page.selectbox)


def test_a_store_that_cannot_be_written_is_one_sentence(workbench, monkeypatch, tmp_path):
    from core.settings import settings

    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "file" / "store"))
    settings.cache_clear()
    page = workbench.open("home")
    assert len(page.error) == 1
    assert "LIGHTBOX_STORE_PATH" in errors(page)[0]
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    settings.cache_clear()
    assert not page.run().error


def test_an_upload_to_a_full_disk_is_one_sentence(workbench, monkeypatch):
    from dashboard.intake import scans

    def full(files):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scans.uploads, "spool", full)
    page = workbench.open("explain")
    page.get("file_uploader")[0].upload("scan.nii", b"abc", "application/octet-stream").run()
    assert errors(page) == [scans.uploads.NO_ROOM]


def test_the_places_of_map_and_changed_scan_are_kept_from_the_first_question_on(workbench, monkeypatch):
    drawn = []
    monkeypatch.setattr("dashboard.explain.stage.viewer", lambda panels, **more: drawn.append(panels))
    page = opened(workbench)
    scan, *awaited = drawn[-1]
    assert (scan.title, scan.dimmed) == ("Scan", False)
    assert [(panel.title, panel.dimmed) for panel in awaited] == [("Map", True), ("Changed scan", True)]
    assert all("comes here" in panel.empty for panel in awaited)
    next(box for box in page.selectbox if box.label == "Explainer").select("saliency").run()
    page.button(key="explain").click().run()
    settle(page)
    assert [panel.key for panel in drawn[-1]] == [panel.key for panel in (scan, *awaited)]
    assert not any(panel.dimmed for panel in drawn[-1])


def test_an_explainer_that_optimises_nothing_has_no_column_for_how_it_got_there(workbench):
    run = workbench.finished(scan=workbench.add_scan(), explainer="saliency")
    page = workbench.open("home", run=run)
    page.switch_page("../pages/explain.py")
    page.query_params["run"] = run
    page.run()
    headings = [line.value for line in page.markdown]
    assert "## How sure" in headings and "## How it got there" not in headings


def test_how_to_read_a_map_is_a_link_away_and_settings_are_told_by_their_names(workbench):
    run = workbench.finished(scan=workbench.add_scan(), explainer="saliency")
    page = workbench.open("home", run=run)
    page.switch_page("../pages/explain.py")
    page.query_params["run"] = run
    page.run()
    where = next(line for line in page.markdown if line.value == "## Where")
    assert re.search(r"\[.+\]\(\S*/docs/explainers/saliency/\)", where.help)
    explainer = next(box for box in page.selectbox if box.label == "Explainer")
    assert "/docs/explainers/saliency/)" in explainer.help
    assert "<td>Replaced for the test (%)</td><td>5</td>" in said(page)
