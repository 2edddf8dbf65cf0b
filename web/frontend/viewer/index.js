// Draws every `[data-diagram]` of a page: the diagram, where it stands, and what a click selects.
// The page works without it: a table beside the diagram says the same in words.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import zeebe from "zeebe-bpmn-moddle/resources/zeebe.json";
import { addControls } from "./controls.js";
import { bringIntoView, fit, readable } from "./camera.js";
import { widenLabels } from "./labels.js";
import { addBadges, addMarks } from "./marks.js";
import { translateNames } from "./names.js";
import { connectPage } from "./selection.js";
import "./viewer.css";

const COLOURS = {
  defaultFillColor: "var(--dg-fill)",
  defaultStrokeColor: "var(--dg-stroke)",
  defaultLabelColor: "var(--dg-label)",
};

/** Returns what the page says about a figure: the diagram or its address, marks and badges. */
function told(figure) {
  const script = document.getElementById(figure.dataset.diagram);
  return script ? JSON.parse(script.textContent) : {};
}

async function xmlOf(page) {
  if (page.xml) return page.xml;
  const answer = await fetch(page.source, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${answer.status} ${page.source}`);
  return answer.text();
}

/** Colours of their own are made for white paper: such a diagram keeps it in the dark. */
function hasOwnColours(xml) {
  return /\b(?:bioc:(?:fill|stroke)|(?:color|background-color|border-color)=)/.test(xml);
}

async function show(figure) {
  const page = told(figure);
  const xml = await xmlOf(page);
  figure.classList.toggle("diagram-on-paper", hasOwnColours(xml));
  const canvas = figure.querySelector(".diagram-canvas");
  const viewer = new NavigatedViewer({
    container: canvas,
    bpmnRenderer: COLOURS,
    moddleExtensions: { zeebe },
  });
  viewer.on("import.parse.complete", ({ definitions, elementsById }) => {
    translateNames(Object.values(elementsById || {}), figure.dataset.lang);
    widenLabels(definitions);
  });
  // from here on the canvas has a size
  figure.classList.add("diagram-drawn");
  await viewer.importXML(xml, page.plane);
  addMarks(viewer, page.marks || {});
  addBadges(viewer, page.badges || []);
  fit(viewer);
  readable(viewer, page.attention || []);
  addControls(figure, viewer, page.words || {});
  connectPage(figure, viewer);
  if (page.focus) bringIntoView(viewer, page.focus);
  closeWords(figure);
}

/** What says the same in words is open without a script; beside a drawing it may be closed. */
function closeWords(figure) {
  const scope = figure.closest("[data-diagram-scope]") || document;
  for (const words of scope.querySelectorAll("details[data-beside-drawing]")) words.open = false;
}

function fail(figure, error) {
  console.error(error);
  figure.classList.remove("diagram-drawn");
  const words = figure.querySelector(".diagram-failed");
  if (words) words.hidden = false;
  figure.querySelector(".diagram-canvas").hidden = true;
}

function start() {
  for (const figure of document.querySelectorAll("[data-diagram]")) {
    const draw = () => show(figure).catch((error) => fail(figure, error));
    // what is folded away has no size yet, and many diagrams at once would take their time
    const folded = figure.closest("details:not([open])");
    if (folded) folded.addEventListener("toggle", draw, { once: true });
    else draw();
  }
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
