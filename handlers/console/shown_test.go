package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
)

// Each page says what an auditor comes for, and records that somebody looked.
func TestShown(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		look string
		want []string
	}{
		"people, with who is inactive":          {"/if/admin/people/", "people opened P", []string{`href="/if/admin/people/u2/"`, "Inactive", "Superuser", "2 people"}},
		"people, searched":                      {"/if/admin/people/?q=adm", "people q=adm opened P", []string{"1 person found", "admin"}},
		"somebody erased is found by id":        {"/if/admin/people/?q=gone", "people q=gone opened P", []string{"This person was erased on", `href="/if/admin/people/gone/"`}},
		"a person":                              {"/if/admin/people/u2/", "people user=u2 about u2 opened N P", []string{"x@example.org", "p.q", "192.0.2.7", "password</a> 1 ×", "looked into execution", "Changes made by", "End session"}},
		"a person who was erased":               {"/if/admin/people/gone/", "people user=gone", []string{"Person erased on", "remain under the pseudonym <code>gone</code>", "/if/admin/erasures/e1/"}},
		"policies, with those that err":         {"/if/admin/policies/", "verdicts range=24h", []string{"errs", `href="/if/admin/policies/p1/?range=24h"`, "20 %"}},
		"a policy over time":                    {"/if/admin/policies/p1/", "verdicts policy=p1", []string{"<svg", `class="part verdict-failed"`, "Since revision 7 25 % fail; at revision 6 it was 0 %.", "/if/admin/executions/x1/?revision=2", "turned round", "stage Ask for it", "flow Log in"}},
		"verdicts of one revision":              {"/if/admin/policies/p1/?revision=6&said=passed", "verdicts policy=p1", []string{"turned round"}},
		"sources by address":                    {"/if/admin/sources/", "sources by=ip range=24h", []string{"got in", "tries many people", "/if/admin/executions/?ip=192.0.2.7&amp;since="}},
		"sources by person":                     {"/if/admin/sources/?by=user&range=7d", "sources by=user range=7d", []string{"person gone", "/if/admin/executions/?since=", "user=u2"}},
		"sources by network":                    {"/if/admin/sources/?by=asn", "sources by=asn range=24h", []string{"AS64500", "asn=64500"}},
		"changes":                               {"/if/admin/changes/", "changes", []string{"3 changes", "/if/admin/changes/c1/", "blueprint"}},
		"changes by somebody":                   {"/if/admin/changes/?actor=admin", "changes actor=admin", []string{"2 changes"}},
		"changes by nobody we know":             {"/if/admin/changes/?actor=nobody", "changes actor=nobody", []string{"0 changes", "None."}},
		"one change, line by line":              {"/if/admin/changes/c1/", "changes event=c1", []string{"return True", `class="sign">−`, "Clearly fewer complete: 95 % completed before, 10 % after.", "over the API", "What else came with it", "It is secret"}},
		"a change by a blueprint":               {"/if/admin/changes/c2/", "changes event=c2", []string{"default/login.yaml", "abcdef0123456789", "with a blueprint"}},
		"a change of a person opens their data": {"/if/admin/changes/c3/", "changes event=c3 about u2 opened P T", []string{"old@example.org"}},
		"live":                                  {"/if/admin/live/?type=UserLoggedIn", "live type=UserLoggedIn", []string{`data-stream="/api/v3/ledger/stream/?type=UserLoggedIn"`, `data-after="77"`, "execution x1, revision 4", "session of execution x1", "object-p1"}},
		"names for the live page":               {"/if/admin/live/names/?id=u1&id=none", "people for=live opened P", []string{`{"u1":"admin"}`}},
		"deliveries, the worst first":           {"/if/admin/deliveries/", "deliveries", []string{"1 h 30 min", "failing", "archive"}},
		"one delivery":                          {"/if/admin/deliveries/d2/", "deliveries sink=d2", []string{"siem.example.org: 503", "Nothing is lost", "Send again", "Give up", "refused"}},
		"the access log":                        {"/if/admin/access/", "accesses", []string{"a stranger", "Refused</span> not logged in", "opened T", "/if/admin/executions/x1/"}},
		"the access log of one":                 {"/if/admin/access/?by=admin", "accesses by=admin", []string{"1 look"}},
		"erasures":                              {"/if/admin/erasures/", "erasures", []string{"1 erasure", "somebody asked to be erased", "not yet", "1 later", "13 months"}},
		"the answer to a request":               {"/if/admin/erasures/e1/", "erasures event=e1", []string{"3 executions and 1 session", "session:s9 was in use", "22 December 2026", "UserLoggedIn", "admin took an export of 7 events", "1 mail was sent"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPages(t)
			w := p.get(c.path)
			body := w.Body.String()
			if w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, body)
			}
			for _, want := range c.want {
				if !strings.Contains(body, want) {
					t.Errorf("the page does not say %q\n%s", want, body)
				}
			}
			if strings.Contains(body, hostile) {
				t.Error("a hostile name is markup")
			}
			if d := cmp.Diff([]string{c.look}, p.looks); d != "" {
				t.Errorf("looks (-want +got)\n%s", d)
			}
		})
	}
}

