// Small helpers for building elements; text always goes in as text, never as markup.

export function element(tag, classes, parent, properties = {}) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  Object.assign(made, properties);
  parent?.append(made);
  return made;
}

// 16x16 line drawings
const PATHS = {
  navigate: "M8 1v5M8 10v5M1 8h5M10 8h5",
  pixel: "M5.5 5.5h5v5h-5zM2 2h2M2 2v2M14 2h-2M14 2v2M2 14h2M2 14v-2M14 14h-2M14 14v-2",
  brush: "M13.5 2.5 7 9M7 9c-2-.8-4 .2-4 2.2 0 1.2-.6 1.9-1.5 2.3 3 .8 6.5-.2 6.8-2.300C8.4 10.1 7.8 9.3 7 9z",
  lasso: "M8 2.5c3.6 0 6.5 1.8 6.5 4s-2.9 4-6.5 4-6.5-1.8-6.5-4 2.9-4 6.5-4zM5 10.2c-1.6.9-1.4 2.3-.2 2.6 1.3.3 1.2 1.7 0 2.2",
  erase: "M6 13.5h8M2.5 10l6-6.5 4.5 4-5.8 6H5zM5.3 7l4.5 4",
  undo: "M5.5 3 2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H6",
  clear: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.8 9h6.400l.8-9M6.8 7v4M9.2 7v4",
  level: "M4 2v12M8 2v12M12 2v12M2.5 10.5h3M6.5 5h3M10.5 8.5h3",
  windows: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM8 1.5v13M8 5h5.600M8 8h6.400M8 11h5.6",
  fit: "M1.5 5.5v-4h4M10.5 1.5h4v4M14.5 10.5v4h-4M5.5 14.5h-4v-4",
  mosaic: "M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z",
  flip: "M8 1.5v13M6 4 1.5 8 6 12zM10 4l4.5 4L10 12z",
  pixels: "M1.5 14.5v-4h4v-4h4v-4h5",
  locked: "M3.500 7.5h9v6h-9zM5.500 7.500v-2.500a2.500 2.500 0 0 1 5 0v2.500",
  unlocked: "M3.500 7.5h9v6h-9zM5.500 7.500v-2.500a2.500 2.500 0 0 1 4.800-1",
  close: "M3.500 3.500l9 9M12.500 3.500l-9 9",
  layers: "M8 2 14 5.500 8 9 2 5.500zM2.500 8.500 8 11.500l5.500-3M2.500 11 8 14l5.500-3",
  up: "M8 13V3M4 7l4-4 4 4",
  down: "M8 3v10M4 9l4 4 4-4",
  measure: "M1.500 10.500 10.500 1.500l4 4-9 9zM4 8l1.500 1.500M6.500 5.500l2 2M9 3l1.500 1.500",
  play: "M5 3l8 5-8 5z",
  pause: "M5.500 3v10M10.500 3v10",
  full: "M2 6V2h4M14 10v4h-4M2 2l4.500 4.500M14 14 9.500 9.500",
  opacity: "M2.5 2.5h11v11h-11zM2.5 8.5l6-6M2.5 13.5l11-11M7.5 13.5l6-6",
  insets: "M1.5 1.5h13v13h-13zM3.5 3.500h4v4h-4zM9.500 11.500l2-2",
  help: "M5.5 6a2.5 2.5 0 1 1 3.7 2.200C8.3 8.7 8 9.2 8 10.200M8 12.800v.2",
};

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A number at the precision that a range of `span` deserves. */
export function format(value, span) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return value.toExponential(1).replace("-", "−");
  const digits = span >= 500 ? 0 : Math.max(0, Math.min(4, 2 - Math.floor(Math.log10((span || 1) / 2))));
  return value.toFixed(digits).replace("-", "−");
}

/** The same without zeros that say nothing, for the ends of a legend. */
export function short(value, span) {
  const text = Math.abs(value) < span / 1e5 ? "0" : format(value, span); // rounding beside 0 says nothing
  return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
}

/** A place in millimetres: what rounds to nothing is 0, without a sign and without an exponent. */
export function millimetres(mm) {
  return `${mm.map((v) => (Math.abs(v) < 0.05 ? "0.0" : v.toFixed(1).replace("-", "−"))).join("  ")} mm`;
}
