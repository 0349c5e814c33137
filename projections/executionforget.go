package projections

import (
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/retention"
)

// forget drops where executions came from whose keys are gone: those that were
// about a user at any time, or that the user was logged in at, or in which
// somebody tried the user's name and failed, or one. What is sealed for a
// session is nothing of an execution's.
func (x *Executions) forget(conn *sqlite.Conn, id string, e key.SubjectKeyDestroyed) error {
	switch e.Kind {
	case key.User:
		return x.forgetThose(conn, `SELECT n FROM executions WHERE user = ?1 AND user <> ''
			UNION SELECT n FROM executions WHERE visitor = ?1 AND visitor <> ''
			UNION SELECT n FROM executions_former WHERE user = ?1
			UNION SELECT n FROM executions WHERE id IN (
				SELECT substr(subject, length('execution:') + 1) FROM subjects WHERE user = ?1 AND subject LIKE 'execution:%')`, id)
	case key.Execution:
		return x.forgetThose(conn, "SELECT n FROM executions WHERE id = ?", id)
	}
	return nil
}

// clockSlack is how much later than it was sealed an append may be recorded.
const clockSlack = time.Minute

// forgetMonth drops where the executions of a month came from. What was sealed
// in its last moments was recorded in the next one's first.
func (x *Executions) forgetMonth(conn *sqlite.Conn, e key.EpochKeyDestroyed) error {
	month, err := time.Parse("2006-01", e.Epoch)
	if err != nil || e.Class != string(rune(domain.Network)) {
		return nil // what is sealed by the month is, in its class
	}
	if err := x.write(conn); err != nil {
		return err
	}
	low, err := placeOf(conn, month)
	if err != nil {
		return err
	}
	high, err := placeOf(conn, month.AddDate(0, 1, 0).Add(clockSlack))
	if err != nil {
		return err
	}
	// What is neither in the first block nor in the last goes as a whole: it can
	// be very much, and everybody waits.
	first, last := low/blockSize+1, high/blockSize
	if first < last {
		if err := x.forgetBlocks(conn, first, last); err != nil {
			return err
		}
	}
	return x.forgetThose(conn, "SELECT n FROM executions_origins WHERE n >= ? AND n < ?", low, high)
}

// forgetBlocks drops where executions came from whose numbers are in some
// blocks, and the marks of that.
func (x *Executions) forgetBlocks(conn *sqlite.Conn, first, until int64) error {
	if err := x.writeBits(conn); err != nil {
		return err
	}
	for _, mark := range []string{markCountry, markASN, markNetwork4, markNetwork6} {
		err := exec(conn, "DELETE FROM executions_bits WHERE mark >= ?1 AND mark < ?1 || char(1114111) AND block >= ?2 AND block < ?3", mark, first, until)
		if err != nil {
			return err
		}
	}
	return exec(conn, "DELETE FROM executions_origins WHERE n >= ? AND n < ?", first*blockSize, until*blockSize)
}

// forgetThose drops where executions came from.
func (x *Executions) forgetThose(conn *sqlite.Conn, which string, args ...any) error {
	if err := x.write(conn); err != nil {
		return err // the query must see all of them
	}
	var those []int64
	err := query(conn, which, func(s *sqlite.Stmt) error {
		those = append(those, s.ColumnInt64(0))
		return nil
	}, args...)
	if err != nil {
		return err
	}
	x.batch.scrub = true
	for _, n := range those {
		if err := x.dropOrigin(conn, n); err != nil {
			return err
		}
	}
	return nil
}

// dropOrigin drops where one execution came from, and what it is found by for
// that.
func (x *Executions) dropOrigin(conn *sqlite.Conn, n int64) error {
	err := query(conn, "SELECT ip, country, asn FROM executions_origins WHERE n = ?", func(s *sqlite.Stmt) error {
		var ip [16]byte
		o := Origin{IP: ipOf(ip[:s.ColumnBytes(0, ip[:])]), Country: s.ColumnText(1), ASN: s.ColumnInt64(2)}
		for _, mark := range originMarks(o) {
			x.mark(mark, n, false)
		}
		return nil
	}, n)
	if err != nil {
		return err
	}
	return exec(conn, "DELETE FROM executions_origins WHERE n = ?", n)
}

// shedAtOnce is how many rows go with one batch of events at most: as many as
// a batch can bring, so that a rebuild keeps pace.
const shedAtOnce = 1000

// shed drops rows of executions that began before what the rule keeps, by the
// ledger's own clock: whoever replays it drops the same. What they were counts
// on, by the hour. What is kept changes once a month and with the rule, so
// mostly there is nothing to look for.
func (x *Executions) shed(conn *sqlite.Conn) error {
	until, err := x.keptFrom(conn)
	if err != nil || until.Equal(x.batch.shed) {
		return err
	}
	end, err := placeOf(conn, until)
	if err != nil {
		return err
	}
	var old []*executionRow
	err = query(conn, "SELECT * FROM executions WHERE n < ? AND status <> 'running' ORDER BY n LIMIT ?", func(s *sqlite.Stmt) error {
		old = append(old, rowAt(s))
		return nil
	}, end, shedAtOnce)
	if err != nil {
		return err
	}
	for _, row := range old {
		if err := x.drop(conn, row); err != nil {
			return err
		}
	}
	if len(old) < shedAtOnce {
		x.batch.shed = until
	}
	return nil
}

// drop drops one row.
func (x *Executions) drop(conn *sqlite.Conn, row *executionRow) error {
	var err error
	if row.marks, err = x.marksOf(conn, row); err != nil {
		return err
	}
	f, err := x.flowOf(conn, row.flow)
	if err != nil {
		return err
	}
	x.remark(row, nil)
	if err := x.dropOrigin(conn, row.n); err != nil {
		return err
	}
	delete(x.batch.rows, row.id)
	for _, q := range []string{"DELETE FROM executions WHERE n = ?", "DELETE FROM executions_former WHERE n = ?"} {
		if err := exec(conn, q, row.n); err != nil {
			return err
		}
	}
	return exec(conn, `INSERT INTO executions_shed(hour, flow, status, cause, begun) VALUES(?, ?, ?, ?, 1)
		ON CONFLICT DO UPDATE SET begun = begun + 1`, hourOf(time.UnixMicro(row.started)), f.ID, row.status, row.cause)
}

// A rowRule is for how many months rows are kept: before a time, and since.
type rowRule struct {
	months, before int
	since          int64
}

// keptFrom is when the oldest executions begin that the rule in force keeps.
func (x *Executions) keptFrom(conn *sqlite.Conn) (time.Time, error) {
	if x.batch.rule == nil {
		rule := rowRule{months: retention.Default().Rows}
		err := query(conn, "SELECT months, since, before FROM executions_rule", func(s *sqlite.Stmt) error {
			rule = rowRule{months: s.ColumnInt(0), since: s.ColumnInt64(1), before: s.ColumnInt(2)}
			return nil
		})
		if err != nil {
			return time.Time{}, err
		}
		x.batch.rule = &rule
	}
	months := x.batch.rule.months
	if x.batch.now < x.batch.rule.since {
		months = x.batch.rule.before
	}
	return retention.KeptFrom(time.UnixMicro(x.batch.now), months), nil
}
