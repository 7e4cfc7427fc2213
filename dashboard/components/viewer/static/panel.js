// One panel: title and readout, canvas, legend with threshold and opacity, and its loading, error and empty states.

import { color } from "./colormaps.js";
import { element, format, icon, short } from "./dom.js";
import { Painter } from "./paint.js";
import { floor } from "./slices.js";

/** Whether a layer marks samples instead of giving them values. */
const marks = (role) => role === "mask" || role === "outline";

export class Panel {
  constructor(host, actions) {
    this.actions = actions;
    this.root = element("section", "panel", host);
    this.title = element("h3", "", this.root);
    this.stage = element("div", "stage", this.root);
    this.canvas = element("canvas", "", this.stage, { role: "img" });
    this.readout = element("output", "values", this.stage);
    this.veil = element("div", "veil", this.stage, { hidden: true });
    this.footer = element("footer", "", this.root);
    this.painter = new Painter(this.canvas);
    this.titleWidth = 0; // on one line, pixels
    this.layers = [];
    this.rects = [];
  }

  /** The grid that planes are cut from; undefined until the first layer has arrived. */
  get grid() { return this.layers[0]?.volume?.grid; }

  /** The map whose legend this panel carries (the topmost), or the image. */
  get principal() { return this.layers.findLast((layer) => layer.facts.role === "map") ?? this.layers[0]; }

  setTitle(title) {
    this.canvas.ariaLabel = this.title.title = title;
    if (this.title.textContent === title) return;
    this.title.textContent = title;
    const ruler = document.createElement("canvas").getContext("2d");
    ruler.font = getComputedStyle(this.title).font;
    this.titleWidth = ruler.measureText(title).width;
  }

  buildFooter() {
    const { facts } = this.principal;
    // one that is named in the panel beside it has no name here
    const masks = this.layers.map((layer) => layer.facts).filter(({ role, name }) => marks(role) && name.trim());
    const chips = masks.flatMap((mask) => [mask.name, mask.color]);
    const wanted = [facts.role, facts.colormap, facts.unit, facts.name, ...chips].join("|");
    if (wanted === this.footerFor) return;
    this.footerFor = wanted;
    this.footer.replaceChildren();
    this.low = element("span", "number", this.footer);
    const bar = element("div", "bar", this.footer);
    this.ramp = element("canvas", "", bar, { width: 128, height: 1 });
    this.high = element("span", "number", this.footer);
    this.unit = element("span", "unit", this.footer, { textContent: facts.unit, title: facts.unit });
    for (const mask of masks) {
      const chip = element("span", "chip", this.footer, { textContent: mask.name, title: mask.name });
      chip.style.setProperty("--chip", mask.color);
    }
    this.threshold = this.opacity = null;
    if (facts.role !== "map") return;
    this.threshold = element("input", "threshold", bar, { type: "range", step: "any" });
    this.threshold.setAttribute("aria-label", `Threshold of ${facts.name}`);
    this.threshold.addEventListener("input", () => this.actions.threshold(this, Number(this.threshold.value)));
    const label = element("label", "opacity", this.footer, { title: "Opacity of the map" });
    label.append(icon("opacity"));
    this.opacity = element("input", "", label, { type: "range", min: 0, max: 1, step: 0.02 });
    this.opacity.setAttribute("aria-label", `Opacity of ${facts.name}`);
    this.opacity.addEventListener("input", () => this.actions.opacity(this, Number(this.opacity.value)));
  }

