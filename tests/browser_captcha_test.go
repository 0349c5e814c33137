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

// A captchaDesk is a server with captcha flows, and their provider.
type captchaDesk struct {
	*captchaProvider
	server *server
	admin  *client
}

// enter opens a window and a flow that has a captcha with this script.
func (d *captchaDesk) enter(t *testing.T, slug, script string, tokens ...string) *window {
	t.Helper()
	d.set(func() { d.script, d.tokens, d.asked = script, tokens, nil })
	w := openWindow(t, d.server.base)
	w.accept(d.captchaProvider)
	w.open("/if/flow/" + slug + "/")
	return w
}

// interactive changes whether the stage wants a click.
func (d *captchaDesk) interactive(t *testing.T, on bool) {
	t.Helper()
	const path = "/api/v3/stages/captcha/"
	list, err := d.admin.must(t, http.StatusOK, http.MethodGet, path+"?name=captcha", nil).object()
	if err != nil {
		t.Fatal(err)
	}
	pk, _ := at(list, "results.0.pk").(string)
	d.admin.must(t, http.StatusOK, http.MethodPatch, path+pk+"/", object{"interactive": on})
}

// TestBrowserCaptcha goes through captchas of all kinds in a real browser.
func TestBrowserCaptcha(t *testing.T) {
	s := start(t)
	d := &captchaDesk{newCaptchaProvider(t, "zq-key", "zq.example"), s, s.admin(t)}
	d.admin.mustImport(t, captchaFlow(d.captchaProvider, false))
	for name, script := range fakeCaptchas {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			d.enter(t, "captcha", script, "human-1").passes("pass by itself")
		})
	}
	t.Run("a-wrong-token-is-not-tried-for-ever", func(t *testing.T) {
		w := d.enter(t, "captcha", fakeCaptchas["hcaptcha"], "robot", "human-2")
		w.run("be told so", w.says("Invalid captcha response"), w.sees(".captcha iframe"))
		w.picture("wrong")
		d.set(func() {
			if len(d.asked) != 1 {
				t.Errorf("the provider was asked %d times", len(d.asked))
			}
		})
		w.passes("try again", w.press())
	})
	t.Run("with-the-name", func(t *testing.T) {
		w := d.enter(t, "captcha-login", fakeCaptchas["recaptcha 3"], "human-3")
		w.passes("say who one is", w.sees(".captcha iframe"), w.fill("#uid_field", "akadmin"), w.press())
	})
	t.Run("a-broken-script", func(t *testing.T) {
		w := d.enter(t, "captcha", "/* nothing */", "-")
		w.run("be told so", w.says("The check could not be done"))
	})
	t.Run("without-scripts", func(t *testing.T) {
		w := openWindow(t, s.base, looks["without scripts"]...)
		w.open("/if/flow/captcha/")
		w.run("be told that it takes scripts", w.sees("noscript .note"))
	})
	d.interactive(t, true)
	t.Run("a-click", func(t *testing.T) {
		w := d.enter(t, "captcha", fakeCaptchas["hcaptcha"], "human-4")
		w.run("go on too early", w.sees("#solve"), w.press(), w.says("Please complete the check first."))
		w.picture("too-early")
		w.fits("desktop")
		w.passes("click", chromedp.Click(chromedp.CSS("#solve")))
	})
}

// passes does something and comes to the stage after the captcha.
func (w *window) passes(what string, actions ...act) {
	w.t.Helper()
	w.run(what, append(actions, w.says("captcha-after"))...)
}
