package user

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Create makes a user. Repeating it with the same key changes nothing.
type Create struct {
	Key int
	Fields
	Hash       domain.Secret // of the first password; empty for none
	Credential string
	By         string
	Via        string
	Now        time.Time
}

// Decide implements [domain.Command].
func (c Create) Decide(s State) ([]Event, error) {
	switch {
	case s.Status != "" && s.Key == c.Key && s.Status == Present:
		return nil, nil
	case s.Status != "":
		return nil, domain.Errorf(domain.Conflict, "The user exists already.")
	case c.Key <= 0:
		return nil, domain.Errorf(domain.Invalid, "A user needs a key.")
	case c.Username == nil:
		return nil, &domain.Error{
			Code: domain.Invalid, Message: "A user needs a user name.",
			Fields: map[string][]string{"username": {"This field is required."}},
		}
	}
	if err := c.problems(); err != nil {
		return nil, err
	}
	created := UserCreated{
		Key: c.Key, Type: or(c.Type, "internal"), Active: c.Active == nil || *c.Active, Path: or(c.Path, "users"),
		Joined: c.Now, By: c.By, Via: c.Via,
		Username: *c.Username, Name: or(c.Name, ""), Email: or(c.Email, ""), Attributes: c.Attributes,
	}
	events := append([]Event{created}, c.roles(State{}, c.By)...)
	if c.Hash.Empty() {
		return events, nil
	}
	password, err := SetPassword{
		Hash: c.Hash, Credential: c.Credential, By: c.By, Via: c.Via, Now: c.Now,
	}.Decide(domain.Fold(State{}, events...))
	return append(events, password...), err
}

func or(text *string, otherwise string) string {
	if text == nil {
		return otherwise
	}
	return *text
}
