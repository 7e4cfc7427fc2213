// What can be done by key, mouse and finger. docs/reference/viewer.md has the same, and more.

import { element, icon } from "./dom.js";

const SLICES = ["Slices", [
  ["wheel, PageUp, PageDown", "next slice"], [".", "play the slices as a film, stop it"], ["< >", "slower, faster"],
  ["click, drag", "move the crosshair"], ["arrow keys", "crosshair by one voxel"], ["A C S", "axial, coronal, sagittal large (or double click)"],
  ["M", "mosaic"], ["X", "radiological, neurological"],
]];
const GRAY = ["Grey values", [
  ["1 … 9", "windows with a name"], ["right-drag, Shift-drag", "across is width, down is level"], ["H", "the same with any button or one finger"],
  ["L", "window for this slice"], ["W", "first window"], ["Y", "layers: colours, threshold, opacity, order"],
]];
const PICTURE = ["Picture", [
  ["Ctrl+wheel, + −", "zoom"], ["middle-drag, Space-drag", "move the image"], ["two fingers", "zoom and move"], ["0", "whole image"], ["F", "whole screen"],
  ["N", "true pixels or smoothed ones"],
]];
const MEASURE = ["Measure", [
  ["R", "distance"], ["G", "angle"], ["T", "ellipse: mean and area"], ["Q", "rectangle: mean and area"], ["Escape", "drop the one in hand"],
]];
const PAINT = ["Paint", [
  ["V P B O E", "move, pixel, brush, lasso, erase"], ["[ ]", "brush size"], ["D", "brush as disc or ball"], ["Ctrl+Z, Del", "undo, clear the region"],
  ["I", "insets at the region"],
]];

export class Help {
  constructor(host, paints, flat) {
    this.root = element("div", "help", host, { hidden: true, role: "dialog", ariaLabel: "Keys, mouse and fingers" });
    const close = element("button", "icon", this.root, { type: "button", title: "Close (Escape)", ariaLabel: "Close" });
    close.append(icon("close"));
    close.addEventListener("click", () => this.toggle(false));
    for (const [title, lines] of [...(flat ? [] : [SLICES]), GRAY, PICTURE, MEASURE, ...(paints ? [PAINT] : [])]) {
      const group = element("section", "", this.root);
      element("h4", "", group, { textContent: title });
      for (const [keys, meaning] of lines) {
        element("kbd", "", group, { textContent: keys });
        element("span", "", group, { textContent: meaning });
      }
    }
  }

  toggle(open = this.root.hidden) { this.root.hidden = !open; }
}
