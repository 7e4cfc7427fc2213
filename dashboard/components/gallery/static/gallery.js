// The gallery: a grid of buttons, each a picture with a title and a caption. One of them is in the order of Tab, the arrow
// keys move between them. Words always go in as text, never as markup.

const NARROWEST = 96, WIDEST = 260; // bounds of a tile's width, pixels

export class Gallery {
  constructor(root) {
    this.root = root;
    this.root.setAttribute("role", "group");
    this.tiles = []; // { key, data, button, image, title, caption }
    this.lifetime = new AbortController(); // ends every listener at once
    const { signal } = this.lifetime;
    root.addEventListener("click", (event) => this.click(event), { signal });
    root.addEventListener("keydown", (event) => this.key(event), { signal });
    root.addEventListener("focusin", (event) => this.hold(this.of(event)), { signal });
  }

  destroy() {
    this.lifetime.abort();
    this.root.replaceChildren();
  }

  /** New data from Python. A tile that is still there keeps its button, and with it the focus. */
  update(data, send) {
    this.send = send;
    this.root.style.setProperty("--columns", data.columns);
    this.root.style.setProperty("--aspect", data.aspect);
    this.root.style.setProperty("--narrowest", `${NARROWEST}px`);
    this.root.style.setProperty("--widest", `${WIDEST}px`);
    this.root.style.maxHeight = data.height ? `${data.height}px` : "";
    if (data.label) this.root.setAttribute("aria-label", data.label);
    const before = new Map(this.tiles.map((tile) => [tile.key, tile]));
    this.tiles = data.tiles.map((facts) => {
      const tile = before.get(facts.key) ?? makeTile();
      before.delete(facts.key);
      fill(tile, facts);
      return tile;
    });
    for (const tile of before.values()) tile.button.remove();
    this.tiles.forEach((tile, at) => {
      if (this.root.children[at] !== tile.button) this.root.insertBefore(tile.button, this.root.children[at] ?? null);
    });
    const selected = this.tiles.findIndex((tile) => tile.data.selected);
    const chosen = selected >= 0 ? this.tiles[selected].key : null;
    const held = this.tiles.find((tile) => tile.key === this.held && !tile.data.disabled);
    // Tab leads to the tile in use last, until Python selects another one
    if (!held || chosen !== this.chosen) this.hold(this.tiles[selected] ?? this.tiles.find((tile) => !tile.data.disabled));
    else this.hold(held);
    this.chosen = chosen;
  }

  of(event) {
    const button = event.composedPath().find((element) => element instanceof HTMLButtonElement);
    return this.tiles.find((tile) => tile.button === button);
  }

  /** Put one tile into the order of Tab, and all others out of it. */
  hold(tile) {
    if (!tile) return;
    this.held = tile.key;
    for (const other of this.tiles) other.button.tabIndex = other === tile ? 0 : -1;
  }

  click(event) {
    const tile = this.of(event);
    if (tile && !tile.data.disabled) this.send(tile.key);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const tile = this.of(event), wide = this.columns();
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide };
    if (event.key === "Enter" || event.key === " ") return void event.stopPropagation(); // the button's own business
    let at = this.tiles.indexOf(tile), step = Math.sign(steps[event.key] ?? 0);
    if (event.key === "Home") [at, step] = [0, 1];
    else if (event.key === "End") [at, step] = [this.tiles.length - 1, -1];
    else if (steps[event.key] && at >= 0) at += steps[event.key];
    else return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has shortcuts of its own
    while (this.tiles[at]?.data.disabled) at += step;
    this.tiles[at]?.button.focus();
  }

  /** How many tiles stand side by side now. */
  columns() {
    const top = this.tiles[0].button.offsetTop, next = this.tiles.findIndex((tile) => tile.button.offsetTop > top);
    return next < 0 ? this.tiles.length : next;
  }
}

function makeTile() {
  const make = (tag, classes, parent) => {
    const made = document.createElement(tag);
    made.className = classes;
    parent?.append(made);
    return made;
  };
  const button = make("button", "tile");
  button.type = "button";
  const image = make("img", "", make("span", "frame", button));
  image.alt = "";
  image.draggable = false;
  return { button, image, title: make("b", "", button), caption: make("small", "", button) };
}

function fill(tile, facts) {
  const { button, image, title, caption } = tile;
  Object.assign(tile, { key: facts.key, data: facts });
  if (image.src !== facts.image) image.src = facts.image;
  title.textContent = facts.title;
  caption.textContent = facts.caption;
  title.hidden = !facts.title;
  caption.hidden = !facts.caption;
  button.title = facts.help;
  button.dataset.key = facts.key;
  button.disabled = facts.disabled;
  button.setAttribute("aria-label", [facts.title, facts.caption].filter(Boolean).join(", ") || facts.key);
  button.setAttribute("aria-pressed", facts.selected);
}
