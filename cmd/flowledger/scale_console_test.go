package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The benchmark of the audit console. FLOWLEDGER_TEST_SCALE_CONSOLE=1 runs it on
// a million executions, and then the limits count; by default there are a few
// hundred, which tests that all is asked and answered. A number above 1 is how
// often, instead of 10 times. FLOWLEDGER_TEST_SCALE_CONSOLE_DATA names a folder
// that is filled once and used again.
const (
	consoleVariable = "FLOWLEDGER_TEST_SCALE_CONSOLE"
	consoleFolder   = "FLOWLEDGER_TEST_SCALE_CONSOLE_DATA"
	consoleLimit    = 300 * time.Millisecond
	consoleMemory   = 300 // MiB
)

func TestScaleConsole(t *testing.T) {
	size, visits, rounds, full := filling{flows: 20, users: 100}, 500, 1, os.Getenv(consoleVariable) != ""
	switch {
	case full:
		size, visits, rounds = filling{flows: 60, users: 100_000}, 1_000_000, 10
		if n, _ := strconv.Atoi(os.Getenv(consoleVariable)); n > 1 {
			rounds = n
		}
	case testing.Short():
		t.Skip("starts a server on a filled folder")
	}
	data := os.Getenv(consoleFolder)
	if data == "" || !full {
		data = filepath.Join(t.TempDir(), "data")
	}
	p := compile(t, data)
	consoleData(t, p, size, visits)
	t.Logf("started in %v", p.start())
	now, most := p.resident()
	t.Logf("memory after the start: %d MiB, at most %d", now, most)

	report := &timings{t: t, limited: full}
	client, _ := p.enter(0)
	pages := p.crawl(client)
	t.Logf("%d pages", len(pages))
	for range rounds {
		for _, path := range pages {
			p.look(client, report, path)
		}
		p.searches(report, full)
	}
	report.print()
	now, most = p.resident()
	t.Logf("memory at the end: %d MiB, at most %d", now, most)
	if full && most > consoleMemory {
		t.Errorf("the process took %d MiB of memory, the limit is %d", most, consoleMemory)
	}
	p.stop()
}

// consoleData fills the folder with executions, unless it has some.
func consoleData(t *testing.T, p *process, size filling, visits int) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(p.data, "events.db")); err == nil {
		return
	}
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	fillVisits(t, p.data, size, visits, nil)
	t.Logf("filled in %.1f s", time.Since(begun).Seconds())
	begun = time.Now()
	out, err := exec.Command(p.binary, "rebuild", "--data", p.data).Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built the views in %.1f s: %s", time.Since(begun).Seconds(), out)
}

