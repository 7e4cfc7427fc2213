// Going through slices: by steps of the crosshair, by the slider below the tools, and as a film.

import { SliceBar } from "./controls/slicebar.js";
import { Cine } from "./state/cine.js";

export class Navigation {
  constructor(viewer) {
    this.viewer = viewer;
    this.bar = new SliceBar(viewer.root, {
      press: (name) => viewer.press(name), slice: (position) => this.goToSlice(position), settled: () => viewer.sendCrosshair(),
      speed: (speed) => { viewer.view.speed = speed; },
    });
    this.cine = new Cine({ next: () => this.next(), speed: () => viewer.view.speed, ended: () => this.ended() });
  }

  /** Slice of the large plane by its position in the array. */
  goToSlice(position) {
    const { grid, rects: [rect] } = this.viewer.panels[0];
    if (!grid || !rect) return;
    const index = grid.toIndex(this.viewer.view.mm);
    index[rect.plane.n] = position;
    this.viewer.goTo(grid.toMm(index));
  }

  next() {
    const { grid, rects: [rect] } = this.viewer.panels[0];
    if (grid && rect) this.goToSlice((grid.toIndex(this.viewer.view.mm)[rect.plane.n] + 1) % grid.shape[rect.plane.n]);
  }

  show() {
    const { grid, rects: [rect] } = this.viewer.panels[0];
    if (!grid || !rect || !this.viewer.view.mm) return;
    const { name, n } = rect.plane;
    this.bar.show(name, grid.toIndex(this.viewer.view.mm)[n], grid.flat ? 1 : grid.shape[n], Boolean(this.cine.running), this.viewer.view.speed);
  }

  /** Crosshair by whole steps along an array axis of the first panel. */
  step(axis, count) {
    const { grid } = this.viewer.panels[0];
    if (!grid) return;
    const index = grid.toIndex(this.viewer.view.mm);
    index[axis] = Math.min(grid.shape[axis] - 1, Math.max(0, index[axis] + count));
    this.viewer.goTo(grid.toMm(index));
  }

  /** Slices towards head, front or right by `count`. */
  slice(grid, plane, count) {
    const world = grid.axes.indexOf(plane.n), [{ grid: first }] = this.viewer.panels;
    this.step(first.axes[world], count * first.signs[world]);
  }

  ended() {
    this.show();
    this.viewer.sendCrosshair();
  }
}
