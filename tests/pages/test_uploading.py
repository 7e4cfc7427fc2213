"""What is uploaded lies on the disk only until it was read.

The promise that nothing of a patient is kept once had no test at the place that would keep it: with the one line left
out that removes the files, everything stayed green.
"""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from streamlit.runtime.scriptrunner import StopException

from core.errors import BadInput, LightboxError
from dashboard.desk import shelf
from dashboard.intake import scans, uploads
from tests.core.scans.making import asymmetric, dicom_bytes, slice_at
from tests.pages.conftest import said


def png(shape=(16, 20), seed=0):
    written = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, shape).astype(np.uint8)
    Image.fromarray(pixels).save(written, format="PNG")
    return written.getvalue()


def two_images():
    """Two images in one archive: one has to be chosen."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.png", png())
        archive.writestr("two.png", png((18, 22), 1))
    return packed.getvalue()


@pytest.fixture
def spool(workbench, tmp_path, monkeypatch):
    """The app, and the folder in which uploads lie while they are read."""
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setattr(uploads, "_root", lambda: folder)
    workbench.spool = folder
    return workbench


def left(spool):
    return [path.name for path in spool.spool.rglob("*")]


def uploaded(page, content, name="Doe^John.png"):
    page.get("file_uploader")[0].upload(name, content, "application/octet-stream").run()
    return page


@pytest.mark.parametrize("name", ["explain", "trace", "compare"])
def test_a_scan_that_was_read_is_gone_from_the_disk(spool, name):
    page = uploaded(spool.open(name), png())
    assert not page.error
    assert len(shelf().scans()) == 1
    assert left(spool) == []


def test_what_cannot_be_read_is_gone_too(spool):
    page = uploaded(spool.open("explain"), b"no image")
    assert len(page.error) == 1
    assert left(spool) == []


@pytest.mark.parametrize(
    "ending", [LightboxError("The reading process ended."), OSError(28, "full"), ZeroDivisionError(), StopException()]
)
def test_however_reading_ends_nothing_is_left(spool, monkeypatch, ending):
    seen = []

    def end(files, owner, series=None, volume=None):
        seen.extend(left(spool))
        raise ending

    monkeypatch.setattr(scans.questions, "read_upload", end)
    uploaded(spool.open("explain"), png())
    assert seen, "it was on the disk while it was read"
    assert left(spool) == []


def chosen_from(spool):
    """The page while one of two images has to be chosen: their files have to wait."""
    page = uploaded(spool.open("explain"), two_images(), "images.zip")
    assert "There is more than one image in it" in "".join(markdown.value for markdown in page.markdown)
    assert left(spool) != []
    return page


def test_files_wait_for_the_choice_of_an_image_and_are_gone_when_it_was_read(spool):
    page = chosen_from(spool)
    page.button(key="open series").click().run()
    assert not page.error
    assert len(shelf().scans()) == 1
    assert left(spool) == []


def test_files_are_gone_when_they_are_discarded(spool):
    page = chosen_from(spool)
    page.button(key="discard upload").click().run()
    assert shelf().scans() == []
    assert left(spool) == []


def test_files_are_gone_when_others_are_uploaded_in_their_place(spool):
    uploaded(chosen_from(spool), png())
    assert len(shelf().scans()) == 1
    assert left(spool) == []


def test_a_choice_that_cannot_be_read_leaves_nothing(spool, monkeypatch):
    page = chosen_from(spool)

    def end(files, owner, series=None, volume=None):
        raise LightboxError("The reading process ended.")

    monkeypatch.setattr(scans.questions, "read_upload", end)
    page.button(key="open series").click().run()
    assert [error.value for error in page.error] == ["The reading process ended."]
    assert left(spool) == []


def test_an_image_that_cannot_be_read_leaves_the_others_to_choose_from(spool, monkeypatch):
    page = chosen_from(spool)
    real = scans.questions.read_upload

    def end(files, owner, series=None, volume=None):
        raise BadInput("This image is damaged, choose another.")

    monkeypatch.setattr(scans.questions, "read_upload", end)
    page.button(key="open series").click().run()
    assert [error.value for error in page.error] == ["This image is damaged, choose another."]
    assert left(spool) != []
    monkeypatch.setattr(scans.questions, "read_upload", real)
    page.button(key="open series").click().run()
    assert not page.error
    assert len(shelf().scans()) == 1
    assert left(spool) == []


def study(*members):
    """A zip of a study: a volume, and series that cannot be read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for place in range(3):
            slices = slice_at((0, 0, 3.0 * place), asymmetric((4, 5)), SeriesInstanceUID="1.2.1", SeriesNumber=1)
            archive.writestr(f"{place}", dicom_bytes(slices))
        for number, data in enumerate(members):
            archive.writestr(f"more/{number}", dicom_bytes(data))
    return packed.getvalue()


