package group

import "github.com/flowledger/flowledger/domain"

// AddMember makes a user a member. Repeating it changes nothing.
type AddMember struct {
	User string
	By   string
	Via  string
}

// Decide implements [domain.Command].
func (c AddMember) Decide(s State) ([]Event, error) {
	if s.Status != Present {
		return nil, domain.Errorf(domain.NotFound, "There is no such group.")
	}
	if s.Members.Has(c.User) {
		return nil, nil
	}
	return []Event{GroupMemberAdded{User: c.User, By: c.By, Via: c.Via}}, nil
}

// RemoveMember ends a membership. Without one there is nothing to do.
type RemoveMember struct {
	User string
	By   string
	Via  string
}

// Decide implements [domain.Command].
func (c RemoveMember) Decide(s State) ([]Event, error) {
	if s.Status != Present {
		return nil, domain.Errorf(domain.NotFound, "There is no such group.")
	}
	if !s.Members.Has(c.User) {
		return nil, nil
	}
	return []Event{GroupMemberRemoved{User: c.User, By: c.By, Via: c.Via}}, nil
}

// Delete ends a group. Deleting what is not there is nothing to do.
type Delete struct {
	By  string
	Via string
}

// Decide implements [domain.Command].
func (c Delete) Decide(s State) ([]Event, error) {
	if s.Status != Present {
		return nil, nil
	}
	return []Event{GroupDeleted{By: c.By, Via: c.Via}}, nil
}
