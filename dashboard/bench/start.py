"""How soon the first page is there, and what a running mask costs the slider of somebody else."""

import statistics
import time
from pathlib import Path
from typing import Any

from core.errors import LightboxError
from core.runs import LOCAL_OWNER, RunStore, Status
from core.settings import ROOT
from dashboard.bench.browser import Server, chromium, serve

APP = ROOT / "dashboard" / "app.py"
_BESIDE = Path(__file__).resolve().parent / "start_app"
STARTS = 3
STEPS = 40
MODEL = "alzheimer-phantom"
#: The last line of the home page: when it is there, the whole page is.
_LAST_WORDS = "not a medical device"

# In the page: milliseconds from a key press to the frame after the one that shows the value the server wrote back.
_WATCH = """() => {
  window.steps = [];
  let began = null, before = null;
  const shown = () => document.body.innerText.match(/shown \\d+/)?.[0];
  document.addEventListener("keydown", (event) => { began = event.timeStamp; before = shown(); }, { capture: true });
  new MutationObserver(() => {
    if (began === null || shown() === before) return;
    const from = began; began = null;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => steps.push(performance.now() - from);
      port2.postMessage(0);
    });
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def run() -> dict[str, Any]:
    """Measure.

    Returns
    -------
    dict
        Rows ``first page`` (median seconds from the start of the server's process to the whole home page in Chromium;
        baseline: everything imported at the start), ``server memory`` (MB after the first page), ``torch in server``
        (0 or 1) and ``neighbour slider`` (median ms while a mask runs; baseline: while nothing runs).
    """
    with chromium() as browser:
        starts = [(_start(browser, APP), _start(browser, _BESIDE / "everything.py")) for _ in range(STARTS)]
        busy, idle = _neighbour(browser)
    lazy, eager = ([pair[side] for pair in starts] for side in (0, 1))
    return {
        "name": "start",
        "rows": [
            _row("first page", _median(lazy, "seconds"), _median(eager, "seconds"), "s"),
            _row("server memory", _median(lazy, "megabytes"), _median(eager, "megabytes"), "MB"),
            _row("torch in server", _median(lazy, "torch"), _median(eager, "torch"), "0 or 1"),
            _row("neighbour slider", busy, idle, "ms"),
        ],
    }


def _row(what: str, value: float, baseline: float, unit: str) -> dict[str, Any]:
    return {
        "what": what,
        "value": value,
        "baseline": baseline,
        "ratio": value / baseline if baseline else None,
        "unit": unit,
        "error": None,
    }


def _median(starts: list[dict[str, float]], name: str) -> float:
    return statistics.median(start[name] for start in starts)


def _start(browser: Any, script: Path) -> dict[str, float]:
    """Start a server, look at its first page, and say what that took."""
    page = browser.new_page()
    began = time.monotonic()
    with serve(script) as server:
        page.goto(server.url)
        page.get_by_text(_LAST_WORDS).wait_for(timeout=60_000)
        seconds = time.monotonic() - began
        found = {
            "seconds": seconds,
            "megabytes": _resident_bytes(server) / 1e6,
            "torch": float("libtorch" in Path(f"/proc/{server.pid}/maps").read_text(encoding="utf-8")),
        }
    page.close()
    return found


def _resident_bytes(server: Server) -> int:
    import psutil

    return int(psutil.Process(server.pid).memory_info().rss)


def _neighbour(browser: Any) -> tuple[float, float]:
    """Median milliseconds of a slider step in one session, while a mask runs for another and while nothing runs."""
    with serve(_BESIDE / "slider.py", environment={"LIGHTBOX_WORKER": "process"}) as server:
        store = RunStore.open(server.store)
        scan = store.of(LOCAL_OWNER).add_scan(_phantom())
        mine = browser.new_page()
        mine.goto(server.url)
        mine.get_by_text("shown 100").wait_for(timeout=60_000)
        mine.evaluate(_WATCH)
        _slide(mine, 5)
        before = _slide(mine, STEPS)
        neighbour = browser.new_page()
        neighbour.goto(f"{server.url}/?scan={scan}&model={MODEL}")
        run_id = neighbour.get_by_text("run ").inner_text().split()[-1]
        _wait_for_iterations(store, run_id)
        busy = _slide(mine, STEPS)
        if store.of(LOCAL_OWNER).run(run_id).status is not Status.RUNNING:
            raise LightboxError("The mask ended before the slider was measured: nothing can be said.")
        store.of(LOCAL_OWNER).request_cancel(run_id)
        _wait_until_over(store, run_id)
        after = _slide(mine, STEPS)
        store.close()
    return statistics.median(busy), statistics.median(before + after)


def _slide(page: Any, steps: int) -> list[float]:
    """Milliseconds of each of `steps` key presses on the slider."""
    page.evaluate("steps.length = 0")
    page.get_by_role("slider").focus()
    for step in range(steps):
        page.keyboard.press("ArrowRight" if step % 40 < 20 else "ArrowLeft")
        page.wait_for_function(f"steps.length > {step}", timeout=30_000)
        page.wait_for_timeout(60)
    measured: list[float] = page.evaluate("steps")
    return measured


def _phantom() -> Any:
    from core.phantoms.grey_matter.generator import PhantomParameters, phantom_scan, plan

    parameters = PhantomParameters()
    session = next(session for session in plan(parameters) if session.diagnosis == "AD")
    return phantom_scan(session, parameters)


def _wait_for_iterations(store: RunStore, run_id: str) -> None:
    _wait(lambda: bool(store.of(LOCAL_OWNER).progress(run_id).history), store, run_id)


def _wait_until_over(store: RunStore, run_id: str) -> None:
    _wait(lambda: store.of(LOCAL_OWNER).run(run_id).status.final, store, run_id)


def _wait(condition: Any, store: RunStore, run_id: str, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        run = store.of(LOCAL_OWNER).run(run_id)
        if run.status is Status.FAILED or time.monotonic() > deadline:
            raise LightboxError(f"The mask did not run: {run.message or run.status}")
        time.sleep(0.1)
