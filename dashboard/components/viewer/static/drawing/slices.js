// From voxels to pixels of one plane: colour tables per layer, sampling, blending. Nothing here knows the screen.

import { table } from "./colormaps.js";
import { multiply } from "../space/geometry.js";

const LEVELS = 4096; // entries of the table through which float32 volumes are drawn
const GRAY = table("gray");

/**
 * Colour table of a layer as drawn now: `entry = stored * factor + shift`, clamped, into `rgba` (alpha in the top byte).
 * `room` is a table that is no longer needed: while a window is dragged, none is made anew.
 */
export function lookupTable(layer, volume, look, room) {
  const whole = volume.dtype !== "float32";
  const length = volume.dtype === "uint8" ? 256 : whole ? 65536 : LEVELS;
  const [low, high] = layer.role === "image" ? look.window : look.range;
  const factor = whole ? 1 : (LEVELS - 1) / (high - low);
  const shift = whole ? 0 : -low * factor;
  const rgba = room?.length === length ? room : new Uint32Array(length);
  const start = whole ? volume.offset : low, step = whole ? volume.scale : 1 / factor; // real value of an entry
  if (layer.role === "image") fillGray(rgba, start, step, low, high);
  else {
    const paint = { map: mapPaint, mask: maskPaint }[layer.role](layer, look, low, high);
    for (let i = 0; i < length; i++) rgba[i] = paint(start + i * step);
  }
  return { rgba, factor, shift, whole };
}

const pack = (r, g, b, a) => ((a << 24) | (b << 16) | (g << 8) | r) >>> 0;

const GRAYS = Uint32Array.from({ length: 256 }, (_, i) => pack(GRAY[3 * i], GRAY[3 * i + 1], GRAY[3 * i + 2], 255));

function fillGray(rgba, start, step, low, high) {
  const slope = 255 / (high - low || 1), first = (start - low) * slope + 0.5, rise = step * slope;
  for (let i = 0; i < rgba.length; i++) {
    const level = first + i * rise;
    rgba[i] = GRAYS[level <= 0 ? 0 : level >= 255 ? 255 : level | 0];
  }
}

/** The value from which on a map is drawn. */
export function floor(layer, look) {
  return look.threshold ?? (layer.centreZero ? 0 : look.range[0]);
}

function mapPaint(layer, look, low, high) {
  const colors = table(look.colormap), least = floor(layer, look), fade = layer.fade * (high - low);
  return (value) => {
    const above = (layer.centreZero ? Math.abs(value) : value) - least;
    if (above <= 0) return 0;
    const i = 3 * Math.min(255, Math.max(0, Math.round(255 * (value - low) / (high - low))));
    return pack(colors[i], colors[i + 1], colors[i + 2], Math.round(255 * look.opacity * Math.min(1, above / fade)));
  };
}

function maskPaint(layer, look) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(layer.color.slice(at, at + 2), 16));
  const tint = pack(r, g, b, Math.round(255 * look.opacity));
  return (value) => (value > 0 ? tint : 0);
}

/** Draw plane `plane` at array position `position` of the panel's grid into `out` (one Uint32 a sample, on-screen order). */
export function drawSlice(out, grid, plane, position, layers) {
  out.fill(0xff000000);
  for (const { volume, lut, role } of layers) {
    if (volume.grid === grid || volume.grid.sameAs(grid)) drawAligned(out, volume, lut, plane, position);
    else drawSampled(out, volume, lut, grid, plane, position, role === "mask");
  }
}

/** `over` on `under`, both 0xAABBGGRR; the result is opaque. */
function blend(over, under) {
  const a = over >>> 24;
  if (a === 255) return over;
  const b = 255 - a;
  const red = ((over & 255) * a + (under & 255) * b + 127) / 255;
  const green = ((over >>> 8 & 255) * a + (under >>> 8 & 255) * b + 127) / 255;
  const blue = ((over >>> 16 & 255) * a + (under >>> 16 & 255) * b + 127) / 255;
  return 0xff000000 | (blue << 16) | (green << 8) | red;
}

function steps(plane, strides, shape) {
  const across = strides[plane.u] * plane.uDirection, down = strides[plane.v] * plane.vDirection;
  const start = (plane.uDirection > 0 ? 0 : (shape[plane.u] - 1) * strides[plane.u]) +
    (plane.vDirection > 0 ? 0 : (shape[plane.v] - 1) * strides[plane.v]);
  return { across, down, start };
}

