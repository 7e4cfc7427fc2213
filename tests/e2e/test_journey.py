"""The main job in a real browser: hang a scan, explain it, check it, keep it."""

import base64
import json
import re
import time

import nibabel
import numpy as np
import pytest
from playwright.sync_api import expect

from core.settings import ASSETS, ROOT
from dashboard.bench.browser import serve
from tests.e2e import scans
from tests.e2e.waiting import choose

pytestmark = pytest.mark.browser

APP = ROOT / "dashboard" / "app.py"
#: A run on a slow machine with two cores that other tests share.
LONG = 150_000
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def server():
    with serve(APP) as running:
        yield running


def opened(page, server, path="explain"):
    page.goto(f"{server.url}/{path}")
    expect(page.get_by_role("link", name="Explain")).to_be_visible(timeout=60_000)


def upload(page, name, content):
    page.get_by_text("Open a scan of your own").click()
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "", "buffer": content})


def still(page):
    """Wait until nothing on the page is being drawn."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=LONG)


def predicted(page):
    """Wait until the model has answered and the page stands; returns the probability of the class."""
    expect(page.locator(".answer .said")).to_be_visible(timeout=LONG)
    still(page)
    return number(page.locator(".answer .probability"))


def explained(page):
    """Press Explain and wait for the result."""
    page.get_by_role("button", name=re.compile("^Explain")).click()
    finished(page)


def finished(page):
    expect(page.get_by_text("How sure", exact=True)).to_be_visible(timeout=LONG)
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=LONG)


def number(shown):
    """A probability on the page; ``(>99.9%)`` counts as its bound."""
    return float(shown.inner_text().strip("()<>%")) / 100


def figures(page):
    """Probability before and after, as shown."""
    shown = page.locator(".answer .figure")
    return number(shown.locator(".probability")), number(shown.locator(".after"))


def download(page, label):
    with page.expect_download(timeout=60_000) as started:
        page.get_by_role("button", name=label).click()
    return started.value


def test_the_demo_from_home_to_a_kept_result(page, server, tmp_path):
    opened(page, server, "")
    page.get_by_role("button", name="Explain the demo").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("synthetic data", exact=True)).to_be_visible()
    expect(page.get_by_text("resampled 1.5 → 3 mm", exact=True)).to_be_visible()

    # the map forms while it runs: the second panel's readout names it
    expect(page.get_by_text("Forming", exact=True)).to_be_visible(timeout=LONG)
    finished(page)

    before, after = figures(page)
    assert before >= 0.9
    assert after <= 0.05
    sentence = page.locator(".answer .sentence").inner_text()
    assert re.search(r"Hiding [\d.]+ cm³ \(.*hippocamp.*\) takes AD from >?[\d.]+% to <?[\d.]+%\.", sentence)
    expect(page.locator(".chip")).to_have_text(re.compile("✓ Holds"))
    page.get_by_text("Swap test").first.click()  # the line of checks unfolds
    expect(page.locator(".checks").get_by_text("Swap test", exact=True)).to_be_visible()
    expect(page.locator(".js-plotly-plot").filter(has_text="hippocampus")).to_be_visible()
    boxes = [panel.bounding_box() for panel in page.locator(".stage > canvas").all()]
    assert len(boxes) == 3
    assert len({(round(box["y"]), round(box["height"])) for box in boxes}) == 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    address = page.url
    assert re.search(r"\?run=[0-9a-f]{16}$", address)
    page.reload()
    finished(page)
    assert page.locator(".answer .sentence").inner_text() == sentence
    assert page.url == address

    page.get_by_role("link", name="Runs").click()
    row = page.locator("[class*=st-key-run-]").first
    expect(row.get_by_text("Mask perturbation · AD", exact=True)).to_be_visible()
    expect(row.get_by_role("img", name=re.compile("^Probability of AD: .* before, .* after"))).to_be_visible()
    row.get_by_role("checkbox").check(force=True)
    expect(page.get_by_text("1 chosen", exact=True)).to_be_visible(timeout=LONG)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=LONG)
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("1 run deleted.")).to_be_visible(timeout=LONG)
    expect(page.locator(f"[class*=st-key-run-{address[-16:]}]")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("searchbox").fill("mask perturb")
    row = page.locator(f"[class*=st-key-run-{address[-16:]}]")
    row.get_by_role("button", name="Open run of Mask perturbation · AD").click()
    finished(page)
    assert page.locator(".answer .sentence").inner_text() == sentence
    assert page.url == address

    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text(address, exact=True)).to_be_visible()
    record = json.loads(download(page, "Record (JSON)").path().read_text())
    assert record["scores"]["before"]["AD"] == pytest.approx(before, abs=1e-3)
    assert record["scores"]["after"]["AD"] == pytest.approx(after, abs=1e-3)
    assert record["sentence"] == sentence
    download(page, "Hidden share (NIfTI)").save_as(tmp_path / "map.nii.gz")
    kept = nibabel.load(tmp_path / "map.nii.gz")
    original = nibabel.load(ASSETS / "scans" / "ad-moderate.nii.gz")
    assert kept.shape == original.shape
    assert np.allclose(kept.affine, original.affine, atol=1e-4)
    values = np.asarray(kept.dataobj)
    assert values.min() >= 0
    assert 0.5 < values.max() <= 1


def test_an_uploaded_nifti_is_explained_in_its_own_space(page, server, tmp_path):
    opened(page, server)
    upload(page, "Jane Doe 1960.nii", scans.nifti())
    assert predicted(page) >= 0.9
    expect(page.get_by_text("Jane Doe")).to_have_count(0)
    choose(page, "Explainer", "Grad-CAM")
    explained(page)
    page.get_by_role("button", name="Keep").click()
    download(page, "Class activation (NIfTI)").save_as(tmp_path / "map.nii.gz")
    kept = nibabel.load(tmp_path / "map.nii.gz")
    original = nibabel.Nifti1Image.from_bytes(scans.nifti())
    assert kept.shape == original.shape
    assert np.allclose(kept.affine, original.affine, atol=1e-4)


def test_an_uploaded_dicom_zip_is_explained_without_a_word_about_the_patient(page, server):
    opened(page, server)
    upload(page, "export.zip", scans.dicom_zip())
    assert predicted(page) >= 0.9
    explained(page)
    before, after = figures(page)
    assert before >= 0.9
    assert after <= 0.05
    shown = page.content()
    assert "Doe" not in shown
    assert "4711" not in shown
    stored = [path for path in server.store.rglob("*") if path.is_file()]
    assert stored
    assert not [path.name for path in stored if b"Doe^Jane" in path.read_bytes()]


def test_an_uploaded_png_is_explained_with_the_model_that_reads_images(page, server):
    opened(page, server)
    upload(page, "slice.png", scans.png())
    assert predicted(page) >= 0.5
    explained(page)
    assert len(page.locator(".stage > canvas").all()) == 3
    page.get_by_role("button", name="Keep").click()
    picture = download(page, "Hidden share (PNG)").path().read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_hostile_uploads_are_refused_in_a_sentence_and_the_app_keeps_serving(page, server):
    opened(page, server)
    page.get_by_text("Open a scan of your own").click()
    for name, content in (("cut.nii.gz", scans.nifti()[:5000]), ("bomb.zip", scans.zip_bomb()), ("note.txt", b"hello")):
        page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "", "buffer": content})
        refusal = page.get_by_test_id("stAlert")
        expect(refusal).to_be_visible(timeout=30_000)
        assert "Traceback" not in page.content()
        sentence = refusal.inner_text().strip()
        assert sentence.endswith(".")
        assert name not in sentence
        page.reload()
        page.get_by_text("Open a scan of your own").click()
    choose(page, "Scan", "Healthy (CN)")
    assert predicted(page) >= 0.5
    expect(page.locator(".answer .said")).to_have_text("cognitively normal")


def dragged(page, kind, content):
    """Tell the page that a file is dragged over its header, or dropped there; whether it takes it."""
    script = """([kind, packed]) => {
      const carried = new DataTransfer();
      carried.items.add(new File([Uint8Array.from(atob(packed), letter => letter.charCodeAt(0))], "s.nii"));
      const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: carried });
      document.querySelector("header").dispatchEvent(event);
      return event.defaultPrevented;
    }"""
    return page.evaluate(script, [kind, base64.b64encode(content).decode()])


def test_two_uploads_in_a_row_are_both_read_also_one_dropped_anywhere(page, server):
    opened(page, server)
    upload(page, "note.txt", b"hello")
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    still(page)
    hint = page.get_by_text("Drop to open as a scan")
    assert dragged(page, "dragover", scans.nifti())
    expect(hint).to_be_visible()
    assert dragged(page, "drop", scans.nifti())
    expect(hint).to_have_count(0)
    assert predicted(page) >= 0.9
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_have_count(0)
    assert not dragged(page, "dragover", scans.nifti()), "nothing takes it there"


def test_several_images_in_one_upload_are_offered_for_choice(page, server):
    opened(page, server)
    image = nibabel.Nifti1Image.from_bytes(scans.nifti())
    twice = np.stack([np.zeros(image.shape, np.float32), np.asarray(image.dataobj)], axis=-1)
    upload(page, "series.nii", nibabel.Nifti1Image(twice, image.affine).to_bytes())
    volume = page.get_by_label("Volume, 1 to 2")
    expect(volume).to_be_visible(timeout=30_000)
    volume.fill("2")
    volume.press("Enter")
    page.get_by_test_id("stBaseButton-primary").filter(has_text="Open").click()
    assert predicted(page) >= 0.9


def test_cancel_stops_a_run_within_seconds(page, server):
    opened(page, server)
    choose(page, "Scan", "Alzheimer's disease, 0.5 years")
    predicted(page)
    page.get_by_role("radio", name="paper").click()
    expect(page.get_by_role("combobox", name="Fill (μ)")).to_have_value("one value")
    # a choice of a few beside each other keeps keys to itself
    page.get_by_role("radio", name="paper").click()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"Iteration \d+ of"))).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Cancel").click()
    started = time.monotonic()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible(timeout=20_000)
    assert time.monotonic() - started < 10
    page.get_by_role("link", name="Runs").click()
    expect(page.locator("[class*=st-key-run-]").first.get_by_text("Cancelled")).to_be_visible()


def test_a_link_opens_the_run_after_the_server_was_started_again(page, tmp_path):
    store = {"LIGHTBOX_STORE_PATH": str(tmp_path / "kept")}
    with serve(APP, store) as first:
        opened(page, first)
        choose(page, "Scan", "Healthy (CN)")
        predicted(page)
        choose(page, "Explainer", "Saliency")
        explained(page)
        sentence = page.locator(".answer .sentence").inner_text()
        run = page.url.split("?")[1]
    page.goto("about:blank")
    with serve(APP, store) as second:
        page.goto(f"{second.url}/explain?{run}")
        finished(page)
        assert page.locator(".answer .sentence").inner_text() == sentence
        expect(page.get_by_role("combobox", name="Explainer")).to_have_value("Saliency")
