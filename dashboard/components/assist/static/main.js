// Entry: hears Ctrl+Enter before any widget does and presses the button of one container; gives menus their whole titles;
// takes files that are dropped anywhere.

import { listen as listenToDrops } from "./dropping.js";

let container = ""; // class of the container whose button is pressed
let listening = false;

export function mount({ data }) {
  container = `st-key-${data.container}`;
  if (listening) return; // mounted again on every change of the page: one pair of listeners serves all
  listening = true;
  window.addEventListener("keydown", pressed, true);
  window.addEventListener("pointerover", pointedAt, { capture: true, passive: true });
  listenToDrops();
}

function pressed(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  const button = document.querySelector(`.${container} [data-testid^="stBaseButton"]`);
  if (!button || document.querySelector('[aria-modal="true"]')) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // or Streamlit's own shortcut would press it a second time
  if (event.repeat || button.disabled) return;
  const typing = document.activeElement;
  if (typing instanceof HTMLElement && typing.matches("input, textarea")) typing.blur(); // what is being typed counts
  setTimeout(() => button.click(), 0);
}

function pointedAt({ target }) {
  if (!(target instanceof Element)) return;
  const menu = target.closest('[data-testid="stSelectbox"], [role="option"]');
  if (!menu) return;
  const words = menu.querySelector('input[role="combobox"]')?.value ?? menu.textContent;
  if (words && menu.title !== words) menu.title = words;
}
