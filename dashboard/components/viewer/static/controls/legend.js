// The legend of a panel: colours with their ends and unit, what lies beyond them, threshold, opacity, and the lock of scales.

import { color } from "../drawing/colormaps.js";
import { floor } from "../drawing/slices.js";
import { nameOf } from "../state/windows.js";
import { element, format, icon, short } from "./dom.js";

const STEPS = 128; // colours of the bar

/** A share in words: "0.4%", never 0 of something that is there. */
export const share = (part) => (part < 0.001 ? "<0.1%" : `${(100 * part).toFixed(part < 0.1 ? 1 : 0)}%`);

/** What lies beyond the ends of a legend: { below, above } with `share` and `to`, or null where nothing does. */
export function beyond([low, high], extent, volume) {
  const slack = (high - low) / 200, found = volume?.beyond(low, high);
  return {
    below: found && extent[0] < low - slack ? { share: found.below, to: extent[0] } : null,
    above: found && extent[1] > high + slack ? { share: found.above, to: extent[1] } : null,
  };
}

export class Legend {
  constructor(host, actions) {
    this.actions = actions;
    this.root = element("footer", "", host);
  }

  /** Elements for what this legend is of; called again only when that changes. */
  build(facts, marks, alone) {
    const chips = marks.flatMap((mark) => [mark.name, mark.color]);
    const wanted = [facts.role, facts.colormap, facts.unit, facts.name, alone, ...chips].join("|");
    if (wanted === this.built) return;
    this.built = wanted;
    this.root.replaceChildren();
    this.painted = "";
    this.low = element("span", "number", this.root);
    this.bar = element("div", "bar", this.root);
    element("i", "low", this.bar);
    const ramp = element("div", "ramp", this.bar);
    this.ramp = element("canvas", "", ramp, { width: STEPS, height: 1 }).getContext("2d");
    element("i", "high", this.bar);
    this.high = element("span", "number", this.root);
    this.threshold = this.opacity = this.lock = null;
    if (facts.role === "map") this.sliders(facts, ramp);
    const under = element("div", "under", this.root);
    this.unit = element("span", "unit", under);
    this.clipped = element("span", "clipped", under);
    for (const mark of marks) {
      const chip = element("span", "chip", under, { textContent: mark.name, title: mark.name });
      chip.style.setProperty("--chip", mark.color);
    }
    if (facts.role !== "map" || alone) return;
    this.lock = element("button", "lock", under, { type: "button" });
    this.lock.dataset.action = "scale";
    this.lock.addEventListener("click", () => this.actions.press("scale"));
  }

  sliders(facts, ramp) {
    this.threshold = element("input", "threshold", ramp, { type: "range", step: "any" });
    this.threshold.setAttribute("aria-label", `Threshold of ${facts.name}`);
    this.threshold.addEventListener("input", () => this.actions.look({ threshold: Number(this.threshold.value) }));
    const label = element("label", "opacity", this.root, { title: "Opacity of the map" });
    label.append(icon("opacity"));
    this.opacity = element("input", "", label, { type: "range", min: 0, max: 1, step: 0.02 });
    this.opacity.setAttribute("aria-label", `Opacity of ${facts.name}`);
    this.opacity.addEventListener("input", () => this.actions.look({ opacity: Number(this.opacity.value) }));
  }

  /** Numbers and colours under the current window or scale, threshold and opacity. */
  show({ facts, volume }, look, locked) {
    const map = facts.role === "map", [low, high] = map ? look.range : look.window, span = high - low;
    const shown = [low, high, look.threshold, look.opacity, look.colormap, locked, this.built, volume?.digest].join();
    if (shown === this.shown) return;
    this.shown = shown;
    this.low.textContent = short(low, span);
    this.high.textContent = short(high, span);
    const least = map ? floor(facts, look) : -Infinity, table = map ? look.colormap : "gray";
    this.paint(table, low, span, (value) => (facts.centreZero ? Math.abs(value) : value) <= least);
    this.showClipping({ facts, volume }, table, [low, high]);
    const window = map ? "" : nameOf(look.window, facts.presets);
    this.unit.textContent = this.unit.title = [facts.unit, window && `${window} window`].filter(Boolean).join(" · ");
    if (this.lock) {
      this.lock.replaceChildren(icon(locked ? "locked" : "unlocked"), locked ? "Scales locked" : "Own scale");
      this.lock.setAttribute("aria-pressed", locked);
      this.lock.ariaLabel = locked ? "Scales locked" : "Own scale";
      this.lock.title = locked ? "All maps of this unit have one scale: press for each its own"
        : "This map has a scale of its own: press for one scale for all maps of this unit";
    }
    if (!this.threshold) return;
    Object.assign(this.threshold, { min: low, max: high, value: least });
    this.threshold.title = `Drawn above ${format(least, span)} ${facts.unit}: drag to change`;
    this.opacity.value = look.opacity;
  }

  /** Colours of the bar; those of a window that is dragged stay as they are. */
  paint(name, low, span, hidden) {
    const shades = Array.from({ length: STEPS }, (_, x) => hidden(low + (x + 0.5) / STEPS * span));
    const key = [name, ...shades.map(Number)].join("");
    if (key === this.painted) return;
    this.painted = key;
    for (let x = 0; x < STEPS; x++) {
      const [r, g, b] = color(name, (x + 0.5) / STEPS);
      this.ramp.fillStyle = shades[x] ? "#1a2229" : `rgb(${r},${g},${b})`;
      this.ramp.fillRect(x, 0, 1, 1);
    }
  }

  /** Ends that values lie beyond have an arrow; how many there are stands below, how far they go in the tooltip. */
  showClipping({ facts, volume }, table, [low, high]) {
    const span = high - low, { below, above } = beyond([low, high], facts.extent ?? [low, high], volume);
    for (const [name, end, at] of [["below", below, 0], ["above", above, 1]]) {
      this.bar.classList.toggle(name, Boolean(end));
      this.bar.style.setProperty(`--${name}`, `rgb(${color(table, at)})`);
    }
    this.clipped.textContent = [below && `${share(below.share)} below`, above && `${share(above.share)} above`].filter(Boolean).join(", ");
    const unit = facts.unit ? ` ${facts.unit}` : "", lines = [`Colours: ${table}, from ${short(low, span)} to ${short(high, span)}${unit}`];
    if (below) lines.push(`${share(below.share)} of the samples lie below, down to ${short(below.to, span)}`);
    if (above) lines.push(`${share(above.share)} of the samples lie above, up to ${short(above.to, span)}`);
    this.bar.title = this.clipped.title = lines.join("\n");
  }
}
