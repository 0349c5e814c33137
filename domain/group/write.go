package group

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/flowledger/flowledger/domain"
)

// Write makes a group, or changes it. What is nil is left alone; what is the
// same already is nothing to do. Who writes checks that no other group has the
// name.
type Write struct {
	Name       *string
	Superuser  *bool
	Parents    []string
	Members    []string
	Roles      []string
	Attributes map[string]any
	By         string
	Via        string
	// Create refuses to change a group that is there.
	Create bool
}

// Decide implements [domain.Command].
func (c Write) Decide(s State) ([]Event, error) {
	if err := c.check(s); err != nil {
		return nil, err
	}
	var events []Event
	if s.Status == "" {
		created := GroupCreated{
			Name: *c.Name, Superuser: c.Superuser != nil && *c.Superuser, Parents: unique(c.Parents), By: c.By, Via: c.Via,
		}
		events, s = append(events, created), created.Evolve(s)
	}
	if c.Name != nil && *c.Name != s.Name {
		events = append(events, GroupRenamed{From: s.Name, To: *c.Name, By: c.By})
	}
	if c.Superuser != nil && *c.Superuser != s.Superuser {
		events = append(events, GroupSuperuserChanged{To: *c.Superuser, By: c.By})
	}
	if parents := unique(c.Parents); c.Parents != nil && !slices.Equal(parents, s.Parents) {
		events = append(events, GroupParentsChanged{From: s.Parents, To: parents, By: c.By})
	}
	if fields := differing(s.Attributes, c.Attributes); c.Attributes != nil && len(fields) > 0 {
		events = append(events, GroupAttributesChanged{Fields: fields, Set: c.Attributes, Previous: s.Attributes, By: c.By})
	}
	return append(append(events, c.roles(s)...), c.members(s)...), nil
}

// roles returns which roles come and go, if any do.
func (c Write) roles(s State) []Event {
	wanted, had := setOf(c.Roles), setOf(s.Roles)
	e := GroupRolesChanged{By: c.By}
	for _, id := range unique(c.Roles) {
		if !had[id] {
			e.Added = append(e.Added, id)
		}
	}
	for _, id := range s.Roles {
		if !wanted[id] {
			e.Removed = append(e.Removed, id)
		}
	}
	if c.Roles == nil || len(e.Added)+len(e.Removed) == 0 {
		return nil
	}
	return []Event{e}
}

// maxMembers is how many members one command may add and remove: its events
// must fit into one append.
const maxMembers = 900

func (c Write) check(s State) error {
	switch {
	case s.Status == Deleted:
		return domain.Errorf(domain.NotFound, "The group was deleted.")
	case s.Status == Present && c.Create:
		return domain.Errorf(domain.Conflict, "The group exists already.")
	case s.Status == "" && c.Name == nil:
		return blankName("This field is required.")
	case c.Name != nil && *c.Name == "":
		return blankName("This field may not be blank.")
	case len(c.members(s)) > maxMembers:
		return domain.Errorf(domain.TooLarge, "No more than %d members can come and go at once.", maxMembers)
	}
	return nil
}

func blankName(why string) error {
	return &domain.Error{
		Code: domain.Invalid, Message: "A group needs a name.", Fields: map[string][]string{"name": {why}},
	}
}

// members returns who goes, then who comes, each in their order.
func (c Write) members(s State) []Event {
	if c.Members == nil {
		return nil
	}
	var events []Event
	present := s.Members.List()
	wanted, had := setOf(c.Members), setOf(present)
	for _, id := range present {
		if !wanted[id] {
			events = append(events, GroupMemberRemoved{User: id, By: c.By, Via: c.Via})
		}
	}
	for _, id := range unique(c.Members) {
		if !had[id] {
			events = append(events, GroupMemberAdded{User: id, By: c.By, Via: c.Via})
		}
	}
	return events
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// unique returns the ids without repetitions, in their order.
func unique(ids []string) []string {
	var out []string
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// differing lists the names of the attributes in which two sets differ, sorted.
func differing(from, to map[string]any) []string {
	names := map[string]bool{}
	for key := range from {
		names[key] = true
	}
	for key := range to {
		names[key] = true
	}
	maps.DeleteFunc(names, func(key string, _ bool) bool {
		old, had := from[key]
		v, has := to[key]
		return had == has && same(old, v)
	})
	return slices.Sorted(maps.Keys(names))
}

// same compares two JSON values, whatever Go types hold their numbers.
func same(a, b any) bool {
	left, err := json.Marshal(a)
	if err != nil {
		return false
	}
	right, err := json.Marshal(b)
	return err == nil && bytes.Equal(left, right)
}
