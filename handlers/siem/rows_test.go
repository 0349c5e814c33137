package siem_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/siem"
	"github.com/flowledger/flowledger/handlers/siem/siemtest"
)

// said is what a record in OCSF says of an event, in short: class:activity,
// status, severity, and what else there is.
func said(t *testing.T, r siem.Record, o siem.Options) string {
	t.Helper()
	text, ok := written(t, siem.OCSF, r, o)
	if !ok {
		return "nothing"
	}
	for _, complaint := range siemtest.OCSF([]byte(text)) {
		t.Errorf("%s: %s\n%s", r.Type, complaint, text)
	}
	var a struct {
		Class       int    `json:"class_uid"`
		Activity    int    `json:"activity_id"`
		Status      int    `json:"status_id"`
		Severity    int    `json:"severity_id"`
		Detail      string `json:"status_detail"`
		Disposition int    `json:"disposition_id"`
		Policy      struct {
			Name string `json:"name"`
		} `json:"policy"`
		Factors []struct {
			ID int `json:"factor_type_id"`
		} `json:"auth_factors"`
		MFA bool `json:"is_mfa"`
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%d:%d status %d severity %d", a.Class, a.Activity, a.Status, a.Severity)
	if a.Detail != "" {
		out += " " + a.Detail
	}
	if a.Disposition != 0 {
		out += fmt.Sprintf(" disposition %d", a.Disposition)
	}
	if a.Policy.Name != "" {
		out += " policy " + a.Policy.Name
	}
	for _, f := range a.Factors {
		out += fmt.Sprintf(" factor %d", f.ID)
	}
	if a.MFA {
		out += " mfa"
	}
	return out
}

// TestEventsAreWhatTheTableSays checks rows of spec/events.md 9.2 that depend on
// what the event says.
func TestEventsAreWhatTheTableSays(t *testing.T) {
	const u = "01938d2e-7c00-7000-8000-0000000000aa" // whose stream it is
	policy := &domain.Ref{ID: "p1", Revision: 3, Name: "office"}
	denied := execution.PolicyDenied{Evaluation: execution.Evaluation{
		ID: "01938d2e-7c00-7000-8000-000000000009", Target: execution.Target{Kind: "flow"}, Phase: "flow",
		Results: []execution.PolicyResult{{}, {Policy: policy}}, Decisive: []int{1},
	}}
	for name, tt := range map[string]struct {
		event codec.Event
		want  string
		all   string // with Options.All, if another
	}{
		"a login": {
			event: execution.UserLoggedIn{User: "u1", Session: "s1", AAL: 1, Factors: []execution.Factor{{Method: "password"}}},
			want:  "3002:1 status 1 severity 1 factor 11",
		},
		"a login with two factors": {
			event: execution.UserLoggedIn{User: "u1", Session: "s1", AAL: 2, Factors: []execution.Factor{{Method: "password"}, {Method: "totp"}}},
			want:  "3002:1 status 1 severity 1 factor 11 factor 7 mfa",
		},
		"a wrong password": {
			event: execution.LoginFailed{Method: "password", Cause: "bad_credential", Failures: 4},
			want:  "3002:1 status 2 severity 2 INVALID_CREDENTIALS factor 11",
		},
		"a fifth one": {
			event: execution.LoginFailed{Method: "password", Cause: "bad_credential", Failures: 5},
			want:  "3002:1 status 2 severity 3 INVALID_CREDENTIALS factor 11",
		},
		"nobody of that name":       {event: execution.LoginFailed{Cause: "no_such_user"}, want: "3002:1 status 2 severity 2 USER_DOES_NOT_EXIST"},
		"a disabled account":        {event: execution.LoginFailed{Cause: "inactive"}, want: "3002:1 status 2 severity 2 ACCOUNT_DISABLED"},
		"a locked account":          {event: execution.LoginFailed{Cause: "locked"}, want: "3002:1 status 2 severity 2 ACCOUNT_LOCKED_OUT"},
		"an expired password":       {event: execution.LoginFailed{Cause: "expired"}, want: "3002:1 status 2 severity 2 PASSWORD_EXPIRED"},
		"a code that was used":      {event: execution.LoginFailed{Cause: "replayed"}, want: "3002:1 status 2 severity 2 INVALID_CREDENTIALS"},
		"an unknown name":           {event: execution.IdentificationFailed{}, want: "3002:1 status 2 severity 2 USER_DOES_NOT_EXIST"},
		"a denial":                  {event: execution.ExecutionDenied{Cause: "deny_stage"}, want: "3002:1 status 2 severity 3 disposition 2"},
		"a denial by a flow policy": {event: denied, want: "nothing"},
		"a start":                   {event: execution.ExecutionStarted{}, want: "nothing", all: "3002:6 status 1 severity 1"},
		"a challenge":               {event: execution.ChallengeIssued{}, want: "nothing", all: "3002:6 status 1 severity 1 disposition 23"},
		"a step":                    {event: execution.StageEntered{}, want: "nothing"},
		"a logout":                  {event: execution.UserLoggedOut{User: "u1"}, want: "3002:2 status 1 severity 1"},
		"its effect":                {event: session.SessionLoggedOut{Execution: "x1"}, want: "nothing", all: "3002:2 status 1 severity 1"},
		"a logout without a flow":   {event: session.SessionLoggedOut{}, want: "3002:2 status 1 severity 1"},
		"an expired session":        {event: session.SessionEnded{Cause: "expired"}, want: "3002:2 status 1 severity 1"},
		"the end of a revoked one":  {event: session.SessionEnded{Cause: "revoked"}, want: "nothing", all: "3002:2 status 1 severity 1"},
		"a revocation":              {event: session.SessionRevoked{Cause: "admin"}, want: "3002:2 status 1 severity 3 disposition 24"},
		"a broken binding":          {event: session.SessionBindingBroken{}, want: "3002:2 status 1 severity 3 disposition 24"},
		"one's own password":        {event: user.UserPasswordSet{By: u}, want: "3001:3 status 1 severity 1"},
		"another's password":        {event: user.UserPasswordSet{By: "admin"}, want: "3001:4 status 1 severity 1"},
		"roles for a user":          {event: user.UserRolesChanged{Added: []string{"r1"}}, want: "3005:1 status 1 severity 1"},
		"roles from a user":         {event: user.UserRolesChanged{Removed: []string{"r1"}}, want: "3005:2 status 1 severity 1"},
		"roles for a group":         {event: group.GroupRolesChanged{Added: []string{"r1"}}, want: "3006:1 status 1 severity 1"},
		"roles from a group":        {event: group.GroupRolesChanged{Removed: []string{"r1"}}, want: "3006:2 status 1 severity 1"},
		"other roles of a group":    {event: group.GroupRolesChanged{Added: []string{"a"}, Removed: []string{"b"}}, want: "3006:99 status 1 severity 1"},
		"a group of superusers":     {event: group.GroupSuperuserChanged{To: true}, want: "3006:1 status 1 severity 3"},
		"no longer":                 {event: group.GroupSuperuserChanged{}, want: "3006:2 status 1 severity 1"},
		"a group's new name":        {event: group.GroupRenamed{From: "a", To: "b"}, want: "3006:99 status 1 severity 1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.t = t
			stream := streamOf(reflect.TypeOf(tt.event))
			m := meta("user", "u1", "")
			if stream.Category() == "execution" {
				m.Execution = stream.ID()
			}
			r := w.record(w.append(stream, m, tt.event)[0])
			if got := said(t, r, siem.Options{}); got != tt.want {
				t.Errorf("it is %s, want %s", got, tt.want)
			}
			if tt.all == "" {
				tt.all = tt.want
			}
			if got := said(t, r, siem.Options{All: true}); got != tt.all {
				t.Errorf("of all, it is %s, want %s", got, tt.all)
			}
		})
	}
}

