// Measurements on a plane: lines, shapes, and what they say.

import { isArea } from "../marking/measures.js";
import { project } from "../space/geometry.js";

const COLOR = "#f2c14e";

/** Draw the measurements of a plane; `say(measure)` gives the lines of text beside one. */
export function drawMeasures(painter, rect, view, measures, say) {
  const { context } = painter;
  for (const measure of measures) {
    const points = measure.points.map(([u, v]) => project(rect, view, u, v));
    for (const [style, width] of [["rgba(0,0,0,.6)", 3.5], [COLOR, 1.5]]) {
      context.strokeStyle = style;
      context.lineWidth = width;
      outline(context, measure.kind, points);
      if (!isArea(measure.kind)) ends(context, points);
    }
    const right = points.reduce((best, point) => (point[0] > best[0] ? point : best));
    // beside the shape, and still inside of the plane
    const lines = say(measure), wide = Math.max(...lines.map((line) => line.length)) * 6.7 + 12;
    const flip = right[0] + wide > rect.x + rect.w, x = flip ? Math.min(...points.map((p) => p[0])) - 7 : right[0] + 7;
    const y = Math.min(rect.y + rect.h - 14 * lines.length, Math.max(rect.y + 10, right[1]));
    lines.forEach((line, at) => painter.text(line, flip && x - wide < rect.x ? rect.x + 6 : x, y + 14 * at, flip && x - wide >= rect.x ? "right" : "left", COLOR));
  }
}

function outline(context, kind, points) {
  const [[x0, y0], [x1, y1]] = points;
  context.beginPath();
  if (kind === "ellipse") context.ellipse((x0 + x1) / 2, (y0 + y1) / 2, Math.abs(x1 - x0) / 2, Math.abs(y1 - y0) / 2, 0, 0, 2 * Math.PI);
  else if (kind === "rectangle") context.rect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
  else points.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
}

function ends(context, points) {
  for (const [x, y] of points) {
    context.beginPath();
    context.arc(x, y, 2.5, 0, 2 * Math.PI);
    context.stroke();
  }
}
