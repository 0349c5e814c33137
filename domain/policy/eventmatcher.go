package policy

import (
	"context"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/catalog"
)

func init() {
	register(kind{
		Model: "authentik_policies_event_matcher.eventmatcherpolicy", Path: "event_matcher", Name: "Event Matcher Policy",
		Form:   "ak-policy-event-matcher-form",
		About:  "Passes for audit events of a certain kind; for the rules that say who is told of them.",
		Config: func() Policy { return &EventMatcher{} },
	})
}

// EventMatcher passes when an audit event meets all of its criteria
// (spec/flows.md 8.7).
type EventMatcher struct {
	Named
	Action   *string `json:"action"`
	ClientIP *string `json:"client_ip"`
	App      *string `json:"app"`
	Model    *string `json:"model"`
	Query    *string `json:"query" catalog:"verbatim"`
}

// Choices implements [catalog.Chooser].
func (*EventMatcher) Choices() map[string][]string {
	return map[string][]string{"action": audit.Actions, "app": eventApps, "model": eventModels}
}

// Validate implements [catalog.Validator]: what cannot be read is refused when
// it is saved.
func (p *EventMatcher) Validate() catalog.Problems {
	var problems catalog.Problems
	if len(p.criteria()) == 0 {
		problems.Add(catalog.NonField, "At least one criteria must be set.")
	}
	if set(p.Query) {
		if _, err := parseQuery(*p.Query); err != nil {
			problems.Add("query", "%s", err)
		}
	}
	return problems
}

// A criterion is one of the things that an event has to meet.
type criterion struct {
	name    string
	message string // told whether or not it is met, as the contract has it
	met     func(event map[string]any) (bool, error)
}

// set tells whether a field of a policy is given.
func set(s *string) bool { return s != nil && *s != "" }

// criteria lists those that are set, in the order in which they are asked.
func (p *EventMatcher) criteria() []criterion {
	var out []criterion
	if set(p.Query) {
		out = append(out, criterion{"query", "", func(event map[string]any) (bool, error) {
			q, err := parseQuery(*p.Query)
			return err == nil && q.holds(event), err
		}})
	}
	equal := func(want *string, name, message string, of func(event map[string]any) string) {
		if set(want) {
			out = append(out, criterion{name, message, func(event map[string]any) (bool, error) { return of(event) == *want, nil }})
		}
	}
	equal(p.Action, "action", "Action matched.", func(event map[string]any) string { return textAt(event, "action") })
	equal(p.ClientIP, "client_ip", "Client IP matched.", func(event map[string]any) string { return textAt(event, "client_ip") })
	equal(p.App, "app", "App matched.", func(event map[string]any) string { return textAt(event, "app") })
	equal(p.Model, "model", "Model matched.", func(event map[string]any) string {
		return textAt(event, "context", "model", "app") + "." + textAt(event, "context", "model", "model_name")
	})
	return out
}

// Passes implements [Policy]. Without an event, as in a flow, it fails.
func (p *EventMatcher) Passes(_ context.Context, q Request) (Verdict, error) {
	event, ok := q.Context["event"].(map[string]any)
	if !ok {
		return Verdict{Facts: map[string]any{"event": false}}, nil
	}
	v := Verdict{Passing: true, Facts: map[string]any{"event": true}}
	for _, c := range p.criteria() {
		met, err := c.met(event)
		if err != nil {
			return Verdict{}, err
		}
		v.Passing = v.Passing && met
		v.Facts[c.name] = met
		if c.message != "" {
			v.Messages = append(v.Messages, c.message)
		}
	}
	return v, nil
}

// valueAt follows keys through maps; nil where there is nothing.
func valueAt(event map[string]any, path ...string) any {
	var v any = event
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// textAt is valueAt for texts, empty where there is none.
func textAt(event map[string]any, path ...string) string {
	text, _ := valueAt(event, path...).(string)
	return text
}
