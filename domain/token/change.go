package token

import (
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Change gives a token other terms. What is nil stays; what is the same
// already is nothing to do.
type Change struct {
	Identifier  *string
	Intent      *string
	User        *string
	Description *string
	Expires     *time.Time
	Expiring    *bool
	Scope       *[]string
	By          string
	Via         string
}

// Decide implements [domain.Command].
func (c Change) Decide(s State) ([]Event, error) {
	to, description := c.over(s.terms()), s.Description
	set(&description, c.Description)
	switch {
	case s.Status != Active:
		return nil, errGone
	case s.SingleUse():
		return nil, domain.Errorf(domain.Conflict, "A token that leads into a flow stays as it was made.")
	case to.Intent != API && to.Intent != AppPassword:
		return nil, domain.Errorf(domain.Invalid, "There is no intent %q.", to.Intent)
	case !named(to.Identifier):
		return nil, errName
	case to.User == "":
		return nil, domain.Errorf(domain.Invalid, "A token needs a user.")
	case to.Expiring && to.Expires.IsZero():
		return nil, errTime
	}
	fields := differ(s.terms(), to)
	if description != s.Description {
		fields = append(fields, "description")
	}
	if fields == nil {
		return nil, nil
	}
	return []Event{TokenChanged{
		Fields: fields, From: s.terms(), To: to, Description: description, Previous: s.Description, By: c.By, Via: c.Via,
		CredentialID: s.Credential,
	}}, nil
}

var errGone = domain.Errorf(domain.NotFound, "There is no such token.")

// over returns the terms with the change made to them.
func (c Change) over(t Terms) Terms {
	set(&t.Identifier, c.Identifier)
	set(&t.Intent, c.Intent)
	set(&t.User, c.User)
	set(&t.Expires, c.Expires)
	set(&t.Expiring, c.Expiring)
	if c.Scope != nil {
		t.Scope = scopeOf(*c.Scope)
	}
	return t
}

// set writes what is given.
func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// differ lists the fields in which two terms differ, by the contract's names.
func differ(a, b Terms) []string {
	var fields []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"identifier", a.Identifier == b.Identifier},
		{"intent", a.Intent == b.Intent},
		{"user", a.User == b.User},
		{"expires", a.Expires.Equal(b.Expires)},
		{"expiring", a.Expiring == b.Expiring},
		{"scope", slices.Equal(a.Scope, b.Scope)},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// Rotate gives a token another secret. The one that it has already is nothing
// to do.
type Rotate struct {
	Digest domain.Secret // keyed, of the new secret
	By     string
	Via    string
}

// Decide implements [domain.Command].
func (c Rotate) Decide(s State) ([]Event, error) {
	switch {
	case s.Status != Active:
		return nil, errGone
	case s.SingleUse():
		return nil, domain.Errorf(domain.Conflict, "A token that leads into a flow stays as it was made.")
	case c.Digest.Empty():
		return nil, domain.Errorf(domain.Internal, "A token needs a digest.")
	case c.Digest.Equal(s.Digest):
		return nil, nil
	}
	return []Event{TokenRotated{By: c.By, Via: c.Via, CredentialID: s.Credential, Digest: c.Digest}}, nil
}

// The length that a key must have which somebody chose: short ones could be
// guessed, and there is nothing but the key to prove who somebody is.
const (
	minKey     = 20
	maxKey     = 4096
	minVariety = 8 // different characters
)

// CheckKey says what is wrong with a key that somebody chose; nothing when it
// is good enough.
func CheckKey(key domain.Secret) string {
	text := key.Reveal()
	seen := map[rune]bool{}
	for _, r := range text {
		if r <= ' ' || r > '~' {
			return "A key consists of visible ASCII characters only."
		}
		seen[r] = true
	}
	switch {
	case len(text) < minKey:
		return "A key needs at least 20 characters."
	case len(text) > maxKey:
		return "A key has at most 4096 characters."
	case len(seen) < minVariety:
		return "A key needs at least 8 different characters."
	}
	return ""
}
