// The keyboard: what a key does while the viewer has the focus. controls/help.js tells people.

const COMMANDS = {
  v: "navigate", h: "level", p: "pixel", b: "brush", o: "lasso", e: "erase", r: "distance", g: "angle", t: "ellipse", q: "rectangle", d: "ball", a: "axial", c: "coronal", s: "sagittal",
  w: "window", l: "automatic", 0: "fit", f: "full", ".": "play", "<": "slower", ">": "faster", m: "mosaic", x: "flip", n: "pixels", i: "insets", y: "layers", "?": "help",
};

export class Keys {
  constructor(viewer, input, signal) {
    Object.assign(this, { viewer, input });
    viewer.root.addEventListener("keydown", (event) => this.down(event), { signal });
    viewer.root.addEventListener("keyup", (event) => { if (event.key === " ") input.space = false; }, { signal });
    viewer.root.addEventListener("blur", () => { input.space = false; }, { signal });
  }

  down(event) {
    const target = event.composedPath()[0];
    if (event.key !== "Escape" && takesKey(target, event.key)) return;
    if (this.act(event, target)) {
      event.preventDefault();
      event.stopPropagation(); // Streamlit has single-key shortcuts of its own
    }
  }

  act(event, target) {
    const { viewer, input } = this, { view } = viewer, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if ((event.ctrlKey || event.metaKey) && key === "z") return viewer.press("undo") ?? true;
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (key === " ") return target === viewer.root && (input.space = true);
    if (COMMANDS[key]) return viewer.press(COMMANDS[key]) ?? true;
    if (key >= "1" && key <= "9") return viewer.windowing.choose(Number(key) - 1) ?? true;
    if (key === "Delete") return viewer.press("clear") ?? true;
    if (key === "Escape") return viewer.measuring.cancel() || (viewer.toolbar.hide() ?? true);
    if (key === "[" || key === "]") return viewer.setBrush(view.brush + (key === "]" ? 1 : -1)) ?? true;
    if (key === "+" || key === "=" || key === "-") return input.zoom(null, key === "-" ? 1 / 1.25 : 1.25) ?? true;
    return this.walk(key);
  }

  /** Arrows and page keys, in the large plane. */
  walk(key) {
    const { viewer } = this, [panel] = viewer.panels, plane = panel.rects[0]?.plane;
    if (!plane) return false;
    const moves = {
      ArrowLeft: [plane.u, -plane.uDirection], ArrowRight: [plane.u, plane.uDirection],
      ArrowUp: [plane.v, -plane.vDirection], ArrowDown: [plane.v, plane.vDirection],
    };
    if (moves[key]) viewer.navigation.step(...moves[key]);
    else if (key === "PageUp") viewer.navigation.slice(panel.grid, plane, 1);
    else if (key === "PageDown") viewer.navigation.slice(panel.grid, plane, -1);
    else return false;
    viewer.sendCrosshair();
    return true;
  }
}

/** Whether a control takes a key for itself: a slider its arrows, a list and a text everything. */
function takesKey(target, key) {
  if (target.matches("input[type=range]")) return /^(Arrow|Page|Home|End)/.test(key);
  return target.matches("select, input:not([type=checkbox])");
}
