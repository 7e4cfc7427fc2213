// Which side of the patient is on the left of the screen: a setting of the person, kept in the browser. It changes what is
// seen, never what is kept or sent: letters and regions go by the array.

const KEY = "lightbox-convention", CHANGED = "lightbox-convention";
let radiological = true;

try {
  radiological = localStorage.getItem(KEY) !== "neurological";
} catch { /* a browser that keeps nothing starts radiological each time */ }

/** Radiological: the patient's right, and in sagittal planes the face, on the left of the screen. */
export const isRadiological = () => radiological;

export function swap() {
  radiological = !radiological;
  try {
    localStorage.setItem(KEY, radiological ? "radiological" : "neurological");
  } catch { /* see above */ }
  window.dispatchEvent(new Event(CHANGED)); // every viewer of the page shows one convention
}

export const onSwap = (act, signal) => window.addEventListener(CHANGED, act, { signal });
