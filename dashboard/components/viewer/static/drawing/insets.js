// Insets in the corners of a panel: its map alone around the region (left), and the region where it was painted (right).

import { color } from "./colormaps.js";
import { placement } from "../space/geometry.js";

const SHARE = 0.28, LEAST = 84, MOST = 200; // side of an inset: share of the large plane, bounds in pixels
const REACH = 12; // samples around the region that an inset shows at least, to either side

/** Window of the large plane around the region, in samples on the screen: { x, y, w, h }, square in millimetres. */
export function crop(plane, region, grid, position) {
  const box = region.bounds(plane.n, position);
  if (!box) return null;
  const [low, high] = box, across = grid.spacing[plane.u], down = grid.spacing[plane.v];
  const extent = Math.max((high[plane.u] - low[plane.u] + 1) * across, (high[plane.v] - low[plane.v] + 1) * down);
  const half = Math.max(REACH * Math.min(across, down), 0.8 * extent);
  const middle = (axis, count, direction) => {
    const at = (low[axis] + high[axis]) / 2;
    return (direction > 0 ? at : count - 1 - at) + 0.5;
  };
  const x = middle(plane.u, plane.nu, plane.uDirection), y = middle(plane.v, plane.nv, plane.vDirection);
  return { x: x - half / across, y: y - half / down, w: 2 * half / across, h: 2 * half / down };
}

/** Draw both insets of a panel; `scene.insets` has the scenes they are cut from: `map` and `selection`. */
export function drawInsets(painter, scene) {
  const [rect] = scene.rects, { plane } = rect, position = scene.index[plane.n];
  const { map, selection } = scene.insets, window = crop(plane, selection.region, scene.grid, position);
  if (!window) return;
  const side = Math.round(Math.min(MOST, Math.max(LEAST, SHARE * Math.min(rect.w, rect.h))));
  if (2 * side + 24 > rect.w || side + 24 > rect.h) return;
  // in the half of the plane where the region is not
  const middle = placement(rect, scene.view).y + (window.y + window.h / 2) / plane.nv * placement(rect, scene.view).h;
  const y = middle < rect.y + rect.h / 2 ? rect.y + rect.h - side - 8 : rect.y + 8;
  if (map) inset(painter, painter.slice(map, plane, position, "inset map"), window, rect.x + 8, y, side, "map");
  const picture = painter.slice(selection, plane, position, "inset selection");
  inset(painter, picture, window, rect.x + rect.w - side - 8, y, side, "painted");
}

function inset(painter, picture, window, x, y, side, name) {
  const { context } = painter, [r, g, b] = color("gray", 0.04);
  context.save();
  context.beginPath();
  context.rect(x, y, side, side);
  context.clip();
  context.fillStyle = `rgb(${r},${g},${b})`;
  context.fillRect(x, y, side, side);
  context.imageSmoothingEnabled = false;
  // beyond the picture's edge the browser draws nothing: the corner keeps its ground
  const across = side / window.w, down = side / window.h;
  context.drawImage(picture, x - window.x * across, y - window.y * down, picture.width * across, picture.height * down);
  context.restore();
  context.strokeStyle = "rgba(170,181,189,.75)";
  context.lineWidth = 1;
  context.strokeRect(Math.round(x) + 0.5, Math.round(y) + 0.5, side - 1, side - 1);
  painter.text(name, x + 5, y + side - 9, "left");
}
