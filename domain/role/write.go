package role

import (
	"slices"

	"github.com/flowledger/flowledger/domain"
)

// Write makes a role, or changes it. What is nil is left alone; what is the
// same already is nothing to do. Who writes checks that no other role has the
// name, and that whoever asks has what the role is to permit.
type Write struct {
	Name        *string
	Permissions []string // all that the role is to have; nil to leave them alone
	By          string
	Via         string
	// Create refuses to change a role that is there.
	Create bool
}

// Decide implements [domain.Command].
func (c Write) Decide(s State) ([]Event, error) {
	if err := c.check(s); err != nil {
		return nil, err
	}
	var events []Event
	if s.Status == "" {
		created := RoleCreated{Name: *c.Name, By: c.By, Via: c.Via}
		events, s = append(events, created), created.Evolve(s)
	}
	if c.Name != nil && *c.Name != s.Name {
		events = append(events, RoleRenamed{From: s.Name, To: *c.Name, By: c.By})
	}
	if c.Permissions == nil {
		return events, nil
	}
	granted, err := Grant{Add: c.Permissions, Remove: missing(s.Permissions, c.Permissions), By: c.By}.Decide(s)
	return append(events, granted...), err
}

func (c Write) check(s State) error {
	switch {
	case s.Status == Deleted:
		return domain.Errorf(domain.NotFound, "The role was deleted.")
	case s.Status == Present && c.Create:
		return domain.Errorf(domain.Conflict, "The role exists already.")
	case s.Status == "" && c.Name == nil:
		return problem("name", "This field is required.")
	case c.Name != nil && *c.Name == "":
		return problem("name", "This field may not be blank.")
	case c.Name != nil && len([]rune(*c.Name)) > maxName:
		return problem("name", "Ensure this field has no more than 150 characters.")
	}
	return nil
}

// maxName is how long a name may be, in characters.
const maxName = 150

func problem(field, why string) error {
	return &domain.Error{
		Code: domain.Invalid, Message: "The role cannot be written like this.", Fields: map[string][]string{field: {why}},
	}
}

// missing returns which of some names others do not have.
func missing(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(p string) bool { return slices.Contains(others, p) })
}

// Grant gives permissions to a role and takes others away. What it has
// already, or never had, is nothing to do.
type Grant struct {
	Add    []string
	Remove []string
	By     string
}

// Decide implements [domain.Command]. A name that is not in the table is
// refused, so that nobody believes in a permission that permits nothing. It
// can be taken away: a role may have it from when there was such a thing.
func (c Grant) Decide(s State) ([]Event, error) {
	if s.Status != Present {
		return nil, domain.Errorf(domain.NotFound, "There is no such role.")
	}
	for _, name := range c.Add {
		if _, ok := Lookup(name); !ok {
			return nil, problem("permissions", "There is no permission \""+cut(name)+"\".")
		}
	}
	after := change(s.Permissions, c.Add, c.Remove)
	e := RolePermissionsChanged{Added: missing(after, s.Permissions), Removed: missing(s.Permissions, after), By: c.By}
	if len(e.Added)+len(e.Removed) == 0 {
		return nil, nil
	}
	return []Event{e}, nil
}

// cut bounds what of a request goes into an error.
func cut(text string) string { return string([]rune(text)[:min(len([]rune(text)), 100)]) }

// Delete ends a role. Deleting what is not there is nothing to do.
type Delete struct {
	By  string
	Via string
}

// Decide implements [domain.Command].
func (c Delete) Decide(s State) ([]Event, error) {
	if s.Status != Present {
		return nil, nil
	}
	return []Event{RoleDeleted{By: c.By, Via: c.Via}}, nil
}
