package tests

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// maxPages is how many pages the console may have before somebody has to think
// about how they are tested.
const maxPages = 60

// consoleLooks are the ways in which auditors look at the console. What is
// about colours only is looked for in the dark, too.
var consoleLooks = []struct {
	name  string
	rules string // of axe-core; empty for all
	set   []act
}{
	{"light", "", []act{chromedp.EmulateViewport(1280, 900), inScheme("light")}},
	{"dark", `{runOnly: ["color-contrast", "link-in-text-block"]}`, []act{inScheme("dark")}},
	{"phone", "", []act{chromedp.EmulateViewport(390, 844), inScheme("light")}},
	{"phone-dark", forPictures, []act{inScheme("dark")}},
}

// forPictures is for looks in which nothing is judged by a program.
const forPictures = "-"

func inScheme(scheme string) act {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// TestBrowserConsole looks at every page of the audit console that can be
// reached from its first one, as auditors with and without good eyes do.
func TestBrowserConsole(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("node", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Skip("needs axe-core: npm ci in tests/node")
	}
	s := newPlain(t, "--bootstrap-password", adminPassword, "--bootstrap-token", adminToken, "--trusted-proxies", "127.0.0.1/32")
	begin(t, s)
	livelyPast(t, s)
	w := openWindow(t, s.base, consoleLooks[0].set...)
	w.open("/if/admin/")
	w.run("be asked who one is", w.sees("#uid_field"))
	w.login("akadmin", adminPassword)
	w.run("arrive at the console", w.sees("body.console h1"))
	w.at("/if/admin/")

	w.timeTravel()
	w.liveTail(func() {
		if ch, err := s.visitor(t).login("people-login", "people-1", cheapPassword); err != nil || ch.text("component") != "xak-flow-redirect" {
			t.Errorf("a login meanwhile: %v, %v", ch, err)
		}
	})
	pages := append(w.console(), unlucky(t, s)...)
	t.Logf("%d pages: %s", len(pages), strings.Join(pages, " "))
	if len(pages) < 15 {
		t.Errorf("only %d pages can be reached", len(pages))
	}
	pictures := os.Getenv("FLOWLEDGER_TEST_PICTURES") != ""
	for _, l := range consoleLooks {
		if l.rules == forPictures && !pictures {
			continue
		}
		w.run("look "+l.name, l.set...)
		for _, page := range pages {
			w.open(page)
			w.judge(string(axe), l.name+" "+page, l.rules)
			if strings.HasPrefix(l.name, "phone") {
				w.fits(l.name + " " + page)
			}
			if pictures {
				w.picture(l.name + strings.NewReplacer("/", "_", "?", "_", "=", "_", "&", "_").Replace(page))
			}
		}
	}
}

// unlucky are the pages of executions that did not end well, which look other
// than the first that comes.
func unlucky(t *testing.T, s *server) (pages []string) {
	t.Helper()
	for _, status := range []string{"denied", "running"} {
		list := must(s.admin(t).must(t, http.StatusOK, http.MethodGet, "/api/v3/flows/executions/?page_size=1&status="+status, nil).object())(t)
		page := fmt.Sprintf("/if/admin/executions/%v/", at(map[string]any(list), "results.0.pk"))
		pages = append(pages, page, page+"why/")
	}
	return pages
}

// parts of addresses that differ from thing to thing.
var anyID = regexp.MustCompile(`/(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d+)(?:/|$)`)

// console follows all links within the console, one for each kind of page, and
// returns their addresses.
func (w *window) console() (pages []string) {
	w.t.Helper()
	seen := map[string]bool{}
	todo := []string{"/if/admin/"}
	for len(todo) > 0 && len(pages) < maxPages {
		page := todo[0]
		todo = todo[1:]
		if key := kindOf(page); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		w.open(page)
		w.run("see "+page, w.sees("main h1"))
		pages = append(pages, page)
		for _, link := range look(w, "read the links", chromedp.Evaluate[[]string](
			`[...document.querySelectorAll('a[href]')].map(a => a.href).filter(h => new URL(h).pathname.startsWith('/if/admin/'))`)) {
			todo = append(todo, strings.TrimPrefix(strings.SplitN(link, "#", 2)[0], w.base))
		}
	}
	if len(pages) == maxPages {
		w.t.Errorf("there are more than %d pages: %s", maxPages, strings.Join(todo, " "))
	}
	slices.Sort(pages)
	return pages
}

// kindOf is what kind of page an address leads to: filters do not make a page
// another one, what is looked at does.
func kindOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	kind := anyID.ReplaceAllString(u.Path, "/ID/")
	if u.Query().Has("revision") {
		kind += "?revision"
	}
	return kind
}

