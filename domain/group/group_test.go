package group_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/group"
)

type spec = domaintest.Spec[group.State]

func ptr[T any](v T) *T { return &v }

func given(events ...group.Event) []group.Event { return events }

var (
	created = group.GroupCreated{Name: "staff", Parents: []string{"p"}, Via: "admin"}
	ada     = group.GroupMemberAdded{User: "ada", Via: "admin"}
	bob     = group.GroupMemberAdded{User: "bob", Via: "admin"}
)

func TestWrite(t *testing.T) {
	many := make([]string, 901)
	for i := range many {
		many[i] = strconv.Itoa(i)
	}
	domaintest.Run(t, map[string]spec{
		"a new group has what is given": {
			When: group.Write{
				Name: ptr("staff"), Superuser: ptr(true), Parents: []string{"p", "p"}, Members: []string{"ada", "bob", "ada"},
				Attributes: map[string]any{"b": 1, "a": 2}, By: "u", Via: "api",
			},
			Then: given(
				group.GroupCreated{Name: "staff", Superuser: true, Parents: []string{"p"}, By: "u", Via: "api"},
				group.GroupAttributesChanged{Fields: []string{"a", "b"}, Set: map[string]any{"b": 1, "a": 2}, By: "u"},
				group.GroupMemberAdded{User: "ada", By: "u", Via: "api"},
				group.GroupMemberAdded{User: "bob", By: "u", Via: "api"},
			),
		},
		"a name is enough": {
			When: group.Write{Name: ptr("staff"), Via: "api"}, Then: given(group.GroupCreated{Name: "staff", Via: "api"}),
		},
		"what is the same is nothing to do": {
			Given: given(created, ada, group.GroupAttributesChanged{Set: map[string]any{"a": 1.0}}),
			When: group.Write{
				Name: ptr("staff"), Superuser: ptr(false), Parents: []string{"p"}, Members: []string{"ada"}, Attributes: map[string]any{"a": 1},
			},
		},
		"what is not given is left alone": {Given: given(created, ada), When: group.Write{}},
		"each change has its event": {
			Given: given(created, ada, bob),
			When: group.Write{
				Name: ptr("crew"), Superuser: ptr(true), Parents: []string{}, Members: []string{"eve", "bob"},
				Attributes: map[string]any{"a": nil}, By: "u", Via: "api",
			},
			Then: given(
				group.GroupRenamed{From: "staff", To: "crew", By: "u"},
				group.GroupSuperuserChanged{To: true, By: "u"},
				group.GroupParentsChanged{From: []string{"p"}, By: "u"},
				group.GroupAttributesChanged{Fields: []string{"a"}, Set: map[string]any{"a": nil}, By: "u"},
				group.GroupMemberRemoved{User: "ada", By: "u", Via: "api"},
				group.GroupMemberAdded{User: "eve", By: "u", Via: "api"},
			),
		},
		"a new group has the roles that are given": {
			When: group.Write{Name: ptr("staff"), Roles: []string{"r1", "r1"}, By: "u", Via: "api"},
			Then: given(group.GroupCreated{Name: "staff", By: "u", Via: "api"}, group.GroupRolesChanged{Added: []string{"r1"}, By: "u"}),
		},
		"roles are those that are given": {
			Given: given(created, group.GroupRolesChanged{Added: []string{"r1", "r2"}}), When: group.Write{Roles: []string{"r3", "r2"}},
			Then: given(group.GroupRolesChanged{Added: []string{"r3"}, Removed: []string{"r1"}}),
		},
		"the same roles in another order are the same": {
			Given: given(created, group.GroupRolesChanged{Added: []string{"r1", "r2"}}), When: group.Write{Roles: []string{"r2", "r1"}},
		},
		"attributes can be emptied": {
			Given: given(created, group.GroupAttributesChanged{Set: map[string]any{"a": 1}}),
			When:  group.Write{Attributes: map[string]any{}},
			Then: given(group.GroupAttributesChanged{
				Fields: []string{"a"}, Set: map[string]any{}, Previous: map[string]any{"a": 1},
			}),
		},
		"a new group needs a name":          {When: group.Write{}, Fails: domain.Invalid},
		"a name cannot be emptied":          {Given: given(created), When: group.Write{Name: ptr("")}, Fails: domain.Invalid},
		"a deleted group stays so":          {Given: given(created, group.GroupDeleted{}), When: group.Write{Name: ptr("x")}, Fails: domain.NotFound},
		"creating what is there is refused": {Given: given(created), When: group.Write{Name: ptr("staff"), Create: true}, Fails: domain.Conflict},
		"too many members are refused":      {Given: given(created), When: group.Write{Members: many}, Fails: domain.TooLarge},
	})
}

func TestMembers(t *testing.T) {
	domaintest.Run(t, map[string]spec{
		"a member is added": {
			Given: given(created), When: group.AddMember{User: "ada", By: "u", Via: "api"},
			Then: given(group.GroupMemberAdded{User: "ada", By: "u", Via: "api"}),
		},
		"a member is not added twice":        {Given: given(created, ada), When: group.AddMember{User: "ada"}},
		"no group has no members":            {When: group.AddMember{User: "ada"}, Fails: domain.NotFound},
		"nobody leaves what is not there":    {When: group.RemoveMember{User: "ada"}, Fails: domain.NotFound},
		"who is no member cannot be removed": {Given: given(created, bob), When: group.RemoveMember{User: "ada"}},
		"a member is removed": {
			Given: given(created, ada), When: group.RemoveMember{User: "ada", By: "u", Via: "api"},
			Then: given(group.GroupMemberRemoved{User: "ada", By: "u", Via: "api"}),
		},
		"a group is deleted":              {Given: given(created), When: group.Delete{By: "u", Via: "api"}, Then: given(group.GroupDeleted{By: "u", Via: "api"})},
		"deleting nothing changes nought": {When: group.Delete{}},
	})
}

func TestFold(t *testing.T) {
	before := domain.Fold(group.State{}, given(created, ada, bob)...)
	got := domain.Fold(before, given(
		group.GroupRenamed{To: "crew"}, group.GroupSuperuserChanged{To: true}, group.GroupParentsChanged{To: []string{"q"}},
		group.GroupAttributesChanged{Set: map[string]any{"a": 1}}, group.GroupMemberRemoved{User: "ada"}, group.GroupMemberAdded{User: "eve"},
		group.GroupRolesChanged{Added: []string{"r1", "r2"}}, group.GroupRolesChanged{Removed: []string{"r1"}},
	)...)
	want := group.State{
		Status: group.Present, Name: "crew", Superuser: true, Parents: []string{"q"}, Members: group.RollOf("bob", "eve"),
		Attributes: map[string]any{"a": 1}, Roles: []string{"r2"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ada", "bob"}, before.Members.List()); diff != "" {
		t.Errorf("the state before was written in place (-want +got):\n%s", diff)
	}
	if got := (group.GroupDeleted{}).Evolve(got); got.Status != group.Deleted || got.Superuser || got.Members.List() != nil {
		t.Errorf("deleted: %+v", got)
	}
}
