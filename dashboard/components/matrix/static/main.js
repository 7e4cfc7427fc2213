// Entry: Streamlit calls `mount` again on every change of the data, without cleaning up first. One Matrix serves them all.

import { Matrix } from "./matrix.js";

const matrices = new WeakMap(); // component root → { matrix, call }

export function mount(component) {
  const { parentElement, data, setTriggerValue } = component;
  let entry = matrices.get(parentElement);
  if (!entry) {
    entry = { matrix: new Matrix(parentElement.querySelector(".matrix")), call: 0 };
    matrices.set(parentElement, entry);
  }
  const call = ++entry.call;
  entry.matrix.update(data, (row, column) => setTriggerValue("cell", [row, column]));
  // Streamlit runs a superseded call's clean-up late: only the newest call may take the matrix down.
  return () => {
    if (entry.call !== call) return;
    entry.matrix.destroy();
    matrices.delete(parentElement);
  };
}
