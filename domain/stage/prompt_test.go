package stage_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
)

const promptPage = "ak-stage-prompt"

// form makes a prompt stage of fields, whose keys are those that they name.
func form(e *env, fields ...stage.Prompt) *stage.PromptStage {
	p := &stage.PromptStage{}
	for _, f := range fields {
		f.Name, f.Label = f.Key, f.Key
		e.objects[f.Key] = &f
		p.Fields = append(p.Fields, f.Key)
	}
	return p
}

// told of what is filled in: with it comes the name of the challenge.
func filled(data map[string]any) execution.Context {
	data["component"] = promptPage
	return execution.Context{"prompt_data": data}
}

func needed(kind string) stage.Prompt { return stage.Prompt{Key: "f", Type: kind, Required: true} }

func free(kind string) stage.Prompt { return stage.Prompt{Key: "f", Type: kind} }

func initial(kind, value string) stage.Prompt {
	return stage.Prompt{Key: "f", Type: kind, Required: true, InitialValue: value, Placeholder: "hint"}
}

func offering(kind string) stage.Prompt {
	return stage.Prompt{Key: "f", Type: kind, Required: true, Placeholder: "offer", PlaceholderExpression: true}
}

func TestPromptTypes(t *testing.T) {
	const (
		required = "f required This field is required."
		null     = "f null This field may not be null."
		blank    = "f blank This field may not be blank."
		noText   = "f invalid Not a valid string."
		choice   = `f invalid_choice "x" is not a valid choice.`
		date     = "f invalid Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
		datetime = "f invalid Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
		email    = "f invalid Enter a valid email address."
		integer  = "f invalid A valid integer is required."
		truth    = "f invalid Must be a valid boolean."
	)
	bad := func(problems ...string) any { return problems }
	s := domain.NewSecret
	tests := map[string]struct {
		field    stage.Prompt
		response string
		want     any // the value, the problems, or nil for no value
	}{
		"text is kept as typed":                 {needed("text"), `{"f":" a "}`, " a "},
		"text may be a number":                  {needed("text"), `{"f":1.50}`, "1.50"},
		"text in any script":                    {needed("text"), `{"f":"Ünï \u202e😀"}`, "Ünï \u202e😀"},
		"text without zeros":                    {needed("text"), `{"f":"a\u0000"}`, bad("f null_characters_not_allowed Null characters are not allowed.")},
		"no password with zeros, either":        {needed("password"), `{"f":"a\u0000"}`, bad("f null_characters_not_allowed Null characters are not allowed.")},
		"text is required":                      {needed("text"), `{}`, bad(required)},
		"text must not be blank":                {needed("text"), `{"f":""}`, bad(blank)},
		"text must not be null":                 {needed("text"), `{"f":null}`, bad(null)},
		"text must not be a list":               {needed("text"), `{"f":["a"]}`, bad(noText)},
		"text must not be too long":             {needed("text"), `{"f":"` + strings.Repeat("x", 16<<10+1) + `"}`, bad("f max_length Ensure this field has no more than 16384 characters.")},
		"free text may be blank":                {free("text"), `{"f":""}`, ""},
		"free text may be left out":             {free("text_area"), `{}`, nil},
		"free text must not be null":            {free("text_area"), `{"f":null}`, bad(null)},
		"an initial value stands in":            {initial("text", "x"), `{}`, "x"},
		"and gives way":                         {initial("text", "x"), `{"f":"y"}`, "y"},
		"a user name is trimmed":                {needed("username"), `{"f":" new "}`, "new"},
		"a user name is taken once":             {needed("username"), `{"f":"idle"}`, bad("f invalid Username is already taken.")},
		"one's own user name is not taken":      {needed("username"), `{"f":"ada"}`, "ada"},
		"a user name is not blank":              {free("username"), `{"f":" "}`, bad(blank)},
		"an address":                            {needed("email"), `{"f":" a@example.org "}`, "a@example.org"},
		"an address without a domain":           {needed("email"), `{"f":"a@b"}`, bad(email)},
		"an address with a name":                {needed("email"), `{"f":"A <a@example.org>"}`, bad(email)},
		"no address":                            {needed("email"), `{"f":"a"}`, bad(email)},
		"an address must not be blank":          {needed("email"), `{"f":""}`, bad(blank)},
		"a free address may be":                 {free("email"), `{"f":""}`, ""},
		"a password is a secret":                {needed("password"), `{"f":" pw "}`, s("pw")},
		"a password is required":                {needed("password"), `{}`, bad(required)},
		"a password is not blank":               {free("password"), `{"f":""}`, bad(blank)},
		"a number":                              {needed("number"), `{"f":5}`, int64(5)},
		"a number in a text":                    {needed("number"), `{"f":" -5 "}`, int64(-5)},
		"a whole number with a point":           {needed("number"), `{"f":5.0}`, int64(5)},
		"a point alone is no number":            {needed("number"), `{"f":"."}`, bad(integer)},
		"a list is no number":                   {needed("number"), `{"f":[5]}`, bad(integer)},
		"a number must not be null":             {free("number"), `{"f":null}`, bad(null)},
		"a free number may be left out":         {free("number"), `{}`, nil},
		"a fraction is no number":               {needed("number"), `{"f":5.5}`, bad(integer)},
		"a word is no number":                   {needed("number"), `{"f":"five"}`, bad(integer)},
		"true is no number":                     {needed("number"), `{"f":true}`, bad(integer)},
		"a huge number is none":                 {needed("number"), `{"f":99999999999999999999}`, bad(integer)},
		"blank is no number":                    {needed("number"), `{"f":""}`, bad(integer)},
		"a tick":                                {needed("checkbox"), `{"f":true}`, true},
		"a tick in words":                       {needed("checkbox"), `{"f":"on"}`, true},
		"no tick is none":                       {needed("checkbox"), `{}`, false},
		"a tick must not be null":               {needed("checkbox"), `{"f":null}`, bad(null)},
		"a tick must be one":                    {needed("checkbox"), `{"f":"x"}`, bad(truth)},
		"a choice":                              {offering("dropdown"), `{"f":"b"}`, "b"},
		"a choice keeps its type":               {offering("radio-button-group"), `{"f":"42"}`, int64(42)},
		"a choice by its value":                 {offering("dropdown"), `{"f":42}`, int64(42)},
		"a truth value as a choice":             {offering("dropdown"), `{"f":"True"}`, true},
		"a choice of a map":                     {offering("dropdown"), `{"f":"v"}`, "v"},
		"the first choice stands in":            {offering("dropdown"), `{}`, "a"},
		"what is not offered is no choice":      {offering("dropdown"), `{"f":"x"}`, bad(choice)},
		"also among radio buttons":              {offering("radio-button-group"), `{"f":"x"}`, bad(choice)},
		"a quote is repeated as it is":          {offering("dropdown"), `{"f":"\"é"}`, bad(`f invalid_choice ""é" is not a valid choice.`)},
		"a long one is not repeated":            {offering("dropdown"), `{"f":"` + strings.Repeat("é", 300) + `"}`, bad(`f invalid_choice "` + strings.Repeat("é", 100) + `…" is not a valid choice.`)},
		"a date":                                {needed("date"), `{"f":"2026-11-22"}`, "2026-11-22"},
		"no date":                               {needed("date"), `{"f":"22.11.2026"}`, bad(date)},
		"a day that is none":                    {needed("date"), `{"f":"2026-02-30"}`, bad(date)},
		"a blank date":                          {free("date"), `{"f":""}`, bad(date)},
		"a free date may be left out":           {free("date"), `{}`, nil},
		"a date is no list":                     {free("date"), `{"f":[]}`, bad(noText)},
		"a time":                                {needed("date-time"), `{"f":"2026-11-22T12:00:00Z"}`, "2026-11-22T12:00:00Z"},
		"a time of a browser":                   {needed("date-time"), `{"f":"2026-11-22T12:00"}`, "2026-11-22T12:00"},
		"a time with a blank":                   {needed("date-time"), `{"f":"2026-11-22 12:00:00.25+0100"}`, "2026-11-22 12:00:00.25+0100"},
		"a blank time":                          {needed("date-time"), `{"f":""}`, bad(datetime)},
		"a day alone is no time":                {needed("date-time"), `{"f":"2026-11-22"}`, bad(datetime)},
		"no time":                               {needed("date-time"), `{"f":"noon"}`, bad(datetime)},
		"a file":                                {needed("file"), `{"f":"data:text/plain;base64,YQ=="}`, "data:text/plain;base64,YQ=="},
		"a file of another scheme":              {needed("file"), `{"f":"http://x/"}`, bad("f invalid Invalid scheme")},
		"a file of a scheme in capitals":        {needed("file"), `{"f":"DATA:;base64,"}`, "DATA:;base64,"},
		"a file that is not padded":             {needed("file"), `{"f":"data:;base64,YQ"}`, "data:;base64,YQ"},
		"a file with a parameter":               {needed("file"), `{"f":"data:text/plain;charset=utf-8;base64,YQ=="}`, bad("f invalid Invalid encoding")},
		"a file without a comma":                {needed("file"), `{"f":"data:text/plain;base64"}`, bad("f invalid Invalid encoding")},
		"a file that is not what it says":       {needed("file"), `{"f":"data:;base64,?"}`, bad("f invalid Invalid encoding")},
		"a blank file":                          {free("file"), `{"f":""}`, bad(blank)},
		"a required file":                       {needed("file"), `{}`, bad(required)},
		"a file of another encoding":            {needed("file"), `{"f":"data:text/plain,a"}`, bad("f invalid Invalid encoding")},
		"a file may be larger than a text":      {needed("file"), `{"f":"data:;base64,` + strings.Repeat("x", 90<<10) + `"}`, "data:;base64," + strings.Repeat("x", 90<<10)},
		"a file that is too large":              {needed("file"), `{"f":"data:;base64,` + strings.Repeat("x", 96<<10) + `"}`, bad("f max_length Ensure this file has no more than 73728 bytes.")},
		"a separator needs nothing":             {needed("separator"), `{}`, nil},
		"a separator is not blank":              {needed("separator"), `{"f":" "}`, bad(blank)},
		"a language":                            {needed("ak-locale"), `{"f":"de"}`, "de"},
		"a language may be blank":               {needed("ak-locale"), `{"f":""}`, ""},
		"a language is required":                {needed("ak-locale"), `{}`, bad(required)},
		"what is hidden is the server's":        {initial("hidden", "x"), `{"f":"y"}`, "x"},
		"what is hidden may stand in the hint":  {initial("hidden", ""), `{"f":"y"}`, "hint"},
		"what is static is the server's":        {initial("static", "x"), `{"f":{"a":1}}`, "x"},
		"what is static may stand in the hint":  {initial("static", ""), `{}`, "hint"},
		"what may only be read is the server's": {initial("text_read_only", "x"), `{"f":"y"}`, "x"},
		"a long text may only be read, too":     {initial("text_area_read_only", ""), `{"f":"y"}`, ""},
		"an alert is the server's":              {initial("alert_warning", "x"), `{"f":"y"}`, "x"},
		"information is the server's":           {initial("alert_info", "x"), `{"f":"y"}`, "x"},
		"a danger is the server's":              {initial("alert_danger", "x"), `{"f":"y"}`, "x"},
		"an alert may stand in the hint":        {initial("alert_info", ""), `{"f":"y"}`, "hint"},
		"a long text may not be overwritten":    {initial("text_area_read_only", "x"), `{"f":"y"}`, "x"},
		"an alert is never required":            {needed("alert_danger"), `{}`, ""},
		"what is no object leaves all out":      {needed("text"), `"f"`, bad(required)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := world()
			e.expressions = map[string]any{"offer": []any{"a", "b", true, int64(42), map[string]any{"value": "v", "label": "Vee"}}}
			o, err := form(e, tt.field).Respond(t.Context(), at(e, ada), json.RawMessage(tt.response))
			data := map[string]any{}
			if tt.want != nil {
				data["f"] = tt.want
			}
			want := told{Pass: true, Learned: filled(data)}
			if problems, ok := tt.want.([]string); ok {
				want = wrong(promptPage, problems...)
			}
			compare(t, want, o, err)
		})
	}
}

