package story

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
)

// A Decision is what the policies of one target said, and why.
type Decision struct {
	Event     string              `json:"event"` // id
	Revision  eventstore.Revision `json:"revision"`
	Time      time.Time           `json:"time"`
	Kind      string              `json:"target_type"` // flow, stage_binding or prompt_validation
	Target    domain.Ref          `json:"target"`
	Name      string              `json:"name"`  // of the target, in words
	Phase     string              `json:"phase"` // in which it was asked
	Mode      string              `json:"mode"`
	Rule      string              `json:"rule"` // what the mode means
	Passing   bool                `json:"passing"`
	Kept      bool                `json:"kept_on_error"`
	Sentence  string              `json:"sentence"`
	Reasons   []Reason            `json:"reasons"`
	Because   string              `json:"because"` // what decided in the end
	Led       string              `json:"led_to,omitempty"`
	MS        int64               `json:"ms"`
	Inputs    string              `json:"inputs,omitempty"` // digest of all that was asked with
	Messages  []string            `json:"messages,omitempty"`
	Wishes    []string            `json:"asked_for,omitempty"`
	Forgotten []Forgotten         `json:"forgotten,omitempty"`
}

// A Reason is one verdict: of a bound policy, or of all bound users and groups
// together.
type Reason struct {
	Binding  string     `json:"binding,omitempty"`
	Order    int        `json:"order"`
	Kind     string     `json:"kind"` // policy, or users and groups
	Policy   domain.Ref `json:"policy,omitzero"`
	Standing string     `json:"standing,omitempty"` // revision then, and now
	Negate   bool       `json:"negate"`
	OnError  string     `json:"on_error,omitempty"` // what an error counts as
	Outcome  string     `json:"outcome"`
	Passing  bool       `json:"passing"`
	Verdict  string     `json:"verdict"` // in words, negation spelt out
	Neutral  bool       `json:"neutral"` // it erred, which is no verdict here
	Decisive bool       `json:"decisive"`
	Line     int        `json:"line,omitempty"`
	Column   int        `json:"column,omitempty"`
	Source   string     `json:"source,omitempty"` // text of that line
	Names    []Value    `json:"names,omitempty"`  // on that line
	Facts    []Value    `json:"facts,omitempty"`  // that it rests on
	Lookups  []Value    `json:"lookups,omitempty"`
	Returned string     `json:"returned,omitempty"`
	Error    string     `json:"error,omitempty"`
	Messages []string   `json:"messages,omitempty"`
	Log      []string   `json:"log,omitempty"`
	MS       int64      `json:"ms"`
}

// A Value is a name and what it stood for.
type Value struct {
	Name string `json:"name"`
	Text string `json:"value"`
}

// Decisions explains what policies decided, in order.
func (p *Past) Decisions() []Decision {
	out := []Decision{}
	for _, e := range p.events {
		switch event := e.event.(type) {
		case execution.PolicyEvaluated:
			out = append(out, *p.decision(e, event.Evaluation))
		case execution.PolicyDenied:
			out = append(out, *p.decision(e, event.Evaluation))
		}
	}
	return out
}

func (p *Past) decision(at happened, e execution.Evaluation) *Decision {
	sentence, _ := p.tale.asked(e, at.before)
	d := &Decision{
		Event: at.ID.String(), Revision: at.Revision, Time: at.RecordedAt, Kind: e.Target.Kind, Target: e.Target.Ref,
		Name: targetOf(e, at.before), Phase: e.Phase, Mode: e.Mode, Rule: rule(e), Passing: e.Passing, Kept: e.Kept, Sentence: sentence,
		Reasons: []Reason{}, MS: e.MS, Inputs: e.Inputs, Messages: e.Messages, Forgotten: forgotten(at.Decoded),
	}
	for i, r := range e.Results {
		reason := p.tale.reason(e, r)
		reason.Decisive = slices.Contains(e.Decisive, i)
		if i < len(e.Details) {
			reason.rest(e.Details[i])
		}
		d.Reasons = append(d.Reasons, reason)
	}
	for i, effect := range e.Effects {
		d.Wishes = append(d.Wishes, Wish(effect, e.EffectFields[strconv.Itoa(i)]))
	}
	d.Because, d.Led = because(e, d.Reasons), p.led(d.Event)
	return d
}

