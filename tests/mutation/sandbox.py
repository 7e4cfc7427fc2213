"""A throw-away copy of the checkout in which tests run, each time in a process forked from this one.

The libraries are imported once, here, before forking: a test run of one mutant starts in a tenth of a second.
The product itself is never imported here.
"""

import compileall
import contextlib
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

import hypothesis
import pytest

LIBRARIES = (
    *("captum.attr", "nibabel", "PIL.Image", "psutil", "pydantic", "pydantic_settings", "pydicom", "safetensors.torch"),
    *("scipy.ndimage", "scipy.signal", "scipy.stats", "sqlalchemy.orm", "torch", "yaml"),
)
#: What is imported from the copy alone.
OURS = {"core", "dashboard", "pages", "tests"}


@dataclass(frozen=True)
class Outcome:
    """How the tests of one selection ended.

    Parameters
    ----------
    ending : str
        "passed", "failed", "broken" (they could not be collected), "none" (no test selected), "timeout" or "crashed".
    test : str
        The first test that failed.
    seconds : dict of str to float
        Time of each test file.
    """

    ending: str
    test: str = ""
    seconds: dict[str, float] | None = None


class Reporter:
    """Plugin of pytest: what failed first, and how long each file took."""

    def __init__(self) -> None:
        self.failed = ""
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file = report.nodeid.partition("::")[0]
        self.seconds[file] = self.seconds.get(file, 0) + report.duration
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


class Sandbox:
    """A copy of the checkout.

    Parameters
    ----------
    root : pathlib.Path
        The checkout: what git knows of and what is new in it.
    folder : pathlib.Path
        Where the copy goes; made anew.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.copy = folder / "copy"
        self._scratch = folder / "scratch"
        self._toys = folder / "toys"
        shutil.rmtree(folder, ignore_errors=True)
        self._toys.mkdir(parents=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, capture_output=True
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (root / name).is_file():
                (self.copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, self.copy / name)
        # by the hash of the source: a file that keeps its size and second is compiled again all the same
        compileall.compile_dir(self.copy, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        for name in LIBRARIES:
            importlib.import_module(name)
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # one failure is enough: none is made smaller
        hypothesis.settings.register_profile("mutants", phases=phases, database=None, deadline=None)

    def run(self, tests: list[str], limit: float, change: tuple[str, str] | None = None) -> Outcome:
        """Run tests in a forked process, with one module changed.

        Parameters
        ----------
        tests : list of str
            Test files.
        limit : float
            Seconds of processor time; the wall clock may take four times as long, for the machine may be busy.
        change : tuple of str, optional
            Module and its changed source.
        """
        if not tests:
            return Outcome("none")
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        if change is None:
            return self._fork(tests, limit, keep_bytecode=True)
        path = self.copy / change[0]
        original = path.read_text(encoding="utf-8")
        try:
            path.write_text(change[1], encoding="utf-8")
            return self._fork(tests, limit, keep_bytecode=False)
        finally:
            path.write_text(original, encoding="utf-8")

    def _fork(self, tests: list[str], limit: float, keep_bytecode: bool) -> Outcome:
        child = os.fork()
        if child == 0:
            try:
                self._child(tests, limit, keep_bytecode)
            finally:
                os._exit(70)
        status = self._wait(child, 4 * limit)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what the tests started and left
        return self._outcome(status)

    def _outcome(self, status: int) -> Outcome:
        if os.WIFSIGNALED(status):
            timed_out = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM)
            return Outcome("timeout" if timed_out else "crashed", f"signal {os.WTERMSIG(status)}")
        report = self._scratch / "report.json"
        if not report.is_file():
            return Outcome("crashed", f"code {os.WEXITSTATUS(status)}")
        told = json.loads(report.read_text(encoding="utf-8"))
        endings = {0: "passed", 1: "failed", 2: "broken", 4: "broken", 5: "none"}
        return Outcome(endings[told["code"]], told["failed"], told["seconds"])

    @staticmethod
    def _wait(child: int, limit: float) -> int:
        """Wait for a process; after `limit` seconds it is ended as by an alarm."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                return status
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return signal.SIGALRM

    def _child(self, tests: list[str], limit: float, keep_bytecode: bool) -> None:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 10))
        silence = os.open(self._scratch / "output.txt", os.O_WRONLY | os.O_CREAT)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os.environ["LIGHTBOX_TOYS"] = str(self._toys)
        os.chdir(self.copy)
        sys.dont_write_bytecode = not keep_bytecode
        if not keep_bytecode:
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.path[:] = [str(self.copy), *(path for path in sys.path if Path(path).resolve() != self.root)]
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
            del sys.modules[name]
        reporter = Reporter()
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-profile=mutants"]
        options += ["--hypothesis-seed=0", f"--basetemp={self._scratch / 'temporary'}", f"--rootdir={self.copy}"]
        code = int(pytest.main([*options, *tests], plugins=[reporter]))
        loaded = Path(str(sys.modules["core"].__file__)) if "core" in sys.modules else self.copy
        assert loaded.is_relative_to(self.copy), f"{loaded} was tested, not the copy"
        told = {"code": code, "failed": reporter.failed, "seconds": reporter.seconds}
        (self._scratch / "report.json").write_text(json.dumps(told), encoding="utf-8")
        os._exit(0)