func TestPromptShows(t *testing.T) {
	e := world()
	e.expressions = map[string]any{
		"none": nil, "name": "Ada", "list": []any{"test", true, int64(42)}, "empty": []any{}, "one": "only",
		"True": "True", "x": "x", "pair": []any{map[string]any{"value": int64(1), "label": "One"}, map[string]any{"value": "2"}, map[string]any{"label": "no value"}},
	}
	expression := func(kind, placeholder, initial string) stage.Prompt {
		return stage.Prompt{
			Key: "f", Type: kind, Placeholder: placeholder, InitialValue: initial, PlaceholderExpression: true, InitialExpression: true,
		}
	}
	choice := func(value, label string) map[string]any { return map[string]any{"value": value, "label": label} }
	list := []any{choice("test", "test"), choice("True", "True"), choice("42", "42")}
	tests := map[string]struct {
		field                stage.Prompt
		known                map[string]any
		placeholder, initial string
		choices              any
	}{
		"texts":                           {stage.Prompt{Key: "f", Type: "text", Placeholder: "name", InitialValue: "none"}, nil, "name", "none", nil},
		"values of expressions":           {expression("text", "name", "none"), nil, "Ada", "None", nil},
		"expressions that fail":           {expression("text", "1/0", "1/0"), nil, "1/0", "1/0", nil},
		"what was typed before":           {expression("text", "name", "name"), map[string]any{"f": "Eve"}, "Ada", "Eve", nil},
		"what was typed is no expression": {expression("text", "name", "name"), map[string]any{"f": "none"}, "Ada", "none", nil},
		"a number that was typed before":  {stage.Prompt{Key: "f", Type: "number"}, map[string]any{"f": float64(1e6)}, "", "1000000", nil},
		"a date that was typed before":    {stage.Prompt{Key: "f", Type: "date"}, map[string]any{"f": "2026-11-22"}, "", "2026-11-22", nil},
		"a time that was typed before":    {stage.Prompt{Key: "f", Type: "date-time"}, map[string]any{"f": "2026-11-22T12:00:00Z"}, "", "2026-11-22T12:00:00Z", nil},
		"a chosen one with a secret key":  {expression("dropdown", "list", ""), map[string]any{"f": domain.NewSecret("True")}, "", "True", list},
		"a typed secret is not sent back": {expression("password", "name", ""), map[string]any{"f": domain.NewSecret("pw")}, "Ada", "", nil},
		"a list to choose from":           {expression("dropdown", "list", ""), nil, "", "test", list},
		"with one chosen":                 {expression("dropdown", "list", "True"), nil, "", "True", list},
		"with one that is not offered":    {expression("radio-button-group", "list", "x"), nil, "", "test", list},
		"with a typed one":                {expression("dropdown", "list", ""), map[string]any{"f": int64(42)}, "", "42", list},
		"a value and what it is called":   {expression("dropdown", "pair", ""), nil, "", "1", []any{choice("1", "One"), choice("2", "2"), choice("{'label': 'no value'}", "{'label': 'no value'}")}},
		"one value":                       {expression("dropdown", "one", ""), nil, "", "only", []any{choice("only", "only")}},
		"nothing to choose from":          {expression("dropdown", "empty", "x"), nil, "", "", nil},
		"a text to choose from":           {stage.Prompt{Key: "f", Type: "dropdown", Placeholder: "list"}, nil, "", "list", []any{choice("list", "list")}},
		"what a policy offers":            {expression("dropdown", "list", ""), map[string]any{"f__choices": []any{"z"}}, "", "z", []any{choice("z", "z")}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(e, ada)
			if tt.known != nil {
				in.State.Context["prompt_data"] = tt.known
			}
			o, err := form(e, tt.field).Enter(t.Context(), in)
			want := told{Ask: promptPage}
			if strings.HasPrefix(name, "expressions that fail") {
				want.Facts = []execution.Event{execution.Diagnosed("prompt", []execution.Diagnostic{failing("placeholder"), failing("initial_value")})}
			}
			compare(t, want, o, err)
			field := onWire(t, in, o)["fields"].([]any)[0].(map[string]any)
			got := []any{field["placeholder"], field["initial_value"], field["choices"]}
			if diff := cmp.Diff([]any{tt.placeholder, tt.initial, tt.choices}, got); diff != "" {
				t.Errorf("placeholder, initial value, choices (-want +got):\n%s", diff)
			}
		})
	}
}

