package projections

import (
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore/codec"
)

// A sourceBatch is what a batch of events changes, until it is written.
type sourceBatch struct {
	runs      map[string]*sourceRun // executions that were met, by id
	order     []*sourceRun          // in which they were met
	sums      map[sourceSlot]*sourceSums
	slots     []sourceSlot // in which they were met
	now       time.Time    // of the last event; zero for none
	rule      rowsRule
	committed bool // what was written before is in the file for good
	scrub     bool // something was forgotten, and the file's log may still have it
}

// Begin implements [gathering].
func (x *Sources) Begin() {
	b := &x.batch
	if !b.committed || b.rule.table == "" { // a runner refreshes before its first batch
		b.rule = rowsRule{table: "sources"}
	}
	b.runs, b.order, b.sums, b.slots = map[string]*sourceRun{}, nil, map[sourceSlot]*sourceSums{}, nil
	b.now, b.committed = time.Time{}, false
}

// A sourceRun is an execution, as far as it must be known whom it met: its
// denial is aimed at its user, and where it came from goes with the keys of
// all of them.
type sourceRun struct {
	id       string
	user     string           // at present
	met      map[string]int64 // users, and where in the ledger they were met
	named    map[string]bool  // by attempts of this batch
	attempts bool             // of this batch
	loaded   bool
	fresh    bool // nothing of it is in the file
	over     bool
}

// run returns an execution of the batch.
func (b *sourceBatch) run(id string, fresh bool) *sourceRun {
	r := b.runs[id]
	if r == nil {
		r = &sourceRun{id: id, met: map[string]int64{}, named: map[string]bool{}, loaded: fresh, fresh: fresh}
		b.runs[id], b.order = r, append(b.order, r)
	}
	return r
}

// load reads whom it met before.
func (r *sourceRun) load(conn *sqlite.Conn) error {
	if r.loaded {
		return nil
	}
	r.loaded = true
	return query(conn, "SELECT user, n FROM sources_users WHERE execution = ? ORDER BY n", func(s *sqlite.Stmt) error {
		r.user = idOf(bytesAt(s, 0))
		r.met[r.user] = s.ColumnInt64(1)
		return nil
	}, idBytes(r.id))
}

// meet notes a user; nobody is none.
func (r *sourceRun) meet(user string, e codec.Decoded) {
	if user != "" {
		r.user, r.met[user] = user, int64(e.Position.Value())
	}
}

// tried notes that an attempt names a user, or nobody.
func (r *sourceRun) tried(user string) { r.attempts, r.named[user] = true, true }

// settle writes whom executions met. Of one that is over it keeps those whom
// none of its attempts names, and nobody if it has none.
func (b *sourceBatch) settle(conn *sqlite.Conn) error {
	for _, r := range b.order {
		if r.over {
			if err := r.conclude(conn); err != nil {
				return err
			}
		}
		for user, n := range r.met {
			err := exec(conn, "INSERT OR REPLACE INTO sources_users(execution, user, n) VALUES(?, ?, ?)", idBytes(r.id), idBytes(user), n)
			if err != nil {
				return err
			}
		}
		r.fresh = false
	}
	return nil
}

// conclude leaves those in met that must stay.
func (r *sourceRun) conclude(conn *sqlite.Conn) error {
	id := idBytes(r.id)
	if !r.fresh {
		err := query(conn, "SELECT user FROM sources WHERE execution = ?", func(s *sqlite.Stmt) error {
			r.tried(idOf(bytesAt(s, 0)))
			return nil
		}, id)
		if err != nil {
			return err
		}
		if err := exec(conn, "DELETE FROM sources_users WHERE execution = ?", id); err != nil {
			return err
		}
	}
	for user := range r.met {
		if !r.attempts || r.named[user] {
			delete(r.met, user)
		}
	}
	return nil
}

// A sourceSlot is an hour or a day of a source.
type sourceSlot struct {
	by, key  string
	span, at int64
}

type sourceSums struct {
	counts      [3]int64 // by what attempts were
	first, last int64    // microseconds; 0 where nothing came
	less        bool     // something was taken off
}

// sum adds an attempt to the slots of its source, or takes it off.
func (b *sourceBatch) sum(by string, a attempt, n int64) {
	key := keyOf(by, a)
	if len(key) == 0 {
		return
	}
	hour := a.at / hourMicros
	for _, span := range []int64{1, dayHours} {
		slot := sourceSlot{by, string(key), span, hour - hour%span}
		s := b.sums[slot]
		if s == nil {
			s = &sourceSums{}
			b.sums[slot], b.slots = s, append(b.slots, slot)
		}
		s.counts[a.what] += n
		if n < 0 {
			s.less = true
			continue
		}
		if s.first == 0 {
			s.first = a.at
		}
		s.last = a.at
	}
}

