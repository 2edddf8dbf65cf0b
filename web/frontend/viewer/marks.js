// Where a case stands: classes on elements for colours, small badges for numbers and links.

const PLACES = {
  left: { top: -10, left: -8 },
  right: { top: -10, right: 8 },
  below: { bottom: 10, right: 8 },
};

/** Adds `mark-NAME` to elements; `marks` is {element id: [names]}. */
export function addMarks(viewer, marks) {
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  for (const [id, names] of Object.entries(marks)) {
    if (!registry.get(id)) continue;
    for (const name of names) canvas.addMarker(id, `mark-${name}`);
  }
}

function element({ text, title, href, kind }) {
  const badge = document.createElement(href ? "a" : "span");
  badge.className = `badge-on-diagram badge-${kind}`;
  badge.textContent = text;
  if (title) badge.title = title;
  if (href) {
    badge.href = href;
    if (title) badge.setAttribute("aria-label", title);
  }
  return badge;
}

/** Adds badges; each is {element, text, kind, place, title, href}. */
export function addBadges(viewer, badges) {
  const overlays = viewer.get("overlays");
  const registry = viewer.get("elementRegistry");
  for (const badge of badges) {
    if (!registry.get(badge.element)) continue;
    overlays.add(badge.element, "state", {
      position: PLACES[badge.place] || PLACES.right,
      html: element(badge),
    });
  }
}
