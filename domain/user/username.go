package user

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Claimed is a user name: who holds it, and since when. Its stream is named
// after a keyed code of the name (spec/events.md 6.6).
type Claimed struct {
	User  string // id; empty for nobody
	Since time.Time
}

// A ClaimEvent is something that happened to the claim of a user name.
type ClaimEvent = domain.Event[Claimed]

// UsernameClaimed records that a user holds the name.
type UsernameClaimed struct {
	User  string    `json:"user"`
	Since time.Time `json:"since"`
}

// EventType implements [domain.Event].
func (UsernameClaimed) EventType() string { return "UsernameClaimed" }

// Evolve implements [domain.Event].
func (e UsernameClaimed) Evolve(Claimed) Claimed { return Claimed{User: e.User, Since: e.Since} }

// UsernameReleased records that the user holds the name no more.
type UsernameReleased struct {
	User string `json:"user"`
}

// EventType implements [domain.Event].
func (UsernameReleased) EventType() string { return "UsernameReleased" }

// Evolve implements [domain.Event].
func (UsernameReleased) Evolve(Claimed) Claimed { return Claimed{} }

// Claim takes a user name for a user. From names a holder from whom it may be
// taken: one who never came to be (spec/events.md 4.4), which the caller knows.
type Claim struct {
	User string
	From string
	Now  time.Time
}

// Decide implements [domain.Command].
func (c Claim) Decide(s Claimed) ([]ClaimEvent, error) {
	switch s.User {
	case c.User:
		return nil, nil
	case "", c.From:
		return []ClaimEvent{UsernameClaimed{User: c.User, Since: c.Now}}, nil
	}
	return nil, domain.Errorf(domain.Conflict, "The user name is taken.")
}

// Release gives a user name back. If somebody else holds it, there is nothing
// to do.
type Release struct {
	User string
}

// Decide implements [domain.Command].
func (c Release) Decide(s Claimed) ([]ClaimEvent, error) {
	if c.User == "" || s.User != c.User {
		return nil, nil
	}
	return []ClaimEvent{UsernameReleased{User: c.User}}, nil
}
