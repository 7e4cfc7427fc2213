// A matrix: a table of buttons. One of them is in the order of Tab, the arrow keys move between them. Words
// always go in as text, never as markup.

const LETTER = 7.2, MARGIN = 10; // pixels that a letter of a class name takes at most, and room around the names
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export class Matrix {
  constructor(root) {
    this.root = root;
    this.at = [0, 0];
    this.lifetime = new AbortController(); // ends every listener at once
    const { signal } = this.lifetime;
    root.addEventListener("click", (event) => this.click(event), { signal });
    root.addEventListener("keydown", (event) => this.key(event), { signal });
    root.addEventListener("focusin", (event) => this.hold(this.placeOf(event)), { signal });
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(root);
  }

  destroy() {
    this.lifetime.abort();
    this.watch.disconnect();
    this.root.replaceChildren();
  }

  /** New data from Python. With the same names the buttons stay, and with them the focus. */
  update(data, send) {
    this.send = send;
    const same = namesOf(this.data) === namesOf(data);
    this.data = data;
    if (!same) this.build();
    this.table.setAttribute("aria-label", data.label);
    this.root.classList.toggle("roomy", data.roomy);
    this.root.style.setProperty("--right", data.hues.right);
    this.root.style.setProperty("--wrong", data.hues.wrong);
    data.cells.forEach((row, r) => {
      row.forEach((cell, c) => fill(this.buttons[r][c], cell, this.isSelected(r, c)));
      if (data.ends) this.ends[r].textContent = data.ends.values[r];
    });
    const selected = data.selected && [data.rows.indexOf(data.selected[0]), data.columns.indexOf(data.selected[1])];
    const chosen = String(data.selected);
    if (selected && chosen !== this.chosen) this.at = selected;
    this.chosen = chosen;
    this.hold(this.at);
    this.fit();
  }

  isSelected(r, c) {
    const { selected, rows, columns } = this.data;
    return Boolean(selected) && selected[0] === rows[r] && selected[1] === columns[c];
  }

  build() {
    const { rows, columns, corner, ends } = this.data;
    this.table = document.createElement("table");
    const head = this.table.createTHead().insertRow();
    heading(head, "col", "", "corner").append(...corner.map(part));
    this.heads = columns.map((name) => {
      const cell = heading(head, "col", "", "column");
      cell.append(part(name));
      cell.title = name;
      return cell;
    });
    if (ends) heading(head, "col", ends.head, "ends").title = ends.title;
    const body = this.table.createTBody();
    this.ends = [];
    this.buttons = rows.map((name) => {
      const row = body.insertRow();
      heading(row, "row", name, "row").title = name;
      const buttons = columns.map(() => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(document.createElement("b"), document.createElement("small"));
        row.insertCell().append(button);
        return button;
      });
      if (ends) {
        const end = row.insertCell();
        end.className = "ends";
        this.ends.push(end);
      }
      return buttons;
    });
    this.at = [Math.min(this.at[0], rows.length - 1), Math.min(this.at[1], columns.length - 1)];
    this.root.replaceChildren(this.table);
  }

  /** Cells as wide as there is room for; names of columns stand upright where a cell is too narrow for them. */
  fit() {
    if (!this.data) return;
    const { rows, columns, roomy, ends } = this.data;
    const longest = (names) => Math.max(...names.map((name) => name.length)) * LETTER + MARGIN;
    const room = this.root.clientWidth - Math.max(longest(rows), 84) - (ends ? 56 : 8);
    const cell = Math.max(roomy ? 38 : 22, Math.min(72, Math.floor(room / columns.length)));
    this.root.style.setProperty("--cell", `${cell}px`);
    this.root.classList.toggle("upright", longest(columns) > cell);
  }

  placeOf(event) {
    const button = event.composedPath().find((element) => element instanceof HTMLButtonElement);
    for (let r = 0; r < (this.buttons?.length ?? 0); r++) {
      const c = this.buttons[r].indexOf(button);
      if (c >= 0) return [r, c];
    }
    return null;
  }

  /** Put one cell into the order of Tab, and all others out of it. */
  hold(place) {
    if (!place) return;
    this.at = place;
    this.buttons.forEach((row, r) => row.forEach((button, c) => { button.tabIndex = r === place[0] && c === place[1] ? 0 : -1; }));
  }

  click(event) {
    const place = this.placeOf(event);
    if (place) this.send(this.data.rows[place[0]], this.data.columns[place[1]]);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const place = this.placeOf(event);
    if (!place) return;
    if (event.key === "Enter" || event.key === " ") return void event.stopPropagation(); // the button's own business
    const step = STEPS[event.key], last = this.buttons.length - 1;
    let next = null;
    if (step) next = [place[0] + step[0], place[1] + step[1]];
    else if (event.key === "Home") next = [place[0], 0];
    else if (event.key === "End") next = [place[0], last];
    if (!next) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has shortcuts of its own
    this.buttons[next[0]]?.[next[1]]?.focus();
  }
}

function heading(row, scope, words, kind) {
  const cell = document.createElement("th");
  cell.scope = scope;
  cell.className = kind;
  cell.textContent = words;
  row.append(cell);
  return cell;
}

function part(words) {
  const made = document.createElement("span");
  made.textContent = words;
  return made;
}

function namesOf(data) {
  return data && JSON.stringify([data.rows, data.columns]);
}

function fill(button, cell, selected) {
  const [main, beside] = button.children;
  main.textContent = cell.main;
  beside.textContent = cell.beside;
  button.className = cell.hue;
  // by the root: a few films of many must be seen as well
  button.style.setProperty("--tint", `${Math.round(12 + 43 * Math.sqrt(cell.share))}%`);
  button.title = cell.title;
  button.setAttribute("aria-label", cell.label);
  button.setAttribute("aria-pressed", selected);
}
