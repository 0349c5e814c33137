package siem_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/siem"
)

const (
	x1        = "01938d2e-7c00-7000-8000-00000000ee01"
	x1Stream  = eventstore.StreamID("execution-" + x1)
	denialID  = "01938d2e-7c00-7000-8000-000000000d01"
	loginKind = "authentik_stages_user_login.userloginstage"
)

func ref(id, name string) domain.Ref { return domain.Ref{ID: id, Name: name, Revision: 2} }

// denied is a denial of a binding by a policy.
func denied(binding, phase string) execution.PolicyDenied {
	p := ref("p1", "office")
	return execution.PolicyDenied{Evaluation: execution.Evaluation{
		ID: denialID, Target: execution.Target{Kind: "stage_binding", Ref: ref(binding, "")}, Phase: phase,
		Results: []execution.PolicyResult{{Policy: &p}}, Decisive: []int{0},
	}}
}

// logIn runs a login: one append to the end of the first stage, one for the
// rest.
func (w *world) logIn() []eventstore.Recorded {
	w.t.Helper()
	login := execution.Entry{Binding: ref("b2", ""), Stage: domain.Ref{ID: "st2", Kind: loginKind, Name: "login"}}
	first := w.append(x1Stream, meta("anonymous", "", x1),
		execution.ExecutionStarted{Flow: ref("f1", "Welcome"), Slug: "welcome", Designation: "authentication", Session: "s1"},
		execution.PlanCreated{Entries: []execution.Entry{{Binding: ref("b1", ""), Stage: ref("st1", "password")}, login}},
		execution.StageEntered{Binding: ref("b1", ""), Stage: ref("st1", "password")},
		execution.LoginFailed{Cause: "no_such_user", Method: "password", Stage: ref("st1", "password")},
		execution.SubjectIdentified{User: "u1", By: "identification"},
	)
	moved := meta("anonymous", "", x1)
	moved.Network = session.Network{IP: "198.51.100.9"}
	second := w.append(x1Stream, moved,
		denied("b2", "enter"),
		execution.StageEntered{Binding: ref("b2", ""), Stage: ref("st2", "login"), Kind: loginKind},
		execution.UserLoggedIn{User: "u1", Session: "s1"},
		execution.ExecutionDenied{Cause: "flow_policy", Evaluation: denialID},
	)
	return slices.Concat(first, second)
}

// seen is what was gathered of an event, in short.
func seen(r siem.Record) string {
	return strings.Join([]string{
		r.Type, "flow", r.Slug, "stage", r.Stage.Name, "user", r.User.ID, r.User.Username, "target", r.Target.ID, "session", r.Session,
		"policy", r.Policy.Name, "from", r.Network.IP,
	}, " ")
}

func TestExecutionsAreGathered(t *testing.T) {
	w := newWorld(t)
	w.People = people{"u1": {Username: "ada"}}
	all := w.logIn()
	want := []string{
		"ExecutionStarted flow welcome stage  user   target  session s1 policy  from 203.0.113.77",
		"PlanCreated flow welcome stage  user   target  session s1 policy  from 203.0.113.77",
		"StageEntered flow welcome stage password user   target  session s1 policy  from 203.0.113.77",
		"LoginFailed flow welcome stage password user   target  session s1 policy  from 203.0.113.77",
		"SubjectIdentified flow welcome stage password user u1 ada target  session s1 policy  from 203.0.113.77",
		"PolicyDenied flow welcome stage password user u1 ada target  session s1 policy office from 198.51.100.9",
		"StageEntered flow welcome stage login user u1 ada target  session s1 policy  from 198.51.100.9",
		"UserLoggedIn flow welcome stage login user u1 ada target  session s1 policy  from 198.51.100.9",
		"ExecutionDenied flow welcome stage login user u1 ada target  session s1 policy office from 198.51.100.9",
	}
	read := func(name string, order []int) {
		fresh := *w
		fresh.Gatherer = &siem.Gatherer{Store: w.store, Codec: w.codec, People: w.People, Personal: true}
		for _, i := range order {
			if got := seen(fresh.record(all[i])); got != want[i] {
				t.Errorf("%s: gathered\n%s, want\n%s", name, got, want[i])
			}
		}
	}
	read("in order", []int{0, 1, 2, 3, 4, 5, 6, 7, 8})
	read("backwards", []int{8, 7, 6, 5, 4, 3, 2, 1, 0})
	read("only some", []int{3, 8, 5})
}

// TestFollowersReadNothingTwice counts what a gatherer that follows the ledger
// reads besides.
func TestFollowersReadNothingTwice(t *testing.T) {
	w := newWorld(t)
	all := w.logIn()
	w.store.reads = 0
	for _, e := range all {
		w.record(e)
	}
	if w.store.reads != 0 {
		t.Errorf("streams were read %d times", w.store.reads)
	}
}

