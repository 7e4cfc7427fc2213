// What a button or a key does, by its name.

import { KINDS } from "./marking/measures.js";
import { faster } from "./state/cine.js";
import { swap } from "./state/convention.js";

const ALWAYS = ["navigate", "level", ...Object.keys(KINDS)]; // tools that need no region

const COMMANDS = {
  undo: (viewer) => (KINDS[viewer.view.tool] || !viewer.view.paints ? viewer.measuring.undo() : viewer.view.region?.undo() && viewer.sendRegion()),
  clear: (viewer) => viewer.view.region?.clear() && viewer.sendRegion(),
  window: ({ view }) => { for (const entry of view.windows.values()) entry.now = [...entry.first]; },
  automatic: ({ windowing }) => windowing.automatic(),
  fit: ({ view }) => Object.assign(view, { zoom: 1, pan: [0, 0, 0] }),
  scale: ({ view }) => { view.oneScale = !view.oneScale; },
  flip: swap,
  full: (viewer) => viewer.toggleFull(),
  play: ({ navigation }) => navigation.cine.toggle(),
  slower: ({ view }) => { view.speed = faster(view.speed, -1); },
  faster: ({ view }) => { view.speed = faster(view.speed, 1); },
  help: ({ toolbar }) => toolbar.toggleHelp(),
  layers: ({ toolbar }) => toolbar.toggle("layers"),
  pixels: ({ view }) => { view.smooth = !view.smooth; },
  ...Object.fromEntries(["axial", "coronal", "sagittal"].map((plane) => [plane, ({ view }) => { view.large = plane; }])),
  ...Object.fromEntries(["mosaic", "ball", "insets"].map((name) => [name, ({ view }) => { view[name] = !view[name]; }])),
};

/** Whether a tool can be taken in a viewer that offers `offered`. */
export const isTool = (offered, name) => ALWAYS.includes(name) || offered.includes(name);

export function command(viewer, name) {
  if (isTool(viewer.data.tools, name)) take(viewer, name);
  else COMMANDS[name]?.(viewer);
}

function take({ measuring, view }, tool) {
  measuring.cancel();
  view.tool = tool;
  if (KINDS[tool]) view.mosaic = false; // a tile is too small to measure in
}
