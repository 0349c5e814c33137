package esdbkeys

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/vault"
)

// FindSecret implements [vault.Secrets].
func (e *Engine) FindSecret(ctx context.Context, id string) (vault.Secret, error) {
	last, err := e.store.LastBeside(ctx, e.name(secretStream, id))
	if err != nil {
		return vault.Secret{ID: id}, closedOr(err)
	}
	return e.secretOf(last)
}

// secretOf reads the last event of a secret's stream, or none.
func (e *Engine) secretOf(last esdb.Entry) (vault.Secret, error) {
	s := vault.Secret{ID: e.of(secretStream, last.Stream)}
	switch {
	case last.Revision < 0:
		return s, nil
	case last.Type == secretMade:
		s.Wrapped = last.Data
		return s, nil
	case last.Type != secretDestroyed:
		return s, fmt.Errorf("stream %s has an event of type %s", last.Stream, last.Type)
	}
	micros, err := strconv.ParseInt(string(last.Data), 10, 64)
	if err != nil {
		return s, fmt.Errorf("stream %s: %w", last.Stream, err)
	}
	s.Since = time.UnixMicro(micros).UTC()
	return s, nil
}

// AddSecrets implements [vault.Secrets]. Of those who offer the same id the
// engine takes the first, and the others read what that is. A crash leaves
// some made and others not; those will be used when somebody needs them.
func (e *Engine) AddSecrets(ctx context.Context, offered ...vault.Secret) ([]vault.Secret, error) {
	rows := make([]vault.Secret, len(offered))
	first := firsts(offered)
	err := each(ctx, len(offered), func(ctx context.Context, i int) (err error) {
		if first[offered[i].ID] == i {
			rows[i], err = e.findOrAdd(ctx, offered[i])
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, o := range offered {
		rows[i] = rows[first[o.ID]]
	}
	return rows, nil
}

// firsts tells where each id stands first.
func firsts(secrets []vault.Secret) map[string]int {
	first := make(map[string]int, len(secrets))
	for i, s := range secrets {
		if _, found := first[s.ID]; !found {
			first[s.ID] = i
		}
	}
	return first
}

func (e *Engine) findOrAdd(ctx context.Context, offered vault.Secret) (vault.Secret, error) {
	added, err := e.store.AppendBeside(ctx, e.name(secretStream, offered.ID), eventstore.NoStream, secretMade, offered.Wrapped)
	if err != nil || added {
		return offered, err
	}
	last, err := e.store.LastBeside(ctx, e.name(secretStream, offered.ID))
	if err == nil && last.Revision < 0 {
		err = fmt.Errorf("stream %s is neither there nor can it be begun", last.Stream)
	}
	if err != nil {
		return offered, err
	}
	return e.secretOf(last)
}

// DestroySecrets implements [vault.Secrets]. A crash leaves some destroyed and
// others not, and repeating it finishes it.
func (e *Engine) DestroySecrets(ctx context.Context, since time.Time, ids ...string) error {
	return each(ctx, len(ids), func(ctx context.Context, i int) error { return e.destroy(ctx, since, ids[i]) })
}

// destroy appends the end of a secret. Before, it lets the engine forget what
// is not the last event, so that a crash in between leaves the secret as it
// was, and none after it leaves what was wrapped.
func (e *Engine) destroy(ctx context.Context, since time.Time, id string) error {
	stream, data := e.name(secretStream, id), strconv.AppendInt(nil, since.UnixMicro(), 10)
	if err := e.store.KeepLast(ctx, stream); err != nil {
		return err
	}
	for {
		last, err := e.store.LastBeside(ctx, stream)
		if err != nil || last.Type == secretDestroyed {
			return err
		}
		destroyed, err := e.store.AppendBeside(ctx, stream, eventstore.At(last.Revision), secretDestroyed, data)
		if err != nil || destroyed {
			return err
		}
	}
}