// What makes no sense is said on a page, with the reason, and is no look.
func TestShownRefusesNonsense(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		status int
		want   string
	}{
		"a page that is none":            {"/if/admin/people/?page=x", 400, "A page is a number"},
		"a page far behind":              {"/if/admin/changes/?page=100000", 400, "A page is a number"},
		"a verdict that is none":         {"/if/admin/policies/p1/?said=maybe", 400, "A policy says passed, failed or erred."},
		"a revision that is none":        {"/if/admin/policies/p1/?revision=-1", 400, "A revision is a number"},
		"a policy that never was":        {"/if/admin/policies/none/", 404, "was ever asked"},
		"a time that is none":            {"/if/admin/access/?since=yesterday", 400, "since is a time such as"},
		"a change that never was":        {"/if/admin/changes/none/", 404, "There is no change"},
		"a person who never was":         {"/if/admin/people/none/", 404, "There is nobody"},
		"a sink that is not there":       {"/if/admin/deliveries/none/", 404, "There is no sink"},
		"an erasure that never was":      {"/if/admin/erasures/none/", 404, "There is no erasure"},
		"a type of event that is none":   {"/if/admin/live/?type=Nothing", 400, "no event of this type"},
		"a category that is none":        {"/if/admin/live/?category=nothing", 400, "no such category"},
		"more names than a page can use": {"/if/admin/live/names/?" + strings.Repeat("id=a&", maxNames+1), 400, "not asked for at once"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPages(t)
			w := p.get(c.path)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("got %d, want %d and %q\n%s", w.Code, c.status, c.want, w.Body)
			}
			if len(p.looks) > 0 {
				t.Errorf("looks: %q", p.looks)
			}
		})
	}
}

// What changes something needs the permission for it, and the form's token.
func TestShownDeeds(t *testing.T) {
	retain := func(profile, trace, network, rows, confirmed string) url.Values {
		return url.Values{"profile": {profile}, "trace_months": {trace}, "network_months": {network}, "rows_months": {rows}, "confirmed": {confirmed}}
	}
	auditor := session.Caller{User: "u9", Session: "s9", Granted: session.Grants{"authentik_events.view_event": true}, Now: noon}
	for name, c := range map[string]struct {
		who    session.Caller
		path   string
		form   url.Values
		forged bool
		status int
		want   string
		deeds  []string
	}{
		"a session is ended":                       {path: "/if/admin/people/u2/sessions/s1/end/", status: 303, deeds: []string{"u1 ends s1 of u2"}},
		"one that is not theirs is not":            {path: "/if/admin/people/u2/sessions/s2/end/", status: 404},
		"not by an auditor":                        {who: auditor, path: "/if/admin/people/u2/sessions/s1/end/", status: 403},
		"nor by a forged form":                     {forged: true, path: "/if/admin/people/u2/sessions/s1/end/", status: 403},
		"a sink sends again":                       {path: "/if/admin/deliveries/d1/resend/", form: url.Values{"from": {" 12 "}, "sure": {"yes"}}, status: 303, deeds: []string{"u1 resends d1 from 12"}},
		"not unless that is meant":                 {path: "/if/admin/deliveries/d1/resend/", form: url.Values{"from": {"12"}}, status: 400, want: "seen"},
		"a place that is none shows on its page":   {path: "/if/admin/deliveries/d1/resend/", form: url.Values{"from": {"nonsense"}, "sure": {"yes"}}, status: 400, want: "neither a position nor a time"},
		"not for an auditor":                       {who: auditor, path: "/if/admin/deliveries/d1/resend/", form: url.Values{"from": {"12"}, "sure": {"yes"}}, status: 403},
		"a parked event is tried again":            {path: "/if/admin/deliveries/d1/release/", form: url.Values{"event": {"ev1"}}, status: 303, deeds: []string{"u1 settles ev1 of d1, again true"}},
		"a parked event is given up":               {path: "/if/admin/deliveries/d1/abandon/", form: url.Values{"event": {"ev1"}}, status: 303, deeds: []string{"u1 settles ev1 of d1, again false"}},
		"a sink is switched off":                   {path: "/if/admin/deliveries/d1/off/", status: 303, deeds: []string{"u1 switches d1, on false"}},
		"there is nothing else to do to it":        {path: "/if/admin/deliveries/d1/burn/", status: 404},
		"a rule is explained before it is set":     {path: "/if/admin/erasures/retention/", form: retain("minimal", "", "", "", ""), status: 200, want: "cannot be brought back"},
		"and set when it is meant":                 {path: "/if/admin/erasures/retention/", form: retain("minimal", "", "", "", "yes"), status: 303, deeds: []string{"u1 sets minimal 0 0 0"}},
		"a rule of one's own":                      {path: "/if/admin/erasures/retention/", form: retain("custom", "24", "14", "24", "yes"), status: 303, deeds: []string{"u1 sets custom 24 14 24"}},
		"months that are none show at their field": {path: "/if/admin/erasures/retention/", form: retain("custom", "x", "0", "5", "yes"), status: 400, want: "A valid integer is required."},
		"a profile has its own months":             {path: "/if/admin/erasures/retention/", form: retain("pci", "5", "", "", "yes"), status: 400, want: "A profile has its own months."},
		"the rule that is in force is nothing new": {path: "/if/admin/erasures/retention/", form: retain("default", "", "", "", ""), status: 200, want: "That is the rule already."},
		"a longer rule destroys nothing":           {path: "/if/admin/erasures/retention/", form: retain("hipaa", "", "", "", ""), status: 200, want: "Nothing that can be read today is destroyed"},
		"an auditor sets no rule":                  {who: auditor, path: "/if/admin/erasures/retention/", form: retain("minimal", "", "", "", "yes"), status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPages(t)
			if c.who.User != "" {
				p.caller = c.who
			}
			w := p.post(c.path, c.form, c.forged)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("got %d, want %d and %q\n%s", w.Code, c.status, c.want, w.Body)
			}
			if !slices.Equal(p.town.deeds, c.deeds) {
				t.Errorf("done: %q, want %q", p.town.deeds, c.deeds)
			}
		})
	}
}

