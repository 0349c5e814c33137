package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestBadRequests sends what no honest client sends. Each is answered with a
// status that says whose fault it is, and a sentence; the flow stays where it
// was.
func TestBadRequests(t *testing.T) {
	s := startWith(t, cheapLogin("bad", 1))
	const flow = "bad-login"
	asJSON := func(text string) raw { return raw{kind: "application/json", text: []byte(text)} }
	tests := map[string]struct {
		method string
		path   string
		body   any
		status int
	}{
		"no JSON":                  {http.MethodPost, executor(flow), asJSON(`{"component": `), 400},
		"more than one value":      {http.MethodPost, executor(flow), asJSON(`{} {}`), 400},
		"a list":                   {http.MethodPost, executor(flow), asJSON(`[]`), 400},
		"a number":                 {http.MethodPost, executor(flow), asJSON(`7`), 400},
		"not UTF-8":                {http.MethodPost, executor(flow), asJSON("{\"component\":\"ak-stage-identification\",\"uid_field\":\"\xff\xfe\"}"), 400},
		"deep nesting":             {http.MethodPost, executor(flow), asJSON(strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)), 400},
		"a form":                   {http.MethodPost, executor(flow), raw{"application/x-www-form-urlencoded", []byte("uid_field=x")}, 415},
		"XML":                      {http.MethodPost, executor(flow), raw{"application/xml", []byte("<a/>")}, 415},
		"a large body":             {http.MethodPost, executor(flow), asJSON(`{"component":"ak-stage-identification","uid_field":"` + strings.Repeat("x", 8<<20) + `"}`), 413},
		"another method":           {http.MethodDelete, executor(flow), nil, 405},
		"an unknown flow":          {http.MethodGet, executor("no-such-flow"), nil, 404},
		"an answer to no flow":     {http.MethodPost, executor("no-such-flow"), object{}, 404},
		"a hostile slug":           {http.MethodGet, executor("bad-login%22%3E%3Cscript%3Ealert(1)%3C"), nil, 404},
		"a long slug":              {http.MethodGet, executor(strings.Repeat("a", 5000)), nil, 404},
		"a NUL in the slug":        {http.MethodGet, executor("bad%00login"), nil, 404},
		"an unknown API path":      {http.MethodGet, "/api/v3/no/such/thing/", nil, 404},
		"the users, anonymously":   {http.MethodGet, "/api/v3/core/users/", nil, 403},
		"an import, anonymously":   {http.MethodPost, "/api/v3/managed/blueprints/import/", object{}, 403},
		"an unknown page of flows": {http.MethodGet, "/if/flow/no-such-flow/", nil, 404},
	}
	for name, test := range tests {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			c := s.visitor(t)
			before, err := c.challenge(flow)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			a := c.must(t, test.status, test.method, test.path, test.body)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if isJSON(a.header) {
				var problem struct{ Detail string }
				if err := json.Unmarshal(a.body, &problem); err != nil || problem.Detail == "" {
					t.Errorf("got %s, want a detail in words", a.body)
				}
			} else if strings.HasPrefix(test.path, "/api/v3/") && test.status != 404 && test.status != 405 {
				t.Errorf("got %q, want JSON", a.header.Get("Content-Type"))
			}
			if len(a.body) > 64<<10 {
				t.Errorf("the error has %d bytes", len(a.body))
			}
			if bytes.Contains(a.body, []byte("<script>alert")) {
				t.Errorf("the error repeats what was sent: %s", a.body)
			}
			after, err := c.challenge(flow)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := after.text("component"), before.text("component"); got != want {
				t.Errorf("the flow went on to %s", got)
			}
		})
	}
}

// TestBadAnswers sends well-formed answers of wrong types to each stage of a
// login: they are wrong answers, never accepted and never an error of ours.
func TestBadAnswers(t *testing.T) {
	s := startWith(t, cheapLogin("types", 1))
	const flow = "types-login"
	values := []any{nil, true, 7, 1e300, -0.5, []any{}, []any{"types-0"}, object{"a": object{}}, strings.Repeat("x", 40_000), "\x00", "' OR 1=1 --"}
	for i, value := range values {
		t.Run(fmt.Sprintf("value-%d", i), func(t *testing.T) {
			c := s.visitor(t)
			if _, err := c.challenge(flow); err != nil {
				t.Fatal(err)
			}
			ch, err := c.respond(flow, object{"component": "ak-stage-identification", "uid_field": value, "password": value})
			if err != nil {
				t.Fatal(err)
			}
			if ch.text("component") == "ak-stage-identification" {
				if ch["response_errors"] == nil {
					t.Errorf("the answer %.60v is not said to be wrong: %v", value, ch)
				}
				if ch, err = c.respond(flow, object{"component": "ak-stage-identification", "uid_field": "types-0"}); err != nil {
					t.Fatal(err)
				}
			}
			if got := ch.text("component"); got != "ak-stage-password" {
				t.Fatalf("got %s, want the password stage", got)
			}
			ch, err = c.respond(flow, object{"component": "ak-stage-password", "password": value})
			if err != nil {
				t.Fatal(err)
			}
			if ch.text("component") != "ak-stage-password" || ch["response_errors"] == nil {
				t.Errorf("the password %.60v: got %v, want a wrong answer", value, ch)
			}
			// No component, and one that nobody has, are answers to the stage
			// that is up, or none at all.
			for _, component := range []any{7, "ak-stage-nonsense", strings.Repeat("c", 5000)} {
				a, err := c.send(http.MethodPost, executor(flow), object{"component": component})
				if err != nil {
					t.Fatal(err)
				}
				if a.status >= 500 || a.status == http.StatusOK && !bytes.Contains(a.body, []byte("ak-stage-password")) {
					t.Errorf("the component %.40v: got %d %s", component, a.status, end(string(a.body), 300))
				}
			}
		})
	}
}

