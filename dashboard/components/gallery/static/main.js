// Entry: Streamlit calls `mount` again on every change of the data, without cleaning up first. One Gallery serves them all.

import { Gallery } from "./gallery.js";

const galleries = new WeakMap(); // component root → { gallery, call }

export function mount(component) {
  const { parentElement, data, setTriggerValue } = component;
  let entry = galleries.get(parentElement);
  if (!entry) {
    entry = { gallery: new Gallery(parentElement.querySelector(".gallery")), call: 0 };
    galleries.set(parentElement, entry);
  }
  const call = ++entry.call;
  entry.gallery.update(data, (key) => setTriggerValue("clicked", key));
  // Streamlit runs a superseded call's clean-up late: only the newest call may take the gallery down.
  return () => {
    if (entry.call !== call) return;
    entry.gallery.destroy();
    galleries.delete(parentElement);
  };
}
