"""A Streamlit server and a Chromium, for benchmarks and browser tests."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import LightboxError
from core.settings import ROOT

#: Headless, without a GPU, and without a word to the outside.
LAUNCH_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Server:
    """A running Streamlit server.

    Parameters
    ----------
    url : str
        Its address, without a slash at the end.
    pid : int
        Its process.
    store : pathlib.Path
        The store that it works on.
    """

    url: str
    pid: int
    store: Path


def find_chromium() -> str | None:
    """Path of the Chromium to drive: ``LIGHTBOX_CHROMIUM``, else the system's, else None (Playwright's own)."""
    given = os.environ.get("LIGHTBOX_CHROMIUM")
    if given:
        return given
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A headless ``playwright.sync_api.Browser``, closed at the end.

    Raises
    ------
    LightboxError
        When Playwright or a Chromium is missing.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as problem:
        raise LightboxError("This needs Playwright: pip install -r requirements-dev.txt.") from problem
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(LAUNCH_ARGUMENTS))
        except Error as problem:
            raise LightboxError("No Chromium could be started: install it, or set LIGHTBOX_CHROMIUM.") from problem
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def serve(script: Path, environment: Mapping[str, str] | None = None, seconds: float = 60.0) -> Iterator[Server]:
    """Run a Streamlit app on a free port with a store of its own, until the end of the block.

    Parameters
    ----------
    script : pathlib.Path
        What ``streamlit run`` is given.
    environment : mapping, optional
        More environment variables.
    seconds : float
        How long to wait until it answers.
    """
    with tempfile.TemporaryDirectory(prefix="lightbox-") as folder:
        port, store = _free_port(), Path(folder) / "store"
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "LIGHTBOX_STORE_PATH": str(store), **(environment or {})}
        command = [sys.executable, "-m", "dashboard.frame.serving", "run", str(script), "--server.address", "127.0.0.1"]
        command += ["--server.port", str(port), "--server.headless", "true", "--browser.gatherUsageStats", "false"]
        command += ["--server.fileWatcherType", "none"]
        log = Path(folder) / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=variables, stdout=output, stderr=output)  # noqa: S603 - own command
        server = Server(f"http://127.0.0.1:{port}", process.pid, store)
        try:
            _wait(server, process, log, seconds)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2):  # noqa: S310
            return
        time.sleep(0.1)
    raise LightboxError(f"The server did not start: {log.read_text(errors='replace')[-500:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
