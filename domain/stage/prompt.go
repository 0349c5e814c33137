package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
)

// PromptModel is the kind of the fields that prompt stages show.
const PromptModel = "authentik_stages_prompt.prompt"

func init() {
	register(kind{
		Model: "authentik_stages_prompt.promptstage", Path: "prompt/stages", Name: "Prompt Stage", Form: "ak-stage-prompt-form",
		About:  "Asks for whatever its fields say.",
		Config: func() Stage { return &PromptStage{} },
	})
	catalog.Register(catalog.Kind{
		Model: PromptModel, Category: catalog.Prompt, Path: "stages/prompt/prompts", Name: "Prompt",
		Natural: [][]string{{"name"}},
		New:     func() any { return &Prompt{Required: true} },
	})
}

// Prompt is one field of a prompt stage.
type Prompt struct {
	Name                  string `json:"name" catalog:"required"`
	Key                   string `json:"field_key" catalog:"required"`
	Label                 string `json:"label" catalog:"required"`
	Type                  string `json:"type" catalog:"required,enum=text|text_area|text_read_only|text_area_read_only|username|email|password|number|checkbox|radio-button-group|dropdown|date|date-time|file|separator|hidden|static|alert_info|alert_warning|alert_danger|ak-locale"`
	Required              bool   `json:"required"`
	Placeholder           string `json:"placeholder" catalog:"blank"`
	InitialValue          string `json:"initial_value" catalog:"blank"`
	Order                 int    `json:"order" catalog:"min=-2147483648,max=2147483647"`
	SubText               string `json:"sub_text" catalog:"blank"`
	PlaceholderExpression bool   `json:"placeholder_expression"`
	InitialExpression     bool   `json:"initial_value_expression"`
}

// PromptStage asks for whatever its fields say (spec/stages.md 3.7).
type PromptStage struct {
	Named
	Fields     []string `json:"fields" catalog:"required,ref=prompt"`
	Validation []string `json:"validation_policies" catalog:"ref=policy"`
}

// Enter implements [Stage].
func (p *PromptStage) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	c, err := p.challenge(ctx, in)
	if err != nil {
		return nil, err
	}
	o := execution.Ask{Challenge: c}
	if len(c.faults) > 0 {
		o.Facts = []execution.Event{execution.Diagnosed("prompt", c.faults)}
	}
	return o, nil
}

// Respond implements [Stage].
func (p *PromptStage) Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error) {
	c, err := p.challenge(ctx, in)
	if err != nil {
		return nil, err
	}
	r := read(response)
	typed := map[string]any{"component": promptComponent}
	var problems []execution.Problem
	for _, f := range c.Fields {
		v, faults, err := f.judge(ctx, in, r)
		if err != nil {
			return nil, err
		}
		problems = append(problems, faults...)
		if v != nil { // what may be left out leaves no trace
			typed[f.Key] = v
		}
	}
	if problems == nil {
		problems = tooLarge(in, typed)
	}
	if problems == nil {
		problems = matching(c.Fields, r)
	}
	if problems != nil {
		return again(c, problems), nil
	}
	return p.validated(ctx, in, c, typed)
}

// together is what was typed before, with what was typed now.
func together(in Input, typed map[string]any) map[string]any {
	data := maps.Clone(in.State.Context.Map(execution.KeyPromptData))
	if data == nil {
		data = map[string]any{}
	}
	maps.Copy(data, typed)
	return data
}

// tooLarge refuses more than an execution may collect.
func tooLarge(in Input, typed map[string]any) []execution.Problem {
	if !larger(together(in, typed), maxTyped) {
		return nil
	}
	return problem(nonField, "max_length", fmt.Sprintf("Ensure that all fields together have no more than %d bytes.", maxTyped))
}

// larger tells whether data takes more bytes than that, as it is stored.
func larger(data map[string]any, limit int) bool {
	text, err := json.Marshal(open(data))
	return err != nil || len(text) > limit
}

// matching compares two passwords that were typed for one.
func matching(all []promptField, r fields) []execution.Problem {
	var typed []any
	for _, f := range all {
		if f.Type == "password" {
			typed = append(typed, r[f.Key])
		}
	}
	if len(typed) == 2 && typed[0] != typed[1] {
		return problem(nonField, "invalid", "Passwords don't match.")
	}
	return nil
}

// validated asks the validation policies about what was typed, which they may
// change.
func (p *PromptStage) validated(
	ctx context.Context, in Input, c promptChallenge, typed map[string]any,
) (execution.Outcome, error) {
	if len(p.Validation) == 0 {
		return execution.Pass{Learned: execution.Context{execution.KeyPromptData: together(in, typed)}}, nil
	}
	v, err := in.Env.Policies().Validate(ctx, in, p.Validation, typed)
	if err != nil {
		return nil, err
	}
	if !v.Passing {
		o := again(c, nil)
		for _, m := range v.Messages {
			o.Problems = append(o.Problems, execution.Problem{Field: nonField, Code: "invalid", Text: m})
		}
		o.Facts = append([]execution.Event{execution.PolicyDenied{Evaluation: v.Evaluation}}, v.Wrote...)
		return o, nil
	}
	facts := append([]execution.Event{execution.PolicyEvaluated{Evaluation: v.Evaluation}}, v.Wrote...)
	if problems := tooLarge(in, v.Typed); problems != nil {
		o := again(c, problems)
		o.Facts = facts
		return o, nil
	}
	return execution.Pass{Learned: execution.Context{execution.KeyPromptData: together(in, v.Typed)}, Facts: facts}, nil
}
