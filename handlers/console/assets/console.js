// The console works without this file. It keeps pages fresh that show what is
// happening, and makes them usable without a mouse.
"use strict";

const main = document.getElementById("content");

// What was replaced by an answer is told to whoever put listeners on it.
const replaceParts = (answer, parts) => {
  for (const part of parts) {
    const fresh = answer.getElementById(part.id);
    if (!fresh || fresh.innerHTML === part.innerHTML && fresh.className === part.className) continue;
    const open = new Set([...part.querySelectorAll("details[open][id]")].map((d) => d.id));
    const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    part.replaceWith(fresh);
    for (const id of open) fresh.querySelector(`details[id="${CSS.escape(id)}"]`)?.setAttribute("open", "");
    if (focused) fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }
  document.dispatchEvent(new Event("console:replaced"));
};

const ask = async (address, signal) => {
  const answer = await fetch(address, { signal, headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

// Pages that show the present ask for themselves again while somebody can see
// them, and not while they are paused.
const every = Number(main?.dataset.refresh ?? 0);
if (every > 0) {
  const button = document.querySelector("[data-pause]");
  let paused = false;
  let missed = 0;
  if (button) {
    button.hidden = false;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      paused = !paused;
      button.setAttribute("aria-pressed", String(paused));
      button.textContent = paused ? "Resume updates" : "Pause updates";
    });
  }
  const again = async () => {
    if (!paused && document.visibilityState === "visible") {
      try {
        replaceParts(await ask(location.href, AbortSignal.timeout(10000)), document.querySelectorAll("[data-live][id]"));
        missed = 0;
      } catch {
        missed += 1;
        const fresh = document.getElementById("fresh");
        if (fresh && missed > 1) {
          fresh.classList.add("late");
          fresh.textContent = "No answer from the server; this page is getting old.";
        }
      }
    }
    setTimeout(again, every * 1000 * Math.min(6, missed + 1));
  };
  setTimeout(again, every * 1000);
}

// Rows are walked with j and k, and opened with Enter.
const rows = () => [...document.querySelectorAll("table[data-walk] tbody tr")].filter((row) => row.querySelector("a[data-open]"));
let at = -1;
const walk = (by) => {
  const all = rows();
  if (all.length === 0) return false;
  all[at]?.classList.remove("here");
  at = Math.max(0, Math.min(all.length - 1, at + by));
  all[at].classList.add("here");
  all[at].querySelector("a[data-open]").focus();
  return true;
};

const typing = (target) => target.closest("input:not([type=checkbox], [type=range]), textarea, select, [contenteditable]") !== null;

// The keys, and what they do.
const keys = [
  ["j", "next row"], ["k", "row before"], ["Enter", "open the row"], ["/", "search"],
  ["g, then a letter", "go to a section: " + [...document.querySelectorAll("[data-go]")].map((a) => `${a.dataset.go} ${a.textContent}`).join(", ")],
  ["?", "this help"],
];
if (document.querySelector("[data-slider]")) keys.unshift(["← →", "event before, next event"], ["Home End", "first event, last event"]);
if (document.querySelector("[data-live-tail]")) keys.unshift(["p", "pause, go on"]);

const help = document.createElement("dialog");
help.setAttribute("aria-labelledby", "keys");
help.innerHTML = "<h2 id=\"keys\">Keys</h2><dl></dl><form method=\"dialog\"><button class=\"button quiet small\">Close</button></form>";
for (const [key, does] of keys) {
  const term = document.createElement("dt");
  const what = document.createElement("dd");
  const shown = document.createElement("kbd");
  shown.textContent = key;
  term.append(shown);
  what.textContent = does;
  help.querySelector("dl").append(term, what);
}
document.body.append(help);
for (const button of document.querySelectorAll("[data-help]")) {
  button.hidden = false;
  button.addEventListener("click", () => help.showModal());
}

let going = 0;
addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help.open || typing(event.target)) return;
  const section = Date.now() - going < 1500 ? document.querySelector(`[data-go="${CSS.escape(event.key)}"]`) : null;
  going = 0;
  if (section) {
    section.click();
  } else if (event.key === "g") {
    going = Date.now();
  } else if (event.key === "j") {
    walk(1);
  } else if (event.key === "k") {
    walk(-1);
  } else if (at >= 0 && (event.key === "ArrowDown" || event.key === "ArrowUp") && document.activeElement?.closest("table[data-walk]")) {
    walk(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "?") {
    help.showModal();
  } else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (!search) return;
    search.focus();
    search.select();
  } else {
    return;
  }
  event.preventDefault();
});
