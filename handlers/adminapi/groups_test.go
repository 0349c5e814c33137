package adminapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGroups(t *testing.T) {
	b := newBench(t)
	parent := b.want(201, http.MethodPost, "core/groups/", fields{"name": "parent"}).str("pk")
	made := b.want(201, http.MethodPost, "core/groups/", fields{
		"name": "team", "is_superuser": true, "users": []any{1}, "parents": []any{parent}, "attributes": fields{"a": "b"},
	})
	one := "core/groups/" + made.str("pk") + "/"
	if made.at("is_superuser") != true || !cmp.Equal(made.at("users"), []any{1.0}) || made.str("users_obj.0.username") != "root" {
		t.Errorf("made %s", made.text)
	}
	if got := b.want(200, http.MethodGet, one+"?include_parents=true&include_users=false", nil); got.str("parents_obj.0.name") != "parent" || got.at("users_obj") != nil {
		t.Errorf("with parents: %s", got.text)
	}
	b.want(204, http.MethodPost, one+"add_user/", fields{"pk": 2})
	b.want(204, http.MethodPost, one+"remove_user/", fields{"pk": 1})
	if got := b.want(200, http.MethodGet, one, nil); !cmp.Equal(got.at("users"), []any{2.0}) {
		t.Errorf("members: %v", got.at("users"))
	}
	b.want(400, http.MethodPost, one+"add_user/", fields{})
	b.want(400, http.MethodPost, one+"add_user/", fields{"pk": 99})
	b.want(404, http.MethodPost, "core/groups/"+parent[:35]+"/add_user/", fields{"pk": 1})
	got := b.want(200, http.MethodPatch, one, fields{"name": "band", "attributes": fields{}})
	if got.str("name") != "band" || !cmp.Equal(got.at("attributes"), fields{}) || !cmp.Equal(got.at("users"), []any{2.0}) {
		t.Errorf("patched %s", got.text)
	}
	for query, want := range map[string][]string{
		"": {"band", "parent"}, "?name=band": {"band"}, "?search=par": {"parent"}, "?is_superuser=true": {"band"},
		"?members_by_pk=2": {"band"}, "?members_by_username=jane": {"band"}, "?members_by_username=nobody": {},
		"?members_by_pk=1&members_by_pk=2&members_by_pk=99": {"band"}, "?members_by_username=nobody&members_by_username=jane": {"band"}, "?name=nothing": {},
	} {
		if diff := cmp.Diff(want, b.want(200, http.MethodGet, "core/groups/"+query, nil).names("name")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	b.want(400, http.MethodGet, "core/groups/?members_by_pk=x", nil)
	b.want(400, http.MethodGet, "core/groups/?attributes=x", nil)
	b.want(201, http.MethodPost, "policies/bindings/", fields{"target": b.flow("f"), "group": parent, "order": 0})
	b.want(204, http.MethodDelete, "core/groups/"+parent+"/", nil)
	if got := b.want(200, http.MethodGet, one, nil); !cmp.Equal(got.at("parents"), []any{}) {
		t.Errorf("the child keeps a parent that is gone: %s", got.text)
	}
	if got := b.want(200, http.MethodGet, "policies/bindings/", nil); got.at("pagination.count") != 0.0 {
		t.Errorf("a binding of no group is left: %s", got.text)
	}
}

// A group is not part of itself, by however many steps.
func TestGroupsGoNoCircles(t *testing.T) {
	b := newBench(t)
	made := func(name string, parents ...any) string {
		return b.want(201, http.MethodPost, "core/groups/", fields{"name": name, "parents": append([]any{}, parents...)}).str("pk")
	}
	top := made("top")
	left, right := made("left", top), made("right", top)
	low := made("low", left, right)
	for name, parents := range map[string][]any{"its child": {left}, "what is below its child": {low}, "among others": {made("other"), low}} {
		got := b.want(400, http.MethodPatch, "core/groups/"+top+"/", fields{"parents": parents})
		if diff := cmp.Diff(fields{"parents": []any{"Cannot set a group as parent that is below this one."}}, got.json); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	got := b.want(200, http.MethodPatch, "core/groups/"+low+"/", fields{"parents": []any{left, top}})
	if !cmp.Equal(got.at("parents"), []any{left, top}) {
		t.Errorf("parents %v", got.at("parents"))
	}
}

func TestGroupRefusals(t *testing.T) {
	b := newBench(t)
	pk := b.want(201, http.MethodPost, "core/groups/", fields{"name": "team"}).str("pk")
	b.want(201, http.MethodPost, "core/groups/", fields{"name": "other"})
	tests := map[string]struct {
		body  fields
		field string
		want  string
	}{
		"a name that is taken": {fields{"name": "other"}, "name", "Group with this name already exists."},
		"no name":              {fields{"name": ""}, "name", "This field may not be blank."},
		"its own parent":       {fields{"parents": []any{pk}}, "parents", "Cannot set group as parent of itself."},
		"an unknown member":    {fields{"users": []any{99}}, "users", `Invalid pk "99" - object does not exist.`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b.t = t
			got := b.want(400, http.MethodPatch, "core/groups/"+pk+"/", tt.body)
			if diff := cmp.Diff(fields{tt.field: []any{tt.want}}, got.json); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	b.t = t
	if got := b.want(200, http.MethodPatch, "core/groups/"+pk+"/", fields{"name": "team"}); got.str("name") != "team" {
		t.Errorf("its own name is refused: %s", got.text)
	}
}
