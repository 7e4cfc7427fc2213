// The viewer: holds what is shown and how, loads volumes, and repaints at most once a frame.

import { command, isTool } from "./commands.js";
import { element, millimetres } from "./controls/dom.js";
import { layerMenu } from "./controls/layermenu.js";
import { measureMenu } from "./controls/measuremenu.js";
import { Panel } from "./controls/panel.js";
import { Toolbar } from "./controls/toolbar.js";
import { windowMenu } from "./controls/windowmenu.js";
import { lookupTable } from "./drawing/slices.js";
import { Input } from "./input.js";
import { Keys } from "./keys.js";
import { Navigation } from "./navigation.js";
import { Region } from "./marking/region.js";
import { Measuring } from "./measuring.js";
import { layout } from "./space/geometry.js";
import { occupied } from "./space/mosaic.js";
import { cached, load } from "./space/volumes.js";
import { onSwap } from "./state/convention.js";
import { Looks, relate } from "./state/looks.js";
import { viewOf } from "./state/view.js";
import { Windowing } from "./windowing.js";

const LOWEST = 320, SHARE = 0.55; // least height of the pictures, pixels, and their share of the window
const VALUES = 90; // pixels beside a title that values need

/** Layers of a panel that give pixels a colour, and those drawn as lines over them; as they are seen. */
const filled = (panel) => panel.looks.stack(panel).filter((layer) => layer.volume && layer.facts.role !== "outline");
const outlined = (panel) => panel.looks.stack(panel).filter((layer) => layer.volume && layer.facts.role === "outline")
  .map(({ volume, facts }) => ({ volume, color: facts.color }));

export class Viewer {
  constructor(root) {
    this.root = root;
    root.tabIndex = 0;
    this.lifetime = new AbortController(); // ends every listener at once
    this.windowing = new Windowing(this);
    this.measuring = new Measuring(this);
    const press = (name) => this.press(name);
    this.toolbar = new Toolbar(root, {
      press, tiles: (count) => this.setTiles(count), brush: (size) => this.setBrush(size),
      windows: (panel, close) => windowMenu(panel, { windowing: this.windowing, press }, close),
      layers: (panel) => layerMenu(panel, {
        panels: this.panels, looks: this.looks, look: (layer, change) => this.setLook(layer, change),
        move: (of, layer, way) => {
          this.looks.move(of, layer, way);
          this.restack();
        },
      }),
      measure: (panel, close) =>
        measureMenu(panel, { measuring: this.measuring, press, tool: this.view.tool, length: this.data.length }, close),
    });
    this.navigation = new Navigation(this);
    this.row = element("div", "panels", root);
    this.panels = [];
    this.input = new Input(this, this.lifetime.signal);
    this.keys = new Keys(this, this.input, this.lifetime.signal);
    this.sizes = new ResizeObserver(() => this.arrange());
    this.sizes.observe(root);
    onSwap(() => this.arrange(), this.lifetime.signal);
    root.addEventListener("fullscreenchange", () => this.arrange(), { signal: this.lifetime.signal });
    window.addEventListener("resize", () => this.arrange(), { signal: this.lifetime.signal }); // the pixel ratio may change
  }

  destroy() {
    this.lifetime.abort();
    this.navigation.cine.stop();
    this.sizes.disconnect();
    cancelAnimationFrame(this.frame);
    this.root.replaceChildren();
  }

  /** New data from Python. Everything the person set stays. */
  update(data, setState) {
    this.data = data;
    this.setState = setState;
    this.base = `${location.origin}${data.base}`;
    this.view = viewOf(data);
    this.looks = new Looks(this.view, () => this.layers);
    if (data.oneScale !== this.view.sent.oneScale) this.view.oneScale = this.view.sent.oneScale = data.oneScale;
    if (data.plane !== this.view.sent.plane) this.view.large = this.view.sent.plane = data.plane; // the model reads another one
    const paints = data.tools.some((tool) => tool !== "navigate");
    // whoever begins to draw wants the brush in hand
    if (paints && this.view.paints === false) this.view.tool = data.tool;
    if (!isTool(data.tools, this.view.tool)) this.view.tool = data.tools[0] ?? "navigate";
    this.view.paints = paints;
    const flat = data.panels[0].layers[0].volume.shape.length === 2;
    this.toolbar.build(data.tools, flat, data.panels.some((panel) => panel.insets), data.length);
    this.syncPanels(data.panels);
    this.arrive();
  }

