package user

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// present refuses to change a user who is not there.
func present(s State) error {
	if s.Status != Present {
		return domain.Errorf(domain.NotFound, "There is no such user.")
	}
	return nil
}

// SetPassword gives a user a password. Repeating it with the same credential
// changes nothing.
type SetPassword struct {
	Hash       domain.Secret // encoded, see [Hash]
	Credential string        // a new id, of the key that will seal the hash
	By         string
	Via        string
	Now        time.Time
}

// Decide implements [domain.Command].
func (c SetPassword) Decide(s State) ([]Event, error) {
	if err := present(s); err != nil {
		return nil, err
	}
	switch {
	case !Known(c.Hash):
		return nil, domain.Errorf(domain.Invalid, "The password hash is in no known form.")
	case c.Credential == "":
		return nil, domain.Errorf(domain.Internal, "A password needs a credential.")
	case c.Credential == s.Credential:
		return nil, nil
	}
	return []Event{UserPasswordSet{
		By: c.By, Via: c.Via, Algorithm: Algorithm(c.Hash), Changed: c.Now, CredentialID: c.Credential, Hash: c.Hash,
	}}, nil
}

// Rehash stores a password that was just proved right in another form.
// Replaces is the credential of the form that it was proved against: if the
// password is another by then, there is nothing to do.
type Rehash struct {
	Hash       domain.Secret
	Credential string
	Replaces   string
}

// Decide implements [domain.Command].
func (c Rehash) Decide(s State) ([]Event, error) {
	if s.Status != Present || s.Credential == "" || s.Credential != c.Replaces {
		return nil, nil
	}
	if !Known(c.Hash) || c.Credential == "" || c.Credential == c.Replaces {
		return nil, domain.Errorf(domain.Internal, "A rehash needs a hash and a new credential.")
	}
	return []Event{UserPasswordRehashed{
		Algorithm: Algorithm(c.Hash), CredentialID: c.Credential, Hash: c.Hash,
	}}, nil
}

// RemovePassword leaves a user without a password. With Replaces, only if the
// password is still the one with that credential.
type RemovePassword struct {
	By       string
	Replaces string
	Now      time.Time
}

// Decide implements [domain.Command].
func (c RemovePassword) Decide(s State) ([]Event, error) {
	if err := present(s); err != nil {
		return nil, err
	}
	if s.Credential == "" || c.Replaces != "" && c.Replaces != s.Credential {
		return nil, nil
	}
	return []Event{UserPasswordRemoved{By: c.By, Changed: c.Now}}, nil
}

// SetActive says whether a user may log in.
type SetActive struct {
	Active bool
	By     string
	Cause  string
}

// Decide implements [domain.Command].
func (c SetActive) Decide(s State) ([]Event, error) {
	if err := present(s); err != nil {
		return nil, err
	}
	switch {
	case c.Active == s.Active:
		return nil, nil
	case c.Active:
		return []Event{UserActivated{By: c.By, Cause: c.Cause}}, nil
	default:
		return []Event{UserDeactivated{By: c.By, Cause: c.Cause}}, nil
	}
}

// Delete ends a user. Deleting who is not there is nothing to do.
type Delete struct {
	By  string
	Via string
}

// Decide implements [domain.Command].
func (c Delete) Decide(s State) ([]Event, error) {
	if s.Status != Present {
		return nil, nil
	}
	return []Event{UserDeleted{By: c.By, Via: c.Via}}, nil
}