// keyOf is what a source is told from others by; empty where it is not known.
func keyOf(by string, a attempt) []byte {
	switch by {
	case ByIP:
		return a.ip
	case ByUser:
		return a.user
	}
	if a.asn == 0 {
		return nil
	}
	return strconv.AppendInt(nil, a.asn, 10)
}

// writeSums writes the slots that changed. Those that nothing is left in go.
func (b *sourceBatch) writeSums(conn *sqlite.Conn) error {
	for _, slot := range b.slots {
		s := b.sums[slot]
		if !s.less {
			err := exec(conn, `INSERT INTO sources_slots(by, key, span, at, failures, denials, successes, tried, first, last)
				VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET failures = failures + excluded.failures,
					denials = denials + excluded.denials, successes = successes + excluded.successes, tried = tried + excluded.tried,
					last = excluded.last`,
				slot.by, []byte(slot.key), slot.span, slot.at, s.counts[0], s.counts[1], s.counts[2], s.counts[0]+s.counts[1], s.first, s.last)
			if err != nil {
				return err
			}
			continue
		}
		if err := b.lessen(conn, slot, s); err != nil {
			return err
		}
	}
	clear(b.sums)
	b.slots = nil
	return nil
}

// lessen writes a slot that something was taken off.
func (b *sourceBatch) lessen(conn *sqlite.Conn, slot sourceSlot, s *sourceSums) error {
	key := []byte(slot.key)
	first, last := s.first, s.last
	counts := s.counts
	err := query(conn, "SELECT failures, denials, successes, first, last FROM sources_slots WHERE by = ? AND key = ? AND span = ? AND at = ?",
		func(row *sqlite.Stmt) error {
			for i := range counts {
				counts[i] += row.ColumnInt64(i)
			}
			first, last = row.ColumnInt64(3), max(last, row.ColumnInt64(4))
			return nil
		}, slot.by, key, slot.span, slot.at)
	if err != nil {
		return err
	}
	if counts == [3]int64{} {
		return exec(conn, "DELETE FROM sources_slots WHERE by = ? AND key = ? AND span = ? AND at = ?", slot.by, key, slot.span, slot.at)
	}
	return exec(conn, `INSERT OR REPLACE INTO sources_slots(by, key, span, at, failures, denials, successes, tried, first, last)
		VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, slot.by, key, slot.span, slot.at, counts[0], counts[1], counts[2], counts[0]+counts[1], first, last)
}

// shed drops what is older than attempts are kept for, or than the rule for
// rows, some with each batch: sums by whole hours and days, attempts one by one.
func (x *Sources) shed(conn *sqlite.Conn) error {
	from, due, err := x.batch.rule.keptFrom(conn, x.batch.now)
	if err != nil || !due {
		return err
	}
	if bound := x.batch.now.Add(-attemptsKept); from.Before(bound) {
		from = bound
	}
	dropped := 0
	for _, by := range []string{ByIP, ByUser, ByASN} {
		for _, span := range []int64{1, dayHours} {
			err := exec(conn, `DELETE FROM sources_slots WHERE (by, key, span, at) IN
				(SELECT by, key, span, at FROM sources_slots INDEXED BY sources_worst WHERE by = ? AND span = ? AND at < ? LIMIT ?)`,
				by, span, hourOf(from)+1-span, shedAtOnce)
			if err != nil {
				return err
			}
			dropped = max(dropped, conn.Changes())
		}
	}
	gone, err := x.dropAttempts(conn, from)
	if dropped = max(dropped, gone); dropped < shedAtOnce {
		x.batch.rule.done = hourOf(x.batch.now)
	}
	return err
}

// dropAttempts drops the oldest attempts, and whom executions of that time met.
// It returns how many attempts went.
func (x *Sources) dropAttempts(conn *sqlite.Conn, from time.Time) (gone int, err error) {
	end := int64(-1)
	err = query(conn, "SELECT coalesce(max(n), -1) FROM (SELECT n, at FROM sources ORDER BY n LIMIT ?) WHERE at < ?", func(s *sqlite.Stmt) error {
		end = s.ColumnInt64(0)
		return nil
	}, shedAtOnce, micros(from))
	if err != nil || end < 0 {
		return 0, err
	}
	if err := exec(conn, "DELETE FROM sources WHERE n <= ?", end); err != nil {
		return 0, err
	}
	gone = conn.Changes()
	return gone, exec(conn, "DELETE FROM sources_users WHERE n <= ?", end)
}
