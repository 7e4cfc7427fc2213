// Volumes in the browser: fetched once, kept while there is room, shared by all viewers of the page.

import { Grid, transform } from "./geometry.js";

const ROOM = 384 * 1024 * 1024; // bytes of voxels kept beyond what is on screen
const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };
const cache = new Map(); // digest → Volume, least recently used first
const underway = new Map(); // digest → { promise, listeners }

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

  /** Share of the samples below and above two values, and the smallest and largest value there is. */
  beyond(low, high) {
    const key = `${low},${high}`;
    if (this.beyondFor === key) return this.beyondFound;
    let below = 0, above = 0, least = Infinity, most = -Infinity;
    // one level is how finely the values are stored: what rounds to an end is not beyond it
    const slack = this.dtype === "float32" ? 0 : Math.abs(this.scale), step = Math.max(1, Math.floor(this.data.length / 400000));
    for (let i = 0; i < this.data.length; i += step) {
      const value = this.data[i] * this.scale + this.offset;
      if (value < low - slack) below++; else if (value > high + slack) above++;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const count = Math.ceil(this.data.length / step);
    this.beyondFor = key;
    return this.beyondFound = { below: below / count, above: above / count, least, most };
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
