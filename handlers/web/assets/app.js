// The pages work without this file. It saves a few keystrokes: it shows a
// typed password on request, keeps a form from being sent twice, remembers who
// logs in here, and writes times as this browser's owner reads them.
"use strict";

const memory = "flowledger-identifier";

// A browser that keeps nothing is not an error.
const recall = () => { try { return localStorage.getItem(memory); } catch { return null; } };
const keep = (value) => {
  try {
    if (value) localStorage.setItem(memory, value);
    else localStorage.removeItem(memory);
  } catch { /* it stays unremembered */ }
};

for (const input of document.querySelectorAll("input[data-reveal]")) {
  const box = document.createElement("div");
  const button = document.createElement("button");
  const focused = document.activeElement === input;
  box.className = "reveal";
  button.type = "button";
  button.textContent = "Show";
  button.setAttribute("aria-label", "Show password");
  button.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.textContent = shown ? "Show" : "Hide";
    button.setAttribute("aria-pressed", String(!shown));
    input.focus();
  });
  // A shown password would be offered as a completion of a plain text field.
  input.form?.addEventListener("submit", () => { input.type = "password"; });
  input.before(box);
  box.append(input, button);
  if (focused || input.autofocus) input.focus(); // moving it has taken the focus away
}

for (const form of document.querySelectorAll("form[data-single]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    // The pressed button stays enabled, for a disabled one is not sent along.
    for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", "true");
  });
}

// Going back may bring a page as it was left.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button[aria-disabled]")) button.removeAttribute("aria-disabled");
  }
});

for (const form of document.querySelectorAll("form[data-remember]")) {
  const field = form.elements.namedItem("uid_field");
  const known = recall();
  const row = document.createElement("div");
  const box = document.createElement("input");
  const label = document.createElement("label");
  row.className = "field check";
  box.type = "checkbox";
  box.id = "remember-identifier";
  box.checked = known !== null;
  label.htmlFor = box.id;
  label.textContent = "Remember me on this device";
  row.append(box, label);
  form.querySelector("button[type=submit]").before(row);
  if (known && !field.value) {
    field.value = known;
    (form.elements.namedItem("password") ?? form.querySelector("button[type=submit]")).focus();
  }
  form.addEventListener("submit", () => keep(box.checked ? field.value.trim() : ""));
}

for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  time.title = time.textContent;
  time.textContent = moment.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}
