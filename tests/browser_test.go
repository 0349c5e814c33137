package tests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// An act is a step in the browser that returns nothing.
type act = chromedp.Action[chromedp.Void]

// A window is a real browser, alone with the server.
type window struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu         sync.Mutex // guards complaints
	complaints []string   // what the browser's console and security policy say
}

// openWindow starts chromium with an empty profile, or skips without it. What
// the browser complains of fails the test.
func openWindow(t *testing.T, base string, actions ...act) *window {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("needs chromium")
	}
	// Not the test's context: that ends before the browser can close in peace.
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 800))...)
	t.Cleanup(cancel)
	ctx, cancelTab := chromedp.NewContext(allocator)
	t.Cleanup(cancelTab)
	w := &window{t: t, ctx: ctx, base: base}
	t.Cleanup(w.close)
	if err := chromedp.Listen(ctx, w.listen); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	// The field that has the focus is the one that a visible window would show.
	focused := command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	w.run("prepare the browser", append([]act{focused}, actions...)...)
	return w
}

// close ends the browser and says what it complained of.
func (w *window) close() {
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil {
		w.t.Logf("close the browser: %v", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.complaints {
		w.t.Errorf("the browser complains: %s", c)
	}
}

// listen collects errors of scripts, refusals of the security policy and
// messages of the console.
func (w *window) listen(event any) {
	var complaint string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning || e.Entry.Source == log.EntrySourceSecurity {
			complaint = fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		complaint = e.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			complaint = fmt.Sprintf("console.%s: %s", e.Type, e.Args[0].Value)
		}
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, w.base+"/") && !strings.HasPrefix(u, "data:") {
			complaint = "the page asks another server: " + u
		}
	}
	if complaint == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complaints = append(w.complaints, complaint)
}

// run does something in the browser; what fails it says what it was.
func (w *window) run(what string, actions ...act) {
	w.t.Helper()
	look(w, what, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		return chromedp.Steps(actions...)(ctx, t)
	})
}

// look runs an action and returns its value.
func look[T any](w *window, what string, action chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
		defer cancel()
		address, _ := chromedp.Run(ctx, chromedp.Location())
		text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
		w.picture("failed")
		w.t.Fatalf("%s: %v\nthe browser is at %s and shows:\n%s", what, err, address, end(text, 800))
	}
	return value
}

// command sends a command of the protocol.
func command[P any](c cdp.Command[P, cdp.Empty], parameters P) act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, parameters)
		return err
	})
}

// open goes to a path of the server.
func (w *window) open(path string) {
	w.t.Helper()
	w.run("open "+path, chromedp.Navigate(w.base+path), chromedp.WaitReady(chromedp.CSS("body")))
}

// fill types into a field of the form.
func (w *window) fill(selector, text string) act {
	return chromedp.Steps(
		chromedp.WaitVisible(chromedp.CSS(selector)),
		chromedp.SendKeys(chromedp.CSS(selector), text),
	)
}

// press clicks the button of the form.
func (w *window) press() act {
	return chromedp.Click(chromedp.CSS(`main form button[type="submit"]`))
}

// sees waits until something is visible.
func (w *window) sees(selector string) act {
	return chromedp.WaitVisible(chromedp.CSS(selector))
}

// says waits until the page says something; one page may give way to the next
// meanwhile.
func (w *window) says(text string) act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for {
			said, err := chromedp.Evaluate[bool](fmt.Sprintf("document.body.textContent.includes(%q)", text))(ctx, t)
			if said || ctx.Err() != nil {
				return errors.Join(ctx.Err(), err)
			}
		}
	})
}

// inside waits for the person's own page, and says whose it is.
func (w *window) inside() string {
	w.t.Helper()
	w.run("arrive at one's own page", w.sees("header.bar a.button"))
	w.at("/if/user/")
	return w.text()
}

// at checks where the browser is.
func (w *window) at(path string) {
	w.t.Helper()
	address := look(w, "look at the address", chromedp.Location())
	if got, _, _ := strings.Cut(strings.TrimPrefix(address, w.base), "?"); got != path {
		w.t.Fatalf("the browser is at %s, want %s", address, path)
	}
}

// picture takes a screenshot of the whole page. FLOWLEDGER_TEST_PICTURES names
// a folder in which to keep them.
func (w *window) picture(name string) {
	w.t.Helper()
	folder := os.Getenv("FLOWLEDGER_TEST_PICTURES")
	if folder == "" {
		folder = w.t.TempDir()
	}
	image, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		w.t.Errorf("take a picture: %v", err)
		return
	}
	if len(image) < 2000 {
		w.t.Errorf("the picture %s has %d bytes", name, len(image))
	}
	file := strings.ReplaceAll(w.t.Name(), "/", "-") + "-" + name + ".png"
	if err := os.WriteFile(filepath.Join(folder, file), image, 0o600); err != nil {
		w.t.Error(err)
	}
}

// TestBrowserFirstStart is a newcomer's way: the printed link, the set-up,
// one's own page, out, and in again.
func TestBrowserFirstStart(t *testing.T) {
	s := startBare(t)
	w := openWindow(t, s.base)
	w.open(setupLink(t, s))
	w.picture("set-up")
	w.run("fill in the set-up",
		w.fill(`input[type="email"]`, "root@example.test"),
		w.fillAll(`input[type="password"]`, adminPassword),
		w.press())
	if text := w.inside(); !strings.Contains(text, "akadmin") {
		t.Errorf("the page does not say who is logged in: %s", text)
	}
	w.picture("own-page")
	w.run("log out", chromedp.Click(chromedp.CSS("header.bar a.button")), w.sees("main.card"))
	w.open("/if/user/")
	w.run("be asked who one is", w.sees("#uid_field"))
	w.login("akadmin", adminPassword)
	w.inside()
}

