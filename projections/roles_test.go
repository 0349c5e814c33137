package projections_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/projections"
)

// officials gives roles to the people of [people]: ada has one of her own, one
// by a group and one by the group above, bob one that ada has, too.
func officials(t *testing.T) *world {
	w := people(t)
	for name, permissions := range map[string][]string{
		"clerk": {"a.view_x", "a.add_x"}, "auditor": {"a.view_x", "b.view_y"}, "porter": {"c.change_z"}, "idler": nil,
	} {
		w.append(stream("role", name), role.RoleCreated{Name: name, Via: "api"}, role.RolePermissionsChanged{Added: permissions})
	}
	w.append(stream("user", "ada"), user.UserRolesChanged{Added: []string{id("clerk"), id("idler")}})
	w.append(stream("user", "bob"), user.UserRolesChanged{Added: []string{id("clerk")}})
	w.append(stream("group", "mid"), group.GroupRolesChanged{Added: []string{id("auditor")}})
	w.append(stream("group", "top"), group.GroupRolesChanged{Added: []string{id("porter")}})
	w.settle()
	return w
}

func (w *world) may(user string) []string {
	w.t.Helper()
	got, err := w.roles.Granted(w.t.Context(), id(user))
	if err != nil {
		w.t.Fatal(err)
	}
	set := map[string]bool{}
	for _, p := range got {
		if set[p] {
			w.t.Errorf("%s is told twice", p)
		}
		set[p] = true
	}
	var out []string
	for _, p := range []string{"a.add_x", "a.view_x", "b.view_y", "c.change_z"} {
		if set[p] {
			out = append(out, p)
		}
	}
	return out
}

func TestGranted(t *testing.T) {
	w := officials(t)
	want := func(user string, permissions ...string) {
		t.Helper()
		w.settle()
		if diff := cmp.Diff(permissions, w.may(user)); diff != "" {
			t.Errorf("%s may (-want +got):\n%s", user, diff)
		}
	}
	want("ada", "a.add_x", "a.view_x", "b.view_y", "c.change_z")
	want("bob", "a.add_x", "a.view_x")
	want("eve")
	w.append(stream("role", "clerk"), role.RolePermissionsChanged{Removed: []string{"a.add_x"}})
	want("bob", "a.view_x")
	w.append(stream("group", "top"), group.GroupParentsChanged{To: []string{id("mid")}}) // a circle
	want("ada", "a.view_x", "b.view_y", "c.change_z")
	w.append(stream("group", "mid"), group.GroupParentsChanged{})
	want("ada", "a.view_x", "b.view_y")
	w.append(stream("group", "mid"), group.GroupMemberRemoved{User: id("ada")})
	want("ada", "a.view_x")
	w.append(stream("user", "ada"), user.UserRolesChanged{Removed: []string{id("clerk")}})
	want("ada")
	w.append(stream("role", "clerk"), role.RoleDeleted{})
	want("bob")
	w.append(stream("group", "side"), group.GroupRolesChanged{Added: []string{id("porter")}})
	want("bob", "c.change_z")
	w.append(stream("group", "side"), group.GroupDeleted{})
	want("bob")
	w.append(stream("user", "bob"), user.UserRolesChanged{Added: []string{id("porter")}}, user.UserDeleted{})
	want("bob")
}

func TestConferred(t *testing.T) {
	w := officials(t)
	for name, test := range map[string]struct {
		groups    []string
		superuser bool
		want      int
	}{
		"nothing":                   {nil, false, 0},
		"a group without a role":    {[]string{id("side")}, false, 0},
		"the top":                   {[]string{id("top")}, true, 1},
		"a group inherits":          {[]string{id("mid"), id("side")}, true, 3},
		"a group that is not there": {[]string{id("none")}, false, 0},
	} {
		superuser, permissions, err := w.roles.Conferred(t.Context(), test.groups...)
		if err != nil || superuser != test.superuser || len(permissions) != test.want {
			t.Errorf("%s: %v %q %v", name, superuser, permissions, err)
		}
	}
}

func TestRoleList(t *testing.T) {
	w := officials(t)
	for name, test := range map[string]struct {
		filter projections.RoleFilter
		want   []string
	}{
		"all":                        {projections.RoleFilter{}, []string{"auditor", "clerk", "idler", "porter"}},
		"by id":                      {projections.RoleFilter{ID: id("porter")}, []string{"porter"}},
		"by name":                    {projections.RoleFilter{Name: "clerk"}, []string{"clerk"}},
		"by part of a name":          {projections.RoleFilter{Search: "LE"}, []string{"clerk", "idler"}},
		"of a user":                  {projections.RoleFilter{User: id("ada")}, []string{"clerk", "idler"}},
		"of a user and the groups":   {projections.RoleFilter{User: id("ada"), Inherited: true}, []string{"auditor", "clerk", "idler", "porter"}},
		"of a group":                 {projections.RoleFilter{Group: id("mid")}, []string{"auditor"}},
		"of a group and those above": {projections.RoleFilter{Group: id("mid"), Inherited: true}, []string{"auditor", "porter"}},
		"with a permission":          {projections.RoleFilter{Permissions: []string{"a.view_x", "c.change_z"}}, []string{"auditor", "clerk", "porter"}},
	} {
		roles, total, err := w.roles.List(t.Context(), test.filter, false, projections.Page{})
		if err != nil || total != len(test.want) {
			t.Errorf("%s: %d, %v", name, total, err)
		}
		var got []string
		for _, r := range roles {
			got = append(got, r.Name)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	w.append(stream("role", "clerk"), role.RoleRenamed{From: "clerk", To: "zz"})
	w.settle()
	roles, total, err := w.roles.List(t.Context(), projections.RoleFilter{}, true, projections.Page{Limit: 1})
	want := []projections.Role{{ID: id("clerk"), Name: "zz", Permissions: []string{"a.add_x", "a.view_x"}}}
	if diff := cmp.Diff(want, roles); diff != "" || total != 4 || err != nil {
		t.Errorf("%d, %v (-want +got):\n%s", total, err, diff)
	}
	held, err := w.roles.Held(t.Context(), id("ada"), id("mid"), id("side"))
	wantHeld := map[string][]projections.Role{
		id("ada"): {{ID: id("idler"), Name: "idler"}, {ID: id("clerk"), Name: "zz"}}, id("mid"): {{ID: id("auditor"), Name: "auditor"}},
	}
	if diff := cmp.Diff(wantHeld, held); diff != "" || err != nil {
		t.Errorf("held: %v (-want +got):\n%s", err, diff)
	}
	if r, ok, err := w.roles.Role(t.Context(), id("nobody")); ok || err != nil {
		t.Errorf("%+v, %v", r, err)
	}
}