// Auditors see what is there, but no form that they may not send.
func TestAuditorsSeeNoForms(t *testing.T) {
	for _, path := range []string{"/if/admin/people/u2/", "/if/admin/deliveries/d2/", "/if/admin/erasures/"} {
		p := newPages(t)
		p.caller = session.Caller{User: "u9", Session: "s9", Granted: session.Grants{"authentik_events.view_event": true}, Now: noon}
		if body := p.get(path).Body.String(); strings.Contains(body, `method="post"`) {
			t.Errorf("%s has a form to send", path)
		}
	}
}

// A shorter rule waits; what the page says is what the domain does.
func TestRetentionSaysWhatIsDestroyed(t *testing.T) {
	p := newPages(t)
	p.town.first = noon.AddDate(0, -20, 0)
	body := p.post("/if/admin/erasures/retention/", url.Values{"profile": {"minimal"}}, false).Body.String()
	for _, want := range []string{"2025-10 to 2026-07", "24 November 2026", "more than 3 months ago leave this console", "look back a year"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q\n%s", want, body)
		}
	}
	p.town.rule = retention.State{Changes: 1, Before: retention.Default(), Rule: retention.Rule{Profile: "minimal", Trace: 3, Network: 3, Rows: 3}, From: noon.Add(retention.Grace)}
	if body = p.get("/if/admin/erasures/").Body.String(); !strings.Contains(body, "another rule is in force: minimal") {
		t.Errorf("the page does not say that a rule waits\n%s", body)
	}
}

// Whoever may not look sees nothing on any page, does nothing, and is on
// record.
func TestNoPageIsForEverybody(t *testing.T) {
	variable := regexp.MustCompile(`\{\w+\}`)
	for _, one := range (&Server{}).pages() {
		p := newPages(t)
		p.caller = session.Caller{User: "u8", Session: "s8", Granted: session.Grants{"authentik_core.view_user": true}, Now: noon}
		path := "/if/admin/" + variable.ReplaceAllString(one.path, "u2")
		ask := p.get
		if one.method == http.MethodPost {
			ask = func(path string) *httptest.ResponseRecorder { return p.post(path, nil, false) }
		}
		w := ask(path)
		want := []string{"refused " + one.view + ": permission"}
		if w.Code != http.StatusForbidden || !slices.Equal(p.looks, want) || len(p.town.deeds) > 0 {
			t.Errorf("%s %s: got %d, on record %q, done %q", one.method, one.path, w.Code, p.looks, p.town.deeds)
		}
	}
	p := newPages(t)
	p.caller = session.Caller{Now: noon}
	w := p.get("/if/admin/people/?q=x")
	if w.Code != http.StatusFound || !strings.Contains(w.Header().Get("Location"), url.QueryEscape("/if/admin/people/?q=x")) {
		t.Errorf("a stranger: got %d to %q", w.Code, w.Header().Get("Location"))
	}
}
