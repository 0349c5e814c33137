package vault

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
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
// this file knows. A ledger whose events name one has lost its keys.
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
// it makes, all in one transaction, durable before it returns; concurrent
// callers get the same. Nobody may write into what it returns. An id that was
// destroyed fails with a [*DestroyedError].
func (v *Vault) Make(ctx context.Context, ids ...string) ([][]byte, error) {
	secrets := make([][]byte, len(ids))
	drops, missing := v.secrets.drops(), 0
	for i, id := range ids {
		var ok bool
		if secrets[i], ok = v.secrets.get(id); !ok {
			missing++
		}
	}
	if missing == 0 {
		return secrets, nil
	}
	var refused error
	err := v.do(ctx, job{do: func(conn *sqlite.Conn) error {
		for i, id := range ids {
			if secrets[i] != nil || refused != nil {
				continue
			}
			var err error
			if secrets[i], refused, err = v.findOrMake(conn, id); err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return nil, fmt.Errorf("make secrets: %w", err)
	}
	if refused != nil {
		return nil, refused
	}
	for i, id := range ids {
		v.secrets.put(id, secrets[i], drops)
	}
	return secrets, nil
}

// findOrMake returns the secret, or why there must be none.
func (v *Vault) findOrMake(conn *sqlite.Conn, id string) (secret []byte, refused, err error) {
	secret, since, err := v.find(conn, id)
	if err != nil || secret != nil {
		return secret, nil, err
	}
	if !since.IsZero() {
		return nil, &DestroyedError{ID: id, Since: since}, nil
	}
	secret = newSecret()
	err = sqlitex.Execute(conn, `INSERT INTO secrets(id, wrapped) VALUES(?, ?)`,
		&sqlitex.ExecOptions{Args: []any{id, v.wrap(id, secret)}})
	return secret, nil, err
}

// Key returns the secret with this id. If it is destroyed, secret is nil and
// since says from when on. If there never was one, Key fails with an
// [*UnknownError].
func (v *Vault) Key(ctx context.Context, id string) (secret []byte, since time.Time, err error) {
	drops := v.secrets.drops()
	if secret, ok := v.secrets.get(id); ok {
		return secret, time.Time{}, nil
	}
	err = v.read(ctx, func(conn *sqlite.Conn) (err error) {
		secret, since, err = v.find(conn, id)
		return err
	})
	switch {
	case err != nil:
		return nil, time.Time{}, fmt.Errorf("look up secret %s: %w", id, err)
	case secret == nil && since.IsZero():
		return nil, time.Time{}, &UnknownError{ID: id}
	case secret != nil:
		v.secrets.put(id, secret, drops)
	}
	return secret, since, nil
}

// find returns the secret, or since when it is destroyed, or neither.
func (v *Vault) find(conn *sqlite.Conn, id string) (secret []byte, since time.Time, err error) {
	err = sqlitex.Execute(conn, `SELECT wrapped FROM secrets WHERE id = ?`, &sqlitex.ExecOptions{
		Args: []any{id},
		ResultFunc: func(stmt *sqlite.Stmt) (err error) {
			wrapped := make([]byte, stmt.ColumnLen(0))
			stmt.ColumnBytes(0, wrapped)
			secret, err = v.unwrap(id, wrapped)
			return err
		},
	})
	if err != nil || secret != nil {
		return secret, time.Time{}, err
	}
	err = sqlitex.Execute(conn, `SELECT since FROM destroyed WHERE id = ?`, &sqlitex.ExecOptions{
		Args: []any{id},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			since = time.UnixMicro(stmt.ColumnInt64(0)).UTC()
			return nil
		},
	})
	return nil, since, err
}

// Forget destroys the secrets of these classes that the owners have, and
// those that they could have had. What was sealed with them is lost when
// Forget returns, except that class X, of which every finished execution has
// one, may stay in the file's log, wrapped, for another minute.
func (v *Vault) Forget(ctx context.Context, owners []string, classes ...byte) error {
	ids := make([]string, 0, len(owners)*len(classes))
	j := job{stale: true}
	for _, class := range classes {
		j.scrub = j.scrub || class != 'X'
		for _, owner := range owners {
			ids = append(ids, ID(class, owner))
		}
	}
	j.do = func(conn *sqlite.Conn) error { return destroy(conn, v.now(), ids) }
	err := v.do(ctx, j)
	// Also after an error: the rows may be gone and only the log left.
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

func destroy(conn *sqlite.Conn, now time.Time, ids []string) error {
	for _, id := range ids {
		err := sqlitex.Execute(conn, `INSERT INTO destroyed(id, since) VALUES(?, ?) ON CONFLICT DO NOTHING`,
			&sqlitex.ExecOptions{Args: []any{id, now.UnixMicro()}})
		if err != nil {
			return err
		}
		err = sqlitex.Execute(conn, `DELETE FROM secrets WHERE id = ?`, &sqlitex.ExecOptions{Args: []any{id}})
		if err != nil {
			return err
		}
	}
	return nil
}
