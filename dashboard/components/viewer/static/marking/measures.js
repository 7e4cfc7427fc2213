// Measurements: distance, angle, and what the samples in an ellipse or rectangle are. In the scan's own lengths and units,
// from the points in the array: zoom, window and the turn of the picture change nothing. Nothing here knows the screen.

import { transform } from "../space/geometry.js";

/** Kinds of measurement, and how many points each has. */
export const KINDS = { distance: 2, angle: 3, ellipse: 2, rectangle: 2 };
export const isArea = (kind) => kind === "ellipse" || kind === "rectangle";

/** A point of a measurement in space, millimetres (pixels where the image does not say how large these are). */
function placed({ grid, plane, position }, [u, v]) {
  const index = [0, 0, 0];
  index[plane.u] = u;
  index[plane.v] = v;
  index[plane.n] = position;
  return transform(grid.affine, index);
}

const between = (a, b) => a.map((v, i) => b[i] - v);
const norm = (a) => Math.hypot(...a);
const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);
const cross = ([a, b, c], [d, e, f]) => [b * f - c * e, c * d - a * f, a * e - b * d];

/** Length of a distance (mm), size of an angle (degrees), area of an ellipse or rectangle (mm²). */
export function sizeOf(measure) {
  const [a, b, c] = measure.points.map((point) => placed(measure, point));
  if (measure.kind === "distance") return norm(between(a, b));
  if (measure.kind === "angle") {
    if (!c) return 0; // its second arm is not there yet
    const [one, other] = [between(b, a), between(b, c)], lengths = norm(one) * norm(other);
    return lengths ? Math.acos(Math.min(1, Math.max(-1, dot(one, other) / lengths))) * 180 / Math.PI : 0;
  }
  const [[u0, v0], [u1, v1]] = measure.points;
  const corner = placed(measure, [u0, v0]), across = between(corner, placed(measure, [u1, v0])), down = between(corner, placed(measure, [u0, v1]));
  return norm(cross(across, down)) * (measure.kind === "ellipse" ? Math.PI / 4 : 1);
}

/** Number, mean, standard deviation (n − 1), least and most of the samples whose middle lies in an ellipse or rectangle. */
export function samplesIn(measure, volume) {
  const { points: [[u0, v0], [u1, v1]], grid, plane, position, kind } = measure, own = volume.grid.sameAs(grid);
  const [ru, rv] = [Math.abs(u1 - u0) / 2, Math.abs(v1 - v0) / 2], [cu, cv] = [(u0 + u1) / 2, (v0 + v1) / 2], index = [0, 0, 0];
  index[plane.n] = position;
  let count = 0, mean = 0, squares = 0, least = Infinity, most = -Infinity;
  for (let v = Math.max(0, Math.ceil(cv - rv)); v <= Math.min(plane.nv - 1, Math.floor(cv + rv)); v++) {
    for (let u = Math.max(0, Math.ceil(cu - ru)); u <= Math.min(plane.nu - 1, Math.floor(cu + ru)); u++) {
      if (kind === "ellipse" && ((u - cu) / ru) ** 2 + ((v - cv) / rv) ** 2 > 1) continue;
      index[plane.u] = u;
      index[plane.v] = v;
      const value = own ? volume.at(index) : volume.atMm(grid.toMm(index));
      if (value === null) continue; // outside of what this volume covers
      const before = mean;
      mean += (value - mean) / ++count; // Welford: one pass, and exact beside a large offset
      squares += (value - before) * (value - mean);
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  return count ? { count, mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : 0, least, most } : null;
}

/** The measurements of a viewer, with undo of what was added and removed. */
export class Measures {
  constructor() {
    this.list = [];
    this.past = []; // lists before each change
    this.made = 0;
    this.version = 0;
  }

  change(list) {
    this.past.push(this.list);
    this.list = list;
    this.version++;
  }

  add(measure) { this.change([...this.list, { ...measure, number: ++this.made }]); }

  remove(number) { this.change(this.list.filter((measure) => measure.number !== number)); }

  /** Removes those of one scan. */
  clear(scan) {
    if (this.list.some((measure) => measure.scan === scan)) this.change(this.list.filter((measure) => measure.scan !== scan));
  }

  undo() {
    if (!this.past.length) return false;
    this.list = this.past.pop();
    this.version++;
    return true;
  }
}