// reason is one verdict, without what is sealed of it.
func (t *tale) reason(e execution.Evaluation, r execution.PolicyResult) Reason {
	out := Reason{Kind: "policy", Negate: r.Negate, Outcome: r.Outcome, Passing: r.Passing, MS: r.MS}
	if r.TargetType == "static" {
		out.Kind = "users and groups"
		out.Verdict = fmt.Sprintf("%d of %d match, so it %s", len(r.Matched), len(r.Bindings), verb(r.Passing))
		return out
	}
	if r.Binding != nil {
		out.Binding, out.Order = r.Binding.ID, r.Binding.Order
	}
	if r.Policy != nil {
		out.Policy, out.Standing = *r.Policy, t.standing(r.Policy.ID, r.Policy.Revision)
	}
	out.OnError = "an error " + weight(e, r)
	out.Line, _ = strconv.Atoi(fact(r, "line"))
	out.Column, _ = strconv.Atoi(fact(r, "column"))
	for _, name := range slices.Sorted(maps.Keys(r.Facts)) {
		if name != "line" && name != "column" {
			out.Facts = append(out.Facts, Value{name, fmt.Sprint(r.Facts[name])})
		}
	}
	switch {
	case neutral(e, r):
		out.Neutral = true
		out.Verdict = "after " + anOutcome[r.Outcome] + " there is no verdict, and the stage stays"
	case r.Erred():
		out.Verdict = "after " + anOutcome[r.Outcome] + " its failure result counts, so it " + verb(r.Passing)
	case r.Negate:
		out.Verdict = fmt.Sprintf("it said %s, its answer is turned round, so it %s", yesNo(!r.Passing), verb(r.Passing))
	default:
		out.Verdict = fmt.Sprintf("it said %s, so it %s", yesNo(r.Passing), verb(r.Passing))
	}
	return out
}

// rest adds what is sealed of a verdict.
func (r *Reason) rest(d execution.Detail) {
	r.Source, r.Error, r.Messages, r.Log, r.Returned = d.Source, d.Error, d.Messages, d.Log, d.Raw
	for _, name := range slices.Sorted(maps.Keys(d.Names)) {
		r.Names = append(r.Names, Value{name, d.Names[name]})
	}
	for _, l := range d.Lookups {
		r.Lookups = append(r.Lookups, Value{l.Call, l.Answer})
	}
}

// because says what decided in the end.
func because(e execution.Evaluation, reasons []Reason) string {
	passed, failed := []string{}, []string{}
	for _, r := range reasons {
		name := r.Policy.Name
		if r.Kind != "policy" {
			name = r.Kind
		}
		if r.Passing {
			passed = append(passed, name)
		} else {
			failed = append(failed, name)
		}
	}
	switch {
	case len(reasons) == 0:
		return "Nothing is bound, so it passes."
	case e.Kept:
		return "There was an error and no verdict against it, so it stays."
	case e.Passing && e.Mode == "all":
		return fmt.Sprintf("All %d passed.", len(passed))
	case e.Passing && len(passed) > 0:
		return fmt.Sprintf("One had to pass, and %s did.", strings.Join(passed, ", "))
	case e.Passing:
		return "Nothing spoke against it."
	case e.Mode == "all":
		return fmt.Sprintf("Each had to pass, and %s did not.", strings.Join(failed, ", "))
	}
	return fmt.Sprintf("One had to pass, and none did: %s.", strings.Join(failed, ", "))
}

// led says what a decision led to.
func (p *Past) led(evaluation string) string {
	for _, e := range p.events {
		switch event := e.event.(type) {
		case execution.StageSkipped:
			if event.Evaluation == evaluation {
				return fmt.Sprintf("%s was skipped.", capital(headName(e.before)))
			}
		case execution.StageReevaluated:
			if event.Evaluation == evaluation {
				return fmt.Sprintf("%s stayed in the plan.", capital(headName(e.before)))
			}
		case execution.ExecutionDenied:
			if event.Evaluation == evaluation {
				return "The execution was denied."
			}
		case execution.PlanCreated:
			for _, l := range event.LeftOut {
				if l.Evaluation == evaluation {
					return fmt.Sprintf("%s was left out of the plan.", capital(stageName(l.Stage)))
				}
			}
		}
	}
	return ""
}

func verb(passing bool) string {
	if passing {
		return "passes"
	}
	return "does not pass"
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
