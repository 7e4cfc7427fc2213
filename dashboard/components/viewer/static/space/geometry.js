// Space: affines, which array axis runs along which axis of the body, and the rectangles planes are drawn into.

const LETTERS = [["L", "R"], ["P", "A"], ["I", "S"]]; // [towards minus, towards plus] along x, y, z of RAS+
export const PLANES = ["axial", "coronal", "sagittal"];
const ALONG = { axial: [0, 1, 2], coronal: [0, 2, 1], sagittal: [1, 2, 0] }; // world axes: across, up, through

/** 4x4 rows → inverse, rows. The affine is never singular for a volume that was read right. */
export function invert(a) {
  const m = a.map((row) => [...row]);
  const inverse = m.map((_, i) => m.map((__, j) => (i === j ? 1 : 0)));
  for (let c = 0; c < 4; c++) {
    let pivot = c;
    for (let r = c + 1; r < 4; r++) if (Math.abs(m[r][c]) > Math.abs(m[pivot][c])) pivot = r;
    if (Math.abs(m[pivot][c]) < 1e-12) throw new Error("This image has no usable geometry (its affine is singular).");
    [m[c], m[pivot]] = [m[pivot], m[c]];
    [inverse[c], inverse[pivot]] = [inverse[pivot], inverse[c]];
    const by = m[c][c];
    for (let j = 0; j < 4; j++) { m[c][j] /= by; inverse[c][j] /= by; }
    for (let r = 0; r < 4; r++) {
      const f = m[r][c];
      if (r === c || f === 0) continue;
      for (let j = 0; j < 4; j++) { m[r][j] -= f * m[c][j]; inverse[r][j] -= f * inverse[c][j]; }
    }
  }
  return inverse;
}

export function multiply(a, b) {
  return a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
}

/** Affine applied to a point of three numbers. */
export function transform(a, p) {
  return [0, 1, 2].map((r) => a[r][0] * p[0] + a[r][1] * p[1] + a[r][2] * p[2] + a[r][3]);
}

/** Sampling grid of one volume, with the axes of the body it runs along. */
export class Grid {
  constructor(shape, affine) {
    this.flat = shape.length === 2;
    this.shape = this.flat ? [shape[0], shape[1], 1] : shape;
    this.affine = affine;
    this.inverse = invert(affine);
    this.spacing = [0, 1, 2].map((c) => Math.hypot(affine[0][c], affine[1][c], affine[2][c]) || 1);
    this.strides = [1, this.shape[0], this.shape[0] * this.shape[1]];
    const cosine = (world, axis) => affine[world][axis] / this.spacing[axis];
    const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    const fit = (order) => order.reduce((sum, axis, world) => sum + Math.abs(cosine(world, axis)), 0);
    this.axes = orders.reduce((best, order) => (fit(order) > fit(best) + 1e-9 ? order : best)); // world axis → array axis
    this.signs = this.axes.map((axis, world) => (cosine(world, axis) < 0 ? -1 : 1));
  }

  sameAs(other) {
    return this.shape.every((n, i) => n === other.shape[i]) &&
      this.affine.every((row, r) => row.every((v, c) => Math.abs(v - other.affine[r][c]) < 1e-3));
  }

  toIndex(mm) {
    return transform(this.inverse, mm).map((v, i) => Math.min(this.shape[i] - 1, Math.max(0, Math.round(v))));
  }

  toMm(index) { return transform(this.affine, index); }

  /** Whether a point lies in the field of view. */
  holds(mm) { return this.contains(transform(this.inverse, mm).map(Math.round)); }

  contains(index) { return index.every((v, i) => v >= 0 && v < this.shape[i]); }

  get centre() { return this.toMm(this.shape.map((n) => Math.floor((n - 1) / 2))); }

  offset(index) { return index[0] + index[1] * this.strides[1] + index[2] * this.strides[2]; }

  /** Letters at the ends of an array axis: [towards low index, towards high index]. */
  letters(axis) {
    const world = this.axes.indexOf(axis);
    return this.signs[world] > 0 ? LETTERS[world] : [...LETTERS[world]].reverse();
  }