var (
	link    = regexp.MustCompile(`(?:href|data-next)="(/if/admin/[^"#]*)`)
	keys    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|\d+`)
	queries = regexp.MustCompile(`=[^&]*`)
)

// alike is how many links are followed that differ only in keys and values.
const alike = 2

// crawl follows the links of the console, and returns them.
func (p *process) crawl(client *http.Client) (paths []string) {
	p.t.Helper()
	seen, kinds := map[string]bool{}, map[string]int{}
	for next := []string{"/if/admin/", "/if/admin/executions/"}; len(next) > 0; {
		path := next[0]
		next = next[1:]
		if strings.Contains(path, "/-/") {
			continue // what the live page fills in
		}
		kind := keys.ReplaceAllString(queries.ReplaceAllString(path, "="), "#")
		if seen[path] || kinds[kind] == alike {
			continue
		}
		seen[path] = true
		kinds[kind]++
		status, kindOf, body := p.page(client, path)
		if status != http.StatusOK {
			p.t.Errorf("%s: %d\n%.500s", path, status, body)
			continue
		}
		paths = append(paths, path)
		if !strings.HasPrefix(kindOf, "text/html") {
			continue
		}
		for _, found := range link.FindAllStringSubmatch(body, -1) {
			next = append(next, strings.ReplaceAll(found[1], "&amp;", "&"))
		}
	}
	slices.Sort(paths)
	return paths
}

// page asks for a page of the console.
func (p *process) page(client *http.Client, path string) (status int, kind, body string) {
	p.t.Helper()
	response, err := client.Get(p.base + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

// look asks for a page, and notes how long it takes.
func (p *process) look(client *http.Client, r *timings, path string) {
	p.t.Helper()
	busy, begun := p.busy(), time.Now()
	if status, _, body := p.page(client, path); status != http.StatusOK {
		p.t.Errorf("%s: %d\n%.500s", path, status, body)
	}
	r.add("GET "+path, time.Since(begun), p.busy()-busy, consoleLimit)
}

// consoleFilters are filters of executions: frequent values, rare ones, and
// some that nothing has.
func consoleFilters() map[string][]string {
	return map[string][]string{
		"status": {"denied", "expired", "completed", "running", "failed"}, "cause": {"flow_policy", "restart_cap", "no_such_cause"},
		"flow": {"flow-00000", "flow-00050", "no-such-flow"}, "flow_revision": {"3"}, "designation": {"authentication", "invalidation"},
		"stage_kind": {"authentik_stages_password.passwordstage", "authentik_stages_captcha.captchastage"}, "stage": {"flow-00001-second"},
		"factor": {"password", "duo", "nothing"}, "policy": {scaleID("policy", 0), scaleID("policy", 40)}, "verdict": {"failed", "erred"},
		"application": {scaleID("application", 0), scaleID("application", 19)}, "user": {username(3), username(99_000 % 100)}, "visitor": {username(5)},
		"ip": {"11.0.0.0/8", "30.0.0.0/16", "12.0.0.0/20", "11.0.0.7", "2001:db8::/32", "203.0.113.9"}, "country": {"DE", "LT", "ZZ"},
		"asn": {"1001", "1499", "9"}, "duration__gte": {"60", "1200"}, "duration__lt": {"2"}, "running": {"true"}, "abandoned": {"true", "false"},
		"since": {time.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)}, "until": {time.Now().Add(-100 * 24 * time.Hour).UTC().Format(time.RFC3339)},
		"search": {"flow-00003", "user000017", "User000", "nothing-at-all", "11.0.0.7", "second", scaleID("visit", 1000)[:8], "flow user000003"},
	}
}

// searches asks the API for executions by each filter and by pairs of them, in
// all orders.
func (p *process) searches(r *timings, full bool) {
	filters := consoleFilters()
	names := slices.Sorted(maps.Keys(filters))
	asked := []string{"", "page=2", "page=400", "page_size=100"}
	for i, name := range names {
		for _, value := range filters[name] {
			one := name + "=" + url.QueryEscape(value)
			asked = append(asked, one)
			if full && value == filters[name][0] {
				for _, order := range []string{"started", "duration", "-duration", "last_seen", "-last_seen"} {
					asked = append(asked, one+"&ordering="+order)
				}
			}
		}
		for _, other := range names[i+1:] {
			of, with := filters[name], filters[other]
			if full {
				asked = append(asked, fmt.Sprintf("%s=%s&%s=%s", name, url.QueryEscape(of[0]), other, url.QueryEscape(with[0])),
					fmt.Sprintf("%s=%s&%s=%s", name, url.QueryEscape(of[len(of)-1]), other, url.QueryEscape(with[len(with)-1])))
			}
		}
	}
	for _, query := range asked {
		busy, begun := p.busy(), time.Now()
		status, answer := p.call(http.MethodGet, "flows/executions/?"+query, nil)
		took := time.Since(begun)
		if status != http.StatusOK && !strings.HasPrefix(query, "page=") {
			p.t.Errorf("%s: %d %v", query, status, answer)
		}
		r.add("GET flows/executions/?"+query, took, p.busy()-busy, consoleLimit)
	}
}
