package story

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/flowledger/flowledger/domain/execution"
)

// asked tells what policies said, a paragraph for each result.
func (t *tale) asked(e execution.Evaluation, before execution.State) (string, []string) {
	verdict := "let it pass"
	if !e.Passing {
		verdict = "did not let it pass"
	}
	if e.Kept {
		verdict = "erred, and an error removes no stage"
	}
	if len(e.Results) == 0 {
		return fmt.Sprintf("No policy is bound to %s.", targetOf(e, before)), nil
	}
	lines := []string{"evaluation " + e.ID}
	if e.Inputs != "" {
		lines = append(lines, "digest of what it was asked with: "+e.Inputs)
	}
	for i, r := range e.Results {
		lines = append(lines, t.result(e, r)...)
		if i < len(e.Details) {
			lines = append(lines, detail(e.Details[i])...)
		}
	}
	for i, effect := range e.Effects {
		lines = append(lines, "asked to "+Wish(effect, e.EffectFields[strconv.Itoa(i)]))
	}
	return fmt.Sprintf("The policies of %s %s (%s, %d ms).", targetOf(e, before), verdict, rule(e), e.MS), lines
}

// rule says what a mode means.
func rule(e execution.Evaluation) string {
	n := len(e.Results)
	switch {
	case n == 1:
		return "mode " + e.Mode + ": the only one has to pass"
	case e.Mode == "all":
		return fmt.Sprintf("mode all: each of %d has to pass", n)
	}
	return fmt.Sprintf("mode any: one of %d has to pass", n)
}

func targetOf(e execution.Evaluation, before execution.State) string {
	if e.Target.Kind == "flow" {
		return "the flow"
	}
	for _, entry := range before.Plan {
		if entry.Binding.ID == e.Target.Ref.ID {
			return stageName(entry.Stage)
		}
	}
	if e.Target.Kind == "prompt_validation" {
		return "what was typed into " + stageName(e.Target.Ref)
	}
	return fmt.Sprintf("%s %s", e.Target.Kind, e.Target.Ref.ID)
}

// result is one verdict: which binding, which policy, which line.
func (t *tale) result(e execution.Evaluation, r execution.PolicyResult) []string {
	verdict := "passes"
	if !r.Passing {
		verdict = "does not pass"
	}
	if r.TargetType == "static" {
		return []string{fmt.Sprintf("users and groups, %d of %d match: %s", len(r.Matched), len(r.Bindings), verdict)}
	}
	if neutral(e, r) {
		verdict = "no verdict"
	}
	text := fmt.Sprintf("policy %s %s: %s", r.Policy.Name, t.standing(r.Policy.ID, r.Policy.Revision), verdict)
	if r.Binding.ID != "" { // stages that check what is typed bind nothing
		text = fmt.Sprintf("binding %s (order %d), %s", r.Binding.ID, r.Binding.Order, text)
	}
	if r.Negate && !r.Erred() {
		text += ", negated"
	}
	line, column := fact(r, "line"), fact(r, "column")
	switch {
	case r.Erred():
		if !neutral(e, r) {
			text += ", by its failure result"
		}
		text += ", after " + anOutcome[r.Outcome]
		if line != "" {
			text += fmt.Sprintf(" in line %s, column %s", line, column)
		}
	case line != "":
		text += ", decided in line " + line
	}
	lines := []string{text, fmt.Sprintf("  took %d ms; an error %s", r.MS, weight(e, r))}
	if grounds := grounds(r); grounds != "" {
		lines = append(lines, "  rests on "+grounds)
	}
	return lines
}

// neutral tells whether an error counted for nothing: it does on a stage, which
// only a verdict removes.
func neutral(e execution.Evaluation, r execution.PolicyResult) bool {
	return r.Erred() && !r.Passing && e.Target.Kind == "stage_binding"
}

// weight says what an error of a policy leads to.
func weight(e execution.Evaluation, r execution.PolicyResult) string {
	switch {
	case r.FailureResult:
		return "counts as passing"
	case e.Target.Kind == "stage_binding":
		return "removes no stage"
	}
	return "counts as not passing"
}

// grounds are the facts that a result rests on, but for the place in the
// source, which is told before.
func grounds(r execution.PolicyResult) string {
	var facts []string
	for _, name := range slices.Sorted(maps.Keys(r.Facts)) {
		if name != "line" && name != "column" {
			facts = append(facts, fmt.Sprintf("%s = %v", name, r.Facts[name]))
		}
	}
	return strings.Join(facts, ", ")
}

// anOutcome are the outcomes that are no verdicts, in words.
var anOutcome = map[string]string{"exception": "an exception", "timeout": "a timeout"}

// fact is a number that a result rests on; empty for none.
func fact(r execution.PolicyResult, name string) string {
	if n, ok := r.Facts[name]; ok && fmt.Sprint(n) != "0" {
		return fmt.Sprint(n)
	}
	return ""
}

// detail is what a verdict rests on.
func detail(d execution.Detail) []string {
	var lines []string
	if d.Source != "" {
		lines = append(lines, "  > "+d.Source)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Names)) {
		lines = append(lines, fmt.Sprintf("    %s = %s", name, d.Names[name]))
	}
	if d.Raw != "" && d.Raw != "True" && d.Raw != "False" && d.Raw != "true" && d.Raw != "false" {
		lines = append(lines, "  returned: "+d.Raw)
	}
	if d.Error != "" {
		lines = append(lines, "  error: "+d.Error)
	}
	for _, l := range d.Lookups {
		lines = append(lines, fmt.Sprintf("  looked up %s: %s", l.Call, l.Answer))
	}
	for _, l := range d.Log {
		lines = append(lines, "  log: "+l)
	}
	for _, m := range d.Messages {
		lines = append(lines, "  message: "+m)
	}
	return lines
}

// Wish says what an effect asks for.
func Wish(e execution.Effect, fields map[string]any) string {
	switch {
	case e.SendMail != nil:
		return fmt.Sprintf("send a mail (%s) to %v: %v", e.SendMail.Purpose, fields["to"], fields["subject"])
	case e.Record != nil:
		return fmt.Sprintf("write %s into the audit trail for %s", e.Record.Action, e.Record.App)
	case e.RemovePassword != nil:
		return "make the password of user " + e.RemovePassword.User + " unusable"
	}
	return "change something outside of the policy"
}