// failing tells of an expression of the field f.
func failing(part string) execution.Diagnostic {
	return execution.Diagnostic{
		Class: "property_mapping_exception", Part: part, Detail: "the expression fails",
		Ref: domain.Ref{ID: "f", Kind: "authentik_stages_dummy.dummystage", Revision: 1, Name: "object f"},
	}
}

func TestPromptComparesTwoPasswords(t *testing.T) {
	pw := func(keys ...string) (fields []stage.Prompt) {
		for _, k := range keys {
			fields = append(fields, stage.Prompt{Key: k, Type: "password"})
		}
		return fields
	}
	differ := wrong(promptPage, "non_field_errors invalid Passwords don't match.")
	same := domain.NewSecret("x")
	tests := map[string]struct {
		fields   []stage.Prompt
		response string
		want     told
	}{
		"two that match":            {pw("a", "b"), `{"a":"x","b":"x"}`, told{Pass: true, Learned: filled(map[string]any{"a": same, "b": same})}},
		"two that do not":           {pw("a", "b"), `{"a":"x","b":"y"}`, differ},
		"two that were typed apart": {pw("a", "b"), `{"a":"x","b":"x "}`, differ},
		"one that is left out":      {pw("a", "b"), `{"a":"x"}`, differ},
		"three are not compared":    {pw("a", "b", "c"), `{"a":"x","b":"y"}`, told{Pass: true, Learned: filled(map[string]any{"a": same, "b": domain.NewSecret("y")})}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := world()
			o, err := form(e, tt.fields...).Respond(t.Context(), at(e, nobody), json.RawMessage(tt.response))
			compare(t, tt.want, o, err)
		})
	}
}

