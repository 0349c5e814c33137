package projections

import (
	"context"
	"time"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Sources are where attempts to log in came from, and whom they were aimed at:
// wrong credentials, names that nobody has, denials, and log-ins. What was typed
// is never here. Each attempt is a row, for as long as it is kept; by the hour
// and by the day they are summed up for each address, user and autonomous
// system, which is what the worst are found in.
//
// Addresses are here in clear. They go with the keys that they are sealed with:
// of a user, where all the executions came from that the user was met in; of a
// month, all. An attempt whose address went still counts for its user.
type Sources struct {
	views *Views
	batch sourceBatch // the runner's own
}

// NewSources makes the read model.
func NewSources(v *Views) *Sources { return &Sources{views: v} }

// Name implements [Projection].
func (*Sources) Name() string { return "sources" }

// Schema implements [Projection]. Ids and addresses are bytes, for there are
// very many. The users of an execution are kept while it runs, and afterwards
// where it left an attempt that does not name them.
func (*Sources) Schema() string {
	return `-- 1
		CREATE TABLE sources(
			n         INTEGER PRIMARY KEY,
			at        INTEGER NOT NULL,
			execution BLOB NOT NULL,
			user      BLOB NOT NULL,
			ip        BLOB NOT NULL,
			asn       INTEGER NOT NULL,
			country   TEXT NOT NULL,
			what      INTEGER NOT NULL
		);
		CREATE INDEX sources_by_execution ON sources(execution);
		CREATE INDEX sources_by_user ON sources(user, ip, at) WHERE user <> x'';
		CREATE INDEX sources_by_ip ON sources(ip, user, at) WHERE ip <> x'';
		CREATE INDEX sources_by_asn ON sources(asn, user, at) WHERE asn <> 0;
		CREATE TABLE sources_slots(
			by        TEXT NOT NULL,
			key       BLOB NOT NULL,
			span      INTEGER NOT NULL,
			at        INTEGER NOT NULL,
			failures  INTEGER NOT NULL,
			denials   INTEGER NOT NULL,
			successes INTEGER NOT NULL,
			tried     INTEGER NOT NULL,
			first     INTEGER NOT NULL,
			last      INTEGER NOT NULL,
			PRIMARY KEY(by, key, span, at)
		) WITHOUT ROWID;
		CREATE INDEX sources_worst ON sources_slots(by, span, at, tried DESC);
		CREATE TABLE sources_systems(
			asn  INTEGER PRIMARY KEY,
			name TEXT NOT NULL
		);
		CREATE TABLE sources_users(
			execution BLOB NOT NULL,
			user      BLOB NOT NULL,
			n         INTEGER NOT NULL,
			PRIMARY KEY(execution, user)
		) WITHOUT ROWID;
		CREATE INDEX sources_users_by_user ON sources_users(user);
		` + rowsRuleTable("sources")
}

// Needs implements [Projection]. Where an attempt came from is sealed with the
// first event of its append; of all else the clear part will do.
func (*Sources) Needs(e eventstore.Recorded) Need {
	switch e.Type {
	case "LoginFailed", "IdentificationFailed", "ExecutionDenied", "UserLoggedIn":
		return Locatable
	case "ExecutionStarted", "SubjectIdentified", "ExecutionCompleted", "ExecutionCancelled", "ExecutionExpired", "ExecutionFailed",
		"SubjectKeyDestroyed", "EpochKeyDestroyed", "LedgerRetentionChanged":
		return Clear
	}
	return Nothing
}

// What an attempt was, as a number.
const (
	attemptFailed = iota
	attemptDenied
	attemptSucceeded
)

// Apply implements [Projection].
func (x *Sources) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	x.batch.now = e.RecordedAt
	switch event := e.Event.(type) {
	case key.SubjectKeyDestroyed:
		return x.forget(conn, e.Stream.ID(), event)
	case key.EpochKeyDestroyed:
		return x.forgetMonth(conn, event)
	case execution.ExecutionStarted:
		x.batch.run(e.Stream.ID(), true).meet(event.User, e)
		return nil
	}
	if e.Stream.Category() != "execution" {
		return x.batch.rule.apply(conn, e)
	}
	run := x.batch.run(e.Stream.ID(), false)
	if err := run.load(conn); err != nil {
		return err
	}
	switch event := e.Event.(type) {
	case execution.SubjectIdentified:
		run.meet(event.Previous, e)
		run.meet(event.User, e)
		run.user = event.User
	case execution.IdentificationFailed:
		return x.attempt(conn, e, run, "", attemptFailed)
	case execution.LoginFailed:
		return x.attempt(conn, e, run, event.User, attemptFailed)
	case execution.UserLoggedIn:
		return x.attempt(conn, e, run, event.User, attemptSucceeded)
	case execution.ExecutionDenied:
		run.over = true
		return x.attempt(conn, e, run, run.user, attemptDenied)
	default:
		run.over = true
	}
	return nil
}

