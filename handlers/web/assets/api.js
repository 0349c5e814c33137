// The API's pages work without this file. It narrows the list of operations
// while one types, and opens the shape that a link leads to.
"use strict";

const form = document.querySelector("form[data-filter]");

if (form) {
  const input = form.querySelector("input");
  const count = document.querySelector("[data-count]");
  const rows = [...document.querySelectorAll("[data-words]")];
  const groups = [...document.querySelectorAll("[data-group]")];
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => row.dataset.words.includes(word));
      if (!row.hidden) shown++;
    }
    for (const group of groups) group.hidden = !group.querySelector("[data-words]:not([hidden])");
    count.textContent = `${shown} ${shown === 1 ? "operation" : "operations"}`;
  });
}

// A link into a closed part of the page opens it.
const open = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
};
addEventListener("hashchange", open);
open();
