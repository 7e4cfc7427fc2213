// Mouse, pen, touch and wheel. One listener of each kind on the viewer, all ended by its signal.

import { KINDS } from "./marking/measures.js";
import { placement, unproject } from "./space/geometry.js";
import { mosaic } from "./space/mosaic.js";

const NOTCH = 40; // wheel pixels that make one slice on devices that scroll in small steps

export class Input {
  constructor(viewer, signal) {
    this.viewer = viewer;
    this.hover = null; // millimetres under the mouse
    this.panel = null; // panel that the mouse was over last
    this.cursor = null; // brush outline
    this.lasso = null; // path being drawn
    this.drag = null;
    this.space = false;
    this.rolled = 0;
    this.fingers = new Map(); // pointer → where it touches: two of them zoom and move
    const on = (name, act, options = {}) =>
      viewer.root.addEventListener(name, (event) => act.call(this, event), { signal, ...options });
    on("pointerdown", this.down);
    on("pointermove", this.move);
    on("pointerup", this.up);
    on("pointercancel", this.up);
    on("pointerleave", this.leave);
    on("pointerenter", this.enter);
    on("wheel", this.wheel, { passive: false });
    on("dblclick", this.enlarge);
    on("contextmenu", (event) => this.find(event) && event.preventDefault());
  }

  /** What lies under the mouse: panel, plane and array index, or null. */
  find(event) {
    const target = event.composedPath()[0], panel = this.viewer.panels.find((p) => p.canvas === target);
    if (!panel?.grid) return null;
    const box = panel.canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    if (this.viewer.view.mosaic && !panel.grid.flat) return this.findTile(panel, x, y);
    const rect = panel.rects.find((r) => within(r, x, y));
    return rect ? this.locate(panel, rect, x, y) : null;
  }

  findTile(panel, x, y) {
    const { plane } = panel.rects[0], tiles = mosaic(this.viewer.scene(panel), panel.painter.width, panel.painter.height);
    const tile = tiles.find((t) => within(t, x, y));
    if (!tile) return null;
    const place = this.locate(panel, { ...tile, plane }, x, y, { zoom: 1, pan: [0, 0, 0] });
    place.point[plane.n] = place.index[plane.n] = tile.position;
    return { ...place, mm: panel.grid.toMm(place.point), tile };
  }

  locate(panel, rect, x, y, view = this.viewer.view) {
    const { grid } = panel, { plane } = rect, [u, v] = unproject(rect, view, x, y);
    const point = grid.toIndex(this.viewer.view.mm);
    point[plane.u] = Math.round(u);
    point[plane.v] = Math.round(v);
    const inside = grid.contains(point);
    const index = point.map((n, a) => Math.min(grid.shape[a] - 1, Math.max(0, n)));
    return { panel, rect, x, y, u, v, point: index, index: [...index], inside, mm: grid.toMm(index) };
  }