// TestDenialsOfLoginStages tells a denial that removes a stage that logs in from
// one that removes another. While a flow is planned, the plan comes after it.
func TestDenialsOfLoginStages(t *testing.T) {
	login, another := domain.Ref{ID: "st2", Kind: loginKind}, domain.Ref{ID: "st1", Kind: "authentik_stages_password.passwordstage"}
	for name, tt := range map[string]struct {
		binding, phase string
		want           bool
	}{
		"the login stage, while planning": {"b2", "plan", true},
		"another one, while planning":     {"b3", "plan", false},
		"the login stage, entering":       {"b4", "enter", true},
		"another one, entering":           {"b1", "enter", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			started := execution.ExecutionStarted{Slug: "welcome"}
			plan := execution.PlanCreated{
				Entries: []execution.Entry{{Binding: ref("b1", ""), Stage: another}, {Binding: ref("b4", ""), Stage: login}},
				LeftOut: []execution.LeftOut{{Binding: ref("b2", ""), Stage: login}, {Binding: ref("b3", ""), Stage: another}},
			}
			all := w.append(x1Stream, meta("anonymous", "", x1), started, denied(tt.binding, "plan"), plan)
			at := all[1]
			if tt.phase == "enter" {
				e := denied(tt.binding, "enter")
				e.ID = "01938d2e-7c00-7000-8000-000000000d02"
				at = w.append(x1Stream, meta("anonymous", "", x1), e)[0]
			}
			if r := w.record(at); r.Login != tt.want {
				t.Errorf("it is said to have kept somebody from logging in: %v", r.Login)
			}
		})
	}
}

func TestOwnersAreGathered(t *testing.T) {
	w := newWorld(t)
	s := w.append("session-s1", meta("anonymous", "", ""), session.SessionBegun{Kind: "browser"}, session.SessionAuthenticated{User: "u1"})
	revoked := w.append("session-s1", meta("admin", "boss", ""), session.SessionRevoked{By: "boss", Cause: "admin"})[0]
	created := w.append("token-t1", meta("user", "u1", ""), token.TokenCreated{
		Intent: token.AppPassword, User: "u1", CredentialID: "c", Digest: domain.NewSecret("d"),
	})[0]
	used := w.append("token-t1", meta("anonymous", "", ""), token.TokenUsed{At: start})[0]
	for _, tt := range []struct {
		event eventstore.Recorded
		want  string
	}{
		{revoked, "SessionRevoked flow  stage  user boss  target u1 session s1 policy  from 203.0.113.77"},
		{s[0], "SessionBegun flow  stage  user   target  session s1 policy  from 203.0.113.77"},
		{s[1], "SessionAuthenticated flow  stage  user u1  target  session s1 policy  from 203.0.113.77"},
		{used, "TokenUsed flow  stage  user u1  target  session  policy  from 203.0.113.77"},
		{created, "TokenCreated flow  stage  user u1  target  session  policy  from 203.0.113.77"},
	} {
		if got := seen(w.record(tt.event)); got != tt.want {
			t.Errorf("gathered\n%s, want\n%s", got, tt.want)
		}
	}
	if got := said(t, w.record(used), siem.Options{}); got != "3002:1 status 1 severity 1" {
		t.Errorf("an app password is %s", got)
	}
}

// TestWhatIsForgottenIsLeftOut destroys keys after a gatherer has seen what they
// open, and before.
func TestWhatIsForgottenIsLeftOut(t *testing.T) {
	for name, later := range map[string]func(w *world){
		"a minute later":            func(w *world) { w.now = w.now.Add(time.Minute) },
		"at once, for whom is told": func(w *world) { w.Evict() },
	} {
		t.Run(name, func(t *testing.T) { leftOut(t, later) })
	}
}

func leftOut(t *testing.T, later func(w *world)) {
	w := newWorld(t)
	all := w.logIn()
	created := w.append("user-u1", meta("admin", "boss", ""), user.UserCreated{Username: "MARK-P-ada", Name: "MARK-P-Ada"})
	names := people{"u1": {Username: "MARK-P-ada"}}
	w.People = names
	before := w.record(all[8])
	if before.Network.IP == "" || before.User.Username == "" {
		t.Fatal("there is nothing to forget")
	}
	if err := w.vault.Forget(t.Context(), []string{"user:u1"}, 'P', 'T', 'N'); err != nil {
		t.Fatal(err)
	}
	delete(names, "u1")
	later(w)
	rest := slices.Concat(all, created)
	slices.Reverse(rest) // whatever carries a network comes after what asks for it
	for _, e := range rest {
		r := w.record(e)
		for _, f := range siem.Formats() {
			text, _ := written(t, f, r, siem.Options{Personal: true, All: true})
			if strings.Contains(text, "MARK-") || strings.Contains(text, "203.0.113.77") || strings.Contains(text, "198.51.100.9") {
				t.Errorf("%s of %s remembers: %s", f, e.Type, text)
			}
			if text != "" {
				for _, complaint := range complaints(f, r, text) {
					t.Errorf("%s of %s: %s", f, e.Type, complaint)
				}
			}
		}
	}
}

// TestMemoryIsBounded gathers more executions than are remembered.
func TestMemoryIsBounded(t *testing.T) {
	w := newWorld(t)
	var first eventstore.Recorded
	for i := range 4200 {
		id := x1[:len(x1)-4] + string([]byte{'0' + byte(i/1000), '0' + byte(i/100%10), '0' + byte(i/10%10), '0' + byte(i%10)})
		m := meta("anonymous", "", id)
		m.Network = nil
		all := w.append(eventstore.Stream("execution", id), m, execution.ExecutionStarted{Slug: "welcome"}, execution.StageEntered{Stage: ref("st1", "password")})
		for _, e := range all {
			w.record(e)
		}
		if i == 0 {
			first = all[1]
		}
	}
	w.store.reads = 0
	if r := w.record(first); r.Slug != "welcome" || w.store.reads != 1 {
		t.Errorf("%q, and %d reads", r.Slug, w.store.reads)
	}
}
