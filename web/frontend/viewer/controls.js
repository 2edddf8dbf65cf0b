// Buttons for what a wheel and a mouse do: they are the keyboard's way, too.
import { fit, zoomBy } from "./camera.js";

const BUTTONS = [
  ["larger", "+", (viewer) => zoomBy(viewer, 1.25)],
  ["smaller", "−", (viewer) => zoomBy(viewer, 0.8)],
  ["whole", "⤢", fit],
];

export function addControls(figure, viewer, words) {
  const bar = document.createElement("div");
  bar.className = "diagram-controls";
  for (const [name, sign, act] of BUTTONS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = sign;
    button.title = words[name] || name;
    button.setAttribute("aria-label", button.title);
    button.addEventListener("click", () => act(viewer));
    bar.append(button);
  }
  figure.querySelector(".diagram-canvas").before(bar);
}
