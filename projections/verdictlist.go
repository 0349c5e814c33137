package projections

import (
	"cmp"
	"context"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
)

// A verdictPlace is where a verdict stands.
type verdictPlace struct{ at, n, i int64 }

// List returns a page of the verdicts that f wants, the newest first, and how
// many there are in all. What is older than the rule for rows is in the numbers
// alone.
func (x *Verdicts) List(ctx context.Context, f VerdictFilter, p Page) (list []Verdict, total int, err error) {
	err = x.views.snapshot(ctx, "verdicts", func(conn *sqlite.Conn) error {
		q := verdictQuery{conn: conn, f: f, p: p}
		if err := q.bound(); err != nil {
			return err
		}
		if total, err = q.total(); err != nil || p.behind(total) {
			return err
		}
		places, err := q.places()
		if err != nil {
			return err
		}
		for _, place := range places {
			if err := query(conn, shownVerdict, func(s *sqlite.Stmt) error {
				list = append(list, verdictAt(s))
				return nil
			}, place.n, place.i); err != nil {
				return err
			}
		}
		return nil
	})
	return list, total, err
}

// shownVerdict joins what belongs to a verdict.
const shownVerdict = `SELECT v.*, a.id AS event, a.execution, a.revision,
		p.id AS policy_id, p.kind AS policy_kind, p.revision AS policy_revision, p.name AS policy_name,
		t.id AS target_id, t.kind AS target_kind, t.revision AS target_revision, t.name AS target_name
	FROM verdicts v JOIN verdicts_refs p ON p.n = v.ref JOIN verdicts_refs t ON t.n = v.target LEFT JOIN audit a ON a.n = v.n
	WHERE v.n = ? AND v.i = ?`

func verdictAt(s *sqlite.Stmt) Verdict {
	return Verdict{
		Position: positionAt(s), At: timeAt(s, "at"), Event: s.GetText("event"), Execution: s.GetText("execution"),
		Revision: s.GetInt64("revision"), Policy: refAt(s, "policy_"), Target: refAt(s, "target_"),
		Said: sayings[s.GetInt64("said")], Negate: s.GetInt64("negate") != 0, MS: s.GetInt64("ms"),
	}
}

// refAt reads a reference whose columns begin with a prefix.
func refAt(s *sqlite.Stmt, prefix string) domain.Ref {
	return domain.Ref{
		ID: s.GetText(prefix + "id"), Kind: s.GetText(prefix + "kind"), Revision: s.GetInt64(prefix + "revision"), Name: s.GetText(prefix + "name"),
	}
}

// A verdictQuery is one question for verdicts.
type verdictQuery struct {
	conn        *sqlite.Conn
	f           VerdictFilter
	p           Page
	from, until int64   // microseconds
	refs        []int64 // the policy as of the revisions that are wanted; nil for all policies
}

// bound finds between which times rows are there, and which policies count.
func (q *verdictQuery) bound() error {
	err := query(q.conn, "SELECT coalesce((SELECT min(at) FROM verdicts), 0), coalesce((SELECT max(at) FROM verdicts), -1) + 1", func(s *sqlite.Stmt) error {
		q.from, q.until = s.ColumnInt64(0), s.ColumnInt64(1)
		return nil
	})
	if err != nil {
		return err
	}
	if !q.f.From.IsZero() {
		q.from = max(q.from, micros(q.f.From))
	}
	if !q.f.Until.IsZero() {
		q.until = min(q.until, micros(q.f.Until))
	}
	if q.f.Policy == "" && q.f.PolicyRevision == nil {
		return nil
	}
	var w where
	w.equal("id", q.f.Policy)
	if q.f.PolicyRevision != nil {
		w.add("revision = ?", *q.f.PolicyRevision)
	}
	q.refs = []int64{}
	return query(q.conn, "SELECT n FROM verdicts_refs"+w.sql(), func(s *sqlite.Stmt) error {
		q.refs = append(q.refs, s.ColumnInt64(0))
		return nil
	}, w.args...)
}

// said are the sayings that are wanted, as numbers.
func (q *verdictQuery) said() []int {
	if q.f.Said == "" {
		return []int{saidPassed, saidFailed, saidErred}
	}
	if n := slices.Index(sayings, q.f.Said); n >= 0 {
		return []int{n}
	}
	return nil
}