  get layers() { return this.panels.flatMap((panel) => panel.layers); }

  syncPanels(wanted) {
    const before = new Map(this.panels.map((panel) => [panel.key, panel]));
    const actions = {
      press: (name) => this.press(name),
      look: (panel, change) => this.setLook(panel.principal, change),
      retry: () => this.panels.forEach((panel) => panel.layers.forEach((layer) => layer.error && this.fetch(panel, layer))),
    };
    this.panels = wanted.map((data) => {
      const panel = before.get(data.key) ?? new Panel(this.row, actions);
      before.delete(data.key);
      panel.key = data.key;
      panel.looks = this.looks;
      panel.data = data;
      panel.setTitle(data.title);
      panel.root.classList.toggle("dimmed", Boolean(data.dimmed));
      this.syncLayers(panel, data.layers);
      return panel;
    });
    relate(this.layers);
    for (const panel of this.panels) panel.buildFooter();
    for (const panel of before.values()) panel.remove();
    if (this.panels.some((panel, at) => this.row.children[at] !== panel.root)) this.row.append(...this.panels.map((p) => p.root));
  }

  syncLayers(panel, wanted) {
    const sameImage = panel.layers[0]?.facts.volume.digest === wanted[0].volume.digest;
    panel.layers = wanted.map((facts, at) => {
      const old = panel.layers[at];
      // a map may stand in for its successor, but never on another image than its own
      const stays = old && old.facts.role === facts.role && (at === 0 || sameImage);
      const layer = { facts, volume: stays ? old.volume : null, slot: `${panel.key}/${at}`, error: "", loading: false, share: 0 };
      if (layer.volume?.digest !== facts.volume.digest) this.fetch(panel, layer);
      return layer;
    });
  }

  async fetch(panel, layer) {
    const known = cached(layer.facts.volume.digest);
    if (known) return void (layer.volume = known);
    Object.assign(layer, { loading: true, error: "", share: 0 });
    panel.showState({});
    const current = () => panel.layers.includes(layer) && !this.lifetime.signal.aborted;
    try {
      const volume = await load(this.base, layer.facts.volume, (share) => {
        layer.share = share;
        if (current()) panel.showState({});
      });
      layer.volume = volume;
    } catch (problem) {
      layer.error = problem.message;
    }
    layer.loading = false;
    if (current()) this.arrive();
  }

  /** Something new can be shown: data or a volume. */
  arrive() {
    const first = this.panels[0].grid;
    if (first) {
      this.followPython(first);
      if (!this.view.mm || !first.holds(this.view.mm)) this.view.mm = first.centre;
    }
    this.arrange();
    this.showState();
  }

  /** Take over region and crosshair that Python hands in, once each. */
  followPython(grid) {
    const { view, data } = this, { sent } = view;
    const paints = data.tools.some((tool) => tool !== "navigate");
    if (view.region && (!paints || !view.region.grid.sameAs(grid))) {
      const had = view.region.count;
      view.region = null;
      if (had) this.setState("region", null);
    }
    if (paints && !view.region) view.region = new Region(grid);
    if (data.region && data.region.id !== sent.region && data.region.shape.every((n, a) => n === grid.shape[a])) {
      sent.region = data.region.id;
      view.region ??= new Region(grid);
      view.region.decode(data.region);
      this.sendRegion();
    } else if (this.fresh !== false && view.region?.count) {
      this.sendRegion(); // after a page change Python has forgotten it
    }
    this.fresh = false;
    const place = JSON.stringify(data.crosshair);
    if (data.crosshair && place !== sent.crosshair) view.mm = grid.toMm([...data.crosshair, 0].slice(0, 3));
    sent.crosshair = place;
  }

  /** What is set on one map holds for all that are locked to it. */
  setLook(layer, change) {
    const { lock } = layer.facts;
    const shared = lock && ("threshold" in change || "opacity" in change);
    for (const other of this.layers) if (other === layer || (shared && other.facts.lock === lock)) this.looks.set(other, change);
    if ("visible" in change) this.restack();
    this.repaint();
  }

  /** What lies on top may be another layer now: legends and the list follow. */
  restack() {
    for (const panel of this.panels) panel.buildFooter();
    this.toolbar.refresh();
    this.repaint();
  }

