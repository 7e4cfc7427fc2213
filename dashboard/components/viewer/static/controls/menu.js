// A button of the toolbar that opens a small panel below it. Arrow keys go through what is in it, Escape closes it.

import { element } from "./dom.js";

export class Menu {
  /** `fill(panel)` puts in what it shows, anew at each opening and `refresh`. */
  constructor(button, host, fill) {
    Object.assign(this, { button, fill });
    button.setAttribute("aria-haspopup", "true");
    this.panel = element("div", "menu", host, { hidden: true });
    this.panel.setAttribute("role", "group");
    this.panel.ariaLabel = button.ariaLabel;
    this.panel.addEventListener("keydown", (event) => this.key(event));
    this.close();
  }

  get open() { return !this.panel.hidden; }

  toggle(open = !this.open) {
    if (!open) return this.close();
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", true);
    this.refresh();
    // below its button, and within the toolbar's width
    const wide = this.panel.offsetParent?.clientWidth ?? Infinity, { offsetLeft } = this.button;
    this.panel.style.left = `${Math.max(0, Math.min(offsetLeft, wide - this.panel.offsetWidth))}px`;
    this.stops()[0]?.focus();
  }

  refresh() {
    if (!this.open) return;
    const at = this.stops().indexOf(this.panel.getRootNode().activeElement);
    this.panel.replaceChildren();
    this.fill(this.panel);
    if (at >= 0) this.stops()[Math.min(at, this.stops().length - 1)]?.focus();
  }

  close() {
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", false);
  }

  stops() { return [...this.panel.querySelectorAll("button:not(:disabled), input, select")]; }

  key(event) {
    const stops = this.stops(), at = stops.indexOf(event.target), step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      this.close();
      this.button.focus();
    } else if (event.target.matches("select, input[type=range]")) {
      return void event.stopPropagation(); // arrows are theirs
    } else if (step && at >= 0) {
      stops[(at + step + stops.length) % stops.length].focus();
    } else if (event.key !== "Enter" && event.key !== " ") return;
    if (event.key !== "Enter" && event.key !== " ") event.preventDefault();
    event.stopPropagation(); // the viewer's own keys would move the crosshair
  }
}

/** One line of a menu: what it does, and its key. */
export function entry(host, label, key, act, pressed = null) {
  const button = element("button", "entry", host, { type: "button" });
  element("span", "", button, { textContent: label });
  if (key) element("kbd", "", button, { textContent: key });
  if (pressed !== null) button.setAttribute("aria-pressed", pressed);
  button.addEventListener("click", act);
  return button;
}
