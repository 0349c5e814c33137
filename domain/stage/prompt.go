package stage

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/flowledger/flowledger/domain"
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

type promptChallenge struct {
	Fields []promptField `json:"fields"`
}

func (promptChallenge) Component() string { return "ak-stage-prompt" }

// A promptField is a field as the client sees it. The value behind the initial
// one keeps its type.
type promptField struct {
	Key         string   `json:"field_key"`
	Label       string   `json:"label"`
	Type        string   `json:"type"`
	Required    bool     `json:"required"`
	Placeholder string   `json:"placeholder"`
	Initial     string   `json:"initial_value"`
	Order       int      `json:"order"`
	SubText     string   `json:"sub_text"`
	Choices     []choice `json:"choices"`
	value       any
}

type choice struct {
	Value string `json:"value"`
	Label string `json:"label"`
	value any
}

// Enter implements [Stage].
func (p *PromptStage) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	c, err := p.challenge(ctx, in)
	if err != nil {
		return nil, err
	}
	return execution.Ask{Challenge: c}, nil
}

func (p *PromptStage) challenge(ctx context.Context, in Input) (promptChallenge, error) {
	c := promptChallenge{Fields: []promptField{}}
	for _, id := range p.Fields {
		o, err := in.Env.Object(ctx, id)
		if err != nil {
			return c, err
		}
		if prompt, ok := o.Config.(*Prompt); ok {
			c.Fields = append(c.Fields, prompt.field(ctx, in))
		}
	}
	slices.SortStableFunc(c.Fields, func(a, b promptField) int { return cmp.Compare(a.Order, b.Order) })
	return c, nil
}

// field computes what is shown. An expression that fails is shown as it
// stands.
func (p *Prompt) field(ctx context.Context, in Input) promptField {
	f := promptField{Key: p.Key, Label: p.Label, Type: p.Type, Required: p.Required, Order: p.Order, SubText: p.SubText}
	known := in.State.Context.Map(execution.KeyPromptData)
	placeholder := evaluated(ctx, in, p.Placeholder, p.PlaceholderExpression)
	initial, has := known[p.Key]
	if s, secret := initial.(domain.Secret); secret {
		initial, has = nil, false
		_ = s // a typed password is never sent back
	}
	if !has {
		initial = evaluated(ctx, in, p.InitialValue, p.InitialExpression)
	}
	if !p.chooses() {
		f.Placeholder, f.Initial, f.value = display(placeholder), display(initial), initial
		return f
	}
	offered, given := known[p.Key+"__choices"]
	if !given {
		offered = placeholder
	}
	f.Choices = choices(offered)
	i := slices.IndexFunc(f.Choices, func(c choice) bool { return c.Value == display(initial) })
	if i < 0 && len(f.Choices) > 0 {
		i = 0
	}
	if i >= 0 {
		f.Initial, f.value = f.Choices[i].Value, f.Choices[i].value
	}
	return f
}

func (p *Prompt) chooses() bool { return p.Type == "radio-button-group" || p.Type == "dropdown" }

func evaluated(ctx context.Context, in Input, text string, expression bool) any {
	if !expression {
		return text
	}
	v, err := in.Env.Policies().Expression(ctx, in, text, nil)
	if err != nil {
		return text
	}
	return v
}

// choices turns what is offered into a list.
func choices(offered any) []choice {
	list, ok := offered.([]any)
	if !ok {
		list = []any{offered}
	}
	var out []choice
	for _, item := range list {
		c := choice{Value: display(item), Label: display(item), value: item}
		if m, ok := item.(map[string]any); ok && m["value"] != nil {
			c = choice{Value: display(m["value"]), Label: display(m["value"]), value: m["value"]}
			if m["label"] != nil {
				c.Label = display(m["label"])
			}
		}
		out = append(out, c)
	}
	return out
}

// display is a value as text, in Python's words, for the contract has them.
func display(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	}
	return fmt.Sprint(v)
}

// Respond implements [Stage].
func (p *PromptStage) Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error) {
	c, err := p.challenge(ctx, in)
	if err != nil {
		return nil, err
	}
	r := read(response)
	typed := map[string]any{}
	var problems []execution.Problem
	for _, f := range c.Fields {
		v, faults, err := f.judge(ctx, in, r)
		if err != nil {
			return nil, err
		}
		problems = append(problems, faults...)
		typed[f.Key] = v
	}
	if problems == nil {
		problems = matching(c.Fields, r)
	}
	if problems != nil {
		return again(c, problems), nil
	}
	return p.validated(ctx, in, c, typed)
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

// validated asks the validation policies, and merges what was typed into what
// is known.
func (p *PromptStage) validated(ctx context.Context, in Input, c promptChallenge, typed map[string]any) (execution.Outcome, error) {
	var facts []execution.Event
	if len(p.Validation) > 0 {
		e, err := in.Env.Policies().Validate(ctx, in, p.Validation, typed)
		if err != nil {
			return nil, err
		}
		if !e.Passing {
			o := again(c, nil)
			for _, m := range e.Messages {
				o.Problems = append(o.Problems, execution.Problem{Field: nonField, Code: "invalid", Text: m})
			}
			o.Facts = []execution.Event{execution.PolicyDenied{Evaluation: e}}
			return o, nil
		}
		facts = append(facts, execution.PolicyEvaluated{Evaluation: e})
	}
	data := maps.Clone(in.State.Context.Map(execution.KeyPromptData))
	if data == nil {
		data = map[string]any{}
	}
	maps.Copy(data, typed)
	return execution.Pass{Learned: execution.Context{execution.KeyPromptData: data}, Facts: facts}, nil
}
