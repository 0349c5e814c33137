package postgres

import (
	"context"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore"
)

// The statements of a transaction. The first round trip begins it, locks the
// ledger, looks where it ends and looks up the streams; the second writes and
// commits. READ COMMITTED is what lets it see what was committed while it
// waited for the lock. There is no READ WRITE: an operator may forbid writing.
const (
	begin   = `BEGIN ISOLATION LEVEL READ COMMITTED`
	durable = `SET LOCAL synchronous_commit = on`
	lock    = `SELECT FROM flowledger.ledger WHERE one FOR UPDATE`
	findEnd = `SELECT coalesce(last.position, 0), coalesce(last.recorded_at, 0),
			coalesce((SELECT max(id) FROM flowledger.streams), 0), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
		FROM (SELECT 1) AS always LEFT JOIN
			(SELECT position, recorded_at FROM flowledger.events ORDER BY position DESC LIMIT 1) AS last ON true`
	findStreams = `SELECT id, name, revision FROM flowledger.streams WHERE name = ANY($1)`
	findIDs     = `SELECT id, stream, revision FROM flowledger.events WHERE id = ANY($1)`

	putEvents = `INSERT INTO flowledger.events
		(position, stream, revision, id, type, schema, recorded_at, header, payload, sealed, salt)
		SELECT $1 + n, stream, revision, id, type, schema, recorded_at, header, payload, sealed, salt
		FROM unnest($2::bigint[], $3::bigint[], $4::uuid[], $5::text[], $6::integer[], $7::bigint[],
			$8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[]) WITH ORDINALITY
			AS e(stream, revision, id, type, schema, recorded_at, header, payload, sealed, salt, n)`
	putStreams = `INSERT INTO flowledger.streams (id, name, revision)
		SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])
		ON CONFLICT (id) DO UPDATE SET revision = excluded.revision`
	tell   = `SELECT pg_notify($1, $2)`
	commit = `COMMIT`
)

// transact carries out batch in one transaction, and returns the end of the
// ledger. The answers are good if there is no error. A transaction that is
// rolled back leaves no gap, for the next counts on from what there is. Doubtful has it look up every ID first.
func transact(ctx context.Context, conn *pgx.Conn, batch []*request, doubtful bool) (end int64, err error) {
	p, err := open(ctx, conn, batch)
	if err != nil {
		return 0, err
	}
	if ids := p.unsure(batch, doubtful); len(ids) > 0 {
		if err := p.look(ctx, conn, ids); err != nil {
			return 0, err
		}
	}
	for _, r := range batch {
		p.answer(r)
	}
	// The answer to this may be lost: whether the events are in the ledger
	// is then found out by their IDs.
	return p.position, p.write(ctx, conn)
}

// open begins the transaction.
func open(ctx context.Context, conn *pgx.Conn, batch []*request) (*plan, error) {
	p := newPlan()
	b := &pgx.Batch{}
	b.Queue(begin)
	b.Queue(durable)
	b.Queue(lock)
	b.Queue(findEnd).QueryRow(func(row pgx.Row) error {
		return row.Scan(&p.position, &p.recordedAt, &p.streams, &p.now)
	})
	b.Queue(findStreams, names(batch)).Query(func(rows pgx.Rows) error {
		var name string
		var e ending
		_, err := pgx.ForEachRow(rows, []any{&e.key, &name, &e.revision}, func() error {
			found := e
			p.endings[eventstore.StreamID(name)] = &found
			return nil
		})
		return err
	})
	return p, conn.SendBatch(ctx, b).Close()
}

// names are those of the streams of batch.
func names(batch []*request) []string {
	seen := make(map[eventstore.StreamID]bool)
	var all []string
	add := func(name eventstore.StreamID) {
		if !seen[name] {
			seen[name], all = true, append(all, string(name))
		}
	}
	for _, r := range batch {
		if r.restored == nil {
			add(r.stream)
		}
		for i := range r.restored {
			add(r.restored[i].Stream)
		}
	}
	return all
}

// look finds out which of the IDs stand in the ledger, and where.
func (p *plan) look(ctx context.Context, conn *pgx.Conn, ids [][16]byte) error {
	rows, err := conn.Query(ctx, findIDs, ids)
	if err != nil {
		return err
	}
	var id [16]byte
	var at place
	_, err = pgx.ForEachRow(rows, []any{&id, &at.key, &at.revision}, func() error {
		p.known[uuid.UUID(id)] = at
		return nil
	})
	return err
}

// write writes what is new, wakes other nodes, and ends the transaction.
func (p *plan) write(ctx context.Context, conn *pgx.Conn) error {
	b := &pgx.Batch{}
	if n := &p.rows; len(n.stream) > 0 {
		keys, names, revisions := p.moved()
		b.Queue(putEvents, p.position-int64(len(n.stream)), n.stream, n.revision, n.id, n.kind, n.schema, n.recordedAt,
			n.header, n.payload, n.sealed, n.salt)
		b.Queue(putStreams, keys, names, revisions)
		b.Queue(tell, channel, strconv.FormatInt(p.position, 10))
	}
	b.Queue(commit)
	return conn.SendBatch(ctx, b).Close()
}
