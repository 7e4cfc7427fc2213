// Volumes in the browser: fetched once, kept while there is room, shared by all viewers of the page.

import { Grid, transform } from "./geometry.js";

const ROOM = 384 * 1024 * 1024; // bytes of voxels kept beyond what is on screen
const MOST_ORDERED = 100_000; // samples that shares and percentiles are read from
const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };
const cache = new Map(); // digest → Volume, least recently used first
const underway = new Map(); // digest → { promise, listeners }

/** How many of a sorted array are less than a value, or with `equal` not more than it. */
function before(ordered, value, equal = false) {
  let low = 0, high = ordered.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ordered[middle] < value || (equal && ordered[middle] === value)) low = middle + 1; else high = middle;
  }
  return low;
}

export class Volume {
  constructor(facts, buffer) {
    this.digest = facts.digest;
    this.grid = new Grid(facts.shape, facts.affine);
    this.dtype = facts.dtype;
    this.scale = facts.scale;
    this.offset = facts.offset;
    this.bytes = buffer.byteLength;
    this.data = new ARRAYS[facts.dtype](buffer);
  }

  /** Real value at an array index, or null outside. */
  at(index) {
    return this.grid.contains(index) ? this.data[this.grid.offset(index)] * this.scale + this.offset : null;
  }

  /** Stored values in order, thinned where there are many: what shares and percentiles are read from. Made once. */
  get ordered() {
    if (this.sorted) return this.sorted;
    const step = Math.max(1, Math.floor(this.data.length / MOST_ORDERED)), count = Math.ceil(this.data.length / step);
    this.sorted = new Float32Array(count);
    for (let i = 0; i < count; i++) this.sorted[i] = this.data[i * step];
    this.sorted.sort();
    return this.sorted;
  }

  /** Share of the samples below one real value and above another. */
  beyond(low, high) {
    // one level is how finely the values are stored: what rounds to an end is not beyond it
    const slack = this.dtype === "float32" ? 0 : 1, { ordered } = this;
    const stored = (value) => Math.fround((value - this.offset) / this.scale);
    const below = before(ordered, stored(low) - slack), upTo = before(ordered, stored(high) + slack, true);
    return { below: below / ordered.length, above: 1 - upTo / ordered.length };
  }

  /** Real value that a share (0..1) of the samples does not exceed. */
  percentile(share) {
    return this.ordered[Math.min(this.ordered.length - 1, Math.floor(share * this.ordered.length))] * this.scale + this.offset;
  }

  /** Real value of the sample nearest to a point in millimetres, or null outside. */
  atMm(mm) {
    return this.at(transform(this.grid.inverse, mm).map(Math.round));
  }
}

export function cached(digest) {
  const volume = cache.get(digest);
  if (volume) { // now the most recently used
    cache.delete(digest);
    cache.set(digest, volume);
  }
  return volume;
}

/** The volume, from the cache or the server; `progress(share)` is told how far it is. Throws an Error with one sentence. */
export function load(base, facts, progress) {
  const known = cached(facts.digest);
  if (known) return Promise.resolve(known);
  let job = underway.get(facts.digest);
  if (!job) {
    const listeners = new Set();
    const tell = (share) => listeners.forEach((listener) => listener(share));
    const promise = retrieve(base, facts, tell).finally(() => underway.delete(facts.digest));
    job = { promise, listeners };
    underway.set(facts.digest, job);
  }
  job.listeners.add(progress);
  return job.promise;
}

async function retrieve(base, facts, tell) {
  let response;
  try {
    response = await fetch(`${base}/volume/${facts.token}`, { credentials: "same-origin" });
  } catch {
    throw new Error("The server did not answer; check that it is running.");
  }
  if (!response.ok) throw new Error("This image is no longer on the server; reload the page to bring it back.");
  const bytes = new Uint8Array(facts.size);
  let at = 0;
  try {
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (at + part.value.length > bytes.length) break;
      bytes.set(part.value, at);
      at += part.value.length;
      tell(at / bytes.length);
    }
  } catch {
    throw new Error("The connection broke off while the image was loading.");
  }
  if (at !== bytes.length) throw new Error("The image arrived incomplete.");
  const volume = new Volume(facts, bytes.buffer);
  keep(volume);
  return volume;
}

/** Keep a volume, and let go of the least recently used ones beyond the room there is. */
export function keep(added) {
  cache.set(added.digest, added);
  let total = 0;
  for (const volume of cache.values()) total += volume.bytes;
  for (const [digest, volume] of cache) {
    if (total <= ROOM || cache.size <= 1) return;
    cache.delete(digest); // panels that show it keep their own reference
    total -= volume.bytes;
  }
}
