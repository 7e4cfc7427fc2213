import io
import os
import tempfile
from pathlib import Path

import pytest

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
    assert list(uploads._root().iterdir()) == []


def test_an_abandoned_upload_goes_with_the_next_one(root):
    left = uploads.spool([Browser("a", b"abc")])
    os.utime(left.folder, (0, 0))
    uploads.spool([Browser("b", b"de")])
    assert not left.folder.exists()


def test_what_a_killed_server_left_goes_when_the_next_one_uploads(root):
    dead = Path(root) / f"{uploads._PREFIX}999999999-abc"
    dead.mkdir()
    alive = Path(root) / f"{uploads._PREFIX}{os.getpid()}-other"
    alive.mkdir()
    uploads.spool([Browser("a", b"abc")])
    assert not dead.exists()
    assert alive.exists()


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
