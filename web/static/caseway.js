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

// a form with data-draft is kept on the server while it is being filled in
const form = document.querySelector("form[data-draft]");
if (form) {
  const state = document.getElementById("draft-state");
  let timer = 0;
  let sent = false;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (sent) return;
      const body = new FormData(form);
      body.set("act", "draft");
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Caseway": "draft" } });
      if (answer.ok && state) {
        state.textContent = `${form.dataset.draft} ${new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" })}`;
      }
    }, 2000);
  });
  form.addEventListener("submit", () => {
    sent = true;
    clearTimeout(timer);
  });
}
