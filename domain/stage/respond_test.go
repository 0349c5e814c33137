package stage_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/user"
)

// everything is a stage of each kind, prompts of each type among them.
func everything(e *env) []stage.Stage {
	kinds := []string{
		"text", "text_area", "text_read_only", "text_area_read_only", "username", "email", "password", "number", "checkbox",
		"radio-button-group", "dropdown", "date", "date-time", "file", "separator", "hidden", "static", "alert_info", "alert_warning",
		"alert_danger", "ak-locale",
	}
	var required, optional, offering []stage.Prompt
	for _, kind := range kinds {
		required = append(required, stage.Prompt{Key: kind, Type: kind, Required: true})
		offering = append(offering, stage.Prompt{
			Key: "set " + kind, Type: kind, InitialValue: "1", Placeholder: "offer", PlaceholderExpression: true, InitialExpression: kind == "file",
		})
		optional = append(optional, stage.Prompt{Key: "free " + kind, Type: kind})
	}
	twice := []stage.Prompt{{Key: "password", Type: "password"}, {Key: "free password", Type: "password"}}
	e.expressions = map[string]any{"offer": []any{"a", true, int64(0), nil, map[string]any{"value": "v", "label": "Vee"}, []any{1.5}}}
	e.objects["dummy"], e.objects["deny"] = &stage.Dummy{}, &stage.DenyStage{}
	return []stage.Stage{
		identify(nil), identify(withPassword), &stage.Password{Backends: []string{stage.InbuiltBackend}},
		&stage.UserLogin{RememberOffset: "days=1"}, &stage.UserLogin{}, &stage.UserLogout{}, &stage.UserWrite{}, &stage.DenyStage{},
		&stage.Dummy{}, &stage.Redirect{Mode: "static", TargetStatic: "/"},
		&stage.AuthenticatorValidate{NotConfigured: "configure", ConfigurationStages: []string{"dummy", "deny"}},
		form(e, required...), form(e, optional...), form(e, offering...), form(e, twice...),
	}
}

// FuzzRespond hands anything to every stage: there is always an outcome that
// has a form on the wire, and soon.
func FuzzRespond(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `"x"`, `{"uid_field":"ada","password":"right"}`, `{"password":{"a":[1,{"b":null}]},"remember_me":[]}`,
		`{"number":1e400,"checkbox":"on","dropdown":{"a":1},"file":"data:;base64,","date":"2026-01-01","email":"a@b.c"}`,
		`{"set dropdown":"v","set radio-button-group":"True","set date-time":"2026-01-01 10:00+01","set file":"DATA:a;base64,YQ","set hidden":"x"}`,
		`{"password":[],"free password":[]}`, `{"selected_stage":"dummy"}`, "{\"uid_field\":\"\xff\"}", `{"to":"x","to":5}`, `{"a":`,
	} {
		f.Add([]byte(seed))
	}
	e := world()
	stages := everything(e)
	f.Fuzz(func(t *testing.T, response []byte) {
		start := time.Now()
		for _, s := range stages {
			for _, who := range []user.Person{ada, ghost, nobody} {
				in := at(e, who)
				o, err := s.Respond(t.Context(), in, json.RawMessage(response))
				if err != nil {
					t.Fatalf("%T: %v", s, err)
				}
				switch o.(type) {
				case execution.Ask, execution.Invalid:
					onWire(t, in, o)
				}
			}
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%d bytes took %s", len(response), took)
		}
	})
}
