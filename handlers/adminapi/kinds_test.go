package adminapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/catalog"
	_ "github.com/flowledger/flowledger/domain/policy"
	_ "github.com/flowledger/flowledger/domain/stage"
)

// sample is what must be given to make a thing of a kind.
func (b *bench) sample(k catalog.Kind, name string) fields {
	b.t.Helper()
	in := fields{}
	for _, f := range k.Fields() {
		if !f.Required {
			continue
		}
		switch {
		case f.Type == catalog.Int:
			in[f.Name] = 0
		case len(f.Enum) > 0:
			in[f.Name] = f.Enum[0]
		case f.Ref == "flow" || f.Ref == "target":
			in[f.Name] = b.flow(name + "-" + f.Name)
		case f.Ref == "stage":
			in[f.Name] = b.want(201, http.MethodPost, "stages/dummy/", fields{"name": name + "-" + f.Name}).str("pk")
		default:
			in[f.Name] = name
		}
		if f.Many {
			in[f.Name] = []any{}
			if len(f.Enum) > 0 {
				in[f.Name] = []any{f.Enum[0]}
			}
		}
	}
	switch k.Model {
	case "authentik_stages_identification.identificationstage":
		in["user_fields"] = []any{"username"}
	case "authentik_stages_redirect.redirectstage":
		in["target_static"] = "https://example.org"
	case "authentik_policies.policybinding":
		in["user"] = 1
	case "authentik_policies_expression.expressionpolicy":
		in["expression"] = "return True"
	case "authentik_policies_reputation.reputationpolicy":
		in["check_ip"] = true
	case "flowledger_trail.sink":
		in["target"] = "https://siem.example.org/"
	case "authentik_policies_event_matcher.eventmatcherpolicy":
		in["action"] = "login"
	}
	return in
}

// flow makes a flow and returns its key.
func (b *bench) flow(slug string) string {
	b.t.Helper()
	return b.want(201, http.MethodPost, "flows/instances/", fields{
		"name": slug, "slug": slug, "title": slug, "designation": "authentication",
	}).str("pk")
}

// TestEveryKind makes, lists, reads, changes and removes a thing of each kind
// in the catalog. What comes back is compared with the contract.
func TestEveryKind(t *testing.T) {
	for _, k := range catalog.All() {
		if k.Path == "" || k.Category == catalog.User || k.Category == catalog.Group || k.Category == catalog.Role || k.Category == catalog.Token || k.Path == "stages/source" {
			continue // a stage needs a source, and there are none
		}
		t.Run(k.Base(), func(t *testing.T) {
			b := newBench(t)
			in := b.sample(k, "sample")
			made := b.want(201, http.MethodPost, k.Path+"/", in)
			for name, v := range in {
				if f, _ := k.Field(name); !f.Secret && !cmp.Equal(made.at(name), jsonOf(v)) {
					t.Errorf("%s: got %v, want %v", name, made.at(name), v)
				}
			}
			key := made.str("pk")
			switch k.Key {
			case "slug":
				key = made.str("slug")
			case "brand_uuid":
				key = made.str("brand_uuid")
			}
			one := k.Path + "/" + key + "/"
			if got := b.want(200, http.MethodGet, one, nil); !cmp.Equal(got.json, made.json) {
				t.Errorf("read (-made +read):\n%s", cmp.Diff(made.json, got.json))
			}
			if got := b.want(200, http.MethodGet, k.Path+"/", nil); got.at("pagination.count") != 1.0 {
				t.Errorf("listed: %s", got.text)
			}
			b.want(200, http.MethodGet, one+"used_by/", nil)
			if got := b.want(200, http.MethodPut, one, in); !cmp.Equal(got.json, made.json) {
				t.Errorf("replaced by the same (-made +put):\n%s", cmp.Diff(made.json, got.json))
			}
			b.want(200, http.MethodPatch, one, fields{})
			b.want(204, http.MethodDelete, one, nil)
			b.want(404, http.MethodGet, one, nil)
			b.want(404, http.MethodDelete, one, nil)
			if got := b.want(200, http.MethodGet, k.Path+"/", nil); got.at("pagination.count") != 0.0 {
				t.Errorf("still listed: %s", got.text)
			}
		})
	}
}

