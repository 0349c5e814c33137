package object_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/object"
)

// A sample is a kind with a secret, of which there is none beside users.
type sample struct {
	Name  string   `json:"name" catalog:"required"`
	Count int      `json:"count"`
	List  []string `json:"list"`
	Key   *string  `json:"key" catalog:"secret"`
}

const sampleModel = "authentik_sample.thing"

func init() {
	catalog.Register(catalog.Kind{
		Model: sampleModel, Category: catalog.Setting, Name: "Sample", New: func() any { return &sample{Count: 3} },
	})
}

type (
	spec   = domaintest.Spec[object.State]
	fields = map[string]any
)

func given(events ...object.Event) []object.Event { return events }

func secrets(text string) map[string]domain.Secret {
	return map[string]domain.Secret{"key": domain.NewSecret(text)}
}

var (
	created = object.ObjectCreated{
		Kind: sampleModel, Name: "a", Set: fields{"name": "a", "count": 3.0, "list": []any{}}, Secrets: secrets("s"), By: "u", Via: "api",
	}
	removed = object.ObjectRemoved{Kind: sampleModel, Name: "a", By: "u", Via: "api"}
)

func put(f fields) object.Put { return object.Put{Kind: sampleModel, Fields: f, By: "u", Via: "api"} }

func TestPutMakes(t *testing.T) {
	plain := created
	plain.Secrets = nil
	more := created
	more.Set = fields{"name": "a", "count": int64(5), "list": []any{"x"}}
	domaintest.Run(t, map[string]spec{
		"a new thing has the kind's defaults":        {When: put(fields{"name": "a"}), Then: given(plain)},
		"what is given goes before the defaults":     {When: put(fields{"name": "a", "count": int64(5), "list": []any{"x"}, "key": "s"}), Then: given(more)},
		"a secret may come as one":                   {When: put(fields{"name": "a", "key": domain.NewSecret("s")}), Then: given(created)},
		"unknown names are dropped":                  {When: put(fields{"name": "a", "nonsense": 1}), Then: given(plain)},
		"the model's case does not matter":           {When: object.Put{Kind: "authentik_sample.THING", Fields: fields{"name": "a"}, By: "u", Via: "api"}, Then: given(plain)},
		"a kind that does not exist is refused":      {When: object.Put{Kind: "authentik_sample.x"}, Fails: domain.Invalid},
		"what was removed does not come back":        {Given: given(created, removed), When: put(fields{"name": "a"}), Fails: domain.NotFound},
		"a thing of another kind is not overwritten": {Given: given(created), When: object.Put{Kind: object.FlowModel, Fields: fields{"name": "f"}}, Fails: domain.Conflict},
		"what must be new is refused where there is one": {
			Given: given(created), When: object.Put{Kind: sampleModel, Fields: fields{"name": "b"}, Create: true}, Fails: domain.Conflict,
		},
	})
}

func TestPutChanges(t *testing.T) {
	change := func(set, previous fields, s map[string]domain.Secret) []object.Event {
		return given(object.ObjectChanged{Kind: sampleModel, Name: "a", Set: set, Previous: previous, Secrets: s, By: "u", Via: "api"})
	}
	renamed := object.ObjectChanged{
		Kind: sampleModel, Name: "b", Set: fields{"name": "b"}, Previous: fields{"name": "a"}, By: "u", Via: "api",
	}
	domaintest.Run(t, map[string]spec{
		"a changed field is recorded with its old value": {
			Given: given(created), When: put(fields{"name": "a", "count": int64(4)}), Then: change(fields{"count": int64(4)}, fields{"count": 3.0}, nil),
		},
		"a new name is the thing's name":                   {Given: given(created), When: put(fields{"name": "b"}), Then: given(renamed)},
		"setting the same again is nothing to do":          {Given: given(created), When: put(fields{"name": "a", "count": int64(3), "list": []any{}})},
		"the same secret again is nothing to do":           {Given: given(created), When: put(fields{"key": "s"})},
		"a new secret is recorded without the old one":     {Given: given(created), When: put(fields{"key": "t"}), Then: change(fields{}, fields{}, secrets("t"))},
		"a secret can be emptied":                          {Given: given(created), When: put(fields{"key": nil}), Then: change(fields{}, fields{}, secrets(""))},
		"fields that are not named keep their value":       {Given: given(created), When: put(nil)},
		"names that the kind does not know change nothing": {Given: given(created), When: put(fields{"nonsense": 1})},
	})
}

func TestRemove(t *testing.T) {
	command := object.Remove{By: "u", Via: "api"}
	cascade := removed
	cascade.CascadeOf = "f"
	domaintest.Run(t, map[string]spec{
		"a thing is removed":                    {Given: given(created), When: command, Then: given(removed)},
		"a thing is removed along with another": {Given: given(created), When: object.Remove{By: "u", Via: "api", CascadeOf: "f"}, Then: given(cascade)},
		"a thing is removed once":               {Given: given(created, removed), When: command},
		"what never was is not removed":         {When: command},
	})
}

