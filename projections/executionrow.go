package projections

import (
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// An executionRow is an execution on its way into the table. Times are
// microseconds since 1970.
type executionRow struct {
	n                         int64
	id                        string
	revision                  int64
	flow, stage               int64 // their numbers
	session, visitor, user    string
	status, cause             string
	evaluation, reference     string
	started, seen, deadline   int64
	steps, attempts, restarts int64
	entry, application        string
	factors                   []string
	entered                   []int64  // numbers of the stages, each once
	said                      []string // policy:verdict, each once
	answered                  int64
	asked                     int64 // when the challenge was issued that waits; 0 for none
	waited                    int64 // for responses
	silent                    int64 // for a response that never came

	marks []string // that are set for it, but those of where it came from
	fresh bool     // it is not in the table
	dirty bool
}

// begin takes up an execution with the next number, and where it came from.
func (x *Executions) begin(conn *sqlite.Conn, e codec.Decoded, event execution.ExecutionStarted) error {
	id, at := e.Stream.ID(), micros(e.RecordedAt)
	if row, err := x.row(conn, id); row != nil || err != nil {
		return err
	}
	flow, err := x.flow(conn, flowKey{Ref: event.Flow, slug: event.Slug, designation: event.Designation})
	if err != nil {
		return err
	}
	row := &executionRow{
		id: id, revision: int64(e.Revision), flow: flow, session: event.Session, visitor: event.User, status: string(execution.Running),
		started: at, seen: at, deadline: micros(event.Deadline), entry: event.Entry, application: applicationOf(event.Change),
		fresh: true, dirty: true,
	}
	if row.n, err = x.next(conn); err != nil {
		return err
	}
	x.batch.rows[id], x.batch.order = row, append(x.batch.order, row)
	x.batch.begun[flow]++
	return x.locate(conn, row.n, networkOf(e))
}

// next is the number of the next execution. Those that were dropped count, so
// that a rebuild gives the same numbers.
func (x *Executions) next(conn *sqlite.Conn) (int64, error) {
	if x.batch.last < 0 {
		err := query(conn, "SELECT coalesce(sum(begun), 0) FROM executions_flows", func(s *sqlite.Stmt) error {
			x.batch.last = s.ColumnInt64(0)
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	x.batch.last++
	return x.batch.last, nil
}

// locate writes where an execution came from.
func (x *Executions) locate(conn *sqlite.Conn, n int64, from session.Network) error {
	if from.IP == "" && from.UserAgent == "" {
		return nil // unknown, or forgotten
	}
	o := originFrom(from)
	for _, mark := range originMarks(o) {
		x.mark(mark, n, true)
	}
	return exec(conn, "INSERT OR REPLACE INTO executions_origins(n, ip, country, city, asn, as_org, agent) VALUES(?, ?, ?, ?, ?, ?, ?)",
		n, ipBytes(o.IP), o.Country, o.City, o.ASN, o.ASOrg, o.Agent)
}

// row returns an execution as it is by now; nil if there is none.
func (x *Executions) row(conn *sqlite.Conn, id string) (row *executionRow, err error) {
	row, ok := x.batch.rows[id]
	if ok {
		return row, nil
	}
	err = query(conn, "SELECT * FROM executions WHERE id = ?", func(s *sqlite.Stmt) error {
		row = rowAt(s)
		return nil
	}, id)
	if err == nil && row != nil {
		row.marks, err = x.marksOf(conn, row)
		x.batch.order = append(x.batch.order, row)
	}
	x.batch.rows[id] = row
	return row, err
}

func rowAt(s *sqlite.Stmt) *executionRow {
	r := &executionRow{
		n: s.ColumnInt64(0), id: s.ColumnText(1), revision: s.ColumnInt64(2), flow: s.ColumnInt64(3),
		session: s.ColumnText(4), visitor: s.ColumnText(5), user: s.ColumnText(6), stage: s.ColumnInt64(7),
		status: s.ColumnText(8), cause: s.ColumnText(9), evaluation: s.ColumnText(10), reference: s.ColumnText(11),
		started: s.ColumnInt64(12), seen: s.ColumnInt64(13), deadline: s.ColumnInt64(14),
		steps: s.ColumnInt64(15), attempts: s.ColumnInt64(16), restarts: s.ColumnInt64(17),
		entry: s.ColumnText(18), application: s.ColumnText(19), factors: strings.Fields(s.ColumnText(20)),
		entered: numbers(s.ColumnText(21)), said: strings.Fields(s.ColumnText(22)),
		answered: s.ColumnInt64(23), asked: s.ColumnInt64(24), waited: s.ColumnInt64(25), silent: s.ColumnInt64(26),
	}
	return r
}

// save writes a row: the first time all of it, later what can change, for
// SQLite writes an index anew whenever its column is named.
func (r *executionRow) save(conn *sqlite.Conn) error {
	factors, entered, said := strings.Join(r.factors, " "), numbersText(r.entered), strings.Join(r.said, " ")
	if r.fresh {
		r.fresh = false
		return exec(conn, `INSERT INTO executions(n, id, revision, flow, session, visitor, user, stage, status, cause, evaluation, reference,
				started, seen, deadline, steps, attempts, restarts, entry, application, factors, entered, said, answered, asked, waited, silent)
			VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.n, r.id, r.revision, r.flow, r.session, r.visitor, r.user, r.stage, r.status, r.cause, r.evaluation, r.reference,
			r.started, r.seen, r.deadline, r.steps, r.attempts, r.restarts, r.entry, r.application, factors, entered, said,
			r.answered, r.asked, r.waited, r.silent)
	}
	return exec(conn, `UPDATE executions SET revision = ?, flow = ?, user = ?, stage = ?, status = ?, cause = ?, evaluation = ?, reference = ?,
			seen = ?, deadline = ?, steps = ?, attempts = ?, restarts = ?, application = ?, factors = ?, entered = ?, said = ?,
			answered = ?, asked = ?, waited = ?, silent = ? WHERE n = ?`,
		r.revision, r.flow, r.user, r.stage, r.status, r.cause, r.evaluation, r.reference,
		r.seen, r.deadline, r.steps, r.attempts, r.restarts, r.application, factors, entered, said,
		r.answered, r.asked, r.waited, r.silent, r.n)
}
