package stage_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
)

const (
	identification = "ak-stage-identification"
	failedSentence = "non_field_errors invalid Failed to authenticate."
)

func identify(change func(*stage.Identification)) *stage.Identification {
	i := &stage.Identification{
		UserFields: []string{"email", "username"}, CaseInsensitive: true, ShowMatched: true, Pretend: true,
	}
	if change != nil {
		change(i)
	}
	return i
}

func withPassword(i *stage.Identification) { i.PasswordStage = ptr("password") }

func identified(on, typed string) execution.SubjectIdentified {
	return execution.SubjectIdentified{User: "u1", By: "identification", MatchedOn: on, Shown: true, Identifier: typed}
}

func unknown(typed string, pretended bool) execution.IdentificationFailed {
	return execution.IdentificationFailed{Fields: []string{"email", "username"}, Pretended: pretended, Identifier: typed}
}

func dummy(typed string) map[string]any { return map[string]any{"username": typed, "email": typed} }

func TestIdentificationAsks(t *testing.T) {
	o, err := identify(nil).Enter(t.Context(), at(world(), nobody))
	compare(t, told{Ask: identification}, o, err)
}

func TestIdentificationJudges(t *testing.T) {
	hidden := identified("username", "ada")
	hidden.Shown = false
	pretended := told{
		Pass: true, Learned: execution.Context{"pending_user": dummy("eve")},
		Facts: []execution.Event{unknown("eve", true), execution.SubjectIdentified{By: "identification", Identifier: "eve"}},
	}
	secretive := pretended
	secretive.Learned = execution.Context{"pending_user": dummy("eve"), "pending_user_identifier": "eve"}
	failed := wrong(identification, failedSentence)
	failed.Learned, failed.Facts = execution.Context{"pending_user": dummy("eve")}, []execution.Event{unknown("eve", false)}
	onlyEmail := pretended
	onlyEmail.Learned = execution.Context{"pending_user": dummy("ada")}
	onlyEmail.Facts = []execution.Event{
		execution.IdentificationFailed{Fields: []string{"email"}, Pretended: true, Identifier: "ada"},
		execution.SubjectIdentified{By: "identification", Identifier: "ada"},
	}
	byUPN := identified("upn", "ADA@corp")
	caseMatters := failed
	caseMatters.Learned, caseMatters.Facts = execution.Context{"pending_user": dummy("ADA")}, []execution.Event{unknown("ADA", false)}
	noFields := wrong(identification, failedSentence)
	noFields.Learned = execution.Context{"pending_user": dummy("ada")}
	noFields.Facts = []execution.Event{execution.IdentificationFailed{Identifier: "ada"}}
	tests := map[string]struct {
		change   func(*stage.Identification)
		response string
		want     told
	}{
		"a user name is known":                 {nil, `{"uid_field":"ada"}`, told{Pass: true, Facts: []execution.Event{identified("username", "ada")}}},
		"white space does not count":           {nil, `{"uid_field":"  ada\n"}`, told{Pass: true, Facts: []execution.Event{identified("username", "ada")}}},
		"nor does case":                        {nil, `{"uid_field":"ADA@EXAMPLE.ORG"}`, told{Pass: true, Facts: []execution.Event{identified("email", "ADA@EXAMPLE.ORG")}}},
		"case counts where it should":          {func(i *stage.Identification) { i.CaseInsensitive, i.Pretend = false, false }, `{"uid_field":"ADA"}`, caseMatters},
		"a principal name is known":            {func(i *stage.Identification) { i.UserFields = []string{"upn"} }, `{"uid_field":"ADA@corp"}`, told{Pass: true, Facts: []execution.Event{byUPN}}},
		"an inactive user is known":            {nil, `{"uid_field":"idle"}`, told{Pass: true, Facts: []execution.Event{execution.SubjectIdentified{User: "u2", By: "identification", MatchedOn: "username", Shown: true, Identifier: "idle"}}}},
		"a match may be kept from sight":       {func(i *stage.Identification) { i.ShowMatched = false }, `{"uid_field":"ada"}`, told{Pass: true, Learned: execution.Context{"pending_user_identifier": "ada"}, Facts: []execution.Event{hidden}}},
		"a stranger seems to be known":         {nil, `{"uid_field":"eve"}`, pretended},
		"and is shown as what was typed":       {func(i *stage.Identification) { i.ShowMatched = false }, `{"uid_field":"eve"}`, secretive},
		"unless there is no pretending":        {func(i *stage.Identification) { i.Pretend = false }, `{"uid_field":"eve"}`, failed},
		"a name in the wrong field is unknown": {func(i *stage.Identification) { i.UserFields = []string{"email"} }, `{"uid_field":"ada"}`, onlyEmail},
		"without fields nobody is known":       {func(i *stage.Identification) { i.UserFields, i.Pretend = nil, false }, `{"uid_field":"ada"}`, noFields},
		"a number is a text":                   {nil, `{"uid_field":5}`, told{Pass: true, Learned: execution.Context{"pending_user": dummy("5")}, Facts: []execution.Event{unknown("5", true), execution.SubjectIdentified{By: "identification", Identifier: "5"}}}},
		"nothing is no name":                   {nil, `{}`, wrong(identification, "non_field_errors invalid No identification data provided.")},
		"null is no name":                      {nil, `{"uid_field":null}`, wrong(identification, "non_field_errors invalid No identification data provided.")},
		"white space is no name":               {nil, `{"uid_field":"  "}`, wrong(identification, "non_field_errors invalid No identification data provided.")},
		"a truth value is no name":             {nil, `{"uid_field":true}`, wrong(identification, "uid_field invalid Not a valid string.")},
		"all fields are looked at":             {nil, `{"uid_field":[],"password":{},"captcha_token":false}`, wrong(identification, "uid_field invalid Not a valid string.", "password invalid Not a valid string.", "captcha_token invalid Not a valid string.")},
		"what is no object has no fields":      {nil, `[1]`, wrong(identification, "non_field_errors invalid No identification data provided.")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, err := identify(tt.change).Respond(t.Context(), at(world(), nobody), json.RawMessage(tt.response))
			compare(t, tt.want, o, err)
		})
	}
}