  down(event) {
    const hit = this.find(event);
    if (event.pointerType === "touch" && hit) this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.fingers.size === 2) return this.startPinch(hit);
    if (!event.composedPath().includes(this.viewer.toolbar.root)) this.viewer.toolbar.hide();
    if (!hit) return;
    this.viewer.navigation.cine.stop();
    this.viewer.root.focus({ preventScroll: true });
    event.preventDefault();
    hit.panel.canvas.setPointerCapture(event.pointerId);
    const { tool } = this.viewer.view;
    let kind = tool;
    if (event.button === 1 || (event.button === 0 && this.space)) kind = "pan";
    else if (event.button === 2 || event.shiftKey || tool === "level") kind = "window";
    else if (hit.tile) kind = "navigate";
    this.drag = { kind, start: hit, last: hit, view: structuredClone({ pan: this.viewer.view.pan }) };
    if (kind === "window") this.startWindow(hit);
    if (KINDS[kind]) return this.viewer.measuring.begin(hit, kind);
    this.act(hit, true);
  }

  /** A point of the panel and plane where the drag began, wherever the mouse is now. */
  follow(event) {
    const { panel, rect } = this.drag.start, box = panel.canvas.getBoundingClientRect();
    return this.locate(panel, rect, event.clientX - box.left, event.clientY - box.top);
  }

  /** A second finger ends what the first began: the picture follows both. */
  startPinch(hit) {
    const { region } = this.viewer.view;
    this.viewer.measuring.cancel();
    if (region?.current && region.end()) region.undo(); // the dab of the finger that came first
    this.lasso = this.drag = null;
    this.pinched = hit && { ...hit, ...span(this.fingers) };
  }

  pinch(event) {
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    const now = span(this.fingers), { pinched } = this;
    if (!pinched || pinched.tile) return;
    const across = now.middle[0] - pinched.middle[0], down = now.middle[1] - pinched.middle[1];
    this.zoom({ ...pinched, x: pinched.x + across, y: pinched.y + down }, now.wide / pinched.wide);
    const { rect: { plane } } = pinched, { view } = this.viewer, { scale } = placement(pinched.rect, view);
    view.pan[plane.across] += across * plane.rightward / scale;
    view.pan[plane.up] += down * plane.downward / scale;
    Object.assign(this.pinched, now, { x: pinched.x + across, y: pinched.y + down });
    this.viewer.repaint();
  }

  move(event) {
    if (this.fingers.size === 2 && this.fingers.has(event.pointerId)) return this.pinch(event);
    if (!this.drag) return this.point(event);
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const one of moves.length && this.drag.kind !== "window" ? moves : [event]) {
      const hit = this.drag.start.tile ? this.find(event) : this.follow(one);
      if (hit) this.act(hit, false);
    }
    this.point(event);
  }

  /** The mouse only hovers: readout and brush outline. */
  point(event) {
    const hit = this.drag && !this.drag.start.tile ? this.follow(event) : this.find(event), { view } = this.viewer;
    this.hover = hit?.inside ? hit.mm : null;
    if (hit) this.panel = hit.panel;
    if (hit && !this.drag && !hit.tile) this.viewer.measuring.move(hit); // the open arm of an angle
    const brush = hit && !hit.tile && ["brush", "erase"].includes(view.tool);
    const had = this.cursor;
    this.cursor = brush ? { panel: hit.panel, rect: hit.rect, x: hit.x, y: hit.y, diameter: view.brush } : null;
    if (this.cursor || had) this.viewer.repaint();
    else if (this.viewer.view.mm) this.viewer.showReadout();
  }

  act(hit, first) {
    const { viewer, drag } = this, { view } = viewer;
    if (drag.kind === "navigate") viewer.goTo(hit.mm);
    else if (drag.kind === "pan") this.pan(hit);
    else if (drag.kind === "window") this.window(hit);
    else if (KINDS[drag.kind]) viewer.measuring.move(hit);
    else this.paint(hit, first);
    drag.last = hit;
    if (drag.kind !== "navigate" && view.region) viewer.repaint();
  }

  pan(hit) {
    const { start, view } = this.drag, { plane } = start.rect, { scale } = placement(start.rect, this.viewer.view);
    const pan = [...view.pan];
    pan[plane.across] += (hit.x - start.x) * plane.rightward / scale;
    pan[plane.up] += (hit.y - start.y) * plane.downward / scale;
    this.viewer.view.pan = pan;
    this.viewer.repaint();
  }

  startWindow(hit) {
    const layer = hit.panel.image;
    if (!layer) return void (this.drag.kind = "none");
    this.drag.entry = this.viewer.looks.windowOf(layer);
    this.drag.from = [...this.drag.entry.now];
  }

  window(hit) {
    const { entry, from, start } = this.drag, reach = (entry.first[1] - entry.first[0]) / 200; // first width per 200 pixels
    const width = Math.max(reach / 5, from[1] - from[0] + (hit.x - start.x) * reach);
    const level = (from[0] + from[1]) / 2 + (hit.y - start.y) * reach;
    entry.now = [level - width / 2, level + width / 2];
    this.viewer.repaint();
  }

  paint(hit, first) {
    const { viewer, drag } = this, { view } = viewer, { region } = view, { plane } = hit.rect, { surface } = hit.panel.data;
    if (!region || surface === null || !region.grid.sameAs(hit.panel.grid)) return;
    if (drag.kind === "erase" && first && surface !== region.surface) drag.kind = "none"; // nothing of it lies there
    if (drag.kind === "none") return;
    if (first) {
      const had = surface === region.surface && region.marked[region.grid.offset(hit.index)];
      drag.value = drag.kind === "erase" || (drag.kind === "pixel" && had) ? 0 : 1;
      if (drag.kind === "lasso") this.lasso = { panel: hit.panel, rect: hit.rect, path: [], points: [] };
      else region.begin(surface);
    }
    if (drag.kind === "lasso") {
      this.lasso.path.push([hit.x, hit.y]);
      this.lasso.points.push([hit.u, hit.v]);
    } else if (hit.inside || drag.kind !== "pixel") {
      const pixel = drag.kind === "pixel", from = first ? hit.index : drag.last.index;
      region.stroke(from, hit.index, pixel ? 0 : view.brush, plane, view.ball && !pixel, drag.value);
    }
  }

  up(event) {
    if (this.fingers.delete(event.pointerId) && this.fingers.size) return;
    const { drag, viewer } = this, { view } = viewer;
    if (!drag) return;
    this.drag = null;
    if (this.lasso) {
      const { panel, rect, points } = this.lasso;
      if (points.length > 2) {
        view.region.begin(panel.data.surface);
        view.region.lasso(points, rect.plane, drag.start.index[rect.plane.n]);
      }
      this.lasso = null;
    }
    if (view.region?.current && view.region.end()) viewer.sendRegion();
    if (drag.kind === "navigate") viewer.sendCrosshair();
    if (KINDS[drag.kind]) viewer.measuring.end(drag.last);
    this.point(event);
    viewer.repaint();
  }

  leave() {
    this.hover = this.cursor = null;
    if (this.viewer.view) this.viewer.repaint();
  }

  /** Keys work as soon as the mouse is over the viewer, unless the person is typing somewhere. */
  enter() {
    if (document.activeElement === document.body) this.viewer.root.focus({ preventScroll: true });
  }

  wheel(event) {
    const hit = this.find(event);
    if (!hit) return;
    event.preventDefault();
    this.viewer.navigation.cine.stop();
    if (event.ctrlKey || event.metaKey) return this.zoom(hit, Math.exp(-event.deltaY * 0.0025));
    const delta = event.deltaMode === 0 ? event.deltaY : event.deltaY * NOTCH;
    this.rolled += Math.abs(delta) >= NOTCH ? Math.sign(delta) * NOTCH : delta;
    const steps = Math.trunc(this.rolled / NOTCH);
    this.rolled -= steps * NOTCH;
    if (steps && !hit.panel.grid.flat) this.viewer.navigation.slice(hit.panel.grid, hit.rect.plane, -steps);
  }

  /** Zoom so that what is under the mouse stays there. */
  zoom(hit, factor) {
    const { view } = this.viewer, before = view.zoom;
    view.zoom = Math.min(24, Math.max(1, before * factor));
    if (hit && !hit.tile) {
      const { rect, x, y } = hit, { plane } = rect, old = placement(rect, { ...view, zoom: before });
      const dx = x - rect.x - rect.w / 2, dy = y - rect.y - rect.h / 2, fresh = old.scale / before * view.zoom;
      view.pan[plane.across] += (dx / fresh - dx / old.scale) * plane.rightward;
      view.pan[plane.up] += (dy / fresh - dy / old.scale) * plane.downward;
    }
    if (view.zoom === 1) view.pan = [0, 0, 0];
    this.viewer.repaint();
  }

  enlarge(event) {
    const hit = this.find(event);
    if (hit && !hit.panel.grid.flat && !hit.tile && this.viewer.view.tool === "navigate") this.viewer.setLarge(hit.rect.plane.name);
  }
}

const within = (box, x, y) => x >= box.x && x < box.x + box.w && y >= box.y && y < box.y + box.h;

/** Distance and middle of two fingers, pixels. */
function span(fingers) {
  const [[x0, y0], [x1, y1]] = [...fingers.values()];
  return { wide: Math.hypot(x1 - x0, y1 - y0) || 1, middle: [(x0 + x1) / 2, (y0 + y1) / 2] };
}
