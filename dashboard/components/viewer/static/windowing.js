// Grey values: which image is meant, the windows offered for it, and taking one of them.

import { nameOf, offered, sliceWindow } from "./state/windows.js";

export class Windowing {
  constructor(viewer) { this.viewer = viewer; }

  /** The image whose grey values are meant: of the panel under the mouse, else the first there is. */
  get image() {
    const under = this.viewer.panels.includes(this.viewer.input.panel) ? this.viewer.input.panel.image : null;
    return under ?? this.viewer.panels.find((panel) => panel.image)?.image ?? null;
  }

  /** Windows offered for that image: [name, low, high], and which of them it is seen in. */
  offers() {
    const layer = this.image;
    if (!layer) return { windows: [], current: "", unit: "" };
    const windows = offered(layer.facts, layer.volume);
    return { windows, current: nameOf(this.viewer.looks.windowOf(layer).now, windows), unit: layer.facts.unit };
  }

  choose(at) {
    const chosen = this.offers().windows[at];
    if (chosen) this.set(chosen.slice(1));
  }

  set(ends) {
    if (ends && this.image) this.viewer.looks.windowOf(this.image).now = ends;
    this.viewer.repaint();
  }

  /** Window that the slice on screen asks for. */
  automatic() {
    const { image } = this, panel = this.viewer.panels.find((one) => one.layers.includes(image));
    if (!image?.volume) return;
    const { grid } = image.volume, plane = grid.plane(panel.rects[0]?.plane.name ?? "axial", this.viewer.view.radiological);
    this.set(sliceWindow(image.volume, plane, grid.toIndex(this.viewer.view.mm)[plane.n]));
  }
}
