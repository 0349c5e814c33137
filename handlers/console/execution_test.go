package console

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/story"
	"github.com/flowledger/flowledger/projections"
)

// told is an execution of three events: a stage is skipped because a policy
// said so, and it ends.
func told(f *fake, id string) {
	decision := &story.Decision{
		Event: "e-1", Revision: 1, Kind: "stage_binding", Name: "stage extra", Target: domain.Ref{ID: "b"}, Phase: "enter", Mode: "any",
		Rule: "mode any: the only one has to pass", Sentence: "The policies did not let it pass.", Because: "One had to pass, and none did: " + hostile + ".",
		Reasons: []story.Reason{{
			Kind: "policy", Policy: domain.Ref{ID: "p-1", Name: hostile}, Negate: true, Verdict: "it said yes, its answer is turned round, so it does not pass",
			Decisive: true, Line: 2, Source: "return " + hostile, Names: []story.Value{{Name: "abroad", Text: hostile}},
		}},
	}
	f.story = story.Story{ID: id, Started: now, Steps: []story.Step{
		{Own: true, Type: "ExecutionStarted", Time: now, Sentence: "A visitor entered " + hostile + "."},
		{Own: true, At: 1, Type: "PolicyDenied", Event: "e-1", Evidence: "e-1", Time: now, Sentence: decision.Sentence, Decision: decision},
		{At: 1, Type: "SessionAuthenticated", Stream: eventstore.Stream("session", "s"), Time: now, Sentence: "The session has a user from here on."},
		{Own: true, At: 2, Type: "ExecutionDenied", Evidence: "e-1", Time: now.Add(3 * time.Second), Since: 3 * time.Second, Waited: true, Sentence: "Denied: policy."},
	}}
	f.states = []story.Snapshot{
		{Revision: 0, Status: "running", Context: execution.Context{}},
		{Revision: 1, Status: "running", Context: execution.Context{"note": hostile}, Stages: []story.Stage{{Binding: "b", Stage: domain.Ref{ID: "s", Name: hostile}, State: story.Current}}},
		{Revision: 2, Status: "denied", Context: execution.Context{"note": "else"}, Stages: []story.Stage{
			{Binding: "b", Stage: domain.Ref{ID: "s", Name: hostile}, State: story.Skipped, Evaluation: "e-1", Why: 1, Left: 2},
		}},
	}
	x := aLogin(id)
	x.Status = "denied"
	f.executions = append(f.executions, x)
}

func TestAnExecution(t *testing.T) {
	tests := map[string]struct {
		query string
		want  []string
	}{
		"the newest": {"", []string{
			"Revision 2 of 2: ExecutionDenied", `class="skipped"`, "One had to pass, and none did", `?revision=1#cursor">One had`, "≠", "changed", "<ins>else</ins>",
			"what policies said at revision 1</a>", "person took 3.0 s", `data-last="2"`, `<input id="slider" type="range" name="revision" min="0" max="2" value="2"`,
		}},
		"at a revision": {"?revision=1", []string{
			"Revision 1 of 2: PolicyDenied", `class="current" aria-current="step"`, "added", "turned round", "line 2", `href="/if/admin/policies/p-1/"`, `<tr aria-current="step" data-step="1">`,
		}},
		"at the first": {"?revision=0", []string{"Revision 0 of 2", "There is no plan yet.", "What is known"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, f := newFake()
			told(f, "x-1")
			w := get(t, s, "/if/admin/executions/x-1/"+tt.query)
			body := w.Body.String()
			if w.Code != http.StatusOK || strings.Contains(body, hostile) {
				t.Errorf("status %d, or a name that is not escaped\n%s", w.Code, body)
			}
			for _, want := range tt.want {
				if !strings.Contains(body, want) {
					t.Errorf("the page does not say %q", want)
				}
			}
			if want := []string{"inspected x-1"}; !slices.Equal(f.looks, want) {
				t.Errorf("recorded %q, want %q", f.looks, want)
			}
			if t.Failed() {
				t.Log(body)
			}
		})
	}
}

// A page stays one that can be opened, however long somebody has tried.
func TestLongTimelinesAreCut(t *testing.T) {
	for _, at := range []eventstore.Revision{0, 700, 999} {
		v := executionView{Steps: make([]stepRow, 1000)}
		for i := range v.Steps {
			v.Steps[i].At = eventstore.Revision(i)
		}
		v.cut(at)
		if len(v.Steps) != maxSteps || v.Cut != 1000 || v.Steps[0].At > at || v.Steps[maxSteps-1].At < at {
			t.Errorf("at %d: %d from %d", at, len(v.Steps), v.Steps[0].At)
		}
	}
}

// Who may see events but not inspect flows sees what happened, not what was
// known.
func TestAnExecutionWithoutTimeTravel(t *testing.T) {
	s, f := newFake()
	told(f, "x-1")
	f.caller.Granted = session.Grants{viewEvents: true}
	body := get(t, s, "/if/admin/executions/x-1/?revision=1").Body.String()
	if !strings.Contains(body, "authentik_flows.inspect_flow") || !strings.Contains(body, "ExecutionDenied") {
		t.Errorf("says\n%s", body)
	}
	for _, secret := range []string{`id="cursor"`, "line 2", "abroad"} {
		if strings.Contains(body, secret) {
			t.Errorf("the page says %q", secret)
		}
	}
	for _, page := range []string{"executions/x-1/why/", "compare/?a=x-1&b=x-1"} {
		if w := get(t, s, base+page); w.Code != http.StatusForbidden {
			t.Errorf("%s: status %d", page, w.Code)
		}
	}
}

