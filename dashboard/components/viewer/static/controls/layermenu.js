// The list of layers: of each panel what lies over what, whether it is seen, in which colours, from where on, and how strongly.

import { COLORS } from "../drawing/colormaps.js";
import { floor } from "../drawing/slices.js";
import { element, format, icon } from "./dom.js";

const ROLES = { image: "image", map: "map", mask: "marked", outline: "outline" };

/** `actions`: look(layer, change), move(panel, layer, +1 up or -1 down). */
export function layerMenu(host, { panels, looks, look, move }) {
  for (const panel of panels) {
    element("h4", "", host, { textContent: panel.data.title });
    const order = looks.order(panel);
    for (const layer of order.toReversed()) line(host, panel, layer, order, { looks, look, move });
  }
}

function line(host, panel, layer, order, { looks, look, move }) {
  const { facts } = layer, now = looks.of(layer), name = facts.name.trim() || ROLES[facts.role];
  const row = element("div", "layer", host), label = element("label", "", row, { title: now.visible ? "Hide it" : "Show it" });
  const seen = element("input", "", label, { type: "checkbox", checked: now.visible });
  element("span", "", label, { textContent: name });
  seen.addEventListener("change", () => look(layer, { visible: seen.checked }));
  const shift = element("span", "shift", row);
  for (const [way, words] of [[1, "up"], [-1, "down"]]) {
    const button = element("button", "icon", shift, { type: "button", title: `Move it ${words}`, ariaLabel: `Move ${name} ${words}` });
    button.append(icon(words));
    const at = order.indexOf(layer);
    button.disabled = at === 0 || at + way < 1 || at + way >= order.length; // the first layer stays below: it gives the planes
    button.addEventListener("click", () => move(panel, layer, way));
  }
  const sliders = element("div", "sliders", row);
  if (facts.role === "map") {
    const colors = element("select", "", sliders, { title: "Colours", ariaLabel: `Colours of ${name}` });
    const choices = facts.centreZero ? COLORS.signed : COLORS.rising;
    for (const one of new Set([facts.colormap, ...choices])) element("option", "", colors, { value: one, textContent: one });
    colors.value = now.colormap;
    colors.addEventListener("change", () => look(layer, { colormap: colors.value }));
    const [low, high] = now.range, least = facts.centreZero ? 0 : low;
    slider(sliders, "from", `Threshold of ${name}`, [least, high, "any"], floor(facts, now), (value) => format(value, high - low),
      (threshold) => look(layer, { threshold }));
  }
  if (facts.role === "map" || facts.role === "mask") {
    slider(sliders, "opacity", `Opacity of ${name}`, [0, 1, 0.02], now.opacity, (value) => `${Math.round(100 * value)}%`,
      (opacity) => look(layer, { opacity }));
  }
}

function slider(host, word, name, [min, max, step], value, say, change) {
  const label = element("label", "", host, { title: name });
  element("small", "", label, { textContent: word });
  const input = element("input", "", label, { type: "range", min, max, step, value, ariaLabel: name });
  const shown = element("small", "", label, { textContent: say(value) });
  input.addEventListener("input", () => {
    shown.textContent = say(Number(input.value));
    change(Number(input.value));
  });
}
