// The live page works without this file, as one that is loaded again. With it,
// events come in by themselves; they can be held up without losing one; the
// table never grows beyond a bound; and it is said when the connection is gone.
"use strict";

const tail = document.querySelector("[data-live-tail]");

if (tail) {
  const most = 500; // rows on the page, and events held up before the connection is let go
  const rows = tail.querySelector("[data-rows]");
  const blank = tail.querySelector("template");
  const state = tail.querySelector("[data-state]");
  const news = tail.querySelector("[data-news]");
  const button = tail.querySelector("[data-pause]");
  const resting = tail.querySelector("[data-none]");
  const known = new Set([...rows.children].map((row) => row.dataset.event));
  const names = new Map();
  let last = tail.dataset.after; // position of the newest event taken, shown or held up
  let held = []; // not yet on the page
  let paused = false;
  let source = null;
  let retry = 0;
  let soon = 0;
  let fresh = 0; // since it was last said how many came

  const say = (text, kind) => {
    if (state.textContent !== text) state.textContent = text;
    state.className = `tag ${kind}`;
  };

  const tellState = () => {
    if (paused) say(`Paused: ${held.length}${source ? "" : " or more"} waiting`, "");
    else if (source && source.readyState === EventSource.OPEN) say("Live", "good");
    else say("Reconnecting…", "bad");
  };

  const take = (message) => {
    const event = JSON.parse(message.data);
    last = message.lastEventId || event.position;
    if (known.has(event.id)) return;
    known.add(event.id);
    held.push(event);
    if (paused && held.length >= most) close(); // the ledger keeps the rest until they are wanted
    schedule();
  };

  const open = () => {
    clearTimeout(retry);
    const address = new URL(tail.dataset.stream, location.href);
    address.searchParams.set("after", last);
    source = new EventSource(address);
    for (const type of tail.dataset.types.split(" ")) source.addEventListener(type, take);
    source.onmessage = take;
    source.onopen = tellState;
    source.onerror = () => {
      // A connection that was lost comes back by itself; one that was refused does not.
      if (source && source.readyState === EventSource.CLOSED) {
        source = null;
        retry = setTimeout(open, 3000 + 4000 * Math.random());
      }
      tellState();
    };
    tellState();
  };

  const close = () => {
    clearTimeout(retry);
    if (source) source.close();
    source = null;
  };

  // However many events come in, the page is written at most four times a second.
  const schedule = () => {
    if (!soon) soon = setTimeout(show, 250);
  };

  const part = (row, name) => row.querySelector(`[data-part=${name}]`);

  const rowOf = (event) => {
    const row = blank.content.firstElementChild.cloneNode(true);
    const header = event.header || {};
    const at = event.recorded_at;
    row.dataset.event = event.id;
    part(row, "time").dateTime = at;
    part(row, "time").textContent = `${at.slice(11, 23).replace("Z", "")}`;
    part(row, "time").title = at;
    part(row, "type").textContent = event.type;
    const own = event.stream.startsWith("execution-");
    const execution = own ? event.stream.slice("execution-".length) : header.execution;
    const where = part(row, "where");
    if (execution) {
      where.href = `/if/admin/executions/${encodeURIComponent(execution)}/${own ? `?revision=${event.revision}` : ""}`;
      where.textContent = own ? `execution ${short(execution)}, revision ${event.revision}` : `${category(event.stream)} of execution ${short(execution)}`;
    } else {
      where.replaceWith(document.createTextNode(event.stream));
    }
    const actor = header.actor || {};
    const who = part(row, "who");
    if (actor.id) {
      who.href = `/if/admin/people/${encodeURIComponent(actor.id)}/`;
      who.textContent = names.get(actor.id) || `person ${short(actor.id)}`;
      who.dataset.person = actor.id;
    } else {
      who.replaceWith(document.createTextNode(actor.kind || "–"));
    }
    return row;
  };

  // As the server shortens ids.
  const short = (id) => (id.length <= 12 ? id : `…${id.slice(-8)}`);

  const category = (stream) => stream.slice(0, Math.max(0, stream.indexOf("-"))) || stream;

  const show = () => {
    soon = 0;
    tellState();
    if (paused || !held.length) return;
    // What would be pushed out at once is not written first.
    const shown = held.slice(-most);
    fresh += held.length;
    held = [];
    const fragment = document.createDocumentFragment();
    for (const event of shown) fragment.prepend(rowOf(event));
    const reading = rows.contains(document.activeElement);
    const edge = rows.getBoundingClientRect().top;
    const height = rows.offsetHeight;
    rows.prepend(fragment);
    while (rows.children.length > most) rows.lastElementChild.remove();
    known.clear();
    for (const row of rows.children) known.add(row.dataset.event);
    if (resting) resting.hidden = true;
    // Whoever has scrolled down to read, or has the focus in the table, stays where they are.
    if (edge < 0 || reading) scrollBy(0, rows.offsetHeight - height);
    named();
  };

  // Names are asked for once, a few at a time; until then, and for who is gone, a person is a part of an id.
  let asking = false;
  const named = async () => {
    if (asking) return;
    const wanted = [...new Set([...rows.querySelectorAll("[data-person]")].map((a) => a.dataset.person))].filter((id) => !names.has(id)).slice(0, 50);
    if (!wanted.length) return;
    asking = true;
    try {
      const answer = await fetch(`/if/admin/live/names/?${wanted.map((id) => `id=${encodeURIComponent(id)}`).join("&")}`);
      const found = answer.ok ? await answer.json() : {};
      for (const id of wanted) names.set(id, found[id] || "");
      for (const a of rows.querySelectorAll("[data-person]")) {
        const name = names.get(a.dataset.person);
        if (name) a.textContent = name;
      }
    } catch { /* they are asked for again with the next event */ } finally {
      asking = false;
    }
  };

  const toggle = () => {
    paused = !paused;
    button.textContent = paused ? "Resume" : "Pause";
    button.setAttribute("aria-pressed", String(paused));
    if (!paused) {
      show();
      if (!source) open();
    }
    tellState();
  };

  // A screen reader hears how much came in, not each event.
  setInterval(() => {
    if (!fresh || paused) return;
    news.textContent = fresh === 1 ? "One new event." : `${fresh} new events.`;
    fresh = 0;
  }, 10000);

  button.addEventListener("click", toggle);
  addEventListener("keydown", (event) => {
    if (event.key !== "p" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("input, select, textarea, [contenteditable]")) return;
    event.preventDefault();
    toggle();
  });
  // A page that is kept for going back holds no connection, and goes on when it is shown.
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted && !paused) open(); });

  button.hidden = false;
  open();
}
