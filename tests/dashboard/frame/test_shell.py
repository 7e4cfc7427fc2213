import asyncio
import subprocess
import sys
import textwrap

import pytest

from core.errors import BadInput
from core.settings import ROOT


def test_the_first_page_imports_neither_torch_nor_captum_nor_nilearn(tmp_path):
    code = textwrap.dedent(
        """
        import sys
        from streamlit.testing.v1 import AppTest
        page = AppTest.from_file("dashboard/app.py", default_timeout=60).run()
        assert not page.exception and not page.error
        print([name for name in ("torch", "captum", "nilearn", "skimage") if name in sys.modules])
        """
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"LIGHTBOX_STORE_PATH": str(tmp_path / "store"), "PATH": "/usr/bin", "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert found.stdout.strip().splitlines()[-1:] == ["[]"], found.stderr[-2000:]


def test_a_worker_that_imports_the_main_script_draws_nothing(tmp_path):
    code = "import runpy; names = runpy.run_path('dashboard/app.py', run_name='__mp_main__'); print('app' in names)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert found.stdout.strip() == "False"


def test_a_problem_is_a_sentence_on_the_page_and_a_traceback_in_the_log(monkeypatch, caplog):
    from dashboard.frame import shell

    shown = []
    monkeypatch.setattr(shell.st, "error", shown.append)
    assert shell.show_problem(BadInput("Give another file."))
    assert shown == ["Give another file."]
    assert not caplog.records
    assert shell.show_problem(ZeroDivisionError("secret detail"))
    assert "secret detail" not in shown[1]
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("problem", [BadInput("The store is locked."), RuntimeError("page 7 is never used")])
def test_a_store_that_cannot_be_opened_does_not_keep_the_server_from_starting(monkeypatch, problem):
    from dashboard.frame import shell

    def broken():
        raise problem

    async def start() -> str:
        async with shell.lifespan(None):
            return "started"

    monkeypatch.setattr(shell, "manager", broken)
    assert asyncio.run(start()) == "started"