// A fault is what axe-core has against a page.
type fault struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// judge asks axe-core about the page. Whatever is serious or critical is an
// error, the rest is told.
func (w *window) judge(axe, what, rules string) {
	w.t.Helper()
	if rules == forPictures {
		return
	}
	look(w, "load axe-core", chromedp.Evaluate[bool](axe+"\ntrue"))
	if rules == "" {
		rules = "{}"
	}
	text := look(w, "judge "+what, chromedp.Evaluate[string](
		fmt.Sprintf(`axe.run(document, %s).then(r => JSON.stringify(r.violations))`, rules), chromedp.EvalAwaitPromise))
	var faults []fault
	if err := json.Unmarshal([]byte(text), &faults); err != nil {
		w.t.Fatal(err)
	}
	for _, f := range faults {
		tell := w.t.Logf
		if f.Impact == "serious" || f.Impact == "critical" {
			tell = w.t.Errorf
		}
		for _, n := range f.Nodes[:min(len(f.Nodes), 3)] {
			tell("%s: %s %s: %s\n%s\n%s", what, f.Impact, f.ID, f.Help, n.HTML, n.Summary)
		}
	}
}

// timeTravel goes through an execution without a mouse: to the list, to its
// first row, and through the revisions, each of which has an address.
func (w *window) timeTravel() {
	w.t.Helper()
	w.open("/if/admin/executions/?status=completed")
	w.run("look for one", chromedp.KeyEvent("/"), w.sees("[data-search]:focus"))
	w.run("leave the field", chromedp.KeyEvent(kb.Tab))
	w.run("leave the form", chromedp.Evaluate[chromedp.Void]("document.activeElement.blur()"))
	w.run("open the first", chromedp.KeyEvent("j"), w.sees("a[data-open]:focus"), chromedp.KeyEvent(kb.Enter), w.sees("#cursor"))
	w.run("have the keys work", chromedp.WaitNotVisible(chromedp.CSS("[data-noscript]"))) // the script has begun
	last := w.revision()
	if last < 5 {
		w.t.Fatalf("the execution ends at revision %d", last)
	}
	for _, step := range []struct {
		key  string
		want int
	}{{kb.ArrowLeft, last - 1}, {kb.ArrowLeft, last - 2}, {kb.ArrowRight, last - 1}, {kb.Home, 0}, {kb.ArrowLeft, 0}, {kb.ArrowRight, 1}, {kb.End, last}, {kb.ArrowRight, last}} {
		at := fmt.Sprintf(`#cursor[data-at="%d"]`, step.want)
		w.run("press a key", chromedp.KeyEvent(step.key), w.sees(at))
		if address := look(w, "look at the address", chromedp.Location()); !strings.Contains(address, fmt.Sprintf("revision=%d", step.want)) {
			w.t.Errorf("at revision %d the address is %s", step.want, address)
		}
	}
}

// revision is where the cursor of the page stands.
func (w *window) revision() int {
	w.t.Helper()
	return look(w, "find the cursor", chromedp.Evaluate[int](`Number(document.getElementById("cursor").dataset.at)`))
}

// liveTail shows events as they happen, holds them up, and shows them all after.
func (w *window) liveTail(happen func()) {
	w.t.Helper()
	count := func() int {
		return look(w, "count the rows", chromedp.Evaluate[int](`document.querySelectorAll("[data-rows] tr").length`))
	}
	w.open("/if/admin/live/?type=UserLoggedIn")
	w.run("be live", w.says("Live"), w.sees("[data-state].good"))
	before := count()
	begun := time.Now()
	happen()
	w.run("see it happen", w.sees(fmt.Sprintf("[data-rows] tr:nth-child(%d)", before+1)))
	if took := time.Since(begun); took > 5*time.Second {
		w.t.Errorf("it took %v until the tail had it", took)
	}
	w.run("pause", chromedp.KeyEvent("p"), w.says("Paused: 0 waiting"))
	happen()
	w.run("have one waiting", w.says("Paused: 1 waiting"))
	if now := count(); now != before+1 {
		w.t.Errorf("while it is paused there are %d rows, want %d", now, before+1)
	}
	w.run("go on", chromedp.KeyEvent("p"), w.sees(fmt.Sprintf("[data-rows] tr:nth-child(%d)", before+2)))
}
