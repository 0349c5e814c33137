package stage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

const promptComponent = "ak-stage-prompt"

type promptChallenge struct {
	Fields []promptField `json:"fields"`
	faults []execution.Diagnostic
}

// Component implements [execution.Challenge].
func (promptChallenge) Component() string { return promptComponent }

// A promptField is a field as the client sees it. The value behind the initial
// one keeps its type, and may be a secret, which the client does not see.
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
	hint        any // what the placeholder is, also where it is not shown
}

type choice struct {
	Value string `json:"value"`
	Label string `json:"label"`
	value any
}

// challenge computes what is shown. Fields of the same order stand as the
// stage lists them. One that was removed meanwhile is left out.
func (p *PromptStage) challenge(ctx context.Context, in Input) (promptChallenge, error) {
	c := promptChallenge{Fields: []promptField{}}
	for _, id := range p.Fields {
		o, err := in.Env.Object(ctx, id)
		if err != nil {
			return c, err
		}
		prompt, ok := o.Config.(*Prompt)
		if !ok {
			continue
		}
		f, faults, err := prompt.field(ctx, in)
		if err != nil {
			return c, err
		}
		for _, fault := range faults {
			fault.Ref = o.Ref
			c.faults = append(c.faults, fault)
		}
		c.Fields = append(c.Fields, f)
	}
	slices.SortStableFunc(c.Fields, func(a, b promptField) int { return cmp.Compare(a.Order, b.Order) })
	return c, nil
}

// PreviewPrompt is the challenge that a flow would show of a prompt alone
// (spec/stages.md 3.7). Where a flow shows an expression that fails as it
// stands, the error is an [*ExpressionError].
func PreviewPrompt(ctx context.Context, in Input, p *Prompt) (execution.Challenge, error) {
	f, faults, err := p.field(ctx, in)
	if err == nil && len(faults) > 0 {
		err = &ExpressionError{errors.New(faults[0].Detail)}
	}
	return promptChallenge{Fields: []promptField{f}}, err
}

// field computes what is shown of a prompt, and which of its expressions
// failed: those are shown as they stand.
func (p *Prompt) field(ctx context.Context, in Input) (promptField, []execution.Diagnostic, error) {
	f := promptField{Key: p.Key, Label: p.Label, Type: p.Type, Required: p.Required, Order: p.Order, SubText: p.SubText}
	var faults []execution.Diagnostic
	evaluate := func(part, text string, expression bool) (any, error) {
		if !expression || text == "" {
			return text, nil
		}
		v, err := in.Env.Policies().Expression(ctx, in, text, nil)
		if fault, is := errors.AsType[*ExpressionError](err); is {
			faults = append(faults, execution.Diagnostic{Class: execution.MappingException, Part: part, Detail: fault.Error()})
			return text, nil
		}
		return v, err
	}
	known := in.State.Context.Map(execution.KeyPromptData)
	var err error
	if f.hint, err = evaluate("placeholder", p.Placeholder, p.PlaceholderExpression); err != nil {
		return f, nil, err
	}
	var has bool
	if f.value, has = known[p.Key]; !has {
		if f.value, err = evaluate("initial_value", p.InitialValue, p.InitialExpression); err != nil {
			return f, nil, err
		}
	}
	if p.chooses() {
		f.choose(known)
		return f, faults, nil
	}
	f.Placeholder = display(f.hint)
	if _, secret := f.value.(domain.Secret); !secret {
		f.Initial = display(f.value) // what was typed as a secret is never sent back
	}
	return f, faults, nil
}

func (p *Prompt) chooses() bool { return p.Type == "radio-button-group" || p.Type == "dropdown" }

// choose computes what a field offers, and which of it stands there first.
func (f *promptField) choose(known map[string]any) {
	offered, given := known[f.Key+"__choices"]
	if !given {
		offered = f.hint
	}
	f.Choices = choices(offered)
	initial := display(open(f.value)) // a choice is no secret, whatever its key is
	i := slices.IndexFunc(f.Choices, func(c choice) bool { return c.Value == initial })
	f.value = ""
	if i < 0 && len(f.Choices) > 0 {
		i = 0
	}
	if i >= 0 {
		f.Initial, f.value = f.Choices[i].Value, f.Choices[i].value
	}
}

// choices turns what is offered into a list.
func choices(offered any) []choice {
	list, ok := offered.([]any)
	if !ok {
		list = []any{open(offered)}
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
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64) // whole numbers come back from the ledger like this
	case json.Number:
		return v.String()
	case []any, map[string]any:
		return expr.Repr(expr.FromGo(v))
	}
	return fmt.Sprint(v)
}

// truthy tells whether Python takes a value for true.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case int64:
		return v != 0
	case int:
		return v != 0
	case float64:
		return v != 0
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	case domain.Secret:
		return !v.Empty()
	}
	return true
}
