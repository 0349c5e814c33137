// Shows the captcha of a page, and puts the provider's token into the form.
// reCAPTCHA, hCaptcha and Turnstile are drawn in the same way; which one it is
// shows when its script has come.
"use strict";

const onload = "flowledgerCaptcha";

for (const box of document.querySelectorAll("[data-captcha]")) {
  const form = box.closest("form");
  const field = box.querySelector("input[type=hidden]");
  const trouble = box.querySelector("[role=alert]");
  const interactive = "interactive" in box.dataset;
  let waiting = "auto" in box.dataset; // the form goes as soon as there is a token
  let started = false;
  let run = null; // asks for a token, where nobody has to click for one

  const say = (text) => { trouble.textContent = text; };
  const forget = () => { field.value = ""; };
  const fail = () => {
    forget();
    say("The check could not be done. Please try again, or reload the page.");
  };
  const take = (token) => {
    if (typeof token !== "string" || token === "") return;
    field.value = token;
    say("");
    if (!waiting) return;
    waiting = false;
    setTimeout(() => form.requestSubmit()); // not while the form is being sent: that does nothing
  };

  // Before any other listener, so that a form that has to wait does not count
  // as sent.
  document.addEventListener("submit", (event) => {
    if (event.target !== form || field.value) return;
    event.preventDefault();
    event.stopPropagation();
    waiting = true;
    if (run) run();
    else if (interactive) say("Please complete the check first.");
  }, true);

  const draw = (api) => {
    const options = {
      sitekey: box.dataset.key,
      theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
      callback: take,
      "expired-callback": forget,
      "error-callback": fail,
    };
    const itself = interactive || api === window.turnstile; // no call makes it begin
    if (!itself) options.size = "invisible";
    const id = api.render(box.querySelector("[data-widget]"), options);
    if (itself) return;
    run = () => {
      // A callback brings the token, or what is returned does, or both.
      const promised = api.execute(id);
      if (promised && promised.then) promised.then(take, fail);
    };
    if (waiting) run();
  };

  const start = () => {
    const api = window.turnstile ?? window.hcaptcha ?? window.grecaptcha;
    if (started) return;
    if (!api) {
      fail();
      return;
    }
    started = true;
    const safely = () => { try { draw(api); } catch { fail(); } };
    if (api === window.grecaptcha && api.ready) api.ready(safely);
    else safely();
  };

  const script = document.createElement("script");
  try {
    const address = new URL(box.dataset.captcha, location.href);
    address.searchParams.set("render", "explicit");
    address.searchParams.set("onload", onload);
    script.src = address;
  } catch {
    fail();
    continue;
  }
  window[onload] = start;
  // hCaptcha goes on loading after its script has come, and then calls.
  script.addEventListener("load", () => { if (!window.hcaptcha) start(); });
  script.addEventListener("error", fail);
  document.head.append(script);

  // A page that comes back has a token that was used.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}
