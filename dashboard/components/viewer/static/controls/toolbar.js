// The one row of tools above the panels: icons with tooltips and keys, brush size, position readout, help.

import { COUNTS } from "../space/mosaic.js";
import { element, icon } from "./dom.js";
import { Help } from "./help.js";
import { Menu } from "./menu.js";

// name, what it is called, key
const TOOLS = [
  ["navigate", "Move the crosshair", "V"], ["level", "Window by dragging: across is width, down is level", "H"],
  ["pixel", "Mark single pixels", "P"], ["brush", "Paint a region", "B"], ["lasso", "Draw around a region", "O"], ["erase", "Erase from the region", "E"],
];
const EDITS = [["undo", "Undo the last stroke", "Ctrl+Z"], ["clear", "Clear the region", "Del"]];
const MENUS = ["measure", "windows", "layers"]; // buttons that open one
const VIEWS = [
  ["measure", "Measure: distance, angle, mean of an area", "R, G, T, Q"],
  ["windows", "Windows of grey values", "1 to 9"],
  ["layers", "Layers: what is seen, in which colours, how strongly", "Y"],
  ["fit", "Whole image (Ctrl+wheel zooms, middle button or Space drags)", "0"],
];
const VIEWS_3D = [["mosaic", "Mosaic of slices", "M"], ["flip", "Neurological: the patient's left on the left of the screen", "X"]];
const INSETS = [["insets", "Magnified insets at the region", "I"]];
const LAST = [["pixels", "True pixels instead of smoothed ones", "N"], ["full", "Whole screen", "F"], ["help", "Keys and mouse", "?"]];
const MEASURES = ["distance", "angle", "ellipse", "rectangle"];
const SWITCHES = new Set(["measure", ...TOOLS.map(([name]) => name), "mosaic", "flip", "pixels", "insets"]);

export class Toolbar {
  constructor(host, actions) {
    this.actions = actions;
    this.root = element("div", "toolbar", host, { role: "toolbar" });
    this.buttons = new Map();
    this.menus = new Map();
  }

  /** Buttons for what this viewer can do; called again only when that changes. */
  build(tools, flat, insets, length) {
    const wanted = JSON.stringify([tools, flat, insets, length]);
    if (wanted === this.built) return;
    this.built = wanted;
    this.root.replaceChildren();
    this.buttons.clear();
    this.menus.clear();
    this.brush = this.ball = null;
    const paints = tools.some((tool) => tool !== "navigate");
    this.group(TOOLS.filter(([name]) => name === "level" || tools.includes(name)));
    if (paints) this.group(EDITS);
    this.group([...VIEWS, ...(flat ? [] : VIEWS_3D), ...(insets ? INSETS : []), ...LAST]);
    this.tiles = element("select", "", this.root, { hidden: true, title: "Slices in the mosaic" });
    this.tiles.ariaLabel = "Slices in the mosaic";
    for (const count of [0, ...COUNTS]) element("option", "", this.tiles, { value: count, textContent: count ? `${count} slices` : "As many as fit" });
    this.tiles.addEventListener("change", () => this.actions.tiles(Number(this.tiles.value)));
    if (paints) this.options(flat, length);
    this.readout = element("output", "readout", this.root);
    for (const name of MENUS) {
      const menu = new Menu(this.buttons.get(name), this.root, (panel) => this.actions[name](panel, () => menu.close()));
      this.menus.set(name, menu);
    }
    this.help = new Help(this.root, paints, flat);
  }

  group(entries) {
    const group = element("div", "group", this.root);
    for (const [name, label, key] of entries) {
      const button = element("button", "", group, { type: "button", title: `${label} (${key})` });
      button.setAttribute("aria-label", label);
      button.dataset.action = name;
      button.append(icon(name));
      button.addEventListener("click", () => (MENUS.includes(name) ? this.toggle(name) : this.actions.press(name)));
      this.buttons.set(name, button);
    }
  }

  options(flat, length) {
    this.length = length;
    this.brush = element("label", "brush", this.root, { title: "Brush size ([ and ])" });
    this.size = element("input", "", this.brush, { type: "range", min: 1, max: 40, step: 1 });
    this.size.setAttribute("aria-label", `Brush size in ${length === "px" ? "pixels" : "millimetres"}`);
    this.size.addEventListener("input", () => this.actions.brush(Number(this.size.value)));
    this.diameter = element("span", "", this.brush);
    if (flat) return;
    this.ball = element("button", "text", this.brush, { type: "button", textContent: "3D" });
    this.ball.title = "Paint a ball instead of a disc (D)";
    this.ball.addEventListener("click", () => this.actions.press("ball"));
  }

  /** Show the state that the viewer is in. */
  show(view, region) {
    const { tool, mosaic, tiles, radiological, smooth, brush, ball, insets } = view;
    const shown = [tool, mosaic, tiles, radiological, smooth, brush, ball, insets, region?.strokes.length, region?.count, this.built].join();
    if (shown === this.shown) return;
    this.shown = shown;
    for (const [name, button] of this.buttons) {
      const on = name === tool || (name === "measure" && MEASURES.includes(tool)) || { mosaic, flip: !radiological, pixels: !smooth, insets }[name];
      if (SWITCHES.has(name)) button.setAttribute("aria-pressed", Boolean(on));
      if (name === "undo") button.disabled = !region?.strokes.length;
      if (name === "clear") button.disabled = !region?.count;
    }
    this.tiles.hidden = !mosaic;
    this.tiles.value = tiles;
    if (!this.brush) return;
    this.brush.hidden = !["brush", "erase"].includes(view.tool);
    this.size.value = view.brush;
    this.diameter.textContent = `${view.brush} ${this.length}`;
    this.ball?.setAttribute("aria-pressed", view.ball);
  }

  toggle(name) {
    for (const [other, menu] of this.menus) if (other !== name) menu.close();
    this.menus.get(name).toggle();
  }

  toggleHelp() { this.help.toggle(); }

  /** What an open menu lists may have changed. */
  refresh() {
    for (const menu of this.menus.values()) menu.refresh();
  }

  /** Whatever is open. */
  hide() {
    this.help?.toggle(false);
    for (const menu of this.menus.values()) menu.close();
  }
}
