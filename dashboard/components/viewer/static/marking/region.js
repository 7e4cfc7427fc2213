// The region a person paints: one byte a sample of the first layer's grid, with undo, and run lengths for the way to Python.
// It lies on one surface (input, output …): painting on another one starts a new region.

const HISTORY = 50; // strokes that can be undone

export class Region {
  constructor(grid) {
    this.grid = grid;
    this.surface = "";
    this.marked = new Uint8Array(grid.shape[0] * grid.shape[1] * grid.shape[2]);
    this.count = 0;
    this.version = 0;
    this.strokes = []; // each: the samples it flipped, in order, and the surface before it
    this.current = null;
  }

  begin(surface = this.surface) {
    this.current = { samples: [], surface: this.surface };
    if (surface !== this.surface) this.empty();
    this.surface = surface;
  }

  set(at, value) {
    if (this.marked[at] === value) return;
    this.current?.samples.push(at);
    this.marked[at] = value;
    this.count += value ? 1 : -1;
    this.version++;
  }

  /** Ends a stroke; true when it changed anything. */
  end() {
    const stroke = this.current;
    this.current = null;
    if (!stroke) return false;
    const lost = !this.count && stroke.surface !== this.surface; // it hit nothing on a new surface: the old region stays
    if (lost) this.revert(stroke);
    if (lost || !stroke.samples.length) return false;
    this.strokes.push(stroke);
    if (this.strokes.length > HISTORY) this.strokes.shift();
    return true;
  }

  undo() {
    const stroke = this.strokes.pop();
    if (!stroke) return false;
    this.revert(stroke);
    return true;
  }

  revert({ samples, surface }) {
    for (const at of samples.toReversed()) this.set(at, 1 - this.marked[at]);
    this.surface = surface;
    this.version++;
  }

  clear() {
    if (!this.count) return false;
    this.begin();
    this.empty();
    return this.end();
  }

  empty() {
    for (let at = this.marked.indexOf(1); at >= 0; at = this.marked.indexOf(1, at)) this.set(at, 0);
  }

  /** Smallest and largest index along each axis: of what is marked in slice `position` along `axis`, else of everything. */
  bounds(axis, position) {
    const wanted = `${this.version} ${axis} ${position}`;
    if (this.boundsFor === wanted) return this.known;
    const { shape, strides } = this.grid, boxes = [0, 1].map(() => [[...shape], [-1, -1, -1]]);
    for (let at = this.marked.indexOf(1); at >= 0; at = this.marked.indexOf(1, at + 1)) {
      const index = [at % shape[0], Math.floor(at / strides[1]) % shape[1], Math.floor(at / strides[2])];
      for (const [low, high] of index[axis] === position ? boxes : boxes.slice(1)) {
        index.forEach((n, a) => {
          low[a] = Math.min(low[a], n);
          high[a] = Math.max(high[a], n);
        });
      }
    }
    this.boundsFor = wanted;
    return (this.known = boxes.find(([, high]) => high[0] >= 0) ?? null);
  }

  /** Mark or erase a disc in a plane, or a ball, of a diameter in millimetres around array index `centre`. */
  dab(centre, diameter, plane, ball, value) {
    const { shape, spacing } = this.grid, radius = diameter / 2;
    const reach = spacing.map((mm, axis) => (axis === plane.n && !ball ? 0 : Math.floor(radius / mm + 1e-6)));
    const span = [0, 1, 2].map((a) => [Math.max(0, centre[a] - reach[a]), Math.min(shape[a] - 1, centre[a] + reach[a])]);
    for (let k = span[2][0]; k <= span[2][1]; k++) {
      for (let j = span[1][0]; j <= span[1][1]; j++) {
        for (let i = span[0][0]; i <= span[0][1]; i++) {
          const x = (i - centre[0]) * spacing[0], y = (j - centre[1]) * spacing[1], z = (k - centre[2]) * spacing[2];
          if (x * x + y * y + z * z <= radius * radius + 1e-6) this.set(this.grid.offset([i, j, k]), value);
        }
      }
    }
  }

  /** Dabs along the way between two indices, so that a quick stroke has no gaps. */
  stroke(from, to, diameter, plane, ball, value) {
    const count = Math.max(1, ...from.map((v, a) => Math.abs(to[a] - v)));
    for (let s = 0; s <= count; s++) {
      this.dab(from.map((v, a) => Math.round(v + (to[a] - v) * s / count)), diameter, plane, ball, value);
    }
  }

  /** Mark every sample of a plane whose middle lies inside a polygon of (u, v) array positions (even-odd rule). */
  lasso(points, plane, position) {
    const index = [0, 0, 0];
    index[plane.n] = position;
    const low = Math.max(0, Math.floor(Math.min(...points.map((p) => p[1]))));
    const high = Math.min(plane.nv - 1, Math.ceil(Math.max(...points.map((p) => p[1]))));
    for (let v = low; v <= high; v++) {
      const crossings = [];
      for (let a = 0, b = points.length - 1; a < points.length; b = a++) {
        const [ua, va] = points[a], [ub, vb] = points[b];
        if ((va > v) !== (vb > v)) crossings.push(ua + (v - va) / (vb - va) * (ub - ua));
      }
      crossings.sort((p, q) => p - q);
      for (let c = 0; c + 1 < crossings.length; c += 2) {
        for (let u = Math.max(0, Math.ceil(crossings[c])); u <= Math.min(plane.nu - 1, Math.floor(crossings[c + 1])); u++) {
          index[plane.u] = u;
          index[plane.v] = v;
          this.set(this.grid.offset(index), 1);
        }
      }
    }
  }

  /** What Python gets: null for nothing, else surface, shape and [start, length, ...] with the first axis fastest. */
  encode() {
    if (!this.count) return null;
    const runs = [], { marked } = this;
    for (let at = marked.indexOf(1); at >= 0; at = marked.indexOf(1, at)) {
      const start = at;
      while (marked[at] === 1) at++;
      runs.push(start, at - start);
    }
    return { surface: this.surface, shape: this.grid.flat ? this.grid.shape.slice(0, 2) : [...this.grid.shape], runs };
  }

  decode({ runs, surface }) {
    this.surface = surface;
    this.marked.fill(0);
    this.count = 0;
    for (let r = 0; r < runs.length; r += 2) {
      this.marked.fill(1, runs[r], runs[r] + runs[r + 1]);
      this.count += runs[r + 1];
    }
    this.strokes = [];
    this.version++;
  }
}