// total counts what is wanted: whole hours and days are counted already.
func (q *verdictQuery) total() (int, error) {
	if q.from >= q.until {
		return 0, nil
	}
	if q.f.Execution != "" {
		found, err := q.ofExecution()
		return len(found), err
	}
	spans := spansBetween(time.UnixMicro(q.from), time.UnixMicro(q.until))
	total := 0
	for _, span := range spans.whole {
		n, err := q.counted(span)
		if err != nil {
			return 0, err
		}
		total += n
	}
	for _, edge := range spans.edges {
		n, err := q.edge(edge[0], edge[1])
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// counted sums up slots.
func (q *verdictQuery) counted(span slotSpan) (total int, err error) {
	wanted := map[int64]bool{}
	for _, ref := range q.refs {
		wanted[ref] = true
	}
	said := q.said()
	err = query(q.conn, "SELECT ref, passed, failed, erred FROM verdicts_slots WHERE span = ? AND at >= ? AND at < ?", func(s *sqlite.Stmt) error {
		if q.refs == nil || wanted[s.ColumnInt64(0)] {
			for _, n := range said {
				total += s.ColumnInt(1 + n)
			}
		}
		return nil
	}, span.hours, span.from, span.until)
	return total, err
}

// edge counts what is in a part of an hour.
func (q *verdictQuery) edge(from, until int64) (total int, err error) {
	add := func(s *sqlite.Stmt) error { total += s.ColumnInt(0); return nil }
	for _, said := range q.said() {
		if q.refs == nil {
			if err := query(q.conn, "SELECT count(*) FROM verdicts INDEXED BY verdicts_by_at WHERE at >= ? AND at < ? AND said = ?", add,
				from, until, said); err != nil {
				return 0, err
			}
		}
		for _, ref := range q.refs {
			if err := query(q.conn, "SELECT count(*) FROM verdicts INDEXED BY verdicts_by_ref WHERE ref = ? AND said = ? AND at >= ? AND at < ?", add,
				ref, said, from, until); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// ofExecution finds what policies said in one execution, the newest first. The
// audit's index knows its evaluations.
func (q *verdictQuery) ofExecution() (found []verdictPlace, err error) {
	said := q.said()
	err = query(q.conn, `SELECT v.at, v.n, v.i, v.ref, v.said FROM audit a CROSS JOIN verdicts v ON v.n = a.n
			WHERE a.execution = ? AND a.execution <> '' AND a.type IN ('PolicyEvaluated', 'PolicyDenied') AND v.at >= ? AND v.at < ?`,
		func(s *sqlite.Stmt) error {
			if (q.refs == nil || slices.Contains(q.refs, s.ColumnInt64(3))) && slices.Contains(said, s.ColumnInt(4)) {
				found = append(found, verdictPlace{s.ColumnInt64(0), s.ColumnInt64(1), s.ColumnInt64(2)})
			}
			return nil
		}, q.f.Execution, q.from, q.until)
	slices.SortFunc(found, newestVerdict)
	return found, err
}

// newestVerdict orders the newest evaluation first, and its results as they
// stand.
func newestVerdict(a, b verdictPlace) int {
	return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(b.n, a.n), cmp.Compare(a.i, b.i))
}

// places finds the verdicts of the page. Each policy's revision and saying has
// an order of its own in the index; they are merged.
func (q *verdictQuery) places() (found []verdictPlace, err error) {
	offset := max(q.p.Offset, 0)
	need := -1
	if q.p.Limit > 0 {
		need = offset + q.p.Limit
	}
	take := func(s *sqlite.Stmt) error {
		found = append(found, verdictPlace{s.ColumnInt64(0), s.ColumnInt64(1), s.ColumnInt64(2)})
		return nil
	}
	const order = " AND at >= ? AND at < ? ORDER BY at DESC, n DESC LIMIT ?"
	switch {
	case q.f.Execution != "":
		found, err = q.ofExecution()
	case q.refs == nil && q.f.Said == "":
		err = query(q.conn, "SELECT at, n, i FROM verdicts INDEXED BY verdicts_by_at WHERE true"+order, take, q.from, q.until, need)
	case q.refs == nil && q.f.Said == sayings[saidPassed]:
		err = query(q.conn, "SELECT at, n, i FROM verdicts INDEXED BY verdicts_by_at WHERE said = 0"+order, take, q.from, q.until, need)
	case q.refs == nil:
		for _, said := range q.said() {
			err = query(q.conn, "SELECT at, n, i FROM verdicts INDEXED BY verdicts_by_said WHERE said > 0 AND said = ?"+order, take, said, q.from, q.until, need)
		}
	default:
		for _, ref := range q.refs {
			for _, said := range q.said() {
				if err == nil {
					err = query(q.conn, "SELECT at, n, i FROM verdicts INDEXED BY verdicts_by_ref WHERE ref = ? AND said = ?"+order, take,
						ref, said, q.from, q.until, need)
				}
			}
		}
	}
	slices.SortFunc(found, newestVerdict)
	found = found[min(offset, len(found)):]
	if q.p.Limit > 0 {
		found = found[:min(q.p.Limit, len(found))]
	}
	return found, err
}
