package execution

import "github.com/flowledger/flowledger/domain"

// An Evaluation is what the policies of one target said, and why: the evidence
// behind a decision (spec/events.md 4.2).
type Evaluation struct {
	ID       string         `json:"-"` // becomes the id of the event
	Target   Target         `json:"target"`
	Phase    string         `json:"phase"` // flow, plan, enter, respond or restart
	Mode     string         `json:"mode"`  // all or any
	Passing  bool           `json:"passing"`
	Kept     bool           `json:"kept_on_error,omitempty"` // it passes because an error does not remove a stage
	Results  []PolicyResult `json:"results"`
	Decisive []int          `json:"decisive,omitempty"` // indexes of the results that made it fail
	MS       int64          `json:"ms"`
	Messages []string       `json:"messages,omitempty" seal:"T"`
	Details  []Detail       `json:"details,omitempty" seal:"T"` // one per result
	Inputs   string         `json:"inputs,omitempty" seal:"T"`  // digest of all that was asked with, secrets masked
	Debts                   // what the policies ask for
}

// A Target is what policies are bound to.
type Target struct {
	Kind string     `json:"kind"` // flow, stage_binding, prompt_validation
	Ref  domain.Ref `json:"ref"`
}

// A PolicyResult is the verdict of one binding, or of all bindings to users
// and groups together, as the engine computes them (spec/flows.md 8.3).
type PolicyResult struct {
	Binding       *BindingRef    `json:"binding,omitempty"`
	TargetType    string         `json:"target_type"` // policy or static
	Policy        *domain.Ref    `json:"policy,omitempty"`
	Bindings      []string       `json:"bindings,omitempty"` // of a static result
	Matched       []string       `json:"matched,omitempty"`
	Negate        bool           `json:"negate"`
	FailureResult bool           `json:"failure_result"`
	Passing       bool           `json:"passing"`
	Outcome       string         `json:"outcome"` // ok, exception, timeout or not_applicable
	MS            int64          `json:"ms"`
	Reasons       []string       `json:"reasons,omitempty"`
	Facts         map[string]any `json:"facts,omitempty"` // truth values, counts, line numbers
}

// A BindingRef names a policy binding as it was.
type BindingRef struct {
	ID       string `json:"id"`
	Order    int    `json:"order"`
	Revision int64  `json:"revision"`
}

// A Detail is what a verdict rests on that may name persons: the returned
// value, the error, messages and log lines. Each text is cut at 2 KiB.
type Detail struct {
	Raw      string            `json:"raw,omitempty"`
	Error    string            `json:"error,omitempty"`
	Messages []string          `json:"messages,omitempty"`
	Log      []string          `json:"log,omitempty"`
	Names    map[string]string `json:"names,omitempty"`
	Source   string            `json:"source,omitempty"` // text of the line that decided
	Lookups  []Lookup          `json:"lookups,omitempty"`
}

// A Lookup is one question to what lies outside of an evaluation, and the
// answer: with both, the evaluation can be understood, and repeated. Each text
// is cut, and secrets in it are masked.
type Lookup struct {
	Call   string `json:"call"`
	Answer string `json:"answer"`
}

// Erred tells whether a result is an error rather than a verdict.
func (r PolicyResult) Erred() bool { return r.Outcome == "exception" || r.Outcome == "timeout" }
