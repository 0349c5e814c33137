package token

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// State is one token.
type State struct {
	Status            Status
	Intent            string
	Flow              string // id; empty unless the token leads into a flow
	User              string
	Identifier        string
	Description       string
	Expires           time.Time
	Expiring          bool
	Scope             []string // permissions, app.codename; none for a token that may do all that its user may
	RevokeOnExecution bool
	Digest            domain.Secret
	Credential        string // id of the key that the digest is sealed with
	Resumption        Resumption
	LastUsed          time.Time
	UsedBy            string // id of the execution that used it last
}

// Setup is the identifier of the token that the link to the first set-up
// carries.
const Setup = "initial-setup"

// A Status tells what a token is good for.
type Status string

// The statuses. The zero one is a token that never was.
const (
	Active  Status = "active"
	Used    Status = "used" // of those that work once
	Revoked Status = "revoked"
	Expired Status = "expired"
)

// The intents of the contract.
const (
	Verification = "verification"
	API          = "api"
	Recovery     = "recovery"
	AppPassword  = "app_password"
)

// An Event is something that happened to a token.
type Event = domain.Event[State]

// A Resumption is where an execution goes on for whoever brings a token.
type Resumption struct {
	From    string                   `json:"from_execution,omitempty"`
	Confirm bool                     `json:"confirm,omitempty"` // whoever opens the link is asked before anything is used up
	Plan    string                   `json:"plan,omitempty" seal:"T"`
	Context map[string]any           `json:"context,omitempty" seal:"T"`
	Secrets map[string]domain.Secret `json:"secrets,omitempty" seal:"X"` // of the context, by their paths
}

// TokenCreated records a new token.
type TokenCreated struct {
	Token             string        `json:"token,omitempty"` // its id, of one that leads on
	Intent            string        `json:"intent"`
	Flow              string        `json:"flow,omitempty"`
	User              string        `json:"user"`
	Identifier        string        `json:"identifier"`
	Expires           time.Time     `json:"expires,omitzero"`
	Expiring          bool          `json:"expiring"`
	Scope             []string      `json:"scope,omitempty"` // permissions that it is limited to, app.codename
	RevokeOnExecution bool          `json:"revoke_on_execution"`
	By                string        `json:"by,omitempty"`
	Producer          string        `json:"producer"` // email_stage, source_stage, admin_recovery, lockdown, api or bootstrap
	CredentialID      string        `json:"credential"`
	Description       string        `json:"description,omitempty" seal:"P"`
	Digest            domain.Secret `json:"digest" seal:"C"`
	Resumption
}

// EventType implements [domain.Event].
func (TokenCreated) EventType() string { return "TokenCreated" }

// Credential names the key that seals the digest.
func (e TokenCreated) Credential() string { return e.CredentialID }

// SealTransient names the key of the secrets that the execution goes on with:
// the one that they come from may be over before somebody brings the token.
func (e TokenCreated) SealTransient() string { return SecretsOf(e.Token) }

// SecretsOf names the key that seals what a token keeps for later. It is
// destroyed when the token is used, revoked or expired.
func SecretsOf(id string) string { return "token:" + id }

// Evolve implements [domain.Event].
func (e TokenCreated) Evolve(State) State {
	return State{
		Status: Active, Intent: e.Intent, Flow: e.Flow, User: e.User, Identifier: e.Identifier, Description: e.Description,
		Expires: e.Expires, Expiring: e.Expiring, Scope: e.Scope, RevokeOnExecution: e.RevokeOnExecution, Digest: e.Digest,
		Credential: e.CredentialID, Resumption: e.Resumption,
	}
}

// Terms are what can be changed of a token, but for its description, which is
// people's own text.
type Terms struct {
	Intent     string    `json:"intent"`
	User       string    `json:"user"`
	Identifier string    `json:"identifier"`
	Expires    time.Time `json:"expires,omitzero"`
	Expiring   bool      `json:"expiring"`
	Scope      []string  `json:"scope,omitempty"`
}

// terms are those of a token.
func (s State) terms() Terms {
	return Terms{Intent: s.Intent, User: s.User, Identifier: s.Identifier, Expires: s.Expires, Expiring: s.Expiring, Scope: s.Scope}
}

// TokenChanged records other terms: all of them, and in Fields the names of
// those that differ. The description is sealed again, for the user may be
// another one.
type TokenChanged struct {
	Fields       []string `json:"fields"`
	From         Terms    `json:"from"`
	To           Terms    `json:"to"`
	By           string   `json:"by,omitempty"`
	Via          string   `json:"via"`
	CredentialID string   `json:"credential"` // that seals the digest, and goes with the new user
	Description  string   `json:"description,omitempty" seal:"P"`
	Previous     string   `json:"previous_description,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (TokenChanged) EventType() string { return "TokenChanged" }

// Evolve implements [domain.Event].
func (e TokenChanged) Evolve(s State) State {
	s.Intent, s.User, s.Identifier, s.Scope = e.To.Intent, e.To.User, e.To.Identifier, e.To.Scope
	s.Expires, s.Expiring, s.Description = e.To.Expires, e.To.Expiring, e.Description
	return s
}

// TokenRotated records another secret. The one before proves nothing from then
// on.
type TokenRotated struct {
	By           string        `json:"by,omitempty"`
	Via          string        `json:"via"`
	CredentialID string        `json:"credential"`
	Digest       domain.Secret `json:"digest" seal:"C"`
}

// EventType implements [domain.Event].
func (TokenRotated) EventType() string { return "TokenRotated" }

// Credential names the key that seals the digest: the one of the first digest,
// so that both go at once.
func (e TokenRotated) Credential() string { return e.CredentialID }

// Evolve implements [domain.Event].
func (e TokenRotated) Evolve(s State) State {
	s.Digest = e.Digest
	return s
}

// TokenViewed is evidence that somebody was shown the secret.
type TokenViewed struct {
	By string `json:"by"`
}

// EventType implements [domain.Event].
func (TokenViewed) EventType() string { return "TokenViewed" }

// Evolve implements [domain.Event].
func (TokenViewed) Evolve(s State) State { return s }

// TokenUsed records that somebody presented the secret. First says that it
// was the first time; Last that it was the last one that works.
type TokenUsed struct {
	At        time.Time `json:"at"`
	Execution string    `json:"execution,omitempty"`
	First     bool      `json:"first"`
	Last      bool      `json:"last,omitempty"`
}

// EventType implements [domain.Event].
func (TokenUsed) EventType() string { return "TokenUsed" }

// Evolve implements [domain.Event].
func (e TokenUsed) Evolve(s State) State {
	s.LastUsed, s.UsedBy = e.At, e.Execution
	if e.Last {
		s.Status = Used
	}
	return s
}

// TokenExpired records that the token's time is over.
type TokenExpired struct{}

// EventType implements [domain.Event].
func (TokenExpired) EventType() string { return "TokenExpired" }

// Evolve implements [domain.Event].
func (TokenExpired) Evolve(s State) State {
	s.Status = Expired
	return s
}

// TokenRevoked records that somebody ended the token.
type TokenRevoked struct {
	By    string `json:"by,omitempty"`
	Cause string `json:"cause"`
}

// EventType implements [domain.Event].
func (TokenRevoked) EventType() string { return "TokenRevoked" }

// Evolve implements [domain.Event].
func (TokenRevoked) Evolve(s State) State {
	s.Status = Revoked
	return s
}
