package pgkeys

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore/vault"
)

const findSecrets = `SELECT id, wrapped, since FROM flowledger_keys.secrets WHERE id = ANY($1)`

// FindSecret implements [vault.Secrets].
func (e *Engine) FindSecret(ctx context.Context, id string) (vault.Secret, error) {
	found := vault.Secret{ID: id}
	err := e.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		rows, _ := conn.Query(ctx, findSecrets, []string{id}) // its error is in rows, too
		byID, err := secretsByID(rows)
		if row, ok := byID[id]; ok {
			found = row
		}
		return err
	})
	return found, err
}

// AddSecrets implements [vault.Secrets], all in one transaction.
func (e *Engine) AddSecrets(ctx context.Context, offered ...vault.Secret) ([]vault.Secret, error) {
	c := change{secrets: offered}
	if err := e.put(ctx, &c); err != nil {
		return nil, err
	}
	rows := make([]vault.Secret, len(offered))
	for i, s := range offered {
		rows[i] = c.found[s.ID]
	}
	return rows, nil
}

func secretsByID(rows pgx.Rows) (map[string]vault.Secret, error) {
	byID := map[string]vault.Secret{}
	var s vault.Secret
	var since *int64
	_, err := pgx.ForEachRow(rows, []any{&s.ID, &s.Wrapped, &since}, func() error {
		s.Since = time.Time{}
		if since != nil {
			s.Since = time.UnixMicro(*since).UTC()
		}
		byID[s.ID] = s
		return nil
	})
	return byID, err
}

// DestroySecrets implements [vault.Secrets], in one transaction, or in some
// where they are many. A crash in between leaves some destroyed and others
// not, and repeating it finishes it.
func (e *Engine) DestroySecrets(ctx context.Context, since time.Time, ids ...string) error {
	for some := range slices.Chunk(ids, maxSecrets) {
		var c change
		for _, id := range some {
			c.secrets = append(c.secrets, vault.Secret{ID: id, Since: since})
		}
		err := e.put(ctx, &c)
		// Also after an error: it may have happened.
		e.stale.Store(true)
		if err != nil {
			return err
		}
	}
	return nil
}