// TestPasswordsOfFlows tells whose doing a new password is by the flow that it
// came about in.
func TestPasswordsOfFlows(t *testing.T) {
	const u = "01938d2e-7c00-7000-8000-0000000000aa"
	for _, tt := range []struct{ designation, by, want string }{
		{"enrollment", "", "3001:3 status 1 severity 1"},
		{"enrollment", "boss", "3001:4 status 1 severity 1"},
		{"stage_configuration", u, "3001:3 status 1 severity 1"},
		{"stage_configuration", "", "3001:4 status 1 severity 1"},
		{"recovery", "", "3001:4 status 1 severity 1"},
		{"recovery", u, "3001:4 status 1 severity 1"},
	} {
		w := newWorld(t)
		w.append(x1Stream, meta("anonymous", "", x1), execution.ExecutionStarted{Designation: tt.designation})
		set := w.append("user-"+u, meta("user", tt.by, x1), user.UserPasswordSet{By: tt.by, CredentialID: "c", Hash: domain.NewSecret("h")})[0]
		if got := said(t, w.record(set), siem.Options{}); got != tt.want {
			t.Errorf("in a flow of %s, by %q, it is %s, want %s", tt.designation, tt.by, got, tt.want)
		}
	}
}

// TestConcurrentGatherers lets many read one ledger with one gatherer, as requests
// and sinks do.
func TestConcurrentGatherers(t *testing.T) {
	w := newWorld(t)
	w.People = people{"u1": {Username: "ada"}}
	all := logins(w, 20)
	var want []string
	for _, e := range all {
		want = append(want, seen(w.record(e)))
	}
	shared := &siem.Gatherer{Store: w.store.Store, Codec: w.codec, People: w.People, Personal: true}
	var readers sync.WaitGroup
	for n := range 8 {
		readers.Go(func() {
			for i := range all {
				i = (i*7 + n*13) % len(all)
				r, err := shared.Record(t.Context(), all[i])
				if err != nil || seen(r) != want[i] {
					t.Errorf("gathered %s, %v, want %s", seen(r), err, want[i])
				}
			}
		})
	}
	readers.Wait()
}

