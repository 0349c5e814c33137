package user

import "slices"

// Assign gives a user roles, and takes others away. What the user has already,
// or never had, is nothing to do.
type Assign struct {
	Add    []string
	Remove []string
	By     string
}

// Decide implements [domain.Command].
func (c Assign) Decide(s State) ([]Event, error) {
	if err := present(s); err != nil {
		return nil, err
	}
	after := without(slices.Concat(s.Roles, without(c.Add, s.Roles)), c.Remove)
	return Fields{Roles: after}.roles(s, c.By), nil
}

// roles returns which roles come and go, if any do.
func (f Fields) roles(s State, by string) []Event {
	e := UserRolesChanged{Added: without(f.Roles, s.Roles), Removed: without(s.Roles, f.Roles), By: by}
	if f.Roles == nil || len(e.Added)+len(e.Removed) == 0 {
		return nil
	}
	return []Event{e}
}

// without returns the ids that are not among others.
func without(ids, others []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(others, id) })
}