func TestExecutionsThatAreNotThere(t *testing.T) {
	for page, status := range map[string]int{
		"executions/x-9/": http.StatusNotFound, "executions/x-9/why/": http.StatusNotFound, "executions/x-1/?revision=3": http.StatusBadRequest,
		"executions/x-1/?revision=-1": http.StatusBadRequest, "executions/x-1/?revision=x": http.StatusBadRequest, "compare/": http.StatusBadRequest,
		"compare/?a=x-1": http.StatusBadRequest, "compare/?a=x-1&b=x-9": http.StatusNotFound, "compare/?with=x-1": http.StatusBadRequest,
		"compare/?a=x-1&b=x-1&ra=7": http.StatusBadRequest,
	} {
		s, f := newFake()
		told(f, "x-1")
		if w := get(t, s, base+page); w.Code != status {
			t.Errorf("%s: status %d, want %d\n%s", page, w.Code, status, w.Body)
		}
		if len(f.looks) > 0 {
			t.Errorf("%s: recorded %q", page, f.looks)
		}
	}
}

func TestAllDecisions(t *testing.T) {
	s, f := newFake()
	told(f, "x-1")
	body := get(t, s, "/if/admin/executions/x-1/why/").Body.String()
	for _, want := range []string{"mode any: the only one has to pass", "its answer is turned round", "Negated", "line 2", "Decided", "abroad"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(body, hostile) || !slices.Equal(f.looks, []string{"inspected x-1"}) {
		t.Errorf("recorded %q\n%s", f.looks, body)
	}
}

func TestComparisons(t *testing.T) {
	a := side{
		x: executionRow{Execution: projections.Execution{ID: "a", Cause: "stage_denied"}},
		state: story.Snapshot{Stages: []story.Stage{
			{Stage: domain.Ref{ID: "who", Name: "who"}, State: story.Done, Left: 4}, {Stage: domain.Ref{ID: "pw", Name: "password"}, State: story.Stopped, Entered: 5, Wrong: 2},
		}},
	}
	b := side{
		x: executionRow{Execution: projections.Execution{ID: "b"}},
		state: story.Snapshot{Stages: []story.Stage{
			{Stage: domain.Ref{ID: "who", Name: "who"}, State: story.Done, Left: 4}, {Stage: domain.Ref{ID: "pw", Name: "password"}, State: story.Done, Left: 6},
			{Stage: domain.Ref{ID: "mfa", Name: "mfa"}, State: story.Skipped, Left: 7, Evaluation: "e"}, {Stage: domain.Ref{ID: "who", Name: "who"}, State: story.ToCome},
		}},
		decisions: []story.Decision{{Event: "e", Reasons: []story.Reason{{Kind: "policy", Policy: domain.Ref{Name: "abroad"}}}}},
	}
	at := func(id, revision string) string {
		return "/if/admin/executions/" + id + "/?revision=" + revision + "#cursor"
	}
	want := []compareRow{
		{"Stage who", "passed", "passed", at("a", "4"), at("b", "4")},
		{"Stage password", "ended here, wrong answers: 2: stage denied", "passed", at("a", "5"), at("b", "6")},
		{"Stage mfa", "not planned", "skipped because of abroad", "", at("b", "7")},
		{"Stage who, time 2", "not planned", "to come", "", ""},
	}
	if got := stageRows(a, b); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	s, f := newFake()
	told(f, "x-1")
	w := get(t, s, "/if/admin/compare/?with=x-2&with=x-1")
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/if/admin/compare/?a=x-1&b=x-2" {
		t.Errorf("status %d to %q", w.Code, to)
	}
	w = get(t, s, "/if/admin/compare/?a=x-1&b=x-1&ra=1&rb=2")
	if body := w.Body.String(); w.Code != http.StatusOK || strings.Contains(body, hostile) || !strings.Contains(body, "context.note") || !slices.Equal(f.looks, []string{"inspected x-1", "inspected x-1"}) {
		t.Errorf("status %d, recorded %q\n%s", w.Code, f.looks, body)
	}
}

// An execution leads to the one before it where there is one, and nowhere else.
func TestTheOneBefore(t *testing.T) {
	s, f := newFake()
	told(f, "x-2")
	const words = "Compare with the one before"
	if body := get(t, s, "/if/admin/executions/x-2/").Body.String(); strings.Contains(body, words) {
		t.Error("the first execution has one before")
	}
	f.executions = append(f.executions, aLogin("x-1"))
	if body := get(t, s, "/if/admin/executions/x-2/").Body.String(); !strings.Contains(body, `/if/admin/compare/?a=x-1&amp;b=x-2">`+words) {
		t.Error("the page does not lead to the one before")
	}
	if f.filter.User == "" || f.filter.Flow == "" || f.filter.Until.IsZero() {
		t.Errorf("it was looked for by %+v", f.filter)
	}
}
