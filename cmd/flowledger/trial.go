package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/executor"
	"github.com/flowledger/flowledger/handlers/story"
)

// trials asks policies on trial for the administration API.
type trials struct{ app *app }

// Test implements adminapi.Tester.
func (t *trials) Test(
	ctx context.Context, c session.Caller, policy, userID string, context map[string]any,
) (adminapi.TestResult, error) {
	tried, err := t.app.executor.Try(ctx, executor.Trial{Policy: policy, User: userID, Context: context, Expire: true}, c)
	if err != nil {
		return adminapi.TestResult{}, err
	}
	return adminapi.TestResult{Passing: tried.Passing, Messages: tried.Messages, Logs: report(tried)}, nil
}

// Preview implements adminapi.Tester.
func (t *trials) Preview(ctx context.Context, c session.Caller, p *stage.Prompt) (map[string]any, error) {
	return t.app.executor.Preview(ctx, p, c)
}

// report tells what a policy did on trial, a line each: what it logged, what
// it looked up and what it wants done, where it failed, and the steps that it
// took.
func report(t executor.Tried) []blueprint.LogEvent {
	var out []blueprint.LogEvent
	for i, d := range t.Details {
		out = append(out, said(d)...)
		if d.Error != "" {
			out = append(out, failure(d, t.Results[i]))
		}
	}
	for i, e := range t.Effects {
		asked, attributes := wish(e, t.Debts.EffectFields[fmt.Sprint(i)])
		out = append(out, blueprint.LogEvent{Level: "info", Event: "would " + asked, Attributes: attributes})
	}
	for _, s := range t.Watched.Steps {
		out = append(out, step(s))
	}
	if t.Watched.Cut {
		out = append(out, blueprint.LogEvent{Level: "debug", Event: "more steps followed, which the trace leaves out"})
	}
	return out
}

// said is what a policy logged and looked up.
func said(d execution.Detail) []blueprint.LogEvent {
	var out []blueprint.LogEvent
	for _, line := range d.Log {
		level, text, found := strings.Cut(line, " ")
		if !found || !slices.Contains([]string{"debug", "info", "warning", "error"}, level) {
			level, text = "info", line
		}
		out = append(out, blueprint.LogEvent{Level: level, Event: text})
	}
	for _, l := range d.Lookups {
		out = append(out, blueprint.LogEvent{
			Level: "debug", Event: "looked up " + l.Call + ": " + l.Answer, Attributes: map[string]any{"call": l.Call, "answer": l.Answer},
		})
	}
	return out
}

func failure(d execution.Detail, r execution.PolicyResult) blueprint.LogEvent {
	attributes := map[string]any{"outcome": r.Outcome}
	for _, name := range []string{"line", "column"} {
		if v, ok := r.Facts[name]; ok {
			attributes[name] = v
		}
	}
	if d.Source != "" {
		attributes["source"] = d.Source
	}
	return blueprint.LogEvent{Level: "error", Event: d.Error, Attributes: attributes}
}

// step is one line of the trace.
func step(s policy.Step) blueprint.LogEvent {
	names := map[string]any{}
	for name, value := range s.Names {
		names[name] = value
	}
	return blueprint.LogEvent{
		Level: "debug", Event: fmt.Sprintf("line %d: %s", s.Line, s.Source),
		Attributes: map[string]any{"line": s.Line, "source": s.Source, "names": names, "depth": s.Depth},
	}
}

// wish puts an effect that a policy asks for into words. Fields are what it
// would write.
func wish(e execution.Effect, fields map[string]any) (string, map[string]any) {
	if e.Record != nil {
		return story.Wish(e, fields), map[string]any{"context": fields}
	}
	return story.Wish(e, fields), nil
}

// values are names with their values in one line.
func values(names map[string]any) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		out = append(out, fmt.Sprintf("%s = %v", name, names[name]))
	}
	return strings.Join(out, ", ")
}