// hostile are blueprints that want to be read for ever, or to fill the memory.
func hostile() map[string]string {
	const head = "version: 1\nmetadata: {name: hostile}\nentries:\n"
	var laughs strings.Builder
	laughs.WriteString("version: 1\nmetadata: {name: laughs}\ncontext:\n  a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&laughs, "  a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	laughs.WriteString("entries: []\n")
	var nested strings.Builder
	nested.WriteString("!Enumerate [[a, b, c, d, e, f, g, h], SEQ, ")
	bomb := strings.Repeat(nested.String(), 30) + "x" + strings.Repeat("]", 30)
	flow := "  - model: authentik_flows.flow\n    id: a\n    identifiers: {slug: hostile}\n    attrs: {name: hostile, designation: authentication, title: %s}\n"
	return map[string]string{
		"deep list":         head + fmt.Sprintf(flow, strings.Repeat("[", 50_000)+strings.Repeat("]", 50_000)),
		"deep mapping":      head + fmt.Sprintf(flow, strings.Repeat("{a: ", 20_000)+"1"+strings.Repeat("}", 20_000)),
		"deep tags":         head + fmt.Sprintf(flow, strings.Repeat("!Format [x, ", 5_000)+"a"+strings.Repeat("]", 5_000)),
		"aliases":           laughs.String(),
		"enumerations":      head + fmt.Sprintf(flow, bomb),
		"an alias to self":  head + "  - &a\n    model: authentik_flows.flow\n    identifiers: {slug: hostile}\n    attrs: {title: *a}\n",
		"a wide format":     head + fmt.Sprintf(flow, `!Format ["%999999999d", 1]`),
		"a key of itself":   head + fmt.Sprintf(flow, "!KeyOf a"),
		"a huge scalar":     head + fmt.Sprintf(flow, strings.Repeat("x", 48<<20)),
		"many entries":      head + strings.Repeat("  - {model: authentik_flows.flow, identifiers: {slug: hostile}}\n", 1_000_000),
		"many documents":    strings.Repeat("---\nversion: 1\n", 500_000),
		"no YAML":           "\x00\x01\x02 : : - [",
		"a list":            "- a\n- b\n",
		"nothing":           "",
		"another version":   "version: 99\nmetadata: {name: hostile}\nentries: []\n",
		"entries of no use": "version: 1\nentries: {a: 1, b: [1, 2]}\n",
		"imports itself": "version: 1\nmetadata: {name: hostile}\nentries:\n" +
			"  - model: authentik_blueprints.metaapplyblueprint\n    attrs: {identifiers: {name: hostile}, required: true}\n",
		"a runaway policy": head + fmt.Sprintf(flow, "hostile") +
			"  - model: authentik_policies_expression.expressionpolicy\n    identifiers: {name: hostile}\n    attrs: {expression: \"" + strings.Repeat("(", 30_000) + "1" + strings.Repeat(")", 30_000) + "\"}\n",
	}
}

// TestHostileBlueprints imports them. Each is refused with words, soon, and
// without the memory of the server growing beyond reason.
func TestHostileBlueprints(t *testing.T) {
	const (
		within = 15 * time.Second
		memory = 900 << 20 // of the resident set; the largest upload has 57 MB
	)
	s := start(t)
	admin := s.admin(t)
	for name, document := range hostile() {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			began := time.Now()
			a, err := admin.importBlueprint(document)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > within {
				t.Errorf("it took %v, want less than %v", took, within)
			}
			var result struct {
				Success bool
				Logs    []struct{ Event string }
			}
			switch {
			case a.status >= 500:
				t.Errorf("got %d %s", a.status, end(string(a.body), 300))
			case a.status == http.StatusOK:
				if err := json.Unmarshal(a.body, &result); err != nil || result.Success {
					t.Errorf("got %s, want a refusal", end(string(a.body), 300))
				}
				if len(result.Logs) == 0 || result.Logs[0].Event == "" {
					t.Errorf("got %s, want words", end(string(a.body), 300))
				}
			case len(a.body) == 0:
				t.Errorf("got %d without a word", a.status)
			}
			if len(a.body) > 64<<10 {
				t.Errorf("the refusal has %d bytes", len(a.body))
			}
		})
	}
	used, err := s.memory()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the largest resident set was %d MiB", used>>20)
	if limit := int64(memory); !raceEnabled && used > limit {
		t.Errorf("the server used %d MiB, want at most %d", used>>20, limit>>20)
	}
	a := admin.must(t, http.StatusOK, http.MethodGet, "/api/v3/flows/instances/?slug=hostile", nil)
	if list, err := a.object(); err != nil || at(list, "results.0") != nil {
		t.Errorf("a refused blueprint left something behind: %s", a.body)
	}
}