// fillAll types the same into all fields that match.
func (w *window) fillAll(selector, text string) act {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		fields, err := chromedp.Nodes(chromedp.CSSAll(selector))(ctx, t)
		for _, field := range fields {
			if err == nil {
				_, err = chromedp.SendKeys([]cdp.NodeID{field.NodeID}, text)(ctx, t)
			}
		}
		return err
	})
}

// text is what the page says.
func (w *window) text() string {
	w.t.Helper()
	return look(w, "read the page", chromedp.Text(chromedp.CSS("main")))
}

// login answers the two questions of the default flow.
func (w *window) login(user, password string) {
	w.t.Helper()
	w.run("say who one is", w.fill("#uid_field", user), w.press())
	w.run("give the password", w.fill("#password", password), w.press())
}

// looks are the ways in which people look at the pages.
var looks = map[string][]act{
	"desktop":         nil,
	"without scripts": {command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})},
	"phone": {
		chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch),
	},
	"dark": {command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})},
}

// TestBrowserLogin logs in with the default flow, wrongly first, in each look.
func TestBrowserLogin(t *testing.T) {
	s := start(t)
	for name, actions := range looks {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			w := openWindow(t, s.base, actions...)
			w.open("/")
			w.run("be asked who one is", w.sees("#uid_field"))
			w.picture("name")
			w.fits(name)
			w.login("akadmin", "not the password")
			w.run("be told that it is wrong", w.sees(`[role="alert"]`), w.sees("#password"))
			w.picture("wrong-password")
			w.fits(name)
			w.run("give the right password", w.fill("#password", adminPassword), w.press())
			if text := w.inside(); !strings.Contains(text, "akadmin") {
				t.Errorf("the page does not say who is logged in: %s", text)
			}
			w.picture("own-page")
			w.fits(name)
			w.run("log out", chromedp.Click(chromedp.CSS("header.bar a.button")), w.sees("main.card"))
			w.open("/if/user/")
			w.run("be asked who one is again", w.sees("#uid_field"))
		})
	}
}

// fits checks that nothing sticks out of the window. Without scripts the page
// cannot be measured.
func (w *window) fits(name string) {
	w.t.Helper()
	if name == "without scripts" {
		return
	}
	wide := look(w, "measure the page", chromedp.Evaluate[int]("document.documentElement.scrollWidth"))
	window := look(w, "measure the window", chromedp.Evaluate[int]("window.innerWidth"))
	if wide > window {
		w.t.Errorf("the page is %d wide in a window of %d", wide, window)
	}
}

// TestBrowserKeyboard logs in without a mouse: the field to fill in has the
// focus, and Enter goes on.
func TestBrowserKeyboard(t *testing.T) {
	s := start(t)
	w := openWindow(t, s.base)
	w.open("/")
	w.run("find the field focused", w.sees("#uid_field:focus"))
	w.run("type the name", chromedp.KeyEvent("akadmin"), chromedp.KeyEvent(kb.Enter))
	w.run("find the next field focused", w.sees("#password:focus"))
	w.run("type a wrong password", chromedp.KeyEvent("wrong"), chromedp.KeyEvent(kb.Enter))
	w.run("be told so, with the focus in place", w.sees(`[role="alert"]`), w.sees("#password:focus"))
	w.run("type the password", chromedp.KeyEvent(adminPassword), chromedp.KeyEvent(kb.Enter))
	w.inside()
	// The way out is reachable too.
	for presses := 0; ; presses++ {
		w.run("press Tab", chromedp.KeyEvent(kb.Tab))
		if look(w, "see the focus", chromedp.Evaluate[string](`document.activeElement.textContent.trim()`)) == "Log out" {
			break
		}
		if presses == 20 {
			t.Fatal("no Tab leads to the way out")
		}
	}
	w.run("log out", chromedp.KeyEvent(kb.Enter), w.sees("main.card"))
	w.open("/if/user/")
	w.run("be asked who one is", w.sees("#uid_field"))
}

// TestBrowserComplains proves that what is wrong with a page is noticed.
func TestBrowserComplains(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "script-src 'nonce-a'")
		io.WriteString(w, `<!doctype html><title>Wrong</title><link rel="icon" href="data:,"><body style="width: 3000px">
<script>refused()</script>
<script nonce="a">console.error("broken"); missing()</script>
<img src="http://127.0.0.1:1/elsewhere.png" alt=""></body>`)
	}))
	t.Cleanup(page.Close)
	w := openWindow(t, page.URL)
	w.open("/")
	w.mu.Lock()
	defer w.mu.Unlock()
	got := strings.Join(w.complaints, "\n")
	w.complaints = nil
	for _, want := range []string{"Content Security Policy", "broken", "Uncaught", "asks another server"} {
		if !strings.Contains(got, want) {
			t.Errorf("nobody complains of %q:\n%s", want, got)
		}
	}
}

// TestBrowserPages looks at the pages that a login does not meet: the refusal,
// the click, the flow that does not exist.
func TestBrowserPages(t *testing.T) {
	s := startWith(t, nodeDenied, dummies("pages", 2))
	w := openWindow(t, s.base)
	w.open("/if/flow/node-denied/")
	w.run("see the refusal", w.sees(`[role="alert"]`))
	if text := w.text(); !strings.Contains(text, "Not today.") || !strings.Contains(text, "Reference") {
		t.Errorf("the refusal does not say why, or has no reference: %s", text)
	}
	w.picture("denied")
	w.open("/if/flow/pages/")
	w.picture("click")
	w.run("click", w.press(), w.says("pages-1"))
	w.run("click again", w.press(), w.sees("#uid_field"))
	w.at("/if/flow/default-authentication-flow/") // nobody is logged in
}
