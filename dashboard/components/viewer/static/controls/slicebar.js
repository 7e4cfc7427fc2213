// The bar below the tools: which slice of the large plane is seen, a slider through them, and the film of them.

import { SPEEDS } from "../state/cine.js";
import { element, icon } from "./dom.js";

export class SliceBar {
  /** `actions`: press(name), slice(position), speed(slices a second), settled(). */
  constructor(host, actions) {
    this.root = element("div", "slices", host, { hidden: true });
    this.play = element("button", "", this.root, { type: "button" });
    this.play.dataset.action = "play";
    this.play.addEventListener("click", () => actions.press("play"));
    this.slider = element("input", "slice", this.root, { type: "range", min: 1, step: 1 });
    this.slider.addEventListener("input", () => actions.slice(Number(this.slider.value) - 1));
    this.slider.addEventListener("change", () => actions.settled());
    this.place = element("output", "", this.root);
    this.speed = element("select", "", this.root, { title: "Slices a second (< and >)" });
    this.speed.ariaLabel = "Slices a second";
    for (const speed of SPEEDS) element("option", "", this.speed, { value: speed, textContent: `${speed}/s` });
    this.speed.addEventListener("change", () => actions.speed(Number(this.speed.value)));
  }

  /** Show slice `position` of `count`; of an image there is nothing to go through. */
  show(plane, position, count, running, speed) {
    this.root.hidden = count < 2;
    const shown = [plane, position, count, running, speed].join();
    if (shown === this.shown) return;
    this.shown = shown;
    this.slider.max = count;
    this.slider.value = position + 1;
    this.slider.ariaLabel = `Slice, ${plane}`;
    this.slider.ariaValueText = this.place.textContent = `${plane} ${position + 1} of ${count}`;
    this.slider.title = "Slice of the large plane (wheel, PageUp, PageDown)";
    this.speed.value = speed;
    if (running === this.running) return;
    this.running = running;
    this.play.replaceChildren(icon(running ? "pause" : "play"));
    this.play.ariaLabel = running ? "Stop the film" : "Play the slices as a film";
    this.play.title = `${this.play.ariaLabel} (.)`;
    this.play.setAttribute("aria-pressed", running);
  }
}
