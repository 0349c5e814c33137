package stage_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/stage"
)

func TestDeny(t *testing.T) {
	tests := map[string]struct {
		configured string
		known      execution.Context
		want       string
	}{
		"its own message":               {"no", nil, "deny_stage: no"},
		"a policy's message goes first": {"no", execution.Context{"deny_message": "never"}, "deny_stage: never"},
		"none":                          {"", nil, "deny_stage:"},
		"a message must be a text":      {"no", execution.Context{"deny_message": 5}, "deny_stage: no"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), nobody)
			in.State.Context = tt.known
			d := &stage.DenyStage{Message: tt.configured}
			o, err := d.Enter(t.Context(), in)
			compare(t, told{Deny: tt.want}, o, err)
			o, err = d.Respond(t.Context(), in, nil)
			compare(t, told{Deny: tt.want}, o, err)
		})
	}
}

func TestDummy(t *testing.T) {
	in := at(world(), nobody)
	d := &stage.Dummy{Named: stage.Named{Name: "one"}}
	o, err := d.Enter(t.Context(), in)
	compare(t, told{Ask: "ak-stage-dummy"}, o, err)
	for _, response := range []string{`{}`, `null`, `5`, ``} {
		o, err = d.Respond(t.Context(), in, json.RawMessage(response))
		compare(t, told{Pass: true}, o, err)
	}
	if _, err := (&stage.Dummy{ThrowError: true}).Enter(t.Context(), in); err == nil {
		t.Error("a stage that was told to fail does not")
	}
}

func TestRedirect(t *testing.T) {
	const page = "xak-flow-redirect"
	origin := map[string]any{"pk": "f", "slug": "login", "name": "Login"}
	handover := func(c execution.Context) told {
		c["is_redirected"] = origin
		return told{Ask: page, Handover: &execution.Handover{Flow: "other", Context: c}}
	}
	static := stage.Redirect{Mode: "static", TargetStatic: "https://x.example/"}
	flow := stage.Redirect{Mode: "flow", TargetFlow: ptr("other")}
	keeping, lost, empty := flow, flow, static
	keeping.KeepContext, lost.TargetFlow, empty.TargetStatic = true, ptr("gone"), ""
	const none = ": No target found for Redirect stage. The stage's target_flow may have been deleted."
	tests := map[string]struct {
		config   stage.Redirect
		override string
		want     told
		to       string
	}{
		"to an address":                        {static, "", told{Ask: page}, "https://x.example/"},
		"to a flow":                            {flow, "", handover(execution.Context{}), "/if/flow/other/?next=%2Fx"},
		"to a flow, with what is known":        {keeping, "", handover(execution.Context{"color": "red"}), "/if/flow/other/?next=%2Fx"},
		"an address that a policy names":       {flow, "https://y.example/", told{Ask: page}, "https://y.example/"},
		"a flow that a policy names":           {static, "ak-flow://other", handover(execution.Context{}), "/if/flow/other/?next=%2Fx"},
		"a policy that names no flow there is": {static, "ak-flow://gone", told{Ask: page}, "https://x.example/"},
		"and none in the other mode":           {flow, "ak-flow://gone", handover(execution.Context{}), "/if/flow/other/?next=%2Fx"},
		"a flow that is gone":                  {lost, "", told{Deny: none}, ""},
		"no address":                           {empty, "", told{Deny: none}, ""},
		"nothing at all":                       {stage.Redirect{Mode: "flow"}, "", told{Deny: none}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), nobody)
			in.State.Query = map[string]string{"next": "/x"}
			in.State.Context = execution.Context{"color": "red"}
			if tt.override != "" {
				in.State.Context["redirect_stage_target"] = tt.override
			}
			o, err := tt.config.Enter(t.Context(), in)
			compare(t, tt.want, o, err)
			again, err := tt.config.Respond(t.Context(), in, json.RawMessage(`{}`))
			if tt.to == "" {
				compare(t, tt.want, again, err)
				return
			}
			compare(t, wrong(page, "to required This field is required."), again, err)
			for _, o := range []execution.Outcome{o, again} {
				if got := onWire(t, in, o)["to"]; got != tt.to {
					t.Errorf("sent to %v, want %s", got, tt.to)
				}
			}
			o, err = tt.config.Respond(t.Context(), in, json.RawMessage(`{"to":"anything"}`))
			compare(t, told{Pass: true}, o, err)
		})
	}
}

func TestRedirectPassesFaultsOn(t *testing.T) {
	e := world()
	e.broken = errDown
	for _, r := range []stage.Redirect{{Mode: "flow", TargetFlow: ptr("gone")}, {Mode: "flow", TargetFlow: ptr("other")}} {
		if _, err := r.Enter(t.Context(), at(e, nobody)); !errors.Is(err, errDown) {
			t.Errorf("got %v, want %v", err, errDown)
		}
	}
	in := at(e, nobody)
	in.State.Context["redirect_stage_target"] = "ak-flow://other"
	if _, err := (&stage.Redirect{Mode: "static"}).Enter(t.Context(), in); !errors.Is(err, errDown) {
		t.Errorf("got %v, want %v", err, errDown)
	}
}

