"""A DICOM series with its patient in every place goes through the app: nothing of it is found anywhere afterwards."""

import io
import re
import zipfile

import pytest
from playwright.sync_api import expect
from pydicom import dcmread

from core.settings import ROOT
from dashboard.bench.browser import serve
from tests.core.scans.identity import MARKS, mark, marks_in
from tests.e2e import scans
from tests.e2e.waiting import choose

pytestmark = pytest.mark.browser

LONG = 150_000


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def server(temporary):
    with serve(ROOT / "dashboard" / "app.py", {"TMPDIR": str(temporary)}) as running:
        yield running


def marked_zip():
    """The phantom's series with every mark in every slice."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(scans.dicom_zip())) as plain, zipfile.ZipFile(packed, "w", 8) as archive:
        for number, name in enumerate(plain.namelist()):
            data = dcmread(io.BytesIO(plain.read(name)))
            mark(data, str(number))
            written = io.BytesIO()
            data.save_as(written, enforce_file_format=True)
            archive.writestr(f"{MARKS['file name']}/{number}.dcm", written.getvalue())
    return packed.getvalue()


def everything_in(folder):
    """Marks in the names and the contents of all files below `folder`, by file."""
    found = {}
    for path in folder.rglob("*"):
        marks = marks_in(str(path.relative_to(folder)).encode())
        marks += marks_in(path.read_bytes()) if path.is_file() else []
        if marks:
            found[path.name] = marks
    return found


def test_nothing_of_a_patient_is_found_in_page_wire_downloads_store_log_or_temporary_files(page, server, temporary):
    wire, said = [], []

    def listen(socket):
        socket.on("framereceived", lambda frame: wire.append(frame if isinstance(frame, bytes) else frame.encode()))

    page.on("websocket", listen)
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{server.url}/explain")
    expect(page.get_by_role("link", name="Explain")).to_be_visible(timeout=60_000)
    page.get_by_text("Open a scan of your own").click()
    file = {"name": f"{MARKS['file name']}.zip", "mimeType": "", "buffer": marked_zip()}
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("The model says").first).to_be_visible(timeout=LONG)
    choose(page, "Explainer", "Grad-CAM")
    page.get_by_role("button", name=re.compile("^Explain")).click()
    expect(page.get_by_text("How sure", exact=True)).to_be_visible(timeout=LONG)
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=LONG)
    shown = [page.content()]
    page.get_by_role("button", name="Keep").click()
    for label in ("Record (JSON)", "Class activation (NIfTI)"):
        with page.expect_download(timeout=60_000) as started:
            page.get_by_role("button", name=label).click()
        assert marks_in(started.value.path().read_bytes()) == []
        assert marks_in(started.value.suggested_filename.encode()) == []
    page.get_by_role("link", name="Runs").click()
    expect(page.locator("[class*=st-key-run-]").first).to_be_visible(timeout=60_000)
    shown.append(page.content())
    assert marks_in("".join([*shown, *said]).encode()) == []
    assert len(wire) > 10
    # the browser is told the name of the file that it sent itself, while it is being sent
    frames = b"".join(frame for frame in wire if b"upload_file" not in frame)
    assert set(marks_in(frames)) <= {"file name"}
    stored = [path for path in server.store.rglob("*") if path.is_file()]
    assert len(stored) > 5
    assert everything_in(server.store) == {}
    assert marks_in((server.store.parent / "server.log").read_bytes()) == []
    assert everything_in(temporary) == {}
