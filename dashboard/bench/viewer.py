"""How fast a step through slices is, and what a session that looks at a volume costs the server.

Both against the same thing done with ``st.image``: three slices of a 197×233×189 volume with an overlay.
"""

import gc
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.bench.browser import Server, chromium, serve
from dashboard.bench.viewer_app import volumes
from dashboard.components.viewer.volumes import pack

APP = Path(__file__).resolve().parent / "viewer_app" / "server.py"
STEPS = 60
SESSIONS = 10
WINDOW = {"width": 1280, "height": 860}

# In the page: the time from a key press to the first task after the frame that painted the new pixels. The message is
# posted while that frame is made and so arrives when it is done.
_WATCH = """() => {
  window.steps = []; window.frames = [];
  window.began = null;
  window.painted = () => {
    const from = began; began = null;
    if (from === null) return;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => steps.push(performance.now() - from);
    port2.postMessage(0);
  };
  document.addEventListener("keydown", (event) => { began = event.timeStamp; }, { capture: true });
}"""
_WATCH_VIEWER = """() => {
  let last = null;
  document.addEventListener("lightbox-paint", (event) => {
    const where = event.detail.crosshair.join();
    if (where === last) return;
    last = where;
    frames.push(performance.now());
    painted();
  });
}"""
_WATCH_WINDOW = """() => {
  document.addEventListener("pointermove", (event) => { began = event.timeStamp; }, { capture: true });
  document.addEventListener("lightbox-paint", () => painted());
}"""
_WATCH_IMAGES = """() => {
  const images = () => [...document.querySelectorAll("[data-testid=stImage] img")];
  let shown = images().map((image) => image.src);
  document.addEventListener("load", () => {
    const now = images();
    if (now.length !== 3 || !now.every((image, at) => image.src !== shown[at] && image.complete)) return;
    shown = now.map((image) => image.src);
    frames.push(performance.now());
    requestAnimationFrame(painted);
  }, { capture: true });
}"""
_SIXTY_STEPS = """async (count) => {
  const host = document.querySelector("[data-testid=stBidiComponentIsolated]");
  const canvas = host.shadowRoot.querySelector(".stage canvas");
  const box = canvas.getBoundingClientRect(), start = performance.now(), painted = frames.length;
  const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 3 };
  const kind = { bubbles: true, composed: true, cancelable: true };
  for (let step = 0; step < count; step++) {
    const due = start + step * 2000 / count;
    await new Promise((go) => setTimeout(go, Math.max(0, due - performance.now())));
    canvas.dispatchEvent(new WheelEvent("wheel", { ...at, ...kind, deltaY: step < count / 2 ? 100 : -100 }));
  }
  await new Promise((go) => setTimeout(go, Math.max(0, start + 2000 - performance.now())));
  return frames.length - painted;
}"""


def run() -> dict[str, Any]:
    """Measure.

    Returns
    -------
    dict
        Rows ``viewer step`` (median ms; error: largest difference between a value shown and the true one, as a share of
        the range), ``viewer windowing`` (95th percentile of a drag's moves, against the median of an image's step),
        ``dropped frames`` (of 60 steps in 2 s) and ``session memory`` (MB a session of ten).
    """
    with chromium() as browser:
        with serve(APP) as server:
            step, dropped, windowing = _viewer_steps(browser, server)
            memory = _session_memory(browser, server, "viewer")
        with serve(APP) as server:
            step_images, dropped_images = _image_steps(browser, server)
            memory_images = _session_memory(browser, server, "images")
    return {
        "name": "viewer",
        "rows": [
            _row("viewer step", step, step_images, "ms", _packing_error()),
            # an image that is made anew on the server has a new window as quickly as a new slice
            _row("viewer windowing, 95th percentile", windowing, step_images, "ms"),
            _row("dropped frames", dropped, dropped_images, "frames"),
            _row("session memory", memory, memory_images, "MB"),
        ],
    }


