// What part of a diagram is seen, and how large.

/** Below this, labels cannot be read. */
const READABLE = 0.55;

/** Free space around the drawing, in pixels of the screen. */
const MARGIN = 20;

export function fit(viewer) {
  const canvas = viewer.get("canvas");
  const { inner, outer } = canvas.viewbox();
  const wide = (outer.width - 2 * MARGIN) / inner.width;
  const high = (outer.height - 2 * MARGIN) / inner.height;
  // a small diagram is not blown up
  const scale = Math.min(wide, high, 1.2);
  const width = outer.width / scale;
  const height = outer.height / scale;
  canvas.viewbox({
    x: inner.x - (width - inner.width) / 2,
    y: inner.y - (height - inner.height) / 2,
    width,
    height,
  });
}

export function zoomBy(viewer, factor) {
  const canvas = viewer.get("canvas");
  canvas.zoom(Math.min(4, Math.max(0.1, canvas.zoom() * factor)), "auto");
}

/** Moves an element to the middle, large enough to be read, and marks it. */
export function bringIntoView(viewer, id) {
  const canvas = viewer.get("canvas");
  const found = viewer.get("elementRegistry").get(id);
  if (!found) return false;
  const root = canvas.findRoot(found);
  if (root && root !== canvas.getRootElement()) canvas.setRootElement(root);
  for (const other of viewer.get("elementRegistry").getAll()) {
    if (canvas.hasMarker(other, "mark-chosen")) canvas.removeMarker(other, "mark-chosen");
  }
  canvas.addMarker(found, "mark-chosen");
  centre(canvas, found, Math.max(canvas.zoom(), READABLE));
  return true;
}

/** Turns to the first of these elements where the whole diagram would be too small to read. */
export function readable(viewer, ids) {
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  const found = ids.map((id) => registry.get(id)).find((one) => one && !one.waypoints);
  if (found && canvas.zoom() < READABLE) centre(canvas, found, READABLE);
}

function centre(canvas, found, scale) {
  const { inner, outer } = canvas.viewbox();
  const box = middle(found);
  const width = outer.width / scale;
  const height = outer.height / scale;
  canvas.viewbox({
    x: within(box.x - width / 2, inner.x, inner.width, width),
    y: within(box.y - height / 2, inner.y, inner.height, height),
    width,
    height,
  });
}

/** Keeps the view inside the drawing, or the drawing in the middle of the view. */
function within(from, start, size, seen) {
  const margin = 40;
  if (size + 2 * margin <= seen) return start - (seen - size) / 2;
  return Math.min(Math.max(from, start - margin), start + size + margin - seen);
}

function middle(found) {
  if (found.waypoints) return found.waypoints[Math.floor(found.waypoints.length / 2)];
  return { x: found.x + found.width / 2, y: found.y + found.height / 2 };
}
