// How each layer is drawn at the moment: window, scale, threshold, opacity. Nothing here knows the screen.

/** Maps of one kind have one scale when scales are locked: those of one unit that are coloured in one way. */
const kindOf = ({ unit, colormap, centreZero }) => [unit, colormap, centreZero].join("|");

const reach = ([low, high]) => Math.max(Math.abs(low), Math.abs(high)) || 1;

/** Gives each map `shared`, the scale that all of its kind have when locked, and `alone` where that changes nothing. */
export function relate(layers) {
  const maps = layers.filter((layer) => layer.facts.role === "map"), kinds = new Map();
  for (const { facts } of maps) {
    const [low, high] = facts.range, known = kinds.get(kindOf(facts)) ?? [low, high];
    kinds.set(kindOf(facts), [Math.min(known[0], low), Math.max(known[1], high)]);
  }
  for (const layer of maps) layer.shared = kinds.get(kindOf(layer.facts));
  const differs = ({ facts, shared }) => facts.range.some((end, at) => end !== shared[at]);
  const wide = new Set(maps.filter(differs).map(({ facts }) => kindOf(facts)));
  for (const layer of maps) layer.alone = !wide.has(kindOf(layer.facts));
}

export class Looks {
  /** `layers`: function that lists all layers of a row. */
  constructor(view, layers) {
    this.view = view;
    this.layers = layers;
  }

  /** Window of an image layer: one for all images of the same group (by default: unit), from the first of them. */
  windowOf(layer) {
    const { windows } = this.view, { group } = layer.facts;
    const leader = this.layers().find(({ facts }) => facts.role === "image" && facts.group === group);
    const { window: first } = leader.facts, known = windows.get(group);
    if (known && known.first[0] === first[0] && known.first[1] === first[1]) return known;
    const made = { first: [...first], now: [...first] };
    windows.set(group, made);
    return made;
  }

  /** What the person left of a layer, until Python gives another start; lengths in the layer's own scale. */
  own(layer) {
    const { looks } = this.view, { opacity, threshold, visible, colormap } = layer.facts;
    const given = JSON.stringify([opacity, threshold, visible, colormap]);
    let look = looks.get(layer.slot);
    if (!look || look.given !== given) looks.set(layer.slot, (look = { given, opacity, threshold, visible, colormap }));
    return look;
  }

  /** Layers of a panel from bottom to top, as the person ordered them; the first gives the planes and stays where it is. */
  order({ key, layers }) {
    const wanted = this.view.orders.get(key);
    if (!wanted) return layers;
    const place = (layer) => (wanted.includes(layer.slot) ? wanted.indexOf(layer.slot) : wanted.length);
    return layers.toSorted((a, b) => place(a) - place(b)); // what is new lies on top
  }

  /** Those of them that are seen. */
  stack(panel) { return this.order(panel).filter((layer) => this.own(layer).visible); }

  /** Moves a layer up (+1) or down (-1), never below the first. */
  move(panel, layer, way) {
    const slots = this.order(panel).map(({ slot }) => slot), at = slots.indexOf(layer.slot), to = at + way;
    if (at < 1 || to < 1 || to >= slots.length) return;
    [slots[at], slots[to]] = [slots[to], slots[at]];
    this.view.orders.set(panel.key, slots);
  }

  /** How a layer is drawn: { visible, colormap, opacity, threshold, range, window }. A threshold stays the share of the scale that it is. */
  of(layer) {
    const own = this.own(layer), { facts } = layer;
    if (facts.role === "image") return { ...own, range: facts.range, window: this.windowOf(layer).now };
    const range = this.rangeOf(layer), wider = reach(range) / reach(facts.range);
    return { ...own, range, threshold: own.threshold === null ? null : own.threshold * wider };
  }

  rangeOf(layer) { return this.view.oneScale && layer.shared ? layer.shared : layer.facts.range; }

  /** Takes over a change; its threshold is one of the scale that the layer is drawn in at the moment. */
  set(layer, change) {
    const { centreZero, range } = layer.facts, given = { ...change };
    if ("threshold" in given) {
      const narrower = reach(range) / reach(this.rangeOf(layer));
      given.threshold = (centreZero ? Math.abs(given.threshold) : given.threshold) * narrower;
    }
    Object.assign(this.own(layer), given);
  }
}
