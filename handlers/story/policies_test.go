package story

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// An evaluation is explained down to the line, the values on it, what was
// looked up and what was asked for.
func TestEvaluationIsExplained(t *testing.T) {
	binding := func(order int) *execution.BindingRef { return &execution.BindingRef{ID: "b", Order: order} }
	e := execution.Evaluation{
		ID: "e-1", Target: execution.Target{Kind: "flow"}, Mode: "all", Inputs: "5f", MS: 12, Decisive: []int{0, 1},
		Results: []execution.PolicyResult{
			{
				Binding: binding(10), TargetType: "policy", Policy: &domain.Ref{Name: "place", Revision: 3}, Negate: true, Outcome: "ok", MS: 4,
				Facts: map[string]any{"line": 7},
			},
			{
				Binding: binding(20), TargetType: "policy", Policy: &domain.Ref{Name: "broken"}, FailureResult: true, Passing: true, Outcome: "exception",
				Facts: map[string]any{"line": 2, "column": 8},
			},
			{TargetType: "static", Bindings: []string{"x", "y"}, Matched: []string{"x"}, Passing: true},
		},
		Details: []execution.Detail{
			{
				Source: "return country in allowed", Names: map[string]string{"country": "'DE'", "allowed": "['CH']"}, Raw: "false",
				Lookups: []execution.Lookup{{Call: "ak_user_by(username='ada')", Answer: "user 2"}},
				Log:     []string{"warning seen user=ada"}, Messages: []string{"Not from here."},
			},
			{Source: `return x["b"]`, Error: "line 2, column 8: KeyError: 'b'", Messages: []string{"'b'"}},
		},
		Debts: execution.Debts{
			Effects: []execution.Effect{
				{SendMail: &execution.SendMail{Purpose: "notice"}}, {Record: &execution.Record{Action: "custom_seen", App: "place"}},
				{RemovePassword: &execution.RemovePassword{User: "u-1"}},
			},
			EffectFields: map[string]map[string]any{"0": {"to": []any{"a@example.org"}, "subject": "Hello"}},
		},
	}
	sentence, lines := (&tale{Teller: &Teller{}}).asked(e, execution.State{})
	if want := "The policies of the flow did not let it pass (mode all: each of 3 has to pass, 12 ms)."; sentence != want {
		t.Errorf("got %q, want %q", sentence, want)
	}
	want := []string{
		"evaluation e-1",
		"digest of what it was asked with: 5f",
		"binding b (order 10), policy place revision 3: does not pass, negated, decided in line 7",
		"  took 4 ms; an error counts as not passing",
		"  > return country in allowed",
		"    allowed = ['CH']",
		"    country = 'DE'",
		"  looked up ak_user_by(username='ada'): user 2",
		"  log: warning seen user=ada",
		"  message: Not from here.",
		"binding b (order 20), policy broken revision 0: passes, by its failure result, after an exception in line 2, column 8",
		"  took 0 ms; an error counts as passing",
		`  > return x["b"]`,
		"  error: line 2, column 8: KeyError: 'b'",
		"  message: 'b'",
		"users and groups, 1 of 2 match: passes",
		"asked to send a mail (notice) to [a@example.org]: Hello",
		"asked to write custom_seen into the audit trail for place",
		"asked to make the password of user u-1 unusable",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// An error is told as what it led to: on a stage it is no verdict, elsewhere
// it counts as the binding says. What is typed is checked without bindings.
func TestErrorsAreExplained(t *testing.T) {
	name := domain.Ref{Kind: "authentik_stages_prompt.promptstage", ID: "s", Name: "new password"}
	tests := map[string]struct {
		target   execution.Target
		result   execution.PolicyResult
		of, want string
		weighs   string
	}{
		"on a stage": {
			execution.Target{Kind: "stage_binding", Ref: domain.Ref{ID: "x"}}, execution.PolicyResult{Binding: &execution.BindingRef{ID: "b"}, Outcome: "timeout", Negate: true},
			"stage_binding x", "binding b (order 0), policy p revision 0: no verdict, after a timeout", "an error removes no stage",
		},
		"on a stage, as passing": {
			execution.Target{Kind: "stage_binding", Ref: domain.Ref{ID: "x"}}, execution.PolicyResult{Binding: &execution.BindingRef{ID: "b"}, Outcome: "timeout", Passing: true, FailureResult: true},
			"stage_binding x", "binding b (order 0), policy p revision 0: passes, by its failure result, after a timeout", "an error counts as passing",
		},
		"on a flow": {
			execution.Target{Kind: "flow"}, execution.PolicyResult{Binding: &execution.BindingRef{ID: "b"}, Outcome: "exception"},
			"the flow", "binding b (order 0), policy p revision 0: does not pass, by its failure result, after an exception", "an error counts as not passing",
		},
		"on what is typed": {
			execution.Target{Kind: "prompt_validation", Ref: name}, execution.PolicyResult{Binding: &execution.BindingRef{Order: 1}, Outcome: "ok"},
			"what was typed into stage new password (promptstage)", "policy p revision 0: does not pass", "an error counts as not passing",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.result.Policy = &domain.Ref{Name: "p"}
			e := execution.Evaluation{Target: tt.target, Results: []execution.PolicyResult{tt.result}}
			if got := targetOf(e, execution.State{}); got != tt.of {
				t.Errorf("target: got %q, want %q", got, tt.of)
			}
			got := (&tale{Teller: &Teller{}}).result(e, tt.result)
			if want := []string{tt.want, "  took 0 ms; " + tt.weighs}; !cmp.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
