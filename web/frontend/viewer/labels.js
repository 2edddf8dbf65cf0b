// Fonts differ from machine to machine: a label drawn with just enough room would break inside words.

/** Room for one letter, in pixels of the diagram. */
const LETTER = 7.6;

function longestWord(name) {
  const words = (name || "").match(/[\x21-\x7e\u00c0-\u024f]+/g) || [];
  return Math.max(0, ...words.map((word) => word.length));
}

/** Returns how much of the room goes to the left: all, half or nothing. */
function side(label, shape) {
  if (!shape) return 0.5;
  if (label.x >= shape.x + shape.width) return 0;
  return label.x + label.width <= shape.x ? 1 : 0.5;
}

/** Widens the labels that are narrower than their longest word, away from their shape. */
export function widenLabels(definitions) {
  for (const diagram of definitions?.diagrams || []) {
    for (const shown of diagram.plane?.planeElement || []) {
      const label = shown.label?.bounds;
      if (!label) continue;
      const more = longestWord(shown.bpmnElement?.name) * LETTER - label.width;
      if (more <= 0) continue;
      label.width += more;
      label.x -= more * side(label, shown.bounds);
    }
  }
}