func TestIdentificationWithPassword(t *testing.T) {
	bad := func(id, name, cause string) told {
		w := wrong(identification, failedSentence)
		w.Facts = []execution.Event{execution.LoginFailed{
			User: id, Stage: domain.Ref{ID: "s1", Name: "the stage"}, Method: "password", Cause: cause, Backend: stage.InbuiltBackend,
			Failures: 1, Identifier: name,
		}}
		return w
	}
	right := told{
		Pass: true, Learned: execution.Context{"auth_method": "password"},
		Facts: []execution.Event{
			identified("username", "ada"),
			execution.FactorVerified{Factor: execution.Factor{Method: "password", Kind: "knowledge"}, Backend: stage.InbuiltBackend},
		},
		Effects: []execution.Effect{{Rehash: &execution.Rehash{User: "u1", Credential: "c1", Password: domain.NewSecret("better")}}},
	}
	stranger := wrong(identification, failedSentence)
	stranger.Learned, stranger.Facts = execution.Context{"pending_user": dummy("eve")}, []execution.Event{unknown("eve", false)}
	tests := map[string]struct {
		response string
		want     told
	}{
		"both right":                   {`{"uid_field":"ada","password":" right "}`, right},
		"a wrong password":             {`{"uid_field":"ada","password":"wrong"}`, bad("u1", "ada", "bad_credential")},
		"no password":                  {`{"uid_field":"ada"}`, bad("u1", "ada", "bad_credential")},
		"an inactive user":             {`{"uid_field":"idle","password":"right"}`, bad("u2", "idle", "inactive")},
		"a stranger, for all pretence": {`{"uid_field":"eve","password":"x"}`, stranger},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := world()
			e.rehash = domain.NewSecret("better")
			o, err := identify(withPassword).Respond(t.Context(), at(e, nobody), json.RawMessage(tt.response))
			compare(t, tt.want, o, err)
			if e.hashes != 1 {
				t.Errorf("verified %d passwords, want 1 for everybody", e.hashes)
			}
		})
	}
}

func TestIdentificationLooksTheSameToStrangers(t *testing.T) {
	said := map[string]any{}
	for name, response := range map[string]string{"known": `{"uid_field":"ada","password":"x"}`, "unknown": `{"uid_field":"eve","password":"x"}`} {
		in := at(world(), nobody)
		o, err := identify(withPassword).Respond(t.Context(), in, json.RawMessage(response))
		if err != nil {
			t.Fatal(err)
		}
		said[name] = onWire(t, in, o)
	}
	if diff := cmp.Diff(said["known"], said["unknown"]); diff != "" {
		t.Errorf("a stranger is told apart (-known +unknown):\n%s", diff)
	}
}