func TestEvolve(t *testing.T) {
	changed := object.ObjectChanged{Name: "b", Set: fields{"name": "b", "count": 4.0}, Secrets: secrets("t")}
	first := domain.Fold(object.State{}, created)
	second := domain.Fold[object.State](first, changed)
	want := object.State{
		Status: object.Present, Kind: sampleModel, Name: "b", Fields: fields{"name": "b", "count": 4.0, "list": []any{}}, Secrets: secrets("t"),
	}
	opts := cmp.Comparer(domain.Secret.Equal)
	if diff := cmp.Diff(want, second, opts); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if first.Fields["name"] != "a" || created.Set["count"] != 3.0 || !first.Secrets["key"].Equal(domain.NewSecret("s")) {
		t.Error("a change writes the state that it was folded over")
	}
	gone := domain.Fold[object.State](second, removed)
	if diff := cmp.Diff(object.State{Status: object.Removed, Kind: sampleModel, Name: "b"}, gone, opts); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
}

func TestNameOf(t *testing.T) {
	tests := map[string]struct {
		model string
		in    fields
		want  string
	}{
		"a flow is called by its slug":      {object.FlowModel, fields{"name": "n", "slug": "s"}, "s"},
		"a brand is called by its domain":   {object.BrandModel, fields{"domain": "d"}, "d"},
		"others are called by their name":   {sampleModel, fields{"name": "n", "slug": "s"}, "n"},
		"a binding is called nothing":       {object.StageBindingModel, fields{"order": 1}, ""},
		"a name that is no text is not one": {sampleModel, fields{"name": 1}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			kind, ok := catalog.Lookup(tt.model)
			if !ok {
				t.Fatal("no such kind")
			}
			if got := object.NameOf(kind, tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEqualLooksAtValues(t *testing.T) {
	equal := [][2]any{
		{1, int64(1)}, {int64(1), 1.0}, {[]string{"a"}, []any{"a"}}, {nil, nil},
		{fields{"a": []any{1, fields{"b": int64(2)}}}, fields{"a": []any{1.0, fields{"b": 2.0}}}},
	}
	for _, pair := range equal {
		if !object.Equal(pair[0], pair[1]) {
			t.Errorf("%#v and %#v differ", pair[0], pair[1])
		}
	}
	different := [][2]any{{1, "1"}, {true, 1}, {nil, ""}, {[]any{}, nil}, {[]any{1, 2}, []any{2, 1}}, {fields{"a": nil}, fields{}}}
	for _, pair := range different {
		if object.Equal(pair[0], pair[1]) {
			t.Errorf("%#v and %#v are equal", pair[0], pair[1])
		}
	}
}

func TestBindingsBindOneThing(t *testing.T) {
	id, key := "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10", 5
	const (
		one  = "Only one of 'group', 'policy', 'user' can be set."
		some = "One of 'group', 'policy', 'user' must be set."
	)
	tests := map[string]struct {
		in   object.PolicyBinding
		want string
	}{
		"a policy":             {object.PolicyBinding{Policy: &id}, ""},
		"a group":              {object.PolicyBinding{Group: &id}, ""},
		"a user":               {object.PolicyBinding{User: &key}, ""},
		"a policy and a group": {object.PolicyBinding{Policy: &id, Group: &id}, one},
		"all three":            {object.PolicyBinding{Policy: &id, Group: &id, User: &key}, one},
		"nothing":              {object.PolicyBinding{}, some},
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

func TestUsersHaveOnePassword(t *testing.T) {
	text := "x"
	both := object.User{Password: &text, PasswordHash: &text}
	want := catalog.Problems{catalog.NonField: {"Only one of 'password', 'password_hash' can be set."}}
	if diff := cmp.Diff(want, both.Validate()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	for _, u := range []object.User{{}, {Password: &text}, {PasswordHash: &text}} {
		if p := u.Validate(); p != nil {
			t.Errorf("problems of one: %v", p)
		}
	}
}

func TestSecretsAreNotMarshalled(t *testing.T) {
	text, err := json.Marshal(created)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Secrets map[string]string `json:"secrets"`
	}
	if err := json.Unmarshal(text, &back); err != nil || back.Secrets["key"] != "REDACTED" {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestRef(t *testing.T) {
	thing := object.Thing{ID: "i", Kind: sampleModel, Name: "n", Revision: 4, Fields: fields{"name": "n"}}
	if diff := cmp.Diff(domain.Ref{ID: "i", Kind: sampleModel, Name: "n", Revision: 4}, thing.Ref()); diff != "" {
		t.Errorf("reference (-want +got):\n%s", diff)
	}
}
