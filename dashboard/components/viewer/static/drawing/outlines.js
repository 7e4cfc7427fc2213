// Outlines of masks as lines on the screen: equally thin however large a sample is drawn.

const paths = new Map(); // what a path is of → Path2D, least recently used first
const ROOM = 400; // paths kept

/** Edges between marked and unmarked samples of a plane, in samples from the plane's top left corner on screen. */
export function edges(data, grid, plane, position) {
  const { strides, shape } = grid, { u, v, nu, nv } = plane, found = [];
  const marked = (x, y) => {
    if (x < 0 || y < 0 || x >= nu || y >= nv) return false;
    const along = plane.uDirection > 0 ? x : shape[u] - 1 - x, down = plane.vDirection > 0 ? y : shape[v] - 1 - y;
    return data[along * strides[u] + down * strides[v] + position * strides[plane.n]] > 0;
  };
  for (let y = 0; y <= nv; y++) {
    for (let x = 0; x <= nu; x++) {
      const here = marked(x, y);
      if (here !== marked(x - 1, y)) found.push([x, y, x, y + 1]);
      if (here !== marked(x, y - 1)) found.push([x, y, x + 1, y]);
    }
  }
  return found;
}

function pathOf(volume, plane, position) {
  const key = [volume.digest, plane.name, plane.uDirection, plane.vDirection, position].join();
  const path = paths.get(key) ?? new Path2D();
  if (!paths.delete(key)) {
    for (const [x0, y0, x1, y1] of edges(volume.data, volume.grid, plane, position)) {
      path.moveTo(x0, y0);
      path.lineTo(x1, y1);
    }
  }
  paths.set(key, path);
  if (paths.size > ROOM) paths.delete(paths.keys().next().value);
  return path;
}

/** Draw the outlines of a plane that lies in the box `place` of the screen: a dark line below, so that it shows on bone. */
export function drawOutlines(context, outlines, plane, position, place) {
  for (const { volume, color } of outlines) {
    const path = new Path2D();
    path.addPath(pathOf(volume, plane, position), new DOMMatrix([place.w / plane.nu, 0, 0, place.h / plane.nv, place.x, place.y]));
    context.lineCap = "square";
    for (const [style, width] of [["rgba(0,0,0,.5)", 2.5], [color, 1.25]]) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.stroke(path);
    }
  }
}
