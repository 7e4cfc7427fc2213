// How a viewer was left by the person, so that a page change or a remount finds it again.

import { Measures } from "../marking/measures.js";
import { isRadiological } from "./convention.js";

const kept = new Map(); // component id → view

/** The view of a component: the one it was left with, or a fresh one from what Python says at first. */
export function viewOf({ id, plane, tool, brush, oneScale }) {
  if (!kept.has(id)) {
    kept.set(id, {
      get radiological() { return isRadiological(); },
      mm: null, zoom: 1, pan: [0, 0, 0], large: plane, smooth: true, mosaic: false, tiles: 0, speed: 10, oneScale,
      tool, brush, ball: false, insets: true, measures: new Measures(), windows: new Map(), looks: new Map(), orders: new Map(), region: null, sent: { oneScale, plane },
    });
  }
  return kept.get(id);
}
