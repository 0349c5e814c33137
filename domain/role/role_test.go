package role_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/role"
)

type spec = domaintest.Spec[role.State]

func ptr[T any](v T) *T { return &v }

func given(events ...role.Event) []role.Event { return events }

const (
	viewEvent = "authentik_events.view_event"
	viewRole  = "authentik_rbac.view_role"
	inspect   = "authentik_flows.inspect_flow"
)

var (
	created = role.RoleCreated{Name: "Auditor", By: "u", Via: "api"}
	granted = role.RolePermissionsChanged{Added: []string{viewEvent}, By: "u"}
)

func TestWrite(t *testing.T) {
	domaintest.Run(t, map[string]spec{
		"a name is enough": {
			When: role.Write{Name: ptr("Auditor"), By: "u", Via: "api"}, Then: given(created),
		},
		"a new role has what is given": {
			When: role.Write{Name: ptr("Auditor"), Permissions: []string{viewRole, viewEvent, viewRole}, By: "u", Via: "api"},
			Then: given(created, role.RolePermissionsChanged{Added: []string{viewEvent, viewRole}, By: "u"}),
		},
		"each change has its event": {
			Given: given(created, granted), When: role.Write{Name: ptr("Clerk"), Permissions: []string{viewRole}, By: "u"},
			Then: given(
				role.RoleRenamed{From: "Auditor", To: "Clerk", By: "u"},
				role.RolePermissionsChanged{Added: []string{viewRole}, Removed: []string{viewEvent}, By: "u"},
			),
		},
		"what is the same is nothing to do": {
			Given: given(created, granted), When: role.Write{Name: ptr("Auditor"), Permissions: []string{viewEvent}},
		},
		"what is not given is left alone": {Given: given(created, granted), When: role.Write{}},
		"all can be taken away": {
			Given: given(created, granted), When: role.Write{Permissions: []string{}},
			Then: given(role.RolePermissionsChanged{Removed: []string{viewEvent}}),
		},
		"a new role needs a name":               {When: role.Write{}, Fails: domain.Invalid},
		"a name cannot be emptied":              {Given: given(created), When: role.Write{Name: ptr("")}, Fails: domain.Invalid},
		"a name has an end":                     {When: role.Write{Name: ptr(strings.Repeat("é", 151))}, Fails: domain.Invalid},
		"creating what is there is refused":     {Given: given(created), When: role.Write{Name: ptr("x"), Create: true}, Fails: domain.Conflict},
		"a deleted role stays so":               {Given: given(created, role.RoleDeleted{}), When: role.Write{Name: ptr("x")}, Fails: domain.NotFound},
		"a permission that is none is refused":  {Given: given(created), When: role.Write{Permissions: []string{"a.b"}}, Fails: domain.Invalid},
		"nobody is given the right to crown":    {Given: given(created), When: role.Grant{Add: []string{"authentik_core.enable_group_superuser"}}, Fails: domain.Invalid},
		"what is no permission any more can go": {Given: given(created, role.RolePermissionsChanged{Added: []string{"a.b"}}), When: role.Grant{Remove: []string{"a.b"}}, Then: given(role.RolePermissionsChanged{Removed: []string{"a.b"}})},
	})
}

func TestGrant(t *testing.T) {
	domaintest.Run(t, map[string]spec{
		"a permission is given": {
			Given: given(created, granted), When: role.Grant{Add: []string{inspect}, By: "u"},
			Then: given(role.RolePermissionsChanged{Added: []string{inspect}, By: "u"}),
		},
		"a permission is not given twice":         {Given: given(created, granted), When: role.Grant{Add: []string{viewEvent, viewEvent}}},
		"what was never given cannot be taken":    {Given: given(created, granted), When: role.Grant{Remove: []string{inspect}}},
		"no role has no permissions":              {When: role.Grant{Add: []string{inspect}}, Fails: domain.NotFound},
		"a role is deleted":                       {Given: given(created), When: role.Delete{By: "u", Via: "api"}, Then: given(role.RoleDeleted{By: "u", Via: "api"})},
		"deleting nothing changes nought":         {When: role.Delete{}},
		"a role is not deleted twice":             {Given: given(created, role.RoleDeleted{}), When: role.Delete{}},
		"what is given and taken at once is gone": {Given: given(created, granted), When: role.Grant{Add: []string{viewEvent}, Remove: []string{viewEvent}}, Then: given(role.RolePermissionsChanged{Removed: []string{viewEvent}})},
	})
}

func TestFold(t *testing.T) {
	before := domain.Fold(role.State{}, given(created, granted)...)
	got := domain.Fold(before, given(
		role.RoleRenamed{To: "Clerk"}, role.RolePermissionsChanged{Added: []string{inspect, viewRole}, Removed: []string{viewEvent}},
	)...)
	want := role.State{Status: role.Present, Name: "Clerk", Permissions: []string{inspect, viewRole}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{viewEvent}, before.Permissions); diff != "" {
		t.Errorf("the state before was written in place (-want +got):\n%s", diff)
	}
	if got := (role.RoleDeleted{}).Evolve(got); got.Status != role.Deleted || got.Permissions != nil {
		t.Errorf("deleted: %+v", got)
	}
}

// Keys are part of addresses: two permissions must not have the same.
func TestPermissions(t *testing.T) {
	seen := map[int]string{}
	for _, p := range role.Permissions() {
		if other, taken := seen[p.ID()]; taken {
			t.Errorf("%s has the key of %s", p.Name(), other)
		}
		seen[p.ID()] = p.Name()
		if found, ok := role.Lookup(p.Name()); !ok || found != p || p.Title == "" || p.ModelTitle == "" {
			t.Errorf("%s: found %+v, %v", p.Name(), found, ok)
		}
	}
	p, ok := role.Lookup("authentik_rbac.access_admin_interface")
	if !ok || !p.System() || p.AppTitle() != "authentik Rbac" {
		t.Errorf("%+v, %v, %q", p, ok, p.AppTitle())
	}
	if got := (role.Permission{App: "authentik_stages_user_login"}).AppTitle(); got != "authentik Stages.User Login" {
		t.Errorf("title %q", got)
	}
}

func TestShape(t *testing.T) {
	k, _ := catalog.Lookup("authentik_rbac.Role")
	for name, test := range map[string]struct {
		permissions []any
		want        catalog.Problems
	}{
		"none":              {nil, nil},
		"some of the table": {[]any{viewEvent, viewRole}, nil},
		"another":           {[]any{viewEvent, "a.b"}, catalog.Problems{"permissions": {`There is no permission "a.b".`}}},
	} {
		got := k.Validate(map[string]any{"name": "r", "permissions": test.permissions})
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
