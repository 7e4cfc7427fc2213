// The menu of measuring: its tools, and the list of what was measured.

import { element, format, icon } from "./dom.js";
import { entry } from "./menu.js";

const TOOLS = [
  ["distance", "Distance", "R"], ["angle", "Angle", "G"], ["ellipse", "Ellipse: mean and area", "T"], ["rectangle", "Rectangle: mean and area", "Q"],
];
const NAMES = { distance: "Distance", angle: "Angle", ellipse: "Ellipse", rectangle: "Rectangle" };

export function measureMenu(panel, { measuring, press, tool, length }, close) {
  for (const [name, label, key] of TOOLS) {
    entry(panel, label, key, () => {
      press(name);
      close();
    }, name === tool).dataset.action = name;
  }
  if (length === "px") element("p", "", panel, { textContent: "The file does not say how large a pixel is: lengths are pixels." });
  const { list } = measuring;
  if (list.length) element("hr", "", panel);
  list.forEach((measure, at) => line(panel, measuring, measure, at + 1));
  if (list.length || measuring.canUndo) {
    element("hr", "", panel);
    entry(panel, "Undo", "Ctrl+Z", () => measuring.undo()).disabled = !measuring.canUndo;
    entry(panel, "Delete all", "", () => measuring.clear()).disabled = !list.length;
  }
}

function line(panel, measuring, measure, number) {
  const { size, samples } = measuring.facts(measure), row = element("div", "measure", panel);
  const go = element("button", "entry", row, { type: "button", title: "Show it" });
  element("span", "", go, { textContent: `${number}  ${NAMES[measure.kind]}` });
  element("small", "", go, { textContent: size });
  go.addEventListener("click", () => measuring.goTo(measure));
  const remove = element("button", "icon", row, { type: "button", title: "Delete this measurement", ariaLabel: `Delete measurement ${number}` });
  remove.append(icon("clear"));
  remove.addEventListener("click", () => measuring.remove(measure.number));
  for (const { name, unit, count, mean, deviation, least, most } of samples) {
    const span = (most - least) || Math.abs(mean) || 1, say = (value) => format(value, span);
    element("p", "", row, {
      textContent: `${name}: ${`${say(mean)} ± ${say(deviation)} ${unit}`.trim()}, ${say(least)} to ${say(most)}, ${count} samples`,
    });
  }
}