  /** Panels beside each other: all, or as many as leave each its least width, in rows that are about equally full. */
  columns(wide) {
    const count = this.panels.length, least = this.data.narrowest;
    const fitting = least ? Math.max(1, Math.min(count, Math.floor((wide + 10) / (least + 10)))) : count;
    return Math.ceil(count / Math.ceil(count / fitting));
  }

  /** Sizes of everything; cheap when nothing changed. */
  arrange() {
    const wide = this.row.clientWidth;
    if (!wide || !this.data) return;
    const columns = this.columns(wide);
    this.row.style.setProperty("--columns", columns);
    const width = Math.floor((wide - 10 * (columns - 1)) / columns) - 2;
    const longest = Math.max(...this.panels.map((panel) => panel.titleWidth)) + 22; // with its padding
    // the same for the whole row, so that pictures stay beside each other
    this.row.dataset.titles = longest > width ? "two" : longest + VALUES > width || this.panels.some((panel) => panel.values > 2) ? "one" : "";
    const height = this.heightOf(Math.ceil(this.panels.length / columns));
    for (const panel of this.panels) {
      panel.stage.style.height = `${height}px`;
      panel.painter.resize(width, height);
      panel.rects = panel.grid ? layout(panel.grid, this.view.large, width, height, this.view.radiological) : [];
    }
    this.repaint();
  }

  /** Whether the viewer has the whole screen. */
  get full() { return this.root.getRootNode().fullscreenElement === this.root; }

  /** Pixels of a picture: what Python says, or a share of the window; on the whole screen what titles and legends leave. */
  heightOf(rows) {
    if (!this.full) return this.data.height ?? Math.max(LOWEST, Math.round(SHARE * window.innerHeight));
    const [panel] = this.panels, around = panel.root.offsetHeight - panel.stage.offsetHeight;
    const above = this.row.getBoundingClientRect().top - this.root.getBoundingClientRect().top;
    return Math.max(LOWEST / 2, Math.floor((window.innerHeight - above - 10) / rows) - around - 10);
  }

  toggleFull() {
    // a browser may refuse it (an embedded page): then everything stays as it is
    const done = this.full ? document.exitFullscreen() : this.root.requestFullscreen?.();
    done?.catch(() => {});
  }

  repaint() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  paint() {
    for (const panel of this.panels) {
      panel.painter.paint(this.scene(panel));
      panel.legend.show(panel.principal, this.looks.of(panel.principal), this.view.oneScale);
    }
    this.toolbar.show(this.view, this.view.region);
    this.navigation.show();
    this.showReadout();
    this.announce();
  }

  scene(panel) {
    const { lasso, cursor } = this.input;
    return {
      ...this.picture(panel), insets: this.insetsOf(panel),
      measures: (plane, position) => this.measuring.of(panel, plane, position), say: (measure) => this.measuring.say(panel, measure),
      lasso: lasso?.panel === panel ? lasso : null, cursor: cursor?.panel === panel ? cursor : null,
    };
  }

  /** What a panel shows of its volumes and of the region, whatever is done in it at the moment. */
  picture(panel, layers = filled(panel).map((layer) => this.drawn(layer))) {
    const { view } = this, { grid } = panel, region = grid && view.region?.grid.sameAs(grid) ? view.region : null;
    return {
      grid, layers, outlines: outlined(panel), view, region, span: view.mosaic && grid && !grid.flat ? this.spanOf(panel) : null, rects: panel.rects, index: grid && view.mm ? grid.toIndex(view.mm) : [0, 0, 0],
      faint: region?.surface !== panel.data.surface, letters: grid && (!grid.flat || panel.layers[0].facts.volume.placed),
    };
  }

  /**
   * Slices of the large plane with something in them, of all panels on one grid, so that tiles beside each other are one slice:
   * those of the maps, or where there is none of the images.
   */
  spanOf(panel) {
    const axis = panel.rects[0].plane.n, here = (layer) => layer.volume?.grid.sameAs(panel.grid);
    const all = this.panels.flatMap(({ layers }) => layers.filter(here)), maps = all.filter(({ facts }) => facts.role === "map");
    const spans = (maps.length ? maps : all.filter(({ facts }) => facts.role === "image")).map((layer) => this.filledSlices(layer, axis));
    return spans.length ? [Math.min(...spans.map(([first]) => first)), Math.max(...spans.map(([, last]) => last))] : [0, panel.grid.shape[axis] - 1];
  }

