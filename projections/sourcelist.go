package projections

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"
)

// How far a search for the worst sources looks. Candidates are the worst of
// each hour and each day of the time that is asked for: whoever is not among so
// many in any of them is not among the worst of all, unless very many are about
// as bad.
const (
	maxCandidates = 3000
	leastDepth    = 20
	maxTargets    = 100 // more of one source are not counted
)

// Top returns a page of the worst sources in a span of time, by what they are
// told apart by, and how many were found: failures and denials count, whole
// hours of them. Sources that only succeeded are none. Targets are counted up
// to 100.
func (x *Sources) Top(ctx context.Context, by string, from, until time.Time, p Page) (list []Source, total int, err error) {
	if by != ByIP && by != ByUser && by != ByASN {
		return nil, 0, fmt.Errorf("look up sources: they are not told apart by %q", by)
	}
	first, last := hoursAround(from, until)
	err = x.views.snapshot(ctx, "sources", func(conn *sqlite.Conn) error {
		q := sourceQuery{conn: conn, by: by, spans: wholeSlots(first, last), from: first * hourMicros, until: last * hourMicros}
		found, err := q.worst()
		if err != nil {
			return err
		}
		total = len(found)
		if p.behind(total) {
			return nil
		}
		found = found[max(p.Offset, 0):]
		if p.Limit > 0 {
			found = found[:min(p.Limit, len(found))]
		}
		for _, s := range found {
			if err := q.complete(&s); err != nil {
				return err
			}
			list = append(list, s.Source)
		}
		return nil
	})
	return list, total, err
}

// A sourceQuery is one question for sources.
type sourceQuery struct {
	conn        *sqlite.Conn
	by          string
	spans       []slotSpan
	from, until int64 // microseconds
}

// A foundSource is a source under its key as the tables have it.
type foundSource struct {
	Source
	key []byte
}

// worst finds the worst sources and sums them up, the worst first.
func (q *sourceQuery) worst() ([]foundSource, error) {
	slots := int64(0)
	for _, s := range q.spans {
		slots += (s.until - s.from) / s.hours
	}
	depth := max(leastDepth, maxCandidates/max(slots, 1))
	keys := map[string]bool{}
	for _, s := range q.spans {
		for at := s.from; at < s.until; at += s.hours {
			err := query(q.conn, `SELECT key FROM sources_slots INDEXED BY sources_worst WHERE by = ? AND span = ? AND at = ? AND tried > 0
				ORDER BY tried DESC LIMIT ?`, func(row *sqlite.Stmt) error {
				keys[string(bytesAt(row, 0))] = true
				return nil
			}, q.by, s.hours, at, depth)
			if err != nil {
				return nil, err
			}
		}
	}
	out := make([]foundSource, 0, len(keys))
	for key := range keys {
		s, err := q.sum([]byte(key))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b foundSource) int {
		return cmp.Or(cmp.Compare(b.Failures+b.Denials, a.Failures+a.Denials), b.Last.Compare(a.Last), slices.Compare(a.key, b.key))
	})
	return out, nil
}

// sum adds up the slots of a source.
func (q *sourceQuery) sum(key []byte) (foundSource, error) {
	out := foundSource{key: key}
	for _, span := range q.spans {
		err := query(q.conn, `SELECT failures, denials, successes, first, last FROM sources_slots
				WHERE by = ? AND key = ? AND span = ? AND at >= ? AND at < ?`, func(s *sqlite.Stmt) error {
			out.Failures, out.Denials, out.Successes = out.Failures+s.ColumnInt(0), out.Denials+s.ColumnInt(1), out.Successes+s.ColumnInt(2)
			if first := time.UnixMicro(s.ColumnInt64(3)).UTC(); out.First.IsZero() || first.Before(out.First) {
				out.First = first
			}
			if last := time.UnixMicro(s.ColumnInt64(4)).UTC(); last.After(out.Last) {
				out.Last = last
			}
			return nil
		}, q.by, key, span.hours, span.from, span.until)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// complete adds what is shown of a source beside its numbers.
func (q *sourceQuery) complete(s *foundSource) (err error) {
	var key any = s.key
	index, column, other := "sources_by_ip", "ip", "user"
	switch q.by {
	case ByIP:
		s.Key = ipOf(s.key).String()
		err = query(q.conn, "SELECT country FROM sources WHERE ip = ? AND ip <> x'' LIMIT 1", func(row *sqlite.Stmt) error {
			s.Country = row.ColumnText(0)
			return nil
		}, s.key)
	case ByUser:
		s.Key, index, column, other = idOf(s.key), "sources_by_user", "user", "ip"
	case ByASN:
		s.Key, index, column = string(s.key), "sources_by_asn", "asn"
		number, _ := strconv.ParseInt(s.Key, 10, 64)
		key = number
		err = query(q.conn, "SELECT name FROM sources_systems WHERE asn = ?", func(row *sqlite.Stmt) error {
			s.Label = row.ColumnText(0)
			return nil
		}, number)
	}
	if err != nil {
		return err
	}
	s.Targets, err = q.targets(index, column, other, key)
	return err
}

// targets counts what the other column has beside a key, going from one value
// to the next along the index, for there can be very many attempts at one.
func (q *sourceQuery) targets(index, column, other string, key any) (n int, err error) {
	some := column + " = ? AND " + column + " <> x''"
	if column == "asn" {
		some = "asn = ? AND asn <> 0"
	}
	next := fmt.Sprintf("SELECT %s FROM sources INDEXED BY %s WHERE %s AND %s > ? ORDER BY %s LIMIT 1", other, index, some, other, other)
	within := fmt.Sprintf("SELECT 1 FROM sources INDEXED BY %s WHERE %s AND %s = ? AND at >= ? AND at < ? LIMIT 1", index, some, other)
	at := []byte{}
	for range maxSteps {
		var to []byte
		if err := query(q.conn, next, func(s *sqlite.Stmt) error { to = bytesAt(s, 0); return nil }, key, at); err != nil {
			return n, err
		}
		if to == nil {
			break
		}
		err := query(q.conn, within, func(*sqlite.Stmt) error { n++; return nil }, key, to, q.from, q.until)
		if err != nil || n == maxTargets {
			return n, err
		}
		at = to
	}
	return n, nil
}

// maxSteps bounds the values that are looked at to find those of the time.
const maxSteps = 3 * maxTargets
