package projections

import (
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// A rowsRule is for how long a read model keeps its rows, by the ledger's own
// clock: whoever replays it drops the same. It is asked once an hour of that
// clock, for what it says changes once a month and with the rule.
type rowsRule struct {
	table string
	known bool
	rows  rowRule
	done  int64 // the hour up to which there was nothing left to drop
}

// rowsRuleTable is where a read model keeps the rule, so that a rebuild of it
// alone knows it, too.
func rowsRuleTable(table string) string {
	return "CREATE TABLE " + table + "_rule(n INTEGER PRIMARY KEY, months INTEGER NOT NULL, since INTEGER NOT NULL, before INTEGER NOT NULL)"
}

// apply takes up a new rule; other events are none of its concern.
func (r *rowsRule) apply(conn *sqlite.Conn, e codec.Decoded) error {
	event, ok := e.Event.(retention.LedgerRetentionChanged)
	if !ok {
		return nil
	}
	r.known, r.done = false, 0
	return exec(conn, "INSERT OR REPLACE INTO "+r.table+"_rule(n, months, since, before) VALUES(1, ?, ?, ?)",
		event.Rows, micros(event.From), event.Before.Rows)
}

// keptFrom is when the oldest rows are from that the rule in force keeps; false
// if there is nothing left to drop this hour.
func (r *rowsRule) keptFrom(conn *sqlite.Conn, now time.Time) (from time.Time, due bool, err error) {
	if now.IsZero() || r.done == hourOf(now) {
		return from, false, nil
	}
	if !r.known {
		r.rows = rowRule{months: retention.Default().Rows}
		err := query(conn, "SELECT months, since, before FROM "+r.table+"_rule", func(s *sqlite.Stmt) error {
			r.rows = rowRule{months: s.ColumnInt(0), since: s.ColumnInt64(1), before: s.ColumnInt(2)}
			return nil
		})
		if err != nil {
			return from, false, err
		}
		r.known = true
	}
	months := r.rows.months
	if micros(now) < r.rows.since {
		months = r.rows.before
	}
	return retention.KeptFrom(now, months), true, nil
}

// shed drops rows that are older than the rule, some with each batch of events.
// The statement gets the time that they are kept from, and how many go at most.
func (r *rowsRule) shed(conn *sqlite.Conn, now time.Time, statement string) error {
	from, due, err := r.keptFrom(conn, now)
	if err != nil || !due {
		return err
	}
	if err := exec(conn, statement, micros(from), shedAtOnce); err != nil {
		return err
	}
	if conn.Changes() < shedAtOnce {
		r.done = hourOf(now)
	}
	return nil
}
