// Painting one panel onto its canvas: planes, crosshair, letters, mosaic, and what the tool in hand needs to show.

import { placement, project } from "../space/geometry.js";
import { mosaic } from "../space/mosaic.js";
import { drawInsets } from "./insets.js";
import { drawMeasures } from "./measures.js";
import { drawOutlines } from "./outlines.js";
import { drawRegion, drawSlice } from "./slices.js";

const GROUND = "#0b0f12", QUIET = "#aab5bd", ACCENT = "#3fb8cc", ACCENT_RGB = [0x3f, 0xb8, 0xcc];
const FONT = "11px ui-monospace, SFMono-Regular, Menlo, monospace";

/** Pixels of one plane, drawn anew only when `key` says that something about them changed. */
class Slice {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.key = "";
  }

  refresh(key, plane, draw) {
    if (key === this.key) return;
    const { canvas } = this;
    if (canvas.width !== plane.nu || canvas.height !== plane.nv) {
      canvas.width = plane.nu;
      canvas.height = plane.nv;
      this.context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
      this.pixels = this.context.createImageData(plane.nu, plane.nv);
      this.words = new Uint32Array(this.pixels.data.buffer);
    }
    draw(this.words);
    this.context.putImageData(this.pixels, 0, 0);
    this.key = key;
  }
}

