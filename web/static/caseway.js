// Comfort only: every page works without this file.
"use strict";

// a form with data-auto is sent as soon as one of its selects or boxes is changed
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form && form.matches("[data-auto]")) form.requestSubmit();
});

// an open menu closes with Escape or by a click elsewhere
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
};
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.menu[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

// what is wrong is read first
document.getElementById("errors")?.focus();