  /** How a plane of this grid lies on the screen: array axes across (u), down (v) and through (n), with directions. */
  plane(name, radiological) {
    if (this.flat) return this.describe(name, 1, 0, 2, 1, 1, 0, 1);
    const [across, up, through] = ALONG[name];
    // Radiological: the patient's right, and in sagittal planes the face, is on the left of the screen.
    const right = radiological ? -1 : 1;
    const u = this.axes[across], v = this.axes[up], n = this.axes[through];
    return this.describe(name, u, v, n, right * this.signs[across], -this.signs[up], across, up);
  }

  describe(name, u, v, n, uDirection, vDirection, across, up) {
    const ends = (axis, direction) => (direction > 0 ? this.letters(axis) : [...this.letters(axis)].reverse());
    const [left, right] = ends(u, uDirection), [top, bottom] = ends(v, vDirection);
    const nu = this.shape[u], nv = this.shape[v];
    return {
      name, u, v, n, uDirection, vDirection, across, up, nu, nv, left, right, top, bottom,
      width: nu * this.spacing[u], height: nv * this.spacing[v], // millimetres
      rightward: uDirection * (this.flat ? 1 : this.signs[across]), // of +1 mm along the body axis, on the screen
      downward: vDirection * (this.flat ? 1 : this.signs[up]),
    };
  }
}

/** Rectangles of the planes of one panel, the large one first, chosen so that the large one is as large as it gets. */
export function layout(grid, large, width, height, radiological) {
  const gap = 2;
  if (grid.flat) return [{ plane: grid.plane("image", radiological), x: 0, y: 0, w: width, h: height }];
  const planes = [large, ...PLANES.filter((name) => name !== large)].map((name) => grid.plane(name, radiological));
  const [main, first, second] = planes;
  const scale = (plane, w, h) => Math.min(w / plane.width, h / plane.height);
  const beside = Math.max(first.height, second.height) * (width - gap) / (first.width + second.width);
  const stacked = Math.max(first.width, second.width) * (height - gap) / (first.height + second.height);
  const low = Math.round(Math.min(0.34 * height, beside)), narrow = Math.round(Math.min(0.4 * width, stacked));
  if (scale(main, width, height - low - gap) >= scale(main, width - narrow - gap, height)) {
    const split = Math.round((width - gap) * first.width / (first.width + second.width));
    const y = height - low;
    return [
      { plane: main, x: 0, y: 0, w: width, h: y - gap },
      { plane: first, x: 0, y, w: split, h: low },
      { plane: second, x: split + gap, y, w: width - split - gap, h: low },
    ];
  }
  const split = Math.round((height - gap) * first.height / (first.height + second.height));
  const x = width - narrow;
  return [
    { plane: main, x: 0, y: 0, w: x - gap, h: height },
    { plane: first, x, y: 0, w: narrow, h: split },
    { plane: second, x, y: split + gap, w: narrow, h: height - split - gap },
  ];
}

/** Pixels per millimetre and position of a plane in its rectangle under the shared zoom and pan. */
export function placement(rect, view) {
  const { plane } = rect;
  const scale = Math.min(rect.w / plane.width, rect.h / plane.height) * view.zoom;
  const w = plane.width * scale, h = plane.height * scale;
  const x = rect.x + (rect.w - w) / 2 + view.pan[plane.across] * plane.rightward * scale;
  const y = rect.y + (rect.h - h) / 2 + view.pan[plane.up] * plane.downward * scale;
  return { scale, x, y, w, h };
}

/** Continuous array position (u, v) under a point of the panel. */
export function unproject(rect, view, px, py) {
  const { plane } = rect, place = placement(rect, view);
  const across = (px - place.x) / place.w * plane.nu, down = (py - place.y) / place.h * plane.nv;
  return [
    (plane.uDirection > 0 ? across : plane.nu - across) - 0.5,
    (plane.vDirection > 0 ? down : plane.nv - down) - 0.5,
  ];
}

/** Point of the panel at the middle of array position (u, v). */
export function project(rect, view, u, v) {
  const { plane } = rect, place = placement(rect, view);
  const across = plane.uDirection > 0 ? u + 0.5 : plane.nu - u - 0.5;
  const down = plane.vDirection > 0 ? v + 0.5 : plane.nv - v - 0.5;
  return [place.x + across / plane.nu * place.w, place.y + down / plane.nv * place.h];
}
