// Windows of grey values: those with a name, and one that a slice itself asks for.

const DARKEST = 0.01, BRIGHTEST = 0.99; // shares of a slice's samples that an automatic window ends at

/** The windows offered for an image: [name, low, high], the named ones of its scale or what its values give. */
export function offered(facts, volume) {
  if (facts.presets.length) return facts.presets;
  const whole = facts.extent[1] > facts.extent[0] ? [["All values", ...facts.extent]] : [];
  if (!volume) return [["As opened", ...facts.window], ...whole];
  const dim = volume.percentile(0.25), bright = volume.percentile(0.98), middle = volume.percentile(0.5);
  const more = [["More contrast", dim, bright], ["Brightest half", middle, facts.extent[1]]].filter(([, low, high]) => high > low);
  return [["As opened", ...facts.window], ...whole, ...more];
}

/** Name of the window that an image is seen in, if it has one. */
export function nameOf([low, high], presets) {
  return presets.find(([, a, b]) => a === low && b === high)?.[0] ?? "";
}

/** Window that spreads the greys over one slice: 1st to 99th percentile of it, without what is as dark as the darkest. */
export function sliceWindow(volume, plane, position) {
  const { strides, shape } = volume.grid, least = volume.ordered[0], found = [];
  for (let v = 0; v < shape[plane.v]; v++) {
    for (let u = 0; u < shape[plane.u]; u++) {
      const stored = volume.data[u * strides[plane.u] + v * strides[plane.v] + position * strides[plane.n]];
      if (stored > least) found.push(stored);
    }
  }
  if (!found.length) return null;
  const sorted = Float32Array.from(found).sort();
  const [low, high] = [DARKEST, BRIGHTEST].map((share) => sorted[Math.round(share * (sorted.length - 1))] * volume.scale + volume.offset);
  return high > low ? [low, high] : null;
}
