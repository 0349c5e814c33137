package token

import (
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// SingleUse tells whether a token works once: those that are sent to somebody
// do, those that programs keep do not.
func (s State) SingleUse() bool { return s.Intent == Verification || s.Intent == Recovery }

// Valid tells whether the token proves anything at this moment.
func (s State) Valid(now time.Time) bool {
	return s.Status == Active && (!s.Expiring || now.Before(s.Expires))
}

// maxIdentifier is the contract's limit, in characters.
const maxIdentifier = 255

func named(identifier string) bool {
	return identifier != "" && len([]rune(identifier)) <= maxIdentifier
}

var (
	errName = domain.Errorf(domain.Invalid, "A token needs an identifier of at most %d characters.", maxIdentifier)
	errTime = domain.Errorf(domain.Invalid, "A token that expires needs a time.")
)

// scopeOf is a scope in order, each permission once.
func scopeOf(permissions []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(permissions)))
}

// Create makes a token. Repeating it with the same identifier changes nothing.
type Create struct {
	Token             string // its id; needed by one that leads on
	Intent            string
	Flow              string
	User              string
	Identifier        string
	Description       string
	Expires           time.Time
	Expiring          bool
	Scope             []string // permissions, app.codename; none for all that the user may
	RevokeOnExecution bool
	By                string
	Producer          string
	Digest            domain.Secret // keyed, of the secret
	Credential        string        // id of the key that will seal the digest
	Resumption        Resumption    // where it leads, if it leads on
}

// Decide implements [domain.Command].
func (c Create) Decide(s State) ([]Event, error) {
	switch {
	case s.Status != "" && s.Identifier == c.Identifier:
		return nil, nil
	case s.Status != "":
		return nil, domain.Errorf(domain.Conflict, "The token exists already.")
	case !slices.Contains([]string{Verification, API, Recovery, AppPassword}, c.Intent):
		return nil, domain.Errorf(domain.Invalid, "There is no intent %q.", c.Intent)
	case !named(c.Identifier):
		return nil, errName
	case c.User == "":
		return nil, domain.Errorf(domain.Invalid, "A token needs a user.")
	case c.Expiring && c.Expires.IsZero():
		return nil, errTime
	case c.Digest.Empty() || c.Credential == "":
		return nil, domain.Errorf(domain.Internal, "A token needs a digest and a credential.")
	case len(c.Resumption.Secrets) > 0 && c.Token == "":
		return nil, domain.Errorf(domain.Internal, "A token that keeps secrets needs to say whose they are.")
	}
	return []Event{TokenCreated{
		Token: c.Token, Resumption: c.Resumption,
		Intent: c.Intent, Flow: c.Flow, User: c.User, Identifier: c.Identifier, Description: c.Description,
		Expires: c.Expires, Expiring: c.Expiring, Scope: scopeOf(c.Scope), RevokeOnExecution: c.RevokeOnExecution,
		By: c.By, Producer: c.Producer, Digest: c.Digest, CredentialID: c.Credential,
	}}, nil
}

// UsedEvery is how far apart the records of a token's use are, of one that
// works more than once.
const UsedEvery = time.Hour

// Use presents a token. One that works once is used up; the same execution may
// repeat it.
type Use struct {
	Execution string
	Now       time.Time
}

// Decide implements [domain.Command].
func (c Use) Decide(s State) ([]Event, error) {
	switch {
	case s.Status == "":
		return nil, domain.Errorf(domain.NotFound, "There is no such token.")
	case s.Status == Used && c.Execution != "" && s.UsedBy == c.Execution:
		return nil, nil
	case !s.Valid(c.Now):
		return nil, domain.Errorf(domain.Expired, "The token is not valid any more.")
	case !s.SingleUse() && !s.LastUsed.IsZero() && c.Now.Before(s.LastUsed.Add(UsedEvery)):
		return nil, nil
	}
	return []Event{TokenUsed{At: c.Now, Execution: c.Execution, First: s.LastUsed.IsZero(), Last: s.SingleUse()}}, nil
}

// View shows a token's secret to somebody.
type View struct {
	By  string
	Now time.Time
}

// Decide implements [domain.Command].
func (c View) Decide(s State) ([]Event, error) {
	if !s.Valid(c.Now) {
		return nil, domain.Errorf(domain.NotFound, "There is no such token.")
	}
	return []Event{TokenViewed{By: c.By}}, nil
}

// Revoke ends a token. Ending what is over is nothing to do.
type Revoke struct {
	By    string
	Cause string
}

// Decide implements [domain.Command].
func (c Revoke) Decide(s State) ([]Event, error) {
	if s.Status != Active {
		return nil, nil
	}
	return []Event{TokenRevoked{By: c.By, Cause: c.Cause}}, nil
}

// Expire ends a token whose time is over.
type Expire struct {
	Now time.Time
}

// Decide implements [domain.Command].
func (c Expire) Decide(s State) ([]Event, error) {
	if s.Status != Active || s.Valid(c.Now) {
		return nil, nil
	}
	return []Event{TokenExpired{}}, nil
}