def mosaic():
    data = slice_at((0, 0, 0), asymmetric((4, 5)), ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    data.SeriesInstanceUID, data.SeriesNumber = "1.2.2", 2
    return data


def test_a_series_that_cannot_be_read_costs_the_study_nothing_and_is_named(spool):
    page = uploaded(spool.open("explain"), study(mosaic()), "study.zip")
    assert not page.error
    assert len(shelf().scans()) == 1
    assert "An image could not be read and was left out (MR · series 2 · 5×4)." in said(page)
    assert left(spool) == []


def test_among_several_images_the_unreadable_one_is_named_and_not_offered(spool):
    other = slice_at((0, 0, 0), asymmetric((6, 7)), SeriesInstanceUID="1.2.3", SeriesNumber=3)
    page = uploaded(spool.open("explain"), study(mosaic(), other), "study.zip")
    assert page.selectbox(key="series").options == ["MR · series 1 · 5×4×3 · 3×2×3 mm", "MR · series 3 · 7×6 · 3×2 mm"]
    assert any("series 2" in caption.value and "mosaic" in caption.value for caption in page.caption)


def test_what_sets_a_volume_apart_is_said_while_it_is_chosen(spool):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for volume, weighting in enumerate((0.0, 1000.0)):
            for place in range(3):
                data = slice_at((0, 0, 3.0 * place), asymmetric((4, 5)), DiffusionBValue=weighting)
                archive.writestr(f"{volume}{place}", dicom_bytes(data))
    page = uploaded(spool.open("explain"), packed.getvalue(), "study.zip")
    assert "Volume 1 holds b 0 s/mm²." in [caption.value for caption in page.caption]
    page.number_input(key="volume").set_value(2).run()
    assert "Volume 2 holds b 1000 s/mm²." in [caption.value for caption in page.caption]


def dropped(page, *contents):
    """Several files at once, all of one name: names tell nothing apart."""
    page.get("file_uploader")[0].set_value([("Doe^John.png", content, "image/png") for content in contents]).run()
    return page


@pytest.mark.parametrize("name", ["home", "explain"])
def test_several_files_become_several_scans_after_a_glance(spool, name):
    page = dropped(spool.open(name), png(), png((18, 22), 1), png(seed=2))
    ticks = [box for box in page.checkbox if box.key.startswith("several ")]
    assert [box.label for box in ticks] == [
        "1. PNG · 18×22 pixels",
        "2. PNG · 16×20 pixels",
        "3. PNG · 16×20 pixels",
    ]
    assert said(page).count("<span class='scan-film'><img") == 3
    assert shelf().scans() == []
    ticks[1].uncheck().run()
    page.button(key="open several").click().run()
    assert not page.error
    assert [scan.shape for scan in sorted(shelf().scans(), key=lambda scan: scan.shape)] == [(1, 16, 20), (1, 18, 22)]
    hanging = shelf().scan_meta(page.session_state["desk"].scan)
    assert tuple(hanging["shape"]) == (1, 18, 22)
    assert left(spool) == []
    assert "glance at several" not in page.session_state


def test_of_several_files_the_unreadable_one_is_said_and_the_others_open(spool):
    page = dropped(spool.open("explain"), png(), png((18, 22), 1), b"no image")
    assert "1 file(s) that could not be read" in said(page)
    page.button(key="open several").click().run()
    assert not page.error
    assert len(shelf().scans()) == 2


def test_without_a_tick_nothing_can_be_opened_and_discarding_forgets(spool):
    page = dropped(spool.open("explain"), png(), png((18, 22), 1))
    for box in [box for box in page.checkbox if box.key.startswith("several ")]:
        box.uncheck()
    page.run()
    assert page.button(key="open several").disabled
    page.button(key="discard upload").click().run()
    assert (shelf().scans(), left(spool)) == ([], [])
    assert "glance at several" not in page.session_state


def test_series_of_one_study_are_chosen_among(spool):
    slices = [slice_at((0, 0, 0), asymmetric((4, 5 + n)), SeriesInstanceUID=f"1.2.{n}", SeriesNumber=n) for n in (1, 2)]
    page = dropped(spool.open("explain"), *map(dicom_bytes, slices))
    assert len(page.selectbox(key="series").options) == 2