// An attempt is a row, as it is summed up.
type attempt struct {
	at       int64 // microseconds
	user, ip []byte
	asn      int64
	what     int
}

// attempt notes one attempt.
func (x *Sources) attempt(conn *sqlite.Conn, e codec.Decoded, run *sourceRun, user string, what int) error {
	from := originFrom(networkOf(e))
	a := attempt{at: micros(e.RecordedAt), user: idBytes(user), ip: ipBytes(from.IP), asn: from.ASN, what: what}
	run.tried(user)
	if from.ASN != 0 {
		err := exec(conn, "INSERT INTO sources_systems(asn, name) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET name = ?2 WHERE name <> ?2",
			from.ASN, from.ASOrg)
		if err != nil {
			return err
		}
	}
	x.batch.sum(ByUser, a, 1)
	x.batch.sum(ByIP, a, 1)
	x.batch.sum(ByASN, a, 1)
	return exec(conn, "INSERT OR IGNORE INTO sources(n, at, execution, user, ip, asn, country, what) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
		int64(e.Position.Value()), a.at, idBytes(e.Stream.ID()), a.user, a.ip, a.asn, from.Country, what)
}

// forget drops where the attempts of a subject's executions came from. A user's
// executions are those that the user was met in at any time; keys of sessions
// seal nothing of them.
func (x *Sources) forget(conn *sqlite.Conn, id string, e key.SubjectKeyDestroyed) error {
	switch e.Kind {
	case key.User:
		if err := x.batch.settle(conn); err != nil {
			return err
		}
		return x.blank(conn, `execution IN (SELECT execution FROM sources_users WHERE user = ?1
			UNION SELECT execution FROM sources WHERE user = ?1 AND user <> x'')`, idBytes(id))
	case key.Execution:
		return x.blank(conn, "execution = ?", idBytes(id))
	}
	return nil
}

// forgetMonth drops where the attempts of a month came from. The event that
// carries the network stands in front of others of its append.
func (x *Sources) forgetMonth(conn *sqlite.Conn, e key.EpochKeyDestroyed) error {
	if e.Class != string(rune(domain.Network)) || e.First == "" {
		return nil
	}
	first, err := eventstore.ParsePosition(e.First)
	if err != nil {
		return err
	}
	last, err := eventstore.ParsePosition(e.Last)
	if err != nil {
		return err
	}
	return x.blank(conn, "n BETWEEN ? AND ?", int64(first.Value()), int64(last.Value())+int64(eventstore.MaxEvents))
}

// blank drops where attempts came from, and takes them off the sums.
func (x *Sources) blank(conn *sqlite.Conn, condition string, args ...any) error {
	x.batch.scrub = true
	err := query(conn, "SELECT at, ip, asn, what FROM sources WHERE (ip <> x'' OR asn <> 0) AND "+condition, func(s *sqlite.Stmt) error {
		a := attempt{at: s.ColumnInt64(0), ip: bytesAt(s, 1), asn: s.ColumnInt64(2), what: s.ColumnInt(3)}
		x.batch.sum(ByIP, a, -1)
		x.batch.sum(ByASN, a, -1)
		return nil
	}, args...)
	if err != nil {
		return err
	}
	return exec(conn, "UPDATE sources SET ip = x'', asn = 0, country = '' WHERE (ip <> x'' OR asn <> 0) AND "+condition, args...)
}

// attemptsKept is how long attempts are kept at most.
const attemptsKept = 92 * dayHours * time.Hour

// Flush implements [gathering].
func (x *Sources) Flush(conn *sqlite.Conn) error {
	if err := x.batch.settle(conn); err != nil {
		return err
	}
	if err := x.batch.writeSums(conn); err != nil {
		return err
	}
	return x.shed(conn)
}

// Refresh implements [Projection]. After something was forgotten it empties the
// file's log, as [Subjects.Refresh] does.
func (x *Sources) Refresh(conn *sqlite.Conn) error {
	x.batch.committed = true
	if !x.batch.scrub {
		return nil
	}
	return sqlitex.Execute(conn, "PRAGMA wal_checkpoint(TRUNCATE)", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		x.batch.scrub = s.ColumnInt(0) != 0
		return nil
	}})
}

// idBytes is an id in as few bytes as there can be.
func idBytes(id string) []byte {
	if u, err := uuid.Parse(id); err == nil && u.String() == id {
		return u[:]
	}
	return []byte(id)
}

// idOf reads what idBytes wrote.
func idOf(text []byte) string {
	if len(text) == len(uuid.UUID{}) {
		return uuid.UUID(text).String()
	}
	return string(text)
}

// bytesAt reads bytes.
func bytesAt(s *sqlite.Stmt, column int) []byte {
	text := make([]byte, s.ColumnLen(column))
	s.ColumnBytes(column, text)
	return text
}