func jsonOf(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case []any:
		return v
	}
	return v
}

func TestWriteRefuses(t *testing.T) {
	b := newBench(t)
	flow := b.flow("one")
	stage := b.want(201, http.MethodPost, "stages/dummy/", fields{"name": "s"}).str("pk")
	b.want(201, http.MethodPost, "flows/bindings/", fields{"target": flow, "stage": stage, "order": 0})
	b.want(201, http.MethodPost, "core/brands/", fields{"domain": "a", "default": true})
	const nothing = "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10"
	tests := map[string]struct {
		method, path string
		body         fields
		want         any
	}{
		"what is missing": {http.MethodPost, "flows/instances/", fields{"name": "x", "slug": "x"}, fields{
			"title": []any{"This field is required."}, "designation": []any{"This field is required."},
		}},
		"a choice that is none": {http.MethodPatch, "flows/instances/one/", fields{"layout": "round"}, fields{
			"layout": []any{`"round" is not a valid choice.`},
		}},
		"a slug that is taken": {http.MethodPost, "flows/instances/", fields{"name": "x", "slug": "one", "title": "x", "designation": "recovery"}, fields{
			"slug": []any{"Flow with this slug already exists."},
		}},
		"a name that a stage of another kind has": {http.MethodPost, "stages/deny/", fields{"name": "s"}, fields{
			"name": []any{"stage with this name already exists."},
		}},
		"a set that is taken": {http.MethodPost, "flows/bindings/", fields{"target": flow, "stage": stage, "order": 0}, fields{
			"non_field_errors": []any{"The fields target, stage, order must make a unique set."},
		}},
		"a reference to nothing": {http.MethodPost, "flows/bindings/", fields{"target": nothing, "stage": stage, "order": 1}, fields{
			"target": []any{`Invalid pk "` + nothing + `" - object does not exist.`},
		}},
		"a reference to another kind": {http.MethodPost, "flows/bindings/", fields{"target": flow, "stage": flow, "order": 1}, fields{
			"stage": []any{`Invalid pk "` + flow + `" - object does not exist.`},
		}},
		"a user who is nobody": {http.MethodPost, "policies/bindings/", fields{"target": flow, "user": 99, "order": 1}, fields{
			"user": []any{`Invalid pk "99" - object does not exist.`},
		}},
		"a rule of the kind": {http.MethodPost, "stages/redirect/", fields{"name": "r", "mode": "static"}, fields{
			"non_field_errors": []any{"Target URL should be present when mode is Static."},
		}},
		"a second default brand": {http.MethodPost, "core/brands/", fields{"domain": "b", "default": true}, fields{
			"default": []any{"Only a single brand can be set as default."},
		}},
		"a null character": {http.MethodPatch, "flows/instances/one/", fields{"title": "a\x00b"}, fields{
			"title": []any{"Null characters are not allowed."},
		}},
		"a put without what is required": {http.MethodPut, "flows/instances/one/", fields{"name": "x", "slug": "one", "title": "x"}, fields{
			"designation": []any{"This field is required."},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b.t = t
			got := b.want(400, tt.method, tt.path, tt.body)
			if diff := cmp.Diff(tt.want, got.json); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// Null is equal to nothing, so two bindings of different users can have the
// same place.
func TestNullIsNotTaken(t *testing.T) {
	b := newBench(t)
	flow := b.flow("f")
	for key := 1; key <= 2; key++ {
		b.want(201, http.MethodPost, "policies/bindings/", fields{"target": flow, "user": key, "order": 0})
	}
}

func TestPatchLeavesTheRestAlone(t *testing.T) {
	b := newBench(t)
	b.flow("f")
	got := b.want(200, http.MethodPatch, "flows/instances/f/", fields{"title": "Hello", "pk": "mine", "stages": []any{"x"}, "nonsense": 1})
	if got.str("title") != "Hello" || got.str("slug") != "f" || got.str("pk") == "mine" {
		t.Errorf("got %s", got.text)
	}
	if got := b.want(200, http.MethodPatch, "flows/instances/f/", fields{"slug": "g"}); got.str("slug") != "g" {
		t.Errorf("got %s", got.text)
	}
	b.want(404, http.MethodGet, "flows/instances/f/", nil)
}

func TestRemovalTakesAlong(t *testing.T) {
	b := newBench(t)
	flow, other := b.flow("f"), b.flow("g")
	stage := b.want(201, http.MethodPost, "stages/password/", fields{
		"name": "s", "backends": []any{"authentik.core.auth.InbuiltBackend"}, "configure_flow": flow,
	}).str("pk")
	policy := b.want(201, http.MethodPost, "policies/dummy/", fields{"name": "p"}).str("pk")
	brand := b.want(201, http.MethodPost, "core/brands/", fields{"domain": "d", "flow_authentication": flow, "flow_recovery": other}).str("brand_uuid")
	binding := b.want(201, http.MethodPost, "flows/bindings/", fields{"target": flow, "stage": stage, "order": 0}).str("pk")
	b.want(201, http.MethodPost, "policies/bindings/", fields{"target": binding, "policy": policy, "order": 0})
	b.want(201, http.MethodPost, "policies/bindings/", fields{"target": flow, "policy": policy, "order": 0})
	b.want(201, http.MethodPost, "policies/bindings/", fields{"target": other, "policy": policy, "order": 0})
	if got := b.want(200, http.MethodGet, "policies/dummy/"+policy+"/", nil); got.at("bound_to") != 3.0 {
		t.Errorf("bound to: %v", got.at("bound_to"))
	}
	uses := b.want(200, http.MethodGet, "flows/instances/f/used_by/", nil)
	got := map[string]string{}
	for _, u := range uses.json.([]any) {
		u := u.(map[string]any)
		got[u["model_name"].(string)] = u["action"].(string)
	}
	want := map[string]string{"flowstagebinding": "cascade", "policybinding": "cascade", "brand": "set_null", "passwordstage": "set_null"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
	b.want(204, http.MethodDelete, "flows/instances/f/", nil)
	b.want(404, http.MethodGet, "flows/bindings/"+binding+"/", nil)
	if got := b.want(200, http.MethodGet, "policies/bindings/", nil); got.at("pagination.count") != 1.0 {
		t.Errorf("policy bindings left: %s", got.text)
	}
	if got := b.want(200, http.MethodGet, "stages/password/"+stage+"/", nil); got.at("configure_flow") != nil {
		t.Errorf("the stage still refers to the flow: %s", got.text)
	}
	got2 := b.want(200, http.MethodGet, "core/brands/"+brand+"/", nil)
	if got2.at("flow_authentication") != nil || got2.str("flow_recovery") != other {
		t.Errorf("brand: %s", got2.text)
	}
	b.want(204, http.MethodDelete, "policies/all/"+policy+"/", nil)
	if got := b.want(200, http.MethodGet, "policies/bindings/", nil); got.at("pagination.count") != 0.0 {
		t.Errorf("a binding without a policy is left: %s", got.text)
	}
}

// A list of references loses the one that is gone.
func TestRemovalShortensLists(t *testing.T) {
	b := newBench(t)
	prompt := func(name string) string {
		return b.want(201, http.MethodPost, "stages/prompt/prompts/", fields{"name": name, "field_key": name, "label": name, "type": "text"}).str("pk")
	}
	one, two := prompt("one"), prompt("two")
	stage := b.want(201, http.MethodPost, "stages/prompt/stages/", fields{"name": "s", "fields": []any{one, two}}).str("pk")
	got := b.want(200, http.MethodGet, "stages/prompt/prompts/"+one+"/", nil)
	if got.str("prompt_stages_obj.0.pk") != stage {
		t.Errorf("prompt: %s", got.text)
	}
	if uses := b.want(200, http.MethodGet, "stages/prompt/prompts/"+one+"/used_by/", nil); uses.str("0.action") != "cascade_many" {
		t.Errorf("uses: %s", uses.text)
	}
	b.want(204, http.MethodDelete, "stages/prompt/prompts/"+one+"/", nil)
	if got := b.want(200, http.MethodGet, "stages/prompt/stages/"+stage+"/", nil); !cmp.Equal(got.at("fields"), []any{two}) {
		t.Errorf("stage: %s", got.text)
	}
}