export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.slices = new Map();
  }

  resize(width, height) {
    const ratio = window.devicePixelRatio || 1;
    const w = Math.round(width * ratio), h = Math.round(height * ratio);
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    this.ratio = ratio;
    this.width = width;
    this.height = height;
  }

  /** `scene`: grid, rects, layers ({volume, lut, role, key}), outlines ({volume, color}), region, faint, view, index, cursor, lasso, insets, measures, say. */
  paint(scene) {
    const { context } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = GROUND;
    context.fillRect(0, 0, this.width, this.height);
    if (!scene.grid) return;
    if (scene.view.mosaic && !scene.grid.flat) this.paintMosaic(scene);
    else scene.rects.forEach((rect, at) => this.paintPlane(scene, rect, at));
    if (scene.insets && !scene.view.mosaic) drawInsets(this, scene);
  }

  slice(scene, plane, position, slot) {
    const { layers, region, grid } = scene;
    const marks = region ? [region.version, scene.faint] : [""];
    const key = [plane.name, plane.uDirection, position, ...layers.map((layer) => layer.key), ...marks].join("|");
    let slice = this.slices.get(slot);
    if (!slice) this.slices.set(slot, (slice = new Slice()));
    slice.refresh(key, plane, (words) => {
      drawSlice(words, grid, plane, position, layers);
      if (region?.count) drawRegion(words, region.marked, grid, plane, position, ACCENT_RGB, scene.faint);
    });
    return slice.canvas;
  }

  picture(scene, image, x, y, w, h) {
    const { context } = this, enlarged = w * this.ratio / image.width;
    context.imageSmoothingEnabled = scene.view.smooth;
    context.imageSmoothingQuality = enlarged < 0.7 ? "medium" : "low";
    context.drawImage(image, x, y, w, h);
  }

  paintPlane(scene, rect, at) {
    const { context } = this, { view, index } = scene, { plane } = rect;
    const place = placement(rect, view);
    context.save();
    context.beginPath();
    context.rect(rect.x, rect.y, rect.w, rect.h);
    context.clip();
    context.fillStyle = "#000";
    context.fillRect(rect.x, rect.y, rect.w, rect.h);
    this.picture(scene, this.slice(scene, plane, index[plane.n], at), place.x, place.y, place.w, place.h);
    drawOutlines(context, scene.outlines, plane, index[plane.n], place);
    // of an image it only marks a point: while painting it would be in the way
    if (!scene.grid.flat || view.tool === "navigate") this.crosshair(rect, view, index, place);
    if (scene.measures) drawMeasures(this, rect, view, scene.measures(plane, index[plane.n]), scene.say);
    if (scene.lasso?.rect === rect) this.lasso(scene.lasso.path);
    if (scene.cursor?.rect === rect) this.brush(scene.cursor, place);
    this.legend(scene, rect, at);
    context.restore();
  }

  crosshair(rect, view, index, place) {
    const { context } = this, { plane } = rect;
    const [x, y] = project(rect, view, index[plane.u], index[plane.v]).map((v) => Math.round(v) + 0.5);
    const hole = Math.max(6, place.scale * 3);
    context.strokeStyle = "rgba(63,184,204,.6)";
    context.lineWidth = 1;
    context.beginPath();
    for (const [x0, y0, x1, y1] of [
      [rect.x, y, x - hole, y], [x + hole, y, rect.x + rect.w, y], [x, rect.y, x, y - hole], [x, y + hole, x, rect.y + rect.h],
    ]) {
      if (x1 < x0 || y1 < y0) continue;
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
    }
    context.stroke();
  }

  /** Small text, with an outline so that it stays readable on bright tissue. */
  text(text, x, y, align, color = QUIET) {
    const { context } = this;
    context.font = FONT;
    context.textBaseline = "middle";
    context.textAlign = align;
    context.strokeStyle = "rgba(0,0,0,.75)";
    context.lineWidth = 2.5;
    context.lineJoin = "round";
    context.strokeText(text, x, y);
    context.fillStyle = color;
    context.fillText(text, x, y);
  }

  legend(scene, rect, at) {
    const { plane } = rect;
    if (scene.letters) {
      const midX = rect.x + rect.w / 2, midY = rect.y + rect.h / 2;
      for (const [text, x, y, align] of [
        [plane.left, rect.x + 5, midY, "left"], [plane.right, rect.x + rect.w - 5, midY, "right"],
        [plane.top, midX, rect.y + 9, "center"], [plane.bottom, midX, rect.y + rect.h - 8, "center"],
      ]) this.text(text, x, y, align);
    }
    if (at || scene.grid.flat) return;
    this.text(`${plane.name} ${scene.index[plane.n] + 1}/${scene.grid.shape[plane.n]}`, rect.x + 5, rect.y + rect.h - 8, "left");
  }

  lasso(path) {
    const { context } = this;
    context.strokeStyle = ACCENT;
    context.lineWidth = 1.5;
    context.beginPath();
    path.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  }

  brush(cursor, place) {
    const { context } = this;
    context.strokeStyle = ACCENT;
    context.lineWidth = 1;
    context.beginPath();
    context.arc(cursor.x, cursor.y, Math.max(2, cursor.diameter / 2 * place.scale), 0, 2 * Math.PI);
    context.stroke();
  }

  /** Evenly spaced slices of the large plane. */
  paintMosaic(scene) {
    const { context } = this, { plane } = scene.rects[0], tiles = mosaic(scene, this.width, this.height);
    tiles.forEach((tile, at) => {
      this.picture(scene, this.slice(scene, plane, tile.position, `tile ${at}`), tile.x, tile.y, tile.w, tile.h);
      drawOutlines(context, scene.outlines, plane, tile.position, tile);
      if (!tile.nearest) return;
      context.strokeStyle = ACCENT;
      context.lineWidth = 1;
      context.strokeRect(Math.round(tile.x) + 0.5, Math.round(tile.y) + 0.5, Math.round(tile.w) - 1, Math.round(tile.h) - 1);
    });
    for (const tile of tiles) this.text(String(tile.position + 1), tile.x + 3, tile.y + tile.h - 7, "left");
    if (!scene.letters) return;
    this.text(plane.left, tiles[0].x + 3, tiles[0].y + tiles[0].h / 2, "left");
    this.text(plane.right, tiles[0].x + tiles[0].w - 3, tiles[0].y + tiles[0].h / 2, "right");
  }
}
