package stage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
)

// asksFor is what a consent challenge shows.
func asksFor(t *testing.T, o execution.Outcome) (permissions, additional []any, token string) {
	t.Helper()
	wire := onWire(t, at(world(), ada), o)
	permissions, _ = wire["permissions"].([]any)
	additional, _ = wire["additional_permissions"].([]any)
	token, _ = wire["token"].(string)
	return permissions, additional, token
}

func wanted(ids ...string) []any {
	list := []any{}
	for _, id := range ids {
		list = append(list, map[string]any{"id": id, "name": "to see " + id})
	}
	return list
}

func TestConsentStage(t *testing.T) {
	app := map[string]any{"pk": "a", "name": "App", "slug": "app"}
	stands := consent.State{Status: consent.Given, Permissions: []string{"email", "groups"}}
	over := stands
	over.Expires = now
	grant := func(mode string, expires time.Time, ids ...string) told {
		return told{Pass: true, Effects: []execution.Effect{{GrantConsent: &execution.GrantConsent{
			User: ada.ID, Application: consent.Application{ID: "a", Name: "App", Slug: "app"}, Permissions: ids, Mode: mode, Expires: expires,
		}}}}
	}
	tests := map[string]struct {
		mode       string
		app        map[string]any
		wants      []any
		before     consent.State
		pass       bool // nothing is asked
		shown      []any
		additional []any
		answer     told
	}{
		"always asks and remembers nothing": {mode: "always_require", app: app, wants: wanted("email"), before: stands, shown: wanted("email"), answer: told{Pass: true}},
		"without an application, too":       {mode: "permanent", wants: wanted("email"), shown: wanted("email"), answer: told{Pass: true}},
		"asks the first time":               {mode: "permanent", app: app, wants: wanted("email"), shown: wanted("email"), answer: grant("permanent", time.Time{}, "email")},
		"asks for a while":                  {mode: "expiring", app: app, wants: wanted("email"), shown: wanted("email"), answer: grant("expiring", now.Add(time.Hour), "email")},
		"does not ask again":                {mode: "permanent", app: app, wants: wanted("groups", "email"), before: stands, pass: true},
		"asks again when the time is over":  {mode: "expiring", app: app, wants: wanted("email"), before: over, shown: wanted("email"), answer: grant("expiring", now.Add(time.Hour), "email")},
		"asks for more": {
			mode: "permanent", app: app, wants: wanted("email", "phone"), before: stands, shown: wanted("email"), additional: wanted("phone"),
			answer: grant("permanent", time.Time{}, "email", "phone"),
		},
		"asks when it is less": {mode: "permanent", app: app, wants: wanted("email"), before: stands, shown: wanted("email"), answer: grant("permanent", time.Time{}, "email")},
		"nothing is wanted":    {mode: "permanent", app: app, before: consent.State{Status: consent.Given}, pass: true},
		"a name is as good as an id": {mode: "permanent", app: app, wants: append(wanted("email", "email"), "x", map[string]any{"name": "no id"}),
			shown: wanted("email"), answer: grant("permanent", time.Time{}, "email")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), ada)
			in.Visitor, in.State.Sequence = ada, 1
			in.Records = &records{consents: map[string]consent.State{"u1/a": test.before}}
			in.State.Context = execution.Context{"consent_permissions": test.wants, "consent_header": "hello"}
			if test.app != nil {
				in.State.Context[execution.KeyApplication] = test.app
			}
			s := &stage.ConsentStage{Mode: test.mode, ExpireIn: "hours=1"}
			o, err := s.Enter(t.Context(), in)
			if test.pass {
				compare(t, told{Pass: true, Skipped: "consent was given before"}, o, err)
				return
			}
			compare(t, told{Ask: "ak-stage-consent"}, o, err)
			shown, additional, token := asksFor(t, o)
			if test.additional == nil {
				test.additional = []any{}
			}
			if diff := cmp.Diff([][]any{test.shown, test.additional}, [][]any{shown, additional}); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
			for body, want := range map[string]told{
				`{}`:                               wrong("ak-stage-consent", "token required This field is required."),
				`{"token":""}`:                     wrong("ak-stage-consent", "token blank This field may not be blank."),
				`{"token":"other"}`:                wrong("ak-stage-consent", "token invalid Invalid consent token, re-showing prompt"),
				fmt.Sprintf(`{"token":%q}`, token): test.answer,
			} {
				o, err := s.Respond(t.Context(), in, []byte(body))
				compare(t, want, o, err)
				if invalid, ok := o.(execution.Invalid); ok {
					if _, _, next := asksFor(t, invalid); next == token {
						t.Error("the same token is good again")
					}
				}
			}
		})
	}
}

// Nobody's consent is kept: there is nobody to remember it of.
func TestConsentOfNobody(t *testing.T) {
	in := at(world(), nobody)
	in.State.Sequence, in.Records = 1, &records{}
	in.State.Context = execution.Context{execution.KeyApplication: map[string]any{"id": "a"}}
	s := &stage.ConsentStage{Mode: "permanent"}
	o, err := s.Enter(t.Context(), in)
	compare(t, told{Ask: "ak-stage-consent"}, o, err)
	_, _, token := asksFor(t, o)
	o, err = s.Respond(t.Context(), in, fmt.Appendf(nil, `{"token":%q}`, token))
	compare(t, told{Pass: true}, o, err)
	in.Records = &records{broken: errDown}
	if _, err := s.Enter(t.Context(), in); err != errDown {
		t.Errorf("got %v", err)
	}
}