  filledSlices(layer, axis) {
    const { volume, facts } = layer, look = this.looks.of(layer), map = facts.role === "map", [low, high] = map ? facts.range : facts.window;
    const floor = map ? look.threshold ?? (high - low) / 50 : (high - low) / 10, key = [volume.digest, axis, floor].join();
    // of a map one sample is something; of an image a hundredth of a slice, noise being everywhere
    const rest = map ? 0 : Math.min(low, facts.extent[0]), enough = map ? 0 : 0.01;
    if (layer.filledFor !== key) Object.assign(layer, { filledFor: key, filled: occupied(volume, axis, floor, rest, enough) });
    return layer.filled;
  }

  /** A layer with the colour table it is drawn through; `slot` tells apart the tables of one layer. */
  drawn(layer, look = this.looks.of(layer), slot = "table") {
    const key = [layer.volume.digest, look.opacity, look.threshold, look.window, look.range, look.colormap].join();
    if (layer[slot]?.key !== key) layer[slot] = { key, lut: lookupTable(layer.facts, layer.volume, look, layer[slot]?.lut.rgba) };
    return { volume: layer.volume, lut: layer[slot].lut, role: layer.facts.role, key };
  }

  /** What the insets of a panel are cut from; null where it has none, or nothing is painted yet. */
  insetsOf(panel) {
    const { view } = this;
    if (!panel.data.insets || !view.insets || !view.region?.count || !panel.grid?.sameAs(view.region.grid)) return null;
    const source = this.panels.find((other) => other.data.surface === view.region.surface && other.grid?.sameAs(panel.grid));
    if (!source || source === panel) return null;
    const top = panel.principal, alone = top.facts.role === "map" && top.volume;
    const map = alone && this.picture(panel, [this.drawn(top, { ...this.looks.of(top), opacity: 1, threshold: null }, "opaque")]);
    return { map: map ? { ...map, region: null } : null, selection: this.picture(source) };
  }

  /** What tests and benchmarks listen to: which voxel was painted, in the frame that painted it. */
  announce() {
    const grid = this.panels[0].grid;
    if (!grid || !this.view.mm) return;
    this.root.dataset.crosshair = grid.toIndex(this.view.mm).join(" ");
    const detail = { id: this.data.id, crosshair: grid.toIndex(this.view.mm) };
    this.root.dispatchEvent(new CustomEvent("lightbox-paint", { bubbles: true, composed: true, detail }));
  }

  showReadout() {
    const grid = this.panels[0].grid, mm = this.input.hover ?? this.view.mm;
    if (!grid || !mm) return;
    const [i, j, k] = grid.toIndex(mm);
    this.toolbar.readout.textContent = grid.flat ? `row ${i}  column ${j}` : `${millimetres(mm)}   i ${i}  j ${j}  k ${k}`;
    this.toolbar.readout.title = grid.flat ? "Row from the top and column from the left, from 0"
      : "Millimetres to the right, to the front and upwards; index of the voxel along its three axes, from 0";
    for (const panel of this.panels) panel.showValues(mm);
  }

  showState() {
    for (const panel of this.panels) panel.showState(panel.data);
    const ready = this.layers.every((layer) => layer.volume && !layer.loading);
    this.root.dataset.state = this.layers.some((layer) => layer.error) ? "failed" : ready ? "ready" : "loading";
  }

  // ---- what the person does

  goTo(mm) {
    this.view.mm = mm;
    this.repaint();
  }

  setBrush(size) {
    this.view.brush = Math.min(40, Math.max(1, size));
    this.repaint();
  }

  setTiles(count) {
    this.view.tiles = count;
    this.repaint();
  }

  setLarge(plane) {
    this.view.large = plane;
    this.arrange();
  }

  /** A tool or command by name, from a button or a key. */
  press(name) {
    command(this, name);
    this.arrange();
  }

  sendRegion() { this.setState("region", this.view.region.encode()); }

  sendCrosshair() {
    const { grid } = this.panels[0];
    if (!this.data.reportCrosshair || !grid) return;
    this.setState("crosshair", grid.toIndex(this.view.mm).slice(0, grid.flat ? 2 : 3));
  }
}
