// Fonts differ from machine to machine: a label drawn with just enough room would break inside words.

/** Narrower labels are widened, around their middle. */
const NARROWEST = 90;

export function widenLabels(definitions) {
  for (const diagram of definitions?.diagrams || []) {
    for (const shown of diagram.plane?.planeElement || []) {
      const bounds = shown.label?.bounds;
      if (!bounds || bounds.width >= NARROWEST) continue;
      bounds.x -= (NARROWEST - bounds.width) / 2;
      bounds.width = NARROWEST;
    }
  }
}
