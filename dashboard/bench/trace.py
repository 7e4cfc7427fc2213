"""How soon a painted selection shows its map on the Trace page: the coarse one, and the exact one.

In a real Chromium on the demo autoencoder, from the end of a stroke to the picture: each time another place is painted,
so that nothing was computed before. The baseline of an exact map is the same one by whole images; of a coarse map, the
exact one that follows it.
"""

import statistics
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import LightboxError
from core.runs import LOCAL_OWNER, RunStore
from core.settings import ROOT
from dashboard.bench.browser import chromium, serve

APP = ROOT / "dashboard" / "app.py"
WINDOW = {"width": 1280, "height": 800}
#: Selections of each kind.
STROKES = 5
_LONG = 120_000
#: Longest wait for a map by whole images, milliseconds.
_LONGER = 600_000
#: Where strokes begin, as shares of a panel: inside the head.
_PLACES = ((0.44, 0.38), (0.56, 0.42), (0.47, 0.62), (0.54, 0.55), (0.5, 0.3), (0.42, 0.5), (0.58, 0.6), (0.5, 0.7))
_PANELS = {"forward": 0, "backward": 1}

# In the page: the time from the end of a stroke to the first task after the frame in which a panel has drawn a map.
# A frame counts when its map has arrived (the panel is not loading) and its title says what it is.
_WATCH = """() => {
  window.shown = {};
  let began = null;
  // other components of the page have a shadow, too
  const shadow = () => [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")]
    .map((host) => host.shadowRoot).find((root) => root.querySelector(".lightbox"));
  document.addEventListener("pointerup", (event) => { began = event.timeStamp; shown = {}; }, { capture: true });
  document.addEventListener("lightbox-paint", () => {
    if (began === null || shadow().querySelector(".lightbox").dataset.state !== "ready") return;
    const words = [...shadow().querySelectorAll(".panel h3")].map((title) => title.textContent).join(" ");
    const kind = /(forward|backward) map/.test(words) ? "exact" : /coarse map/.test(words) ? "coarse" : null;
    if (kind === null || kind in shown) return;
    shown[kind] = null;
    const from = began, { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { shown[kind] = performance.now() - from; };
    port2.postMessage(0);
  });
}"""


def run() -> dict[str, Any]:
    """Measure.

    Returns
    -------
    dict
        Rows ``coarse map`` (median ms from the end of a stroke to the first coarse map on screen; baseline: to the
        exact one of the same selections) and ``exact map`` (baseline: by whole images, ``engine=batches``; backward
        with 16 jitters instead of 100, a sixth of the work), forward and backward. Extra keys: ``times_faster``,
        ``slowest`` (ms) and ``strokes``. The ``error`` of an exact map is its largest difference from the one by whole
        images, as a share of that one's largest value.
    """
    with chromium() as browser, serve(APP) as server:
        page = browser.new_page(viewport=WINDOW)
        _open(page, server.url)
        _watch(page)
        fast = {kind: [_stroke(page, kind, place) for place in _PLACES[:STROKES]] for kind in _PANELS}
        page.get_by_text("More settings").click()
        _choose(page, "Way of asking", "whole images")
        slow = {"forward": _stroke(page, "forward", _PLACES[0])}
        # by whole images a backward map takes minutes: a sixth of the jitters has to do for the baseline
        _choose(page, "Spacing of the changes", "16 well-placed")
        _choose(page, "Coarse to fine", "one level")
        slow["backward"] = _stroke(page, "backward", _PLACES[0])
        _choose(page, "Way of asking", "automatic")
        _stroke(page, "backward", _PLACES[0])
        errors = {kind: _error(server.store, kind) for kind in _PANELS}
        page.close()
    rows = []
    for kind in _PANELS:
        exact = [stroke["exact"] for stroke in fast[kind]]
        # where the exact map was there first, no coarse one was needed: nobody waited for it longer
        coarse = [stroke.get("coarse", stroke["exact"]) for stroke in fast[kind]]
        rows.append(_row(f"coarse map, {kind}", coarse, exact))
        rows.append(_row(f"exact map, {kind}", exact, [slow[kind]["exact"]], errors[kind]))
    return {"name": "trace", "rows": rows}


def _row(what: str, values: list[float], baselines: list[float], error: float | None = None) -> dict[str, Any]:
    value, baseline = statistics.median(values), statistics.median(baselines)
    return {
        "what": what,
        "value": value,
        "baseline": baseline,
        "ratio": value / baseline,
        "times_faster": baseline / value,
        "unit": "ms",
        "error": error,
        "slowest": max(values),
        "strokes": len(values),
    }


def _open(page: Any, url: str) -> None:
    """The demo autoencoder with its first slice on the Trace page, warm: one selection is traced each way."""
    page.goto(url)
    page.get_by_role("button", name="Trace the demo").click(timeout=_LONG)
    page.get_by_text("Paint on the input to see").wait_for(timeout=_LONG)
    _settled(page)


def _settled(page: Any) -> None:
    page.wait_for_selector(".lightbox[data-state=ready]", timeout=_LONG)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=_LONG)


def _watch(page: Any) -> None:
    page.evaluate(_WATCH)
    for kind in _PANELS:
        _stroke(page, kind, _PLACES[-1])


def _stroke(page: Any, kind: str, place: tuple[float, float]) -> dict[str, float]:
    """Paint a fresh selection; milliseconds to the coarse map, where one was shown, and to the exact one."""
    clear = page.locator("button[data-action=clear]")
    if clear.is_enabled():
        clear.click()
    page.get_by_text("Paint on the input to see").wait_for(timeout=_LONG)
    _settled(page)
    box = page.locator(".stage > canvas").nth(_PANELS[kind]).bounding_box()
    x, y = box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 8, y, steps=4)
    page.mouse.up()
    page.wait_for_function("shown.exact > 0", timeout=_LONGER)
    _settled(page)
    found: dict[str, float] = {name: ms for name, ms in page.evaluate("shown").items() if ms}
    return found


def _choose(page: Any, label: str, option: str) -> None:
    """Set a parameter on the left; nothing is painted, so nothing is traced."""
    clear = page.locator("button[data-action=clear]")
    if clear.is_enabled():
        clear.click()
        page.get_by_text("Paint on the input to see").wait_for(timeout=_LONG)
    page.wait_for_timeout(600)  # a fold opens slowly, and a list that moves away closes
    box = page.get_by_role("combobox", name=label)
    box.scroll_into_view_if_needed()
    box.click()
    page.get_by_role("option", name=option).click()
    page.wait_for_timeout(600)
    _settled(page)


def _error(folder: Path, kind: str) -> float:
    """Largest difference between the maps of one selection by windows and by whole images."""
    store = RunStore.open(folder)
    runs = [run for run in store.of(LOCAL_OWNER).runs() if run.status == "done"]
    maps: dict[tuple[str, ...], dict[str, np.ndarray]] = {}
    for run in runs:
        asked = run.request["parameters"]
        if asked["direction"] == kind:
            values = store.of(LOCAL_OWNER).explanation(run.id).arrays["map"].values
            same = (run.request["scan"], run.request["region"], asked.get("quadrature", "uniform"))
            maps.setdefault(same, {})[asked.get("engine", "auto")] = values
    store.close()
    pairs = [found for found in maps.values() if {"auto", "batches"} <= found.keys()]
    if not pairs:
        raise LightboxError(f"No {kind} map was made both ways: nothing can be compared.")
    return max(float(np.abs(pair["auto"] - pair["batches"]).max() / np.abs(pair["batches"]).max()) for pair in pairs)
