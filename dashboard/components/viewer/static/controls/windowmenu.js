// The menu of windows: those with a name, one for the slice, and the first one.

import { element, short } from "./dom.js";
import { entry } from "./menu.js";

export function windowMenu(panel, { windowing, press }, close) {
  const { windows, current, unit } = windowing.offers();
  const then = (act) => () => {
    act();
    close();
  };
  windows.slice(0, 9).forEach(([name, low, high], at) => {
    const line = entry(panel, name, String(at + 1), then(() => windowing.choose(at)), name === current);
    const ends = `${short(low, high - low)} to ${short(high, high - low)} ${unit}`.trim();
    line.querySelector("span").after(element("small", "", null, { textContent: ends }));
  });
  entry(panel, "For this slice", "L", then(() => press("automatic")));
  entry(panel, "First window", "W", then(() => press("window")));
}