function drawAligned(out, volume, lut, plane, position) {
  const { strides, shape } = volume.grid, { data } = volume, { rgba, factor, shift, whole } = lut;
  const { across, down, start } = steps(plane, strides, shape);
  const last = rgba.length - 1;
  let pixel = 0;
  for (let y = 0; y < plane.nv; y++) {
    let at = start + position * strides[plane.n] + y * down;
    for (let x = 0; x < plane.nu; x++, at += across, pixel++) {
      const stored = data[at];
      const color = rgba[whole ? stored : Math.min(last, Math.max(0, stored * factor + shift)) | 0];
      if (color >>> 24) out[pixel] = blend(color, out[pixel]);
    }
  }
}

/** A layer on another grid: linear between its samples (labels: nearest). Outside its field of view nothing is drawn. */
function drawSampled(out, volume, lut, grid, plane, position, nearest) {
  const own = volume.grid, m = multiply(own.inverse, grid.affine);
  const corner = [0, 0, 0];
  corner[plane.u] = plane.uDirection > 0 ? 0 : plane.nu - 1;
  corner[plane.v] = plane.vDirection > 0 ? 0 : plane.nv - 1;
  corner[plane.n] = position;
  const start = [0, 1, 2].map((r) => m[r][0] * corner[0] + m[r][1] * corner[1] + m[r][2] * corner[2] + m[r][3]);
  const du = [0, 1, 2].map((r) => m[r][plane.u] * plane.uDirection), dv = [0, 1, 2].map((r) => m[r][plane.v] * plane.vDirection);
  const sample = nearest ? nearestSample : linearSample;
  const { rgba, factor, shift } = lut, last = rgba.length - 1;
  let pixel = 0;
  for (let y = 0; y < plane.nv; y++) {
    let i = start[0] + y * dv[0], j = start[1] + y * dv[1], k = start[2] + y * dv[2];
    for (let x = 0; x < plane.nu; x++, pixel++, i += du[0], j += du[1], k += du[2]) {
      const stored = sample(volume.data, own, i, j, k);
      if (Number.isNaN(stored)) continue; // outside
      const color = rgba[Math.min(last, Math.max(0, Math.round(stored * factor + shift)))];
      if (color >>> 24) out[pixel] = blend(color, out[pixel]);
    }
  }
}

function nearestSample(data, { shape, strides }, i, j, k) {
  const a = Math.round(i), b = Math.round(j), c = Math.round(k);
  if (a < 0 || b < 0 || c < 0 || a >= shape[0] || b >= shape[1] || c >= shape[2]) return NaN;
  return data[a + b * strides[1] + c * strides[2]];
}

function linearSample(data, { shape, strides }, i, j, k) {
  // half a sample beyond the outermost centres still belongs to the volume
  if (i < -0.5 || j < -0.5 || k < -0.5 || i > shape[0] - 0.5 || j > shape[1] - 0.5 || k > shape[2] - 0.5) return NaN;
  const a = Math.min(Math.max(0, shape[0] - 2), Math.max(0, Math.floor(i))), p = Math.min(1, Math.max(0, i - a));
  const b = Math.min(Math.max(0, shape[1] - 2), Math.max(0, Math.floor(j))), q = Math.min(1, Math.max(0, j - b));
  const c = Math.min(Math.max(0, shape[2] - 2), Math.max(0, Math.floor(k))), r = Math.min(1, Math.max(0, k - c));
  const x = shape[0] > 1 ? 1 : 0, y = shape[1] > 1 ? strides[1] : 0, z = shape[2] > 1 ? strides[2] : 0;
  const at = a + b * strides[1] + c * strides[2];
  const line = (from) => data[from] * (1 - p) + data[from + x] * p;
  const face = (from) => line(from) * (1 - q) + line(from + y) * q;
  return face(at) * (1 - r) + face(at + z) * r;
}

/** Tint the marked samples of a plane, edges stronger than the inside; `faint`: the edges only, for a panel beside. */
export function drawRegion(out, region, grid, plane, position, [r, g, b], faint) {
  const { across, down, start } = steps(plane, grid.strides, grid.shape);
  const base = start + position * grid.strides[plane.n];
  const inside = pack(r, g, b, faint ? 0 : 90), edge = pack(r, g, b, faint ? 110 : 230);
  let pixel = 0;
  for (let y = 0; y < plane.nv; y++) {
    for (let x = 0; x < plane.nu; x++, pixel++) {
      const at = base + y * down + x * across;
      if (!region[at]) continue;
      const inner = x > 0 && y > 0 && x < plane.nu - 1 && y < plane.nv - 1 &&
        region[at - across] && region[at + across] && region[at - down] && region[at + down];
      out[pixel] = blend(inner ? inside : edge, out[pixel]);
    }
  }
}
