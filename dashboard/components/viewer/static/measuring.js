// Measuring: from the hand on the canvas to a measurement, and what it says in each panel.

import { format } from "./controls/dom.js";
import { isArea, KINDS, samplesIn, sizeOf } from "./marking/measures.js";

const LEAST = 3; // pixels of the screen: a shorter drag was a click

export class Measuring {
  constructor(viewer) {
    this.viewer = viewer;
    this.current = null; // measurement under the hand
    this.said = new Map(); // samples of areas, by what they are of
  }

  /** What is measured belongs to the scan of the first panel: on another one it would mean something else. */
  get scan() { return this.viewer.panels[0].layers[0].facts.volume.digest; }

  get list() { return this.viewer.view.measures.list.filter((measure) => measure.scan === this.scan); }

  get canUndo() { return this.viewer.view.measures.past.length > 0; }

  /** Begin one, or set the next point of the one that is not finished. */
  begin(hit, kind) {
    const { rect: { plane }, panel: { grid } } = hit;
    if (this.current?.kind === kind && this.current.plane.n === plane.n && this.current.grid === grid) return this.move(hit);
    const point = [hit.u, hit.v];
    this.current = { kind, grid, plane, position: hit.point[plane.n], points: [point, point], scan: this.scan, from: [hit.x, hit.y] };
  }

  move(hit) {
    if (!this.current || hit.panel.grid !== this.current.grid || hit.rect.plane.n !== this.current.plane.n) return;
    const points = [...this.current.points];
    points[points.length - 1] = [hit.u, hit.v];
    this.current = { ...this.current, points };
    this.viewer.repaint();
  }

  /** The hand is lifted: an angle goes on with its second arm, everything else stands. */
  end(hit) {
    const { current } = this;
    if (!current) return;
    const [x, y] = current.from, moved = Math.hypot(hit.x - x, hit.y - y) >= LEAST;
    if (current.points.length < KINDS[current.kind] && moved) {
      this.current = { ...current, points: [...current.points, current.points.at(-1)], from: [hit.x, hit.y] };
    } else {
      const { from, ...measure } = current;
      if (moved) this.viewer.view.measures.add(measure);
      this.current = null;
    }
    this.viewer.toolbar.refresh();
    this.viewer.repaint();
  }

  cancel() {
    const had = Boolean(this.current);
    this.current = null;
    if (had) this.viewer.repaint();
    return had;
  }

  undo() {
    if (!this.cancel()) this.viewer.view.measures.undo();
    this.changed();
  }

  remove(number) {
    this.viewer.view.measures.remove(number);
    this.changed();
  }

  clear() {
    this.viewer.view.measures.clear(this.scan);
    this.changed();
  }

  changed() {
    this.viewer.toolbar.refresh();
    this.viewer.repaint();
  }

  /** Show a measurement: its slice and its plane. */
  goTo({ grid, plane, position, points }) {
    const index = [0, 0, 0];
    index[plane.n] = position;
    index[plane.u] = Math.round((points[0][0] + points[1][0]) / 2);
    index[plane.v] = Math.round((points[0][1] + points[1][1]) / 2);
    this.viewer.view.mm = grid.toMm(index);
    if (!grid.flat) this.viewer.setLarge(plane.name);
    this.viewer.repaint();
  }

  /** Those of a plane of a panel, also the one under the hand. */
  of(panel, plane, position) {
    const all = this.current ? [...this.list, this.current] : this.list;
    return all.filter((m) => m.plane.n === plane.n && m.position === position && m.grid.sameAs(panel.grid));
  }

  size(measure) {
    const { length } = this.viewer.data, size = sizeOf(measure);
    if (measure.kind === "angle") return `${size.toFixed(1)}°`;
    const square = isArea(measure.kind) ? "²" : "";
    return `${size.toFixed(size < 100 ? 1 : 0)} ${length}${square}`;
  }

  /** What the samples of one layer are in an area: { name, unit, count, mean, deviation, least, most }, or null. */
  samples(measure, { facts, volume }) {
    if (!volume || !isArea(measure.kind)) return null;
    const key = [measure.number ?? "now", measure.points, measure.position, measure.plane.n, volume.digest].join();
    if (!this.said.has(key)) {
      if (this.said.size > 200) this.said.clear();
      this.said.set(key, samplesIn(measure, volume));
    }
    const found = this.said.get(key);
    return found && { name: facts.name, unit: facts.unit, ...found };
  }

  /** Lines beside a measurement in one panel: of an area also mean and deviation there, of the map if there is one. */
  say(panel, measure) {
    if (measure.points.length < KINDS[measure.kind]) return [""];
    const found = this.samples(measure, panel.principal);
    if (!found) return [this.size(measure)];
    const span = (found.most - found.least) || Math.abs(found.mean) || 1;
    return [`${format(found.mean, span)} ± ${format(found.deviation, span)} ${found.unit}`.trim(), this.size(measure)];
  }

  /** Everything of one measurement for the list: its size, and of an area the samples of each volume that is shown. */
  facts(measure) {
    const seen = new Set(), found = [];
    for (const layer of this.viewer.layers) {
      if (["mask", "outline"].includes(layer.facts.role) || !layer.volume || seen.has(layer.volume.digest)) continue;
      seen.add(layer.volume.digest);
      const samples = this.samples(measure, layer);
      if (samples) found.push(samples);
    }
    return { size: this.size(measure), samples: found };
  }
}
