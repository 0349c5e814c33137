package tests

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// answer types into the field of the form with this key.
func (w *window) answer(key, text string) act {
	return w.fill(`main form [name$=".`+key+`"]`, text)
}

// link follows the link whose address has this in it.
func (w *window) link(path string) act {
	selector := chromedp.CSS(`main a[href*="` + path + `"]`)
	return chromedp.Steps(chromedp.WaitVisible(selector), chromedp.Click(selector))
}

// TestBrowserAccount is what people do about themselves, from their own page:
// another name, another password, and out for good.
func TestBrowserAccount(t *testing.T) {
	s := start(t)
	s.ship(t, "enrollment", "unenrollment")
	w := openWindow(t, s.base)
	w.open("/")
	w.run("ask for an account", w.link("/if/flow/default-enrollment-flow/"), w.sees(`[name$=".username"]`))
	w.picture("enrollment")
	w.run("say who one is", w.answer("username", "grace"), w.answer("name", "Grace"), w.answer("email", "grace@example.test"),
		w.fillAll(`input[type="password"]`, firstPassword), w.press())
	if text := w.inside(); !strings.Contains(text, "grace@example.test") {
		t.Errorf("the page does not say who is logged in: %s", text)
	}
	w.picture("own-page")

	w.run("open the profile", w.link("/if/flow/default-user-settings-flow/"), w.sees(`[name$=".name"]`))
	w.picture("profile")
	w.run("take another name", w.answer("name", "Doctor "), w.press())
	if text := w.inside(); !strings.Contains(text, "Doctor Grace") {
		t.Errorf("the name has not changed: %s", text)
	}
	w.run("change the password", w.link("/flows/-/configure/"), w.fill("#password", "not this one"), w.press(), w.sees(`[role="alert"]`))
	w.picture("present-password")
	w.run("give the present one", w.fill("#password", firstPassword), w.press(), w.sees(`[name$=".password_repeat"]`))
	w.picture("new-password")
	w.run("type another one", w.fillAll(`input[type="password"]`, secondPassword), w.press())
	w.inside()

	w.run("think of leaving", w.link("/if/flow/default-unenrollment-flow/"), w.fill("#password", secondPassword), w.press(),
		w.sees(`[type="checkbox"]`))
	w.picture("leaving")
	w.run("go without a yes", w.press(), w.says("Tick the box"))
	w.run("leave", chromedp.Click(chromedp.CSS(`[type="checkbox"]`)), w.press(), w.sees("#uid_field"))
	w.login("grace", secondPassword)
	w.run("be nobody", w.sees(`[role="alert"]`), w.sees("#password"))
}