func TestIdentificationAloneTakesNoLongerForStrangers(t *testing.T) {
	for _, name := range []string{"ada", "eve"} {
		e := world()
		o, err := identify(nil).Respond(t.Context(), at(e, nobody), json.RawMessage(`{"uid_field":"`+name+`"}`))
		if err != nil || !tell(o).Pass || e.hashes != 0 {
			t.Errorf("%s: got %+v, %v after %d hashes; want to go on after none", name, tell(o), err, e.hashes)
		}
	}
}

func TestIdentificationWithALostPasswordStage(t *testing.T) {
	e := world()
	delete(e.objects, "password")
	o, err := identify(withPassword).Respond(t.Context(), at(e, nobody), json.RawMessage(`{"uid_field":"ada","password":"right"}`))
	if err != nil || tell(o).Pass || e.hashes != 1 {
		t.Errorf("got %+v, %v after %d hashes; want to be turned down after one", tell(o), err, e.hashes)
	}
}

func TestIdentificationTakesAHint(t *testing.T) {
	guarded := func(in *stage.Input) { in.Entry.Marker = execution.Reevaluate }
	found := told{Pass: true, Facts: []execution.Event{identified("username", "ada")}}
	stranger := told{
		Pass: true, Learned: execution.Context{"pending_user": dummy("eve")},
		Facts: []execution.Event{unknown("eve", true), execution.SubjectIdentified{By: "identification", Identifier: "eve"}},
	}
	tests := map[string]struct {
		hint   string
		change func(*stage.Identification)
		in     func(*stage.Input)
		want   told
		shown  any
	}{
		"a hint answers at once":                {"ada", nil, nil, found, nil},
		"that of a stranger, too":               {"eve", nil, nil, stranger, nil},
		"where a password is asked it is shown": {"ada", withPassword, nil, told{Ask: identification}, "ada"},
		"where policies guard it, too":          {"ada", nil, guarded, told{Ask: identification}, "ada"},
		"no hint is not shown":                  {"", nil, nil, told{Ask: identification}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), nobody)
			in.State.Query = map[string]string{"login_hint": tt.hint}
			if tt.in != nil {
				tt.in(&in)
			}
			o, err := identify(tt.change).Enter(t.Context(), in)
			compare(t, tt.want, o, err)
			if tt.want.Ask != "" {
				if got := onWire(t, in, o)["pending_user_identifier"]; got != tt.shown {
					t.Errorf("the page shows %v, want %v", got, tt.shown)
				}
			}
		})
	}
}

func TestIdentificationLinksToFlows(t *testing.T) {
	i := identify(func(i *stage.Identification) {
		i.EnrollmentFlow, i.RecoveryFlow, i.PasswordlessFlow = ptr("enroll"), ptr("gone"), ptr("other")
	})
	in := at(world(), nobody)
	in.State.Query = map[string]string{"next": "/a b?c&d"}
	in.Flow.Designation = "recovery"
	o, err := i.Enter(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	wire := onWire(t, in, o)
	for key, want := range map[string]any{
		"enroll_url": "/if/flow/enroll/?next=%2Fa+b%3Fc%26d", "passwordless_url": "/if/flow/other/?next=%2Fa+b%3Fc%26d",
		"recovery_url": nil, "primary_action": "Continue", "flow_designation": "recovery",
	} {
		if wire[key] != want {
			t.Errorf("%s is %v, want %v", key, wire[key], want)
		}
	}
}

func TestIdentificationPassesFaultsOn(t *testing.T) {
	for name, i := range map[string]*stage.Identification{"alone": identify(nil), "with a password": identify(withPassword)} {
		e := world()
		e.broken = errDown
		if _, err := i.Respond(t.Context(), at(e, nobody), json.RawMessage(`{"uid_field":"ada"}`)); !errors.Is(err, errDown) {
			t.Errorf("%s: got %v, want %v", name, err, errDown)
		}
	}
}

func TestIdentificationNeedsAField(t *testing.T) {
	want := catalog.Problems{catalog.NonField: {"When no user fields are selected, at least one source must be selected"}}
	if diff := cmp.Diff(want, (&stage.Identification{}).Validate()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	for _, i := range []stage.Identification{{UserFields: []string{"email"}}, {Sources: []string{"s"}}} {
		if p := i.Validate(); p != nil {
			t.Errorf("problems: %v", p)
		}
	}
}
