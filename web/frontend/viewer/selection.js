// The diagram and the lists beside it show the same element: `data-show`, `data-element`.
import { bringIntoView } from "./camera.js";

function rowsOf(figure, id) {
  const scope = figure.closest("[data-diagram-scope]") || document;
  return [...scope.querySelectorAll("[data-element]")].filter((row) => row.dataset.element === id);
}

function choose(figure, id) {
  const scope = figure.closest("[data-diagram-scope]") || document;
  for (const row of scope.querySelectorAll("[data-element].is-chosen")) {
    row.classList.remove("is-chosen");
  }
  const rows = rowsOf(figure, id);
  for (const row of rows) {
    row.classList.add("is-chosen");
    const words = row.closest("details");
    if (words) words.open = true;
  }
  return rows;
}

/** A click on a list's link shows the element; a click on an element shows its rows. */
export function connectPage(figure, viewer) {
  const scope = figure.closest("[data-diagram-scope]") || document;
  scope.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-show]");
    if (!link || !bringIntoView(viewer, link.dataset.show)) return;
    event.preventDefault();
    choose(figure, link.dataset.show);
    figure.scrollIntoView({ block: "nearest" });
  });
  viewer.on("element.click", ({ element }) => {
    const id = element.type === "label" ? element.labelTarget.id : element.id;
    const rows = choose(figure, id);
    if (rows.length) rows[0].scrollIntoView({ block: "nearest" });
  });
}
