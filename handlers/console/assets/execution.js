// Moves through an execution without loading the whole page again. Without
// this file every step is a link.
"use strict";

{
  const known = new Map();
  let wanted = null;
  let busy = false;

  const cursor = () => document.getElementById("cursor");
  const address = (revision) => {
    const there = new URL(location.href);
    there.searchParams.set("revision", revision);
    there.hash = "cursor";
    return there;
  };

  const show = (revision, fresh) => {
    const old = cursor();
    const slider = document.activeElement?.id === "slider";
    const label = document.activeElement?.closest("#cursor") ? document.activeElement.getAttribute("aria-label") : null;
    const context = old.querySelector("#context")?.open;
    const copy = fresh.cloneNode(true);
    old.replaceWith(copy);
    if (copy.querySelector("#context") && context !== undefined) copy.querySelector("#context").open = context;
    history.replaceState(null, "", address(revision));
    for (const row of document.querySelectorAll("#timeline tr[data-step]")) {
      if (row.dataset.step === String(revision) && !row.classList.contains("own-not")) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
    }
    prepare();
    document.getElementById("said").textContent = copy.querySelector("h2").textContent;
    if (slider) document.getElementById("slider").focus();
    else if (label) copy.querySelector(`[aria-label="${CSS.escape(label)}"]`)?.focus();
  };

  // Only the newest wish counts: whoever drags the slider wants its end.
  const go = async (revision) => {
    wanted = revision;
    if (busy) return;
    busy = true;
    while (wanted !== null) {
      const next = wanted;
      wanted = null;
      try {
        if (!known.has(next)) {
          const there = address(next);
          there.hash = "";
          const part = (await ask(there, AbortSignal.timeout(10000))).getElementById("cursor");
          if (!part) throw new Error("no cursor");
          known.set(next, part);
        }
        if (wanted === null) show(next, known.get(next));
      } catch {
        location.href = address(next);
      }
    }
    busy = false;
  };

  const within = (revision) => Math.max(0, Math.min(Number(cursor().dataset.last), revision));
  const now = () => wanted ?? Number(cursor().dataset.at);

  const prepare = () => {
    const part = cursor();
    for (const button of part.querySelectorAll("[data-noscript]")) button.hidden = true;
    part.querySelector("#slider").oninput = (event) => go(Number(event.target.value));
  };

  if (cursor()) {
    prepare();
    document.addEventListener("console:replaced", () => { known.clear(); prepare(); });
    addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='?revision=']");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      go(within(Number(new URLSearchParams(link.getAttribute("href").split("#")[0]).get("revision"))));
      if (!link.closest("#cursor")) cursor().scrollIntoView({ block: "nearest" });
    });
    addEventListener("keydown", (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (event.target.id !== "slider" && event.target.closest("input, textarea, select, .scroll")) return;
      const to = { ArrowLeft: now() - 1, ArrowRight: now() + 1, Home: 0, End: Number(cursor().dataset.last) }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      go(within(to));
    });
  }
}
