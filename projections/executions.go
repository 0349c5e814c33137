package projections

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Executions are all executions, those that are over included: where each
// stands, or how it ended, and where it came from. What they know is in their
// streams. Rows of executions that are older than the rule for them are
// dropped; how many there were stays.
//
// Executions have numbers, in the order in which they began. What is asked for
// by value is a set of numbers, kept as rows of bits: any filter, and any of
// them together, is answered by reading a bit for each execution.
type Executions struct {
	views  *Views
	limits searchLimits

	batch executionBatch // the runner's own
}

// NewExecutions makes the read model.
func NewExecutions(v *Views) *Executions { return &Executions{views: v, limits: usualLimits} }

// Name implements [Projection].
func (*Executions) Name() string { return "executions" }

// Schema implements [Projection]. What many executions have in common, their
// flow and their stage as of a revision, is in tables of its own, and so is
// where they came from, which goes when its keys do. Indexes of what changes
// with each step leave out those that are not over.
func (*Executions) Schema() string {
	return `-- 2
		CREATE TABLE executions(
			n           INTEGER PRIMARY KEY,
			id          TEXT NOT NULL UNIQUE,
			revision    INTEGER NOT NULL,
			flow        INTEGER NOT NULL,
			session     TEXT NOT NULL,
			visitor     TEXT NOT NULL,
			user        TEXT NOT NULL,
			stage       INTEGER NOT NULL,
			status      TEXT NOT NULL,
			cause       TEXT NOT NULL,
			evaluation  TEXT NOT NULL,
			reference   TEXT NOT NULL,
			started     INTEGER NOT NULL,
			seen        INTEGER NOT NULL,
			deadline    INTEGER NOT NULL,
			steps       INTEGER NOT NULL,
			attempts    INTEGER NOT NULL,
			restarts    INTEGER NOT NULL,
			entry       TEXT NOT NULL,
			application TEXT NOT NULL,
			factors     TEXT NOT NULL,
			entered     TEXT NOT NULL,
			said        TEXT NOT NULL,
			answered    INTEGER NOT NULL,
			asked       INTEGER NOT NULL,
			waited      INTEGER NOT NULL,
			silent      INTEGER NOT NULL
		);
		CREATE INDEX executions_by_deadline ON executions(deadline) WHERE status = 'running';
		CREATE INDEX executions_by_session ON executions(session);
		CREATE INDEX executions_by_user ON executions(user) WHERE user <> '';
		CREATE INDEX executions_by_visitor ON executions(visitor) WHERE visitor <> '';
		CREATE INDEX executions_by_reference ON executions(reference) WHERE reference <> '';
		CREATE INDEX executions_by_took ON executions(seen - started) WHERE status <> 'running';
		CREATE INDEX executions_by_seen ON executions(seen) WHERE status <> 'running';
		CREATE TABLE executions_flows(
			n           INTEGER PRIMARY KEY,
			id          TEXT NOT NULL,
			revision    INTEGER NOT NULL,
			name        TEXT NOT NULL,
			slug        TEXT NOT NULL,
			designation TEXT NOT NULL,
			begun       INTEGER NOT NULL DEFAULT 0,
			UNIQUE(id, revision, name, slug, designation)
		);
		CREATE INDEX executions_flows_by_slug ON executions_flows(slug);
		CREATE TABLE executions_stages(
			n    INTEGER PRIMARY KEY,
			id   TEXT NOT NULL,
			name TEXT NOT NULL,
			kind TEXT NOT NULL,
			UNIQUE(id, name, kind)
		);
		CREATE INDEX executions_stages_by_name ON executions_stages(name);
		CREATE TABLE executions_origins(
			n       INTEGER PRIMARY KEY,
			ip      BLOB NOT NULL,
			country TEXT NOT NULL,
			city    TEXT NOT NULL,
			asn     INTEGER NOT NULL,
			as_org  TEXT NOT NULL,
			agent   TEXT NOT NULL
		);
		CREATE INDEX executions_origins_by_ip ON executions_origins(ip);
		CREATE TABLE executions_former(
			user TEXT NOT NULL,
			n    INTEGER NOT NULL,
			PRIMARY KEY(user, n)
		) WITHOUT ROWID;
		CREATE INDEX executions_former_by_n ON executions_former(n);
		CREATE TABLE executions_bits(
			mark  TEXT NOT NULL,
			block INTEGER NOT NULL,
			bits  BLOB NOT NULL,
			PRIMARY KEY(mark, block)
		) WITHOUT ROWID;
		CREATE TABLE executions_shed(
			hour   INTEGER NOT NULL,
			flow   TEXT NOT NULL,
			status TEXT NOT NULL,
			cause  TEXT NOT NULL,
			begun  INTEGER NOT NULL,
			PRIMARY KEY(hour, flow, status, cause)
		) WITHOUT ROWID;
		CREATE TABLE executions_rule(
			n      INTEGER PRIMARY KEY,
			months INTEGER NOT NULL,
			since  INTEGER NOT NULL,
			before INTEGER NOT NULL
		)`
}

// Needs implements [Projection]. Where an execution came from is sealed in the
// append that begins it.
func (*Executions) Needs(e eventstore.Recorded) Need {
	switch {
	case e.Type == "ExecutionStarted":
		return Locatable
	case e.Stream.Category() == "execution":
		return Clear
	case e.Type == "SubjectKeyDestroyed" || e.Type == "EpochKeyDestroyed" || e.Type == "LedgerRetentionChanged":
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (x *Executions) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	x.batch.now = micros(e.RecordedAt)
	switch event := e.Event.(type) {
	case key.SubjectKeyDestroyed:
		return x.forget(conn, e.Stream.ID(), event)
	case key.EpochKeyDestroyed:
		return x.forgetMonth(conn, event)
	case retention.LedgerRetentionChanged:
		x.batch.rule = nil
		return exec(conn, "INSERT OR REPLACE INTO executions_rule(n, months, since, before) VALUES(1, ?, ?, ?)",
			event.Rows, micros(event.From), event.Before.Rows)
	case execution.ExecutionStarted:
		return x.begin(conn, e, event)
	}
	row, err := x.row(conn, e.Stream.ID())
	if row == nil || err != nil {
		return err // it was dropped for its age
	}
	row.dirty = true
	return x.fold(conn, row, e)
}

// Due returns the ids of running executions whose deadline is past, the first
// first.
func (x *Executions) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return x.views.ids(ctx, "executions",
		"SELECT id FROM executions WHERE status = 'running' AND deadline < ? ORDER BY deadline, id LIMIT ?", micros(now), limit)
}
