// Entry: Streamlit calls `mount` again on every change of the data, without cleaning up first. One Viewer serves them all.

import { Viewer } from "./viewer.js";

const viewers = new WeakMap(); // component root → { viewer, call }

export function mount(component) {
  const { parentElement, data, setStateValue } = component;
  let entry = viewers.get(parentElement);
  if (!entry) {
    entry = { viewer: new Viewer(parentElement.querySelector(".lightbox")), call: 0 };
    viewers.set(parentElement, entry);
  }
  const call = ++entry.call;
  entry.viewer.update(data, setStateValue);
  // Streamlit runs a superseded call's clean-up late: only the newest call may take the viewer down.
  return () => {
    if (entry.call !== call) return;
    entry.viewer.destroy();
    viewers.delete(parentElement);
  };
}