// TestReasons has the formats without classes say why, and what became of it.
func TestReasons(t *testing.T) {
	w := newWorld(t)
	denied := w.append(x1Stream, meta("anonymous", "", x1), execution.ExecutionDenied{Cause: "deny_stage"})[0]
	line, _ := written(t, siem.CEF, w.record(denied), siem.Options{Host: "login.example.org"})
	pairs, _ := siemtest.CEF([]byte(line))
	if pairs["reason"] != "deny_stage" || pairs["outcome"] != "failure" || pairs["dvchost"] != "login.example.org" || pairs["cs1"] != x1 {
		t.Errorf("a denial is %q", pairs)
	}
	if got := siem.Outcome(w.record(denied)); got != "failure" {
		t.Errorf("the outcome of a denial is %s", got)
	}
}

// TestPositionsThatAreTooLarge leaves out the sequence where the schema has no
// room for it, as the offsets of some engines are.
func TestPositionsThatAreTooLarge(t *testing.T) {
	w := newWorld(t)
	e := w.append(x1Stream, meta("anonymous", "", x1), execution.UserLoggedIn{User: "u1", Session: "s1"})[0]
	e.Position = eventstore.PositionOf(1 << 40)
	line, _ := written(t, siem.OCSF, w.record(e), siem.Options{})
	if strings.Contains(line, `"sequence"`) || !strings.Contains(line, `"position":"1099511627776"`) {
		t.Errorf("it is %s", line)
	}
	check(t, w.record(e), siem.Options{})
}

