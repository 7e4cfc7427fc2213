// The mosaic: which slices of a plane are worth a tile, and where the tiles lie.

const LEAST = 60; // pixels across of a tile when their number is not chosen
const MOST = 30;
export const COUNTS = [4, 6, 9, 12, 16, 20, 30]; // to choose from

/** First and last slice along `axis` with something in them: `enough` samples whose size `|value - rest|` is above `floor`. */
export function occupied(volume, axis, floor, rest, enough) {
  const { shape, strides } = volume.grid, { data, scale, offset } = volume, [u, v] = [0, 1, 2].filter((a) => a !== axis);
  const step = Math.max(1, Math.floor(Math.sqrt(shape[u] * shape[v] / 10000))); // thinned: a tile is small, too
  const least = enough * Math.ceil(shape[u] / step) * Math.ceil(shape[v] / step);
  const filled = (position) => {
    let found = 0;
    for (let j = 0; j < shape[v]; j += step) {
      for (let i = 0; i < shape[u]; i += step) {
        const value = data[i * strides[u] + j * strides[v] + position * strides[axis]] * scale + offset;
        if (Math.abs(value - rest) > floor && ++found > least) return true;
      }
    }
    return false;
  };
  let first = 0, last = shape[axis] - 1;
  while (first < last && !filled(first)) first++;
  while (last > first && !filled(last)) last--;
  return filled(first) ? [first, last] : [0, shape[axis] - 1]; // nothing anywhere: all are shown
}

/** How many columns and rows, and how wide a tile is: of `count` tiles the widest, or by default as many as stay readable. */
export function arrangement(count, available, aspect, width, height) {
  let best = { columns: 1, rows: 1, wide: Math.min(width, height * aspect) };
  if (count) {
    const wanted = Math.min(count, available);
    best.wide = 0;
    for (let columns = 1; columns <= wanted; columns++) {
      const rows = Math.ceil(wanted / columns), wide = Math.min(width / columns, height / rows * aspect);
      if (wide > best.wide) best = { columns, rows, wide };
    }
    return { ...best, count: wanted };
  }
  for (let columns = 2; columns <= 6; columns++) {
    const wide = width / columns, rows = Math.max(1, Math.floor(height / (wide / aspect)));
    const more = columns * rows > best.columns * best.rows;
    if (columns * rows <= Math.min(MOST, available) && more && wide >= LEAST) best = { columns, rows, wide };
  }
  return { ...best, count: best.columns * best.rows };
}

/** Tiles: evenly spaced slices from the first to the last that has something in it. */
export function mosaic(scene, width, height) {
  const { plane } = scene.rects[0], aspect = plane.width / plane.height, [first, last] = scene.span;
  const { columns, rows, wide, count } = arrangement(scene.view.tiles, last - first + 1, aspect, width, height);
  const high = wide / aspect, left = (width - columns * wide) / 2, top = Math.max(0, (height - rows * high) / 2), tiles = [];
  const upwards = plane.name !== "sagittal"; // feet to head, back to front; sagittal from the left of the array
  for (let at = 0; at < count; at++) {
    const share = count > 1 ? at / (count - 1) : 0.5;
    const position = Math.round(first + (upwards ? share : 1 - share) * (last - first));
    tiles.push({ position, x: left + (at % columns) * wide, y: top + Math.floor(at / columns) * high, w: wide, h: high });
  }
  const here = scene.index[plane.n];
  tiles.reduce((best, tile) => (Math.abs(tile.position - here) < Math.abs(best.position - here) ? tile : best)).nearest = true;
  return tiles;
}
