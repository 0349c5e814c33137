package tests

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// fakeCaptchas are scripts that look to a page like those of the providers.
// Each shows that it was asked to be drawn by call, and puts a frame beside its
// widget, as they all do.
var fakeCaptchas = map[string]string{
	"turnstile": common + `
window.turnstile = { render(box, o) {
  frame(box);
  if (o.size) throw new Error("there is no such size");
  setTimeout(() => o.callback("TOKEN"), 20);
  return "1";
} };`,
	"hcaptcha": common + `
let options;
setTimeout(() => {
  window.hcaptcha.render = (box, o) => { frame(box); button(box, o); options = o; return "1"; };
  window.hcaptcha.execute = () => { setTimeout(() => options.callback("TOKEN"), 20); };
  window[asked.get("onload")]();
}, 20);
window.hcaptcha = {};`,
	"recaptcha 2": common + `
let options;
window.grecaptcha = { ready(then) {
  window.grecaptcha.render = (box, o) => { frame(box); button(box, o); options = o; return 0; };
  window.grecaptcha.execute = () => { setTimeout(() => options.callback("TOKEN"), 20); return Promise.resolve(null); };
  setTimeout(then, 20);
} };`,
	"recaptcha 3": common + `
window.grecaptcha = { ready(then) {
  window.grecaptcha.render = (box, o) => { frame(box); return 0; };
  window.grecaptcha.execute = () => Promise.resolve("TOKEN");
  setTimeout(then, 20);
} };`,
}

const common = `
const source = document.currentScript.src;
const asked = new URL(source).searchParams;
if (asked.get("render") !== "explicit") throw new Error("nobody asked to draw by call");
const frame = (box) => {
  const f = document.createElement("iframe");
  f.src = new URL("/frame", source);
  f.height = 20;
  box.append(f);
};
const button = (box, o) => {
  if (o.size === "invisible") return;
  const b = document.createElement("button");
  b.type = "button";
  b.id = "solve";
  b.textContent = "I am human";
  b.onclick = () => o.callback("TOKEN");
  box.append(b);
};`

// accept takes what the page asks of a provider for what it should.
func (w *window) accept(p *captchaProvider) {
	w.t.Cleanup(func() { // before the window closes
		w.mu.Lock()
		defer w.mu.Unlock()
		w.complaints = slices.DeleteFunc(w.complaints, func(c string) bool {
			return strings.HasPrefix(c, "the page asks another server: "+p.URL+"/")
		})
	})
}

// TestBrowserCaptcha goes through captchas of all kinds in a real browser.
func TestBrowserCaptcha(t *testing.T) {
	p := newCaptchaProvider(t, "zq-key", "zq.example")
	s := start(t)
	admin := s.admin(t)
	admin.mustImport(t, captchaFlow(p, false))
	interactive := func(t *testing.T, on bool) {
		t.Helper()
		const path = "/api/v3/stages/captcha/"
		list, err := admin.must(t, http.StatusOK, http.MethodGet, path+"?name=captcha", nil).object()
		if err != nil {
			t.Fatal(err)
		}
		pk, _ := at(list, "results.0.pk").(string)
		admin.must(t, http.StatusOK, http.MethodPatch, path+pk+"/", object{"interactive": on})
	}
	enter := func(t *testing.T, script string, tokens ...string) *window {
		t.Helper()
		p.set(func() { p.script, p.tokens, p.asked = script, tokens, nil })
		w := openWindow(t, s.base)
		w.accept(p)
		return w
	}
	for name, script := range fakeCaptchas {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			w := enter(t, script, "human-1")
			w.open("/if/flow/captcha/")
			w.run("pass by itself", w.says("captcha-after"))
		})
	}
	t.Run("a-wrong-token-is-not-tried-for-ever", func(t *testing.T) {
		w := enter(t, fakeCaptchas["hcaptcha"], "robot", "human-2")
		w.open("/if/flow/captcha/")
		w.run("be told so", w.says("Invalid captcha response"), w.sees(".captcha iframe"))
		w.picture("wrong")
		p.set(func() {
			if len(p.asked) != 1 {
				t.Errorf("the provider was asked %d times", len(p.asked))
			}
		})
		w.run("try again", w.press(), w.says("captcha-after"))
	})
	t.Run("with-the-name", func(t *testing.T) {
		w := enter(t, fakeCaptchas["recaptcha 3"], "human-3")
		w.open("/if/flow/captcha-login/")
		w.run("say who one is", w.sees(".captcha iframe"), w.fill("#uid_field", "akadmin"), w.press(), w.says("captcha-after"))
	})
	t.Run("a-broken-script", func(t *testing.T) {
		w := enter(t, "/* nothing */", "-")
		w.open("/if/flow/captcha/")
		w.run("be told so", w.says("The check could not be done"))
	})
	t.Run("without-scripts", func(t *testing.T) {
		p.set(func() { p.asked = nil })
		w := openWindow(t, s.base, looks["without scripts"]...)
		w.open("/if/flow/captcha/")
		w.run("be told that it takes scripts", w.sees("noscript .note"))
	})
	interactive(t, true)
	t.Run("a-click", func(t *testing.T) {
		w := enter(t, fakeCaptchas["hcaptcha"], "human-4")
		w.open("/if/flow/captcha/")
		w.run("go on too early", w.sees("#solve"), w.press(), w.says("Please complete the check first."))
		w.picture("too-early")
		w.fits("desktop")
		w.run("click", chromedp.Click(chromedp.CSS("#solve")), w.says("captcha-after"))
	})
}
