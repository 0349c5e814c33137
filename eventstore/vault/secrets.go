package vault

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"
)

// secretSize is the length of every secret.
const secretSize = 32

// A DestroyedError says that a secret cannot be made, for one of that id was
// destroyed: nobody who was forgotten comes back.
type DestroyedError struct {
	ID    string
	Since time.Time
}

// Error implements error.
func (e *DestroyedError) Error() string {
	return fmt.Sprintf("secret %s is destroyed since %s", e.ID, e.Since.Format(time.RFC3339))
}

// An UnknownError says that there never was a secret of that id, as far as
// this engine knows. A ledger whose events name one has lost its keys.
type UnknownError struct {
	ID string
}

// Error implements error.
func (e *UnknownError) Error() string { return fmt.Sprintf("secret %s is unknown", e.ID) }

// newSecret returns random bytes. Read of crypto/rand never fails.
func newSecret() []byte {
	secret := make([]byte, secretSize)
	rand.Read(secret)
	return secret
}

// ID names the secret of one class that owner has, a subject or an epoch.
func ID(class byte, owner string) string { return string(class) + "/" + owner }

// Make returns the secrets with these ids (see [ID]). Those that are missing
// it makes, durable before it returns; concurrent callers get the same, on
// whichever node. Nobody may write into what it returns. An id that was
// destroyed fails with a [*DestroyedError].
func (v *Vault) Make(ctx context.Context, ids ...string) ([][]byte, error) {
	secrets := make([][]byte, len(ids))
	drops := v.secrets.drops()
	var missing []int
	var offered []Secret
	for i, id := range ids {
		var ok bool
		if secrets[i], ok = v.secrets.get(id); !ok {
			missing, offered = append(missing, i), append(offered, v.offer(id))
		}
	}
	if len(offered) == 0 {
		return secrets, nil
	}
	rows, err := v.engine.AddSecrets(ctx, offered...)
	if err != nil {
		return nil, fmt.Errorf("make secrets: %w", err)
	}
	for n, i := range missing {
		if !rows[n].Since.IsZero() {
			return nil, &DestroyedError{ID: ids[i], Since: rows[n].Since}
		}
		if secrets[i], err = v.unwrap(ids[i], rows[n].Wrapped); err != nil {
			return nil, fmt.Errorf("make secrets: %w", err)
		}
	}
	for i, id := range ids {
		v.secrets.put(id, secrets[i], drops)
	}
	return secrets, nil
}

// Key returns the secret with this id. If it is destroyed, secret is nil and
// since says from when on. If there never was one, Key fails with an
// [*UnknownError].
func (v *Vault) Key(ctx context.Context, id string) (secret []byte, since time.Time, err error) {
	drops := v.secrets.drops()
	if secret, ok := v.secrets.get(id); ok {
		return secret, time.Time{}, nil
	}
	row, err := v.engine.FindSecret(ctx, id)
	if err == nil && row.Wrapped != nil {
		secret, err = v.unwrap(id, row.Wrapped)
	}
	switch {
	case err != nil:
		return nil, time.Time{}, fmt.Errorf("look up secret %s: %w", id, err)
	case secret != nil:
		v.secrets.put(id, secret, drops)
	case row.Since.IsZero():
		return nil, time.Time{}, &UnknownError{ID: id}
	}
	return secret, row.Since, nil
}

// Forget destroys the secrets of these classes that the owners have, and
// those that they could have had. When Forget returns, nobody can have them
// from the engine any more; what of them, wrapped, is left on its disks, and
// for how long, each engine says. Other nodes may have them in memory until
// [Vault.Evict].
func (v *Vault) Forget(ctx context.Context, owners []string, classes ...byte) error {
	ids := make([]string, 0, len(owners)*len(classes))
	for _, class := range classes {
		for _, owner := range owners {
			ids = append(ids, ID(class, owner))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	err := v.engine.DestroySecrets(ctx, v.now(), ids...)
	// Also after an error: the rows may be gone.
	v.secrets.drop(ids...)
	if err != nil {
		return fmt.Errorf("destroy secrets: %w", err)
	}
	return nil
}

// ForgetExecution destroys the secret of an execution that has ended, and with
// it what it carried from stage to stage.
func (v *Vault) ForgetExecution(ctx context.Context, id string) error {
	return v.Forget(ctx, []string{"execution:" + id}, 'X')
}
