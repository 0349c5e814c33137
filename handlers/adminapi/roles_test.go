package adminapi_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
)

// role makes a role with permissions, and returns its key.
func (b *bench) role(name string, permissions ...string) string {
	b.t.Helper()
	key := b.want(201, http.MethodPost, "rbac/roles/", fields{"name": name}).str("pk")
	if len(permissions) > 0 {
		b.want(200, http.MethodPost, "rbac/permissions/assigned_by_roles/"+key+"/assign/", fields{"permissions": permissions})
	}
	return key
}

// as makes a caller who has these permissions, and returns the name.
func (b *bench) as(name string, permissions ...string) string {
	b.t.Helper()
	made := b.want(201, http.MethodPost, "core/users/", fields{"username": name, "name": name})
	granted := session.Grants{}
	for _, p := range permissions {
		granted[p] = true
	}
	b.callers[name] = session.Caller{User: made.str("uuid"), Token: "t-" + name, Granted: granted}
	return name
}

func TestRoles(t *testing.T) {
	b := newBench(t)
	clerk := b.role("clerk", "authentik_core.view_user", "authentik_core.change_user")
	b.role("auditor", "authentik_events.view_event")
	b.want(400, http.MethodPost, "rbac/roles/", fields{})
	if got := b.want(400, http.MethodPost, "rbac/roles/", fields{"name": "clerk"}); got.str("name.0") != "Role with this name already exists." {
		t.Errorf("a name twice: %s", got.text)
	}
	b.want(400, http.MethodPut, "rbac/roles/"+clerk+"/", fields{})
	if got := b.want(200, http.MethodPut, "rbac/roles/"+clerk+"/", fields{"name": "scribe"}); got.str("name") != "scribe" {
		t.Errorf("renamed: %s", got.text)
	}
	b.want(200, http.MethodPatch, "rbac/roles/"+clerk+"/", fields{})
	for query, want := range map[string][]string{
		"": {"auditor", "scribe"}, "ordering=-name": {"scribe", "auditor"}, "name=scribe": {"scribe"}, "name=scr": {}, "search=aud": {"auditor"},
		"managed=x": {}, "managed__isnull=true": {"auditor", "scribe"}, "managed__isnull=false": {}, "users=99": {}, "page_size=1": {"auditor"},
	} {
		if diff := cmp.Diff(want, b.want(200, http.MethodGet, "rbac/roles/?"+query, nil).names("name")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	b.want(400, http.MethodGet, "rbac/roles/?users=x", nil)
	b.want(400, http.MethodGet, "rbac/roles/?groups=x", nil)
	b.want(204, http.MethodDelete, "rbac/roles/"+clerk+"/", nil)
	b.want(404, http.MethodGet, "rbac/roles/"+clerk+"/", nil)
	b.want(404, http.MethodGet, "rbac/roles/x/", nil)
}

func TestPermissionTable(t *testing.T) {
	b := newBench(t)
	r := b.role("clerk", "authentik_core.view_user")
	all := b.want(200, http.MethodGet, "rbac/permissions/", nil)
	if n := all.at("pagination.count"); n != float64(len(role.Permissions())) {
		t.Errorf("%v permissions", n)
	}
	for query, want := range map[string][]string{
		"role=" + r: {"view_user"}, "codename=view_user": {"view_user"},
		"content_type__app_label=authentik_rbac&content_type__model=systempermission": {"access_admin_interface"},
		"search=key token&ordering=-codename":                                         {"view_token_key", "set_token_key"},
		"search=key token&ordering=codename":                                          {"set_token_key", "view_token_key"},
	} {
		query = strings.ReplaceAll(query, " ", "+")
		if diff := cmp.Diff(want, b.want(200, http.MethodGet, "rbac/permissions/?"+query, nil).names("codename")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	b.want(400, http.MethodGet, "rbac/permissions/?role=x", nil)
	one := b.want(200, http.MethodGet, "rbac/permissions/?codename=view_user", nil)
	p, _ := role.Lookup("authentik_core.view_user")
	got := b.want(200, http.MethodGet, "rbac/permissions/"+strconv.Itoa(p.ID())+"/", nil)
	if diff := cmp.Diff(one.at("results.0"), got.json); diff != "" || got.str("app_label_verbose") != "authentik Core" {
		t.Errorf("%s (-listed +read):\n%s", got.text, diff)
	}
	b.want(404, http.MethodGet, "rbac/permissions/1/", nil)
	b.want(404, http.MethodGet, "rbac/permissions/x/", nil)
}

func TestAssign(t *testing.T) {
	b := newBench(t)
	r, other := b.role("clerk"), b.role("other", "authentik_events.view_event")
	const path = "rbac/permissions/assigned_by_roles/"
	got := b.want(200, http.MethodPost, path+r+"/assign/", fields{"permissions": []string{"view_user", "authentik_rbac.view_role"}, "model": "authentik_core.user"})
	if list, _ := got.json.([]any); len(list) != 2 {
		t.Errorf("assigned: %s", got.text)
	}
	b.want(400, http.MethodGet, path, nil)
	b.want(400, http.MethodGet, path+"?model=a.b", nil)
	listed := b.want(200, http.MethodGet, path+"?model=authentik_core.user", nil)
	if diff := cmp.Diff([]string{"clerk"}, listed.names("name")); diff != "" || listed.str("results.0.model_permissions.0.codename") != "view_user" ||
		listed.at("results.0.model_permissions.1") != nil {
		t.Errorf("assigned on users: %s", listed.text)
	}
	b.want(204, http.MethodPatch, path+r+"/unassign/", fields{"permissions": []string{"authentik_core.view_user"}})
	if got := b.want(200, http.MethodGet, path+"?model=authentik_core.user", nil); got.at("pagination.count") != 0.0 {
		t.Errorf("taken away: %s", got.text)
	}
	for name, body := range map[string]fields{
		"nothing": {}, "no list": {"permissions": "x"}, "no permission": {"permissions": []string{"a.b"}}, "no text": {"permissions": []any{5}},
		"no model":           {"permissions": []string{"authentik_core.view_user"}, "model": "a.b"},
		"one thing":          {"permissions": []string{"authentik_core.view_user"}, "model": "authentik_core.user", "object_pk": "5"},
		"the right to crown": {"permissions": []string{"authentik_core.enable_group_superuser"}},
	} {
		if got := b.do(admin, http.MethodPost, path+r+"/assign/", body); got.status != 400 {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
	got = b.do(admin, http.MethodPost, path+other+"/assign/", fields{"permissions": []string{"authentik_core.view_user"}, "object_pk": "5"})
	if want := "Permissions are on all objects of a model; there are none on single objects."; got.str("object_pk.0") != want {
		t.Errorf("one thing: %s", got.text)
	}
	if got := b.do(admin, http.MethodGet, path+"?model=authentik_core.user&object_pk=5", nil); got.status != 400 || got.at("object_pk") == nil {
		t.Errorf("one thing: %d %s", got.status, got.text)
	}
	if got := b.want(200, http.MethodGet, "rbac/permissions/roles/?uuid="+r, nil); got.at("pagination.count") != 0.0 {
		t.Errorf("permissions on things: %s", got.text)
	}
}

// Who has which role is written with the user and the group, and read from
// both ends.
func TestWhoHasRoles(t *testing.T) {
	b := newBench(t)
	own, above := b.role("own", "authentik_rbac.access_admin_interface"), b.role("above")
	top := b.want(201, http.MethodPost, "core/groups/", fields{"name": "top", "roles": []string{above}}).str("pk")
	mid := b.want(201, http.MethodPost, "core/groups/", fields{"name": "mid", "parents": []string{top}})
	made := b.want(201, http.MethodPost, "core/users/", fields{"username": "ada", "name": "Ada", "roles": []string{own}, "groups": []string{mid.str("pk")}})
	if made.str("roles.0") != own || made.str("roles_obj.0.name") != "own" {
		t.Errorf("made with roles: %s", made.text)
	}
	key := made.at("pk").(float64)
	user := "core/users/" + jsonText(key) + "/"
	group := b.want(200, http.MethodGet, "core/groups/"+mid.str("pk")+"/?include_inherited_roles=true", nil)
	if group.str("inherited_roles_obj.0.pk") != above || len(group.at("roles").([]any)) != 0 {
		t.Errorf("group: %s", group.text)
	}
	for query, want := range map[string][]string{
		"users=" + jsonText(key): {"own"}, "inherited=true&users=" + jsonText(key): {"above", "own"},
		"groups=" + mid.str("pk"): {}, "inherited=true&groups=" + mid.str("pk"): {"above"},
	} {
		if diff := cmp.Diff(want, b.want(200, http.MethodGet, "rbac/roles/?"+query, nil).names("name")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	for query, want := range map[string]int{"roles_by_pk=" + own: 1, "roles_by_pk=" + above: 0, "roles_by_name=own": 1, "roles_by_name=x": 0} {
		if got := b.want(200, http.MethodGet, "core/users/?"+query, nil).at("pagination.count"); got != float64(want) {
			t.Errorf("%s: %v", query, got)
		}
	}
	b.want(400, http.MethodGet, "core/users/?roles_by_pk=x", nil)
	if got := b.want(200, http.MethodGet, "rbac/roles/"+above+"/used_by/", nil); got.str("0.model_name") != "group" || got.str("0.name") != "top" {
		t.Errorf("used by: %s", got.text)
	}
	b.want(204, http.MethodPost, "rbac/roles/"+above+"/add_user/", fields{"pk": key})
	b.want(204, http.MethodPost, "rbac/roles/"+above+"/add_user/", fields{"pk": key})
	b.want(400, http.MethodPost, "rbac/roles/"+above+"/add_user/", fields{"pk": 99})
	if got := b.want(200, http.MethodGet, user, nil); len(got.at("roles").([]any)) != 2 {
		t.Errorf("given a role: %s", got.text)
	}
	b.want(204, http.MethodPost, "rbac/roles/"+above+"/remove_user/", fields{"pk": key})
	b.want(200, http.MethodPatch, user, fields{"roles": []string{above}})
	if got := b.want(200, http.MethodGet, user, nil); cmp.Diff([]any{above}, got.at("roles")) != "" {
		t.Errorf("other roles: %s", got.text)
	}
	b.want(400, http.MethodPatch, user, fields{"roles": []string{"3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10"}})
	b.want(200, http.MethodPatch, user, fields{"roles": []string{own}})
	b.callers["ada"] = session.Caller{User: made.str("uuid"), Token: "t", Granted: session.Grants{"authentik_rbac.access_admin_interface": true}}
	me := b.do("ada", http.MethodGet, "core/users/me/", nil)
	if me.str("user.system_permissions.0") != "access_admin_interface" || len(me.at("user.roles").([]any)) != 2 {
		t.Errorf("me: %s", me.text)
	}
	if got := b.do(member, http.MethodGet, "core/users/me/", nil); len(got.at("user.system_permissions").([]any)) != 0 {
		t.Errorf("an ordinary user: %s", got.text)
	}
}

// What a path needs is in the table, or nobody could be given it.
func TestNeedsAreInTheTable(t *testing.T) {
	b := newBench(t)
	for _, r := range b.server.Routes() {
		if _, ok := role.Lookup(r.Needs); r.Needs != "" && !ok {
			t.Errorf("%s %s needs %s, which is not in the table of domain/role", r.Method, r.Path, r.Needs)
		}
	}
	seen := map[int]string{}
	for _, p := range role.Permissions() {
		if seen[p.ID()] != "" {
			t.Errorf("%s and %s have the same key", p.Name(), seen[p.ID()])
		}
		seen[p.ID()] = p.Name()
	}
}

// jsonText is a number as a path has it.
func jsonText(v float64) string { return strconv.Itoa(int(v)) }