func TestPromptAsksItsPolicies(t *testing.T) {
	denied := execution.Evaluation{ID: "e", Messages: []string{"too short", "too old"}}
	silent := execution.Evaluation{ID: "e"}
	passing := execution.Evaluation{ID: "e", Passing: true, Messages: []string{"well done"}}
	turnedDown := wrong(promptPage, "non_field_errors invalid too short", "non_field_errors invalid too old")
	turnedDown.Facts = []execution.Event{execution.PolicyDenied{Evaluation: denied}}
	silently := wrong(promptPage)
	silently.Facts = []execution.Event{execution.PolicyDenied{Evaluation: silent}}
	tests := map[string]struct {
		verdict execution.Evaluation
		want    told
	}{
		"they pass":                   {passing, told{Pass: true, Learned: filled(map[string]any{"f": "x", "kept": 1}), Facts: []execution.Event{execution.PolicyEvaluated{Evaluation: passing}}}},
		"they do not":                 {denied, turnedDown},
		"they do not and say nothing": {silent, silently},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := world()
			e.verdict = tt.verdict
			p := form(e, needed("text"))
			p.Validation = []string{"p"}
			in := at(e, nobody)
			in.State.Context["prompt_data"] = map[string]any{"kept": 1}
			o, err := p.Respond(t.Context(), in, json.RawMessage(`{"f":"x"}`))
			compare(t, tt.want, o, err)
			if diff := cmp.Diff(map[string]any{"f": "x", "component": promptPage}, e.typed); diff != "" {
				t.Errorf("they were asked about (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPromptCollectsAndOrders(t *testing.T) {
	e := world()
	a, b := stage.Prompt{Key: "a", Type: "text", Order: 2, Required: true}, stage.Prompt{Key: "b", Type: "text", Order: 1, Required: true}
	p := form(e, a, b)
	p.Fields = append(p.Fields, "gone")
	in := at(e, nobody)
	in.State.Context["prompt_data"] = map[string]any{"z": "kept"}
	o, err := p.Respond(t.Context(), in, json.RawMessage(`{}`))
	compare(t, wrong(promptPage, "b required This field is required.", "a required This field is required."), o, err)
	o, err = p.Respond(t.Context(), in, json.RawMessage(`{"a":"1","b":"2","c":"3","component":"x"}`))
	compare(t, told{Pass: true, Learned: filled(map[string]any{"a": "1", "b": "2", "z": "kept"})}, o, err)
	p = form(e, a, stage.Prompt{Key: "c", Type: "text", Order: 2}, b, stage.Prompt{Key: "A", Type: "text", Order: 2})
	o, err = p.Enter(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var order []any
	for _, f := range onWire(t, in, o)["fields"].([]any) {
		order = append(order, f.(map[string]any)["field_key"])
	}
	if diff := cmp.Diff([]any{"b", "a", "c", "A"}, order); diff != "" {
		t.Errorf("fields of one order stand as they are listed (-want +got):\n%s", diff)
	}
	if len(in.State.Context.Map("prompt_data")) != 1 {
		t.Error("the stage writes the context that it was given")
	}
	e.broken = errDown
	if _, err := p.Enter(t.Context(), in); !errors.Is(err, errDown) {
		t.Errorf("got %v, want %v", err, errDown)
	}
}
