// Colour tables, 33 stops each: matplotlib's magma and viridis (CC0), Kenneth Moreland's diverging blue to red ("coolwarm") and
// Fabio Crameri's berlin (MIT), blue to red through black, for maps that stand alone on dark ground:
// even to the eye, safe for colour-blind ones, and the diverging one's ends stand out on bright tissue as well as on dark.

const STOPS = {
  magma: "0000040303120a0822130d341d114729115a36106b440f7651127c5d177f6a1c81762181832681902a819c2e7faa337db73779c43c75d0416fdc4869e75263ef5d5ef56b5cf9795dfc8961fd9869fea772feb67cfec488fed395fde2a3fcf0b2fcfdbf",
  viridis: "440154470d6048186a482374472d7b4537814240863e49893b528b375b8d33638d2f6b8e2c728e297a8e26828e23898e21918c1f988b1fa08822a78528ae8032b67a3fbc734ec36b5ec96270cf5784d44b98d83eaddc30c2df23d8e219ece51bfde725",
  diverging: "3b4cc0445acc4e68d85875e16282ea6c8ff1779af782a6fb8db0fe98b9ffa3c2feaec9fcb9d0f9c3d5f4ccd9edd5dbe5dddcdce5d8d1ecd3c5f1ccb8f5c4acf7ba9ff7b093f6a586f4987af08b6eeb7d62e46e56dd5f4bd44e41ca3b37be242eb40426",
  berlin: "9eb0ff8caef679abed65a7e2519fd34194c13685ad2e76992868862259731d4b61183d4f14303e11242e111a20121214190c09220c022b0e013510004112014d16025b1d086c27117d341e8e422e9e513fae6051be6f63ce7f76df8f89f09f9cffadad",
  gray: "000000ffffff",
};

/** Colours to choose from, for values that rise from nothing and for those with signs. */
export const COLORS = { rising: ["magma", "viridis", "gray"], signed: ["diverging", "berlin"] };

/** [red, green, blue] 0..255 of a named table at t in 0..1. */
export function color(name, t) {
  const stops = STOPS[name], last = stops.length / 6 - 1;
  const position = Math.min(1, Math.max(0, t)) * last;
  const low = Math.min(last - 1, Math.floor(position)), share = position - low;
  const channel = (stop, c) => parseInt(stops.slice(stop * 6 + c * 2, stop * 6 + c * 2 + 2), 16);
  return [0, 1, 2].map((c) => Math.round(channel(low, c) * (1 - share) + channel(low + 1, c) * share));
}

const tables = new Map();

/** Table of 256 colours as [r, g, b] triples in one array; made once. */
export function table(name) {
  if (tables.has(name)) return tables.get(name);
  const rgb = new Uint8Array(768);
  for (let i = 0; i < 256; i++) rgb.set(color(name, i / 255), i * 3);
  tables.set(name, rgb);
  return rgb;
}