  /** Numbers and colours of the legend under the current window, threshold and opacity. */
  showFooter(look) {
    const { facts } = this.principal;
    const [low, high] = facts.role === "map" ? facts.range : look.window, span = high - low;
    const shown = [low, high, look.threshold, look.opacity, this.footerFor, this.principal.volume?.digest].join();
    if (shown === this.footerShown) return;
    this.footerShown = shown;
    this.low.textContent = short(low, span);
    this.high.textContent = short(high, span);
    this.showClipping(low, high, span);
    const context = this.ramp.getContext("2d"), least = facts.role === "map" ? floor(facts, look) : -Infinity;
    for (let x = 0; x < 128; x++) {
      const value = low + (x + 0.5) / 128 * span, hidden = (facts.centreZero ? Math.abs(value) : value) <= least;
      const [r, g, b] = color(facts.role === "map" ? facts.colormap : "gray", (value - low) / span);
      context.fillStyle = hidden ? "#1a2229" : `rgb(${r},${g},${b})`;
      context.fillRect(x, 0, 1, 1);
    }
    if (!this.threshold) return;
    Object.assign(this.threshold, { min: low, max: high, value: least });
    this.threshold.title = `Drawn above ${format(least, span)} ${facts.unit}: drag to change`;
    this.opacity.value = look.opacity;
  }

  /** Ends of the legend that values lie beyond have a mark, and say how many and how far. */
  showClipping(low, high, span) {
    const { volume, facts } = this.principal;
    if (!volume) return;
    const { below, above, least, most } = volume.beyond(low, high), extent = facts.extent ?? [least, most];
    const words = (share) => (share < 0.001 ? "<0.1%" : `${(100 * share).toFixed(1)}%`);
    const end = (node, mark, clipped, share, direction, reach) => {
      node.title = clipped ? `${words(share)} of the samples lie beyond, ${direction} to ${short(reach, span)}` : "";
      // of an image a few samples beyond the window are the rule: how many stands in the title
      if (clipped) node.textContent = `${mark} ${node.textContent}${facts.role === "map" ? ` (${words(share)})` : ""}`;
    };
    end(this.low, "≤", extent[0] < low - span / 200, below, "down", extent[0]);
    end(this.high, "≥", extent[1] > high + span / 200, above, "up", extent[1]);
  }

  /** Values of every layer at a point; `mm` null empties the readout. */
  showValues(mm) {
    if (!mm || !this.grid) return void (this.readout.textContent = "");
    const parts = this.layers.filter((layer) => layer.volume && !marks(layer.facts.role)).map(({ facts, volume }) => {
      const span = facts.role === "map" ? facts.range[1] - facts.range[0] : facts.window[1] - facts.window[0];
      return `${facts.name} ${format(volume.atMm(mm), span)}`.trim();
    });
    const lines = parts.map((part) => element("span", "", null, { textContent: part }));
    this.readout.replaceChildren(...lines.flatMap((line, at) => (at ? ["\n", line] : [line]))); // the break is for who copies it
    this.leaveRoom(Math.max(...parts.map((part) => part.length), 0));
  }

  /** The title ends where the values beside it begin; in steps, so that a digit more does not move it. */
  leaveRoom(letters) {
    const room = `${Math.ceil(letters / 4) * 4 * 6.7 + 16}px`;
    if (room !== this.room) this.title.style.paddingRight = this.room = room;
  }

  /** Loading, failed or empty: one of them, or nothing. */
  showState(empty) {
    const failed = this.layers.find((layer) => layer.error), waiting = this.layers.find((layer) => layer.loading);
    // a preview that is replaced keeps its picture: only what has no picture yet is announced
    const bare = waiting && (!waiting.volume || waiting === this.layers[0]);
    const percent = bare && Math.round(100 * waiting.share);
    const state = failed ? `failed ${failed.error}` : bare ? `loading ${percent}` : empty ? `empty ${empty}` : "";
    if (state === this.state) return;
    this.state = state;
    this.veil.hidden = !state;
    this.veil.className = `veil ${state.split(" ")[0]}`;
    this.veil.replaceChildren();
    if (failed) {
      element("p", "", this.veil, { textContent: failed.error });
      const retry = element("button", "text", this.veil, { type: "button", textContent: "Try again" });
      retry.addEventListener("click", () => this.actions.retry(this));
    } else if (bare) {
      const track = element("div", "progress", this.veil, { role: "progressbar" });
      element("div", "", track).style.width = `${percent}%`;
      element("p", "", this.veil, { textContent: "Loading the image" });
    } else if (empty) {
      element("p", "", this.veil, { textContent: empty });
    }
  }

  remove() { this.root.remove(); }
}
