// How a viewer was left by the person, so that a page change or a remount finds it again.

const kept = new Map(); // component id → view

/** The view of a component: the one it was left with, or a fresh one from what Python says at first. */
export function viewOf({ id, plane, tool, brush, oneScale }) {
  if (!kept.has(id)) {
    kept.set(id, {
      mm: null, zoom: 1, pan: [0, 0, 0], large: plane, radiological: true, smooth: true, mosaic: false, oneScale,
      tool, brush, ball: false, insets: true, windows: new Map(), looks: new Map(), region: null, sent: { oneScale },
    });
  }
  return kept.get(id);
}