def _row(what: str, value: float, baseline: float, unit: str, error: float | None = None) -> dict[str, Any]:
    ratio = value / baseline if baseline else None
    return {"what": what, "value": value, "baseline": baseline, "ratio": ratio, "unit": unit, "error": error}


def _viewer_steps(browser: Any, server: Server) -> tuple[float, int, float]:
    """Median milliseconds from a key press to new pixels, how many of 60 steps in 2 s were not shown, `_windowing`."""
    page = browser.new_page(viewport=WINDOW)
    _open(page, server, "viewer")
    page.evaluate(_WATCH)
    page.evaluate(_WATCH_VIEWER)
    page.locator(".lightbox").focus()
    for step in range(STEPS + 5):
        page.keyboard.press("PageUp" if step % 40 < 20 else "PageDown")
        page.wait_for_function(f"steps.length > {step}")
    median = statistics.median(page.evaluate("steps")[5:])
    shown = page.evaluate(_SIXTY_STEPS, STEPS)
    windowing = _windowing(page)
    page.close()
    return median, max(0, STEPS - shown), windowing


def _windowing(page: Any) -> float:
    """Milliseconds from a move of a dragged window to new pixels of all planes, 95th percentile."""
    page.evaluate(_WATCH_WINDOW)
    box = page.locator(".stage > canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 4
    page.mouse.move(x, y)
    page.mouse.down(button="right")
    page.wait_for_timeout(200)
    before = page.evaluate("steps.length")
    for step in range(STEPS):
        page.mouse.move(x + step, y + step % 20)
        page.wait_for_function(f"steps.length > {before + step}")
    page.mouse.up(button="right")
    slowest: float = statistics.quantiles(page.evaluate("steps")[before:], n=20)[-1]
    return slowest


def _image_steps(browser: Any, server: Server) -> tuple[float, int]:
    """The same with a slider and three images: a step counts when all three are new."""
    page = browser.new_page(viewport=WINDOW)
    _open(page, server, "images")
    page.evaluate(_WATCH)
    page.evaluate(_WATCH_IMAGES)
    page.get_by_role("slider").first.focus()
    for step in range(20):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(f"steps.length > {step}")
        page.wait_for_timeout(150)
    median: float = statistics.median(page.evaluate("steps")[3:])
    painted, start = page.evaluate("frames.length"), time.monotonic()
    for step in range(STEPS):
        time.sleep(max(0.0, start + 2 * step / STEPS - time.monotonic()))
        page.keyboard.press("ArrowRight")
    time.sleep(max(0.0, start + 2 - time.monotonic()))
    shown = page.evaluate("frames.length") - painted
    page.close()
    return median, max(0, STEPS - shown)


def _session_memory(browser: Any, server: Server, way: str) -> float:
    """Megabytes that the server grows by for each of ten more sessions that look at the same volume."""
    import psutil

    process = psutil.Process(server.pid)
    warm = _session(browser, server, way)  # imports, packing and first-time caches are not the sessions'
    before = process.memory_info().rss
    contexts = [_session(browser, server, way) for _ in range(SESSIONS)]
    growth = process.memory_info().rss - before
    for context in (warm, *contexts):
        context.close()
    gc.collect()
    return growth / SESSIONS / 1e6


def _session(browser: Any, server: Server, way: str) -> Any:
    context = browser.new_context(viewport=WINDOW)
    _open(context.new_page(), server, way)
    return context


def _open(page: Any, server: Server, way: str) -> None:
    page.goto(f"{server.url}/?way={way}")
    if way == "viewer":
        page.wait_for_selector(".lightbox[data-state=ready]", timeout=120_000)
    else:
        page.wait_for_function("document.querySelectorAll('[data-testid=stImage] img').length === 3", timeout=120_000)
        page.wait_for_timeout(500)


def _packing_error() -> float:
    """Largest difference between a value that the viewer shows and the true one, as a share of the volume's range."""
    true = volumes.scan()
    packed, facts = pack(true)
    shown = packed.astype(np.float64) * facts["scale"] + facts["offset"]
    return float(np.abs(shown - true).max() / (facts["range"][1] - facts["range"][0]))
