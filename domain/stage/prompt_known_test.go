package stage_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
)

// What stands in a prompt from before is taken again: what is empty in
// Python's eyes is not, and what is secret stays one.
func TestPromptTakesWhatStands(t *testing.T) {
	pw := domain.NewSecret("pw")
	const required = "f required This field is required."
	tests := map[string]struct {
		field stage.Prompt
		known any
		want  any // the value, or nil if it has to be typed
	}{
		"a text":                      {needed("text"), "x", "x"},
		"a number":                    {needed("number"), float64(5), float64(5)},
		"zero":                        {needed("number"), float64(0), nil},
		"an empty text":               {needed("text"), "", nil},
		"an empty list":               {needed("text"), []any{}, nil},
		"nothing":                     {needed("text"), nil, nil},
		"a secret":                    {needed("password"), pw, pw},
		"a secret that is hidden":     {initial("hidden", "x"), pw, pw},
		"a secret that may be read":   {initial("text_read_only", "x"), pw, pw},
		"a hidden value, not the own": {initial("hidden", "x"), "y", "y"},
		"a static value, not the own": {initial("static", "x"), "y", "y"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := world()
			in := at(e, nobody)
			in.State.Context["prompt_data"] = map[string]any{"f": tt.known}
			o, err := form(e, tt.field).Respond(t.Context(), in, json.RawMessage(`{}`))
			want := wrong(promptPage, required)
			if tt.want != nil {
				want = told{Pass: true, Learned: filled(map[string]any{"f": tt.want})}
			}
			compare(t, want, o, err)
			o, err = form(e, tt.field).Enter(t.Context(), in)
			if err != nil || strings.Contains(fmt.Sprint(onWire(t, in, o)), "pw") {
				t.Errorf("shown as %v, %v", onWire(t, in, o), err)
			}
		})
	}
}

// Whoever is logged in may keep the own user name, unless it is somebody else
// whom the flow is about.
func TestPromptKnowsTheOwnName(t *testing.T) {
	e := world()
	in := at(e, nobody)
	in.Visitor = ada
	p := form(e, needed("username"))
	o, err := p.Respond(t.Context(), in, json.RawMessage(`{"f":"ada"}`))
	compare(t, told{Pass: true, Learned: filled(map[string]any{"f": "ada"})}, o, err)

	taken := wrong(promptPage, "f invalid Username is already taken.")
	in.State.Context["pending_user"] = map[string]any{"username": "ghost"}
	o, err = p.Respond(t.Context(), in, json.RawMessage(`{"f":"ada"}`))
	compare(t, taken, o, err)

	in = at(e, idle)
	in.Visitor = ada
	o, err = p.Respond(t.Context(), in, json.RawMessage(`{"f":"ada"}`))
	compare(t, taken, o, err)
}

// What is typed has to fit into one event, with what was typed before.
func TestPromptIsNotEndless(t *testing.T) {
	e := world()
	in := at(e, nobody)
	in.State.Context["prompt_data"] = map[string]any{"before": strings.Repeat("x", 70<<10)}
	p := form(e, stage.Prompt{Key: "f", Type: "file"})
	file := func(kib int) json.RawMessage {
		return json.RawMessage(`{"f":"data:;base64,` + strings.Repeat("x", kib<<10) + `"}`)
	}
	o, err := p.Respond(t.Context(), in, file(60))
	compare(t, wrong(promptPage, "non_field_errors max_length Ensure that all fields together have no more than 131072 bytes."), o, err)
	o, err = p.Respond(t.Context(), in, file(50))
	if _, passes := o.(execution.Pass); !passes || err != nil {
		t.Errorf("got %T, %v, want a pass", o, err)
	}
}

func TestPreviewPrompt(t *testing.T) {
	e := world()
	e.expressions = map[string]any{"name": "Ada"}
	in := at(e, ada)
	p := &stage.Prompt{Key: "f", Type: "text", Placeholder: "name", PlaceholderExpression: true, InitialValue: "1/0"}
	c, err := stage.PreviewPrompt(t.Context(), in, p)
	if err != nil {
		t.Fatal(err)
	}
	field := onWire(t, in, execution.Ask{Challenge: c})["fields"].([]any)[0].(map[string]any)
	if field["placeholder"] != "Ada" || field["initial_value"] != "1/0" {
		t.Errorf("shown as %v", field)
	}
	p.InitialExpression = true
	_, err = stage.PreviewPrompt(t.Context(), in, p)
	if fault, is := errors.AsType[*stage.ExpressionError](err); !is || fault.Error() != "the expression fails" {
		t.Errorf("got %v, want the fault of the expression", err)
	}
	e.broken = errDown
	if _, err = stage.PreviewPrompt(t.Context(), in, p); !errors.Is(err, errDown) {
		t.Errorf("got %v, want %v", err, errDown)
	}
}
