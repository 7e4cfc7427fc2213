import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from core.errors import BadInput
from core.settings import ROOT
from dashboard.intake import uploads


class Browser(io.BytesIO):
    """A file as Streamlit hands it over."""

    def __init__(self, name, content):
        super().__init__(content)
        self.name, self.file_id = name, f"id of {name}"


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    uploads._root.cache_clear()
    yield tmp_path
    uploads._root.cache_clear()


def test_names_from_the_browser_are_never_paths(root):
    spooled = uploads.spool([Browser("../../evil.nii", b"abc"), Browser("/etc/passwd", b"de")])
    assert [path.name for path in sorted(spooled.folder.iterdir())] == ["00000", "00001"]
    assert [file.path.read_bytes() for file in spooled.files] == [b"abc", b"de"]
    assert [file.name for file in spooled.files] == ["../../evil.nii", "/etc/passwd"]


def test_only_the_user_of_the_server_can_read_what_was_uploaded(root):
    spooled = uploads.spool([Browser("a", b"abc")])
    assert spooled.folder.stat().st_mode & 0o077 == 0


def test_nothing_is_left_once_it_was_read(root):
    spooled = uploads.spool([Browser("a", b"abc")])
    spooled.remove()
    assert not spooled.folder.exists()


def test_nothing_is_left_when_writing_fails(root):
    class Broken(Browser):
        def read(self, size=-1, /):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        uploads.spool([Browser("a", b"abc"), Broken("b", b"")])
    assert [path.name for path in uploads._root().iterdir()] == [uploads._LOCK]


def old(spooled, seconds):
    """A spooled upload as it is so many seconds after it came."""
    made, rest = spooled.folder.name.split("-", 1)
    aged = spooled.folder.rename(spooled.folder.with_name(f"{int(made) - seconds}-{rest}"))
    os.utime(aged, (time.time() - seconds, time.time() - seconds))
    return aged


@pytest.mark.parametrize(
    ("active", "seconds", "there"),
    [
        (False, 10, True),
        (False, uploads.GONE + 5, False),
        (True, uploads.GONE + 5, True),
        (True, uploads.ABANDONED + 5, False),
    ],
)
def test_an_upload_goes_with_its_page_and_when_nothing_is_chosen(root, monkeypatch, active, seconds, there):
    monkeypatch.setattr(uploads, "_session", lambda: "12-ab-34")
    monkeypatch.setattr(uploads, "_is_active", lambda session: active and session == "12-ab-34")
    folder = old(uploads.spool([Browser("a", b"abc")]), int(seconds))
    uploads.sweep()
    assert folder.exists() is there


def test_sweeping_goes_on_by_itself(root, monkeypatch):
    monkeypatch.setattr(uploads, "_EVERY", 0.05)
    monkeypatch.setattr(uploads, "_is_active", lambda session: False)
    uploads.start_sweeping()
    try:
        folder = old(uploads.spool([Browser("a", b"abc")]), 500)
        for _ in range(200):
            if not folder.exists():
                break
            time.sleep(0.05)
        assert not folder.exists()
    finally:
        uploads.remove_all()


def test_nothing_is_left_when_the_server_ends(root):
    uploads.start_sweeping()
    uploads.spool([Browser("a", b"abc")])
    uploads.remove_all()
    assert list(root.iterdir()) == []


def test_an_upload_that_was_thrown_away_is_said(root):
    spooled = uploads.spool([Browser("a", b"abc")])
    spooled.remove()
    with pytest.raises(BadInput, match="thrown away"):
        spooled.ask(len)


def test_what_a_killed_server_left_goes_whatever_its_number_and_a_living_ones_stays(root):
    """In a container every server has the number 1, so that a number tells nothing."""
    dead = Path(root) / f"{uploads._PREFIX}1-abc"
    dead.mkdir()
    (dead / "patient").write_bytes(b"Doe^John")
    os.utime(dead, (0, 0))
    hold = (
        "import sys, time; from dashboard.intake import uploads; import tempfile; tempfile.tempdir = sys.argv[1];"
        "print(uploads._root(), flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(root)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as other:
        alive = Path(other.stdout.readline().strip())
        os.utime(alive, (0, 0))
        uploads.start_sweeping()
        assert not dead.exists()
        assert alive.exists()
        other.kill()
    assert alive.exists()
    uploads.start_sweeping()
    uploads.remove_all()
    assert not alive.exists()


def test_streamlit_forgets_the_bytes_once_they_were_spooled(root, monkeypatch):
    forgotten = []

    class Session:
        session_id = "mine"

        class uploaded_file_mgr:  # noqa: N801 - Streamlit's name
            @staticmethod
            def remove_file(session_id, file_id):
                forgotten.append((session_id, file_id))

    monkeypatch.setattr(uploads, "get_script_run_ctx", Session)
    files = [Browser("a", b"abc"), Browser("b", b"de")]
    uploads.release(files)
    assert forgotten == [("mine", "id of a"), ("mine", "id of b")]
    assert all(file.closed for file in files)
