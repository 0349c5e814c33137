package pgkeys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/vault"
)

// How many changes share one transaction, and how many secrets one of them may
// bring, so that the server has an answer in time.
const (
	maxBatch   = 256
	maxSecrets = 2000
)

const (
	// Whoever offers an id that another node is about to add or to destroy
	// waits for its COMMIT here. To offer what is there changes nothing, and
	// to destroy what is destroyed neither.
	putSecrets = `INSERT INTO flowledger_keys.secrets AS s(id, wrapped, since)
		SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[])
		ON CONFLICT (id) DO UPDATE SET wrapped = NULL, since = excluded.since
		WHERE s.since IS NULL AND excluded.since IS NOT NULL`

	limitCookies = `UPDATE flowledger_keys.cookies c SET expires = least(c.expires, l.expires)
		FROM unnest($1::bytea[], $2::bigint[]) AS l(digest, expires) WHERE c.digest = l.digest`

	addCookies = `INSERT INTO flowledger_keys.cookies(digest, session, generation, expires)
		SELECT * FROM unnest($1::bytea[], $2::text[], $3::integer[], $4::bigint[]) ON CONFLICT DO NOTHING`
)

// A change is one caller's part of a transaction. All of it can be repeated.
type change struct {
	secrets []vault.Secret // wrapped ones are offered, others to be destroyed
	cookie  *vault.Cookie
	old     []byte // digest of the cookie to be limited
	grace   time.Time

	done chan struct{}
	// found and err are the writer's until done is closed, then the caller's.
	found map[string]vault.Secret
	err   error
}

// put hands c to the writer and waits for its outcome. If ctx ends before, or
// others have waited so long that the own patience is over, the change may
// happen nevertheless.
func (e *Engine) put(ctx context.Context, c *change) error {
	c.done = make(chan struct{})
	timer := time.NewTimer(patience + patience/10)
	defer timer.Stop()
	select {
	case e.changes <- c:
	case <-timer.C:
		return fmt.Errorf("%w: others are waiting for it", eventstore.ErrUnavailable)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-e.quit:
		return vault.ErrClosed
	}
	select {
	case <-c.done:
		return c.err
	case <-timer.C:
		return fmt.Errorf("%w: no answer in time", eventstore.ErrUnavailable)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// writeAlways is the one goroutine of this node that changes rows, many
// callers' in one transaction: a commit costs the same for one and for all.
func (e *Engine) writeAlways() {
	for {
		select {
		case first := <-e.changes:
			e.commit(e.gather(first))
		case <-e.quit:
			return
		}
	}
}

// gather takes the changes that are waiting already. One yield lets callers
// who are about to ask come along; waiting for them would cost more than it
// gains (spec/performance.md 2).
func (e *Engine) gather(first *change) []*change {
	batch, secrets := []*change{first}, len(first.secrets)
	runtime.Gosched()
	for len(batch) < maxBatch && secrets < maxSecrets {
		select {
		case c := <-e.changes:
			batch, secrets = append(batch, c), secrets+len(c.secrets)
		default:
			return batch
		}
	}
	return batch
}

// commit writes the batch and releases those who wait. What the server refuses
// is written one by one, for it may be one caller's fault.
func (e *Engine) commit(batch []*change) {
	found, err := e.transact(batch)
	if err != nil && len(batch) > 1 && !errors.Is(err, eventstore.ErrUnavailable) {
		for _, c := range batch {
			e.commit([]*change{c})
		}
		return
	}
	for _, c := range batch {
		c.found, c.err = found, err
		close(c.done)
	}
}

// transact runs the batch in one transaction and one round trip, and returns
// the rows of secrets as they are then. A crash or a lost connection leaves
// all of it or nothing.
func (e *Engine) transact(changes []*change) (found map[string]vault.Secret, err error) {
	c := columnsOf(changes)
	err = e.try(context.Background(), func(ctx context.Context, conn *pgx.Conn) error {
		batch := &pgx.Batch{} // one transaction; at READ COMMITTED each sees what those before have waited for
		if len(c.ids) > 0 {
			batch.Queue(putSecrets, c.ids, c.wrapped, c.since)
		}
		if len(c.old) > 0 {
			batch.Queue(limitCookies, c.old, c.grace)
		}
		if len(c.digests) > 0 {
			batch.Queue(addCookies, c.digests, c.sessions, c.generations, c.expires)
		}
		if len(c.offered) > 0 {
			batch.Queue(findSecrets, c.offered).Query(func(rows pgx.Rows) (err error) {
				found, err = secretsByID(rows)
				return err
			})
		}
		return conn.SendBatch(ctx, batch).Close()
	})
	return found, err
}

// columns are changes as the statements take them.
type columns struct {
	ids, offered []string
	wrapped      [][]byte
	since        []*int64

	old   [][]byte
	grace []int64

	digests     [][]byte
	sessions    []string
	generations []int32
	expires     []int64
}

func columnsOf(changes []*change) (c columns) {
	var secrets []vault.Secret
	for _, change := range changes {
		secrets = append(secrets, change.secrets...)
		if change.old != nil {
			c.old, c.grace = append(c.old, change.old), append(c.grace, change.grace.UnixMicro())
		}
		if k := change.cookie; k != nil {
			c.addCookie(*k)
		}
	}
	// In one order on all nodes, so that no two wait for each other; of one id
	// whoever destroys it comes first, and nothing else counts.
	slices.SortStableFunc(secrets, func(a, b vault.Secret) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), cmp.Compare(len(a.Wrapped), len(b.Wrapped)))
	})
	for i, s := range secrets {
		if i == 0 || s.ID != secrets[i-1].ID {
			c.addSecret(s)
		}
		if s.Wrapped != nil {
			c.offered = append(c.offered, s.ID)
		}
	}
	return c
}

func (c *columns) addSecret(s vault.Secret) {
	var since *int64
	if s.Wrapped == nil {
		micros := s.Since.UnixMicro()
		since = &micros
	}
	c.ids, c.wrapped, c.since = append(c.ids, s.ID), append(c.wrapped, s.Wrapped), append(c.since, since)
}

func (c *columns) addCookie(k vault.Cookie) {
	c.digests, c.sessions = append(c.digests, k.Digest), append(c.sessions, k.Session)
	c.generations, c.expires = append(c.generations, int32(k.Generation)), append(c.expires, k.Expires.UnixMicro())
}