func TestRedirectNeedsATarget(t *testing.T) {
	tests := map[string]struct {
		in   stage.Redirect
		want string
	}{
		"an address": {stage.Redirect{Mode: "static", TargetStatic: "/"}, ""},
		"a flow":     {stage.Redirect{Mode: "flow", TargetFlow: ptr("f")}, ""},
		"no address": {stage.Redirect{Mode: "static", TargetFlow: ptr("f")}, "Target URL should be present when mode is Static."},
		"no flow":    {stage.Redirect{Mode: "flow", TargetStatic: "/"}, "Target Flow should be present when mode is Flow."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var want catalog.Problems
			if tt.want != "" {
				want.Add(catalog.NonField, "%s", tt.want)
			}
			if diff := cmp.Diff(want, tt.in.Validate()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAuthenticatorValidate(t *testing.T) {
	const page = "ak-stage-authenticator-validate"
	e := world()
	e.objects["dummy"] = &stage.Dummy{}
	e.objects["flow"] = &object.Flow{}
	configure := func(ids ...string) *stage.AuthenticatorValidate {
		return &stage.AuthenticatorValidate{NotConfigured: "configure", ConfigurationStages: ids}
	}
	tests := map[string]struct {
		config   *stage.AuthenticatorValidate
		response string // empty to enter
		want     told
	}{
		"who has no device goes on":      {&stage.AuthenticatorValidate{NotConfigured: "skip"}, ``, told{Pass: true, Skipped: "The user has no authenticator."}},
		"or does not":                    {&stage.AuthenticatorValidate{NotConfigured: "deny"}, ``, told{Deny: ": No (allowed) MFA authenticator configured."}},
		"nor by answering":               {&stage.AuthenticatorValidate{NotConfigured: "deny"}, `{"code":"1"}`, told{Deny: ": No (allowed) MFA authenticator configured."}},
		"without a stage to make one":    {configure(), ``, told{Deny: ":"}},
		"with stages that are gone":      {configure("gone", "lost"), ``, told{Deny: ":"}},
		"several are to be chosen from":  {configure("dummy", "gone", "flow"), ``, told{Ask: page}},
		"what is chosen must be offered": {configure("dummy", "flow"), `{"selected_stage":"x"}`, wrong(page, "selected_stage invalid Selected stage is invalid")},
		"one that is gone is not":        {configure("dummy", "flow", "gone"), `{"selected_stage":"gone"}`, wrong(page, "selected_stage invalid Selected stage is invalid")},
		"nothing is chosen":              {configure("dummy", "flow"), `{}`, wrong(page, "non_field_errors invalid Empty response")},
		"null is nothing":                {configure("dummy", "flow"), `{"selected_stage":null}`, wrong(page, "non_field_errors invalid Empty response")},
		"a choice must be a text":        {configure("dummy", "flow"), `{"selected_stage":{}}`, wrong(page, "selected_stage invalid Not a valid string.")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(e, ada)
			if tt.response == "" {
				o, err := tt.config.Enter(t.Context(), in)
				compare(t, tt.want, o, err)
				return
			}
			o, err := tt.config.Respond(t.Context(), in, json.RawMessage(tt.response))
			compare(t, tt.want, o, err)
		})
	}

	one, err := configure("dummy").Enter(t.Context(), at(e, ada))
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := configure("dummy", "flow").Respond(t.Context(), at(e, ada), json.RawMessage(`{"selected_stage":"dummy"}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tell(one), tell(chosen), likeness); diff != "" {
		t.Errorf("the only stage and the chosen one differ:\n%s", diff)
	}
	in := tell(one).Insert
	if len(in) != 1 || in[0].Index != 0 || in[0].Entry.Stage.ID != "dummy" || in[0].Entry.Binding == (domain.Ref{}) {
		t.Errorf("inserted %+v, want the stage right behind", in)
	}

	e.broken = errDown
	for _, response := range []string{``, `{}`} {
		var err error
		if response == "" {
			_, err = configure("dummy").Enter(t.Context(), at(e, ada))
		} else {
			_, err = configure("dummy").Respond(t.Context(), at(e, ada), json.RawMessage(response))
		}
		if !errors.Is(err, errDown) {
			t.Errorf("got %v, want %v", err, errDown)
		}
	}
	if p := configure().Validate(); len(p["not_configured_action"]) != 1 || configure("x").Validate() != nil {
		t.Errorf("problems of no stage to configure with: %v", p)
	}
}

func TestLoad(t *testing.T) {
	s, err := stage.Load("authentik_stages_dummy.DummyStage", map[string]any{"name": "d", "throw_error": true, "nonsense": 1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&stage.Dummy{Named: stage.Named{Name: "d"}, ThrowError: true}, s); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	for _, model := range []string{"authentik_stages_x.x", object.FlowModel} {
		if _, err := stage.Load(model, nil); err == nil {
			t.Errorf("%s is a stage", model)
		}
	}
	if _, err := stage.Load("authentik_stages_dummy.dummystage", map[string]any{"throw_error": "yes"}); err == nil {
		t.Error("a stage has a field of another type")
	}
}

// A text with a null character is none (a database of the contract's servers
// could not keep it).
func TestNullCharacters(t *testing.T) {
	for field, s := range map[string]stage.Stage{"uid_field": identify(nil), "password": &stage.Password{Backends: []string{stage.InbuiltBackend}}} {
		o, err := s.Respond(t.Context(), at(world(), ada), json.RawMessage(`{"`+field+`":"a\u0000b"}`))
		if err != nil {
			t.Fatal(err)
		}
		wrong, ok := o.(execution.Invalid)
		if !ok || len(wrong.Problems) != 1 || wrong.Problems[0].Field != field || wrong.Problems[0].Code != "null_characters_not_allowed" {
			t.Errorf("%s: %+v", field, o)
		}
	}
}
