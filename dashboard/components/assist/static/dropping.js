// A file that is dropped anywhere goes to the page's place for scans; a page without one is left as browsers have it.

const ZONE = '[class*="st-key-upload-"] [data-testid="stFileUploaderDropzone"]';
const ANY_ZONE = '[data-testid="stFileUploaderDropzone"]'; // what is dropped on a place of its own stays there
const QUIET_MS = 800; // a drag over the page tells of itself all the time: after such a silence it has gone elsewhere

let hint = null;
let silence = 0;

export function listen() {
  window.addEventListener("dragover", over, true);
  window.addEventListener("drop", dropped, true);
}

function zone() {
  if (document.querySelector('[aria-modal="true"]')) return null;
  const found = document.querySelector(ZONE);
  return found && !found.querySelector("input:disabled") ? found : null;
}

function ofFiles(event) {
  return Boolean(event.dataTransfer) && [...event.dataTransfer.types].includes("Files");
}

function over(event) {
  if (!ofFiles(event) || !zone()) return;
  event.preventDefault(); // or the browser would leave the page for the file
  show();
  clearTimeout(silence);
  silence = setTimeout(hide, QUIET_MS);
}

function dropped(event) {
  hide();
  const place = zone();
  if (!ofFiles(event) || !place || event.target.closest?.(ANY_ZONE)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { dataTransfer } = event;
  place.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
}

function show() {
  if (hint) return;
  hint = document.createElement("div");
  hint.className = "drop-hint";
  hint.setAttribute("role", "status");
  hint.textContent = "Drop to open as a scan";
  document.body.append(hint);
}

function hide() {
  clearTimeout(silence);
  hint?.remove();
  hint = null;
}