// TestTypesToComeHaveTheirRows writes events of the catalogue that no aggregate
// makes yet: their rows are there, so that the one who adds them finds them.
func TestTypesToComeHaveTheirRows(t *testing.T) {
	for typ, want := range map[string]string{
		"SessionSteppedUp":                      "3002:1 status 1 severity 1",
		"SessionUserSwitched":                   "3002:7 status 1 severity 3",
		"SessionImpersonationStarted":           "3002:7 status 1 severity 3",
		"SessionImpersonationEnded":             "3002:7 status 1 severity 3",
		"UserLocked":                            "3001:9 status 1 severity 3",
		"GuardLocked":                           "3001:9 status 1 severity 3",
		"UserUnlocked":                          "3001:12 status 1 severity 3",
		"GuardUnlocked":                         "3001:12 status 1 severity 3",
		`DeviceEnrolled {"class": "webauthn"}`:  "3001:10 status 1 severity 1 factor 10",
		`DeviceRemoved {"class": "sms"}`:        "3001:11 status 1 severity 1 factor 1",
		`DeviceEnrolled {"class": "endpoint"}`:  "3001:10 status 1 severity 1 factor 99",
		"UserSourceLinked":                      "3004:3 status 1 severity 1",
		"RoleAssigned":                          "3005:1 status 1 severity 1",
		"RoleWithdrawn":                         "3005:2 status 1 severity 1",
		"DeviceCounterRegressed":                "2004:1 status 1 severity 4",
		`TokenRefused {"cause": "wrong_flow"}`:  "2004:1 status 1 severity 4",
		`TokenRefused {"cause": "expired"}`:     "3002:1 status 2 severity 2 INVALID_CREDENTIALS",
		"ConsentApplicationAuthorized":          "3003:1 status 1 severity 1",
		"AuditSealedRevealed":                   "6005:10 status 1 severity 3",
		"LedgerStarted":                         "6002:3 status 1 severity 1",
		"LedgerStopped":                         "6002:4 status 1 severity 1",
		"LedgerClockStepped":                    "6003:99 status 1 severity 1",
		"KeyHoldPlaced":                         "6003:3 status 1 severity 1",
		"EpochKeyDestroyed":                     "6003:4 status 1 severity 3",
		`LedgerVerified {"result": "mismatch"}`: "2004:1 status 1 severity 5",
		`LedgerVerified {"result": "ok"}`:       "6003:2 status 1 severity 1",
	} {
		t.Run(typ, func(t *testing.T) {
			typ, payload, _ := strings.Cut(typ, " ")
			if payload == "" {
				payload = "{}"
			}
			category, _ := categoryOf(typ)
			r := siem.Record{Decoded: codec.Decoded{Recorded: eventstore.Recorded{
				NewEvent: eventstore.NewEvent{Type: typ, Schema: 1, Header: []byte("{}"), Payload: []byte(payload)},
				Stream:   eventstore.Stream(category, "01938d2e-7c00-7000-8000-0000000000aa"), RecordedAt: start,
			}}, User: siem.Person{ID: "u1"}}
			if got := said(t, r, siem.Options{}); got != want {
				t.Errorf("it is %s, want %s", got, want)
			}
			check(t, r, siem.Options{All: true})
		})
	}
}

// categoryOf is the category in whose streams a type stands, by its name.
func categoryOf(typ string) (string, bool) {
	for i, c := range typ {
		if i > 0 && c >= 'A' && c <= 'Z' {
			word := strings.ToLower(typ[:i])
			if word == "epoch" || word == "subject" {
				word = "key"
			}
			return word, true
		}
	}
	return "", false
}

// TestWorkersAreSilent leaves out what is about the delivery itself, unless
// everything is wanted.
func TestWorkersAreSilent(t *testing.T) {
	w := newWorld(t)
	for name, typ := range types(t, w) {
		if c := streamOf(typ).Category(); c != "worker" && c != "export" {
			continue
		}
		r := w.record(w.append(streamOf(typ), meta("system", "", ""), sample(typ))[0])
		for _, f := range siem.Formats() {
			if text, ok := written(t, f, r, siem.Options{}); ok {
				t.Errorf("%s of %s: %s", f, name, text)
			}
			if _, ok := written(t, f, r, siem.Options{All: true}); !ok {
				t.Errorf("%s has nothing of %s, although all is wanted", f, name)
			}
		}
	}
}
