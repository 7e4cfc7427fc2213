// One panel: title and readout, canvas, legend, and its loading, error and empty states.

import { Painter } from "../drawing/paint.js";
import { element, format } from "./dom.js";
import { Legend } from "./legend.js";

/** Whether a layer marks samples instead of giving them values. */
const marks = (role) => role === "mask" || role === "outline";

export class Panel {
  constructor(host, actions) {
    this.actions = actions;
    this.root = element("section", "panel", host);
    this.title = element("h3", "", this.root);
    this.title.setAttribute("aria-level", "2"); // nothing stands between the page's own title and a panel's
    this.stage = element("div", "stage", this.root);
    this.canvas = element("canvas", "", this.stage, { role: "img" });
    this.readout = element("output", "values", this.stage);
    this.veil = element("div", "veil", this.stage, { hidden: true });
    this.legend = new Legend(this.root, { press: actions.press, look: (change) => actions.look(this, change) });
    this.painter = new Painter(this.canvas);
    this.titleWidth = 0; // on one line, pixels
    this.layers = [];
    this.rects = [];
  }

  /** The grid that planes are cut from; undefined until the first layer has arrived. */
  get grid() { return this.layers[0]?.volume?.grid; }

  /** The map whose legend this panel carries (the topmost that is seen), or the image. */
  get principal() { return this.looks.stack(this).findLast((layer) => layer.facts.role === "map") ?? this.layers[0]; }

  /** How many values the readout has. */
  get values() { return this.layers.filter((layer) => !marks(layer.facts.role)).length; }

  /** The image whose window is dragged; undefined where there is none. */
  get image() { return this.layers.find((layer) => layer.facts.role === "image"); }

  setTitle(title) {
    this.canvas.ariaLabel = this.title.title = title;
    if (this.title.textContent === title) return;
    this.title.textContent = title;
    const ruler = document.createElement("canvas").getContext("2d");
    ruler.font = getComputedStyle(this.title).font;
    this.titleWidth = ruler.measureText(title).width;
  }

  buildFooter() {
    const { principal } = this;
    // one that is named in the panel beside it has no name here
    const named = this.layers.map((layer) => layer.facts).filter(({ role, name }) => marks(role) && name.trim());
    this.legend.build(principal.facts, named, principal.alone);
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

  /** Loading, failed, struck out or empty: one of them, or nothing. */
  showState({ struck, empty }) {
    const failed = this.layers.find((layer) => layer.error), waiting = this.layers.find((layer) => layer.loading);
    // a preview that is replaced keeps its picture: only what has no picture yet is announced
    const bare = waiting && (!waiting.volume || waiting === this.layers[0]);
    const percent = bare && Math.round(100 * waiting.share);
    const said = struck ? `struck ${struck}` : empty ? `empty ${empty}` : "";
    const state = failed ? `failed ${failed.error}` : bare ? `loading ${percent}` : said;
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
      const track = element("div", "progress", this.veil, { role: "progressbar", "aria-label": "The image is on its way" });
      element("div", "", track).style.width = `${percent}%`;
      element("p", "", this.veil, { textContent: "Loading the image" });
    } else if (said) {
      element("p", "", this.veil, { textContent: struck || empty });
    }
  }

  remove() { this.root.remove(); }
}
