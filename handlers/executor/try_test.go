package executor_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/handlers/executor"
)

// A trial of a policy changes nothing: that it was made is what is recorded.
func TestTry(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada")
	p := w.put("authentik_policies_expression.expressionpolicy", "p", fields{
		"name": "p", "expression": "ak_message('seen ' + request.user.username + context.get('password', ''))\nreturn context.get('x') == 1",
	})
	w.sync()
	b := w.browser("s")
	b.caller.Request = "r-1"
	for x, want := range map[int]bool{1: true, 2: false} {
		before := w.head()
		tried, err := w.Try(t.Context(), executor.Trial{
			Policy: p, User: ada, Context: map[string]any{"x": int64(x), "password": "hunter2"},
		}, b.caller)
		if err != nil || tried.Passing != want || len(tried.Messages) != 1 || tried.Messages[0] != "seen ada********************" {
			t.Errorf("x=%d: passing %t, %v, %v", x, tried.Passing, tried.Messages, err)
		}
		if steps := tried.Watched.Steps; len(steps) != 2 || steps[1].Source != "return context.get('x') == 1" || tried.Inputs == "" {
			t.Errorf("x=%d: watched %+v, inputs %q", x, steps, tried.Inputs)
		}
		told := w.told(before)
		if len(told) != 1 {
			t.Fatalf("x=%d: %d events were appended", x, len(told))
		}
		want := audit.AuditPolicyTested{
			Policy: tried.Target.Ref, User: ada, Passing: want, Context: map[string]any{"x": float64(x)},
		}
		if diff := cmp.Diff(audit.Event(want), told[0].Event, cmpopts.IgnoreFields(domain.Ref{}, "Revision")); diff != "" {
			t.Errorf("x=%d: recorded (-want +got):\n%s", x, diff)
		}
		if h := told[0].Header; h.Execution != "" || h.Correlation != "r-1" || !strings.Contains(string(told[0].Sealed), "user:"+ada) {
			t.Errorf("x=%d: header %+v, sealed %s", x, h, told[0].Sealed)
		}
	}
	if _, err := w.Try(t.Context(), executor.Trial{Policy: id("nothing"), User: ada}, b.caller); code(err) != domain.NotFound {
		t.Errorf("an unknown policy: %v", err)
	}
}

// A password that a policy finds too old is taken away by a trial through the
// API, and by no other.
func TestTryOfExpiry(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada")
	p := w.put("authentik_policies_expiry.passwordexpirypolicy", "p", fields{"name": "p", "days": 0})
	w.sync()
	b := w.browser("s")
	for _, expire := range []bool{false, true, true} {
		tried, err := w.Try(t.Context(), executor.Trial{Policy: p, User: ada, Expire: expire}, b.caller)
		if err != nil || tried.Passing {
			t.Fatalf("expire %t: %+v, %v", expire, tried, err)
		}
		w.sync()
		who, err := w.People.Person(t.Context(), ada)
		if err != nil || who.Usable == expire {
			t.Errorf("expire %t: the password is usable: %t, %v", expire, who.Usable, err)
		}
	}
}
