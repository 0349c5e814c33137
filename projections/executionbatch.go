package projections

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/domain"
)

// An executionBatch is what a batch of events changes, until it is written:
// the events of one login are mostly in one batch, and an execution is read
// and written once for all of them.
type executionBatch struct {
	rows      map[string]*executionRow // by id; nil for those that there are not
	order     []*executionRow          // in the order in which they were met
	bits      map[markBlock]*bitChange
	begun     map[int64]int // executions by flow
	last      int64         // number of the last execution; negative while it is not read
	now       int64         // when the last event was recorded
	committed bool          // what was written before is in the file for good
	scrub     bool          // something was forgotten, and the file's log may still have it
	rule      *rowRule      // nil while it is not read
	shed      time.Time     // what began before it is dropped

	flows  map[flowKey]int64 // known ones, and back
	known  map[int64]flowKey
	stages map[stageKey]int64
	kinds  map[int64]string
}

type markBlock struct {
	mark  string
	block int64
}

// A bitChange is which bits of a block are set, and which are cleared.
type bitChange struct{ set, clear block }

type flowKey struct {
	domain.Ref
	slug, designation string
}

type stageKey struct{ id, name, kind string }

// maxKnown is how many flows, and how many stages, are remembered.
const maxKnown = 10_000

// Begin implements [gathering].
func (x *Executions) Begin() {
	b := &x.batch
	b.rows, b.order, b.bits, b.begun = map[string]*executionRow{}, nil, map[markBlock]*bitChange{}, map[int64]int{}
	if !b.committed || b.flows == nil || len(b.flows) > maxKnown || len(b.stages) > maxKnown {
		b.flows, b.known = map[flowKey]int64{}, map[int64]flowKey{}
		b.stages, b.kinds = map[stageKey]int64{}, map[int64]string{}
		b.rule, b.shed, b.last = nil, time.Time{}, -1
	}
	b.committed, b.now = false, 0
}

// Flush implements [gathering].
func (x *Executions) Flush(conn *sqlite.Conn) error {
	if x.batch.now == 0 {
		return nil // nothing that concerns it
	}
	if err := x.write(conn); err != nil {
		return err
	}
	if err := x.shed(conn); err != nil {
		return fmt.Errorf("drop what is too old: %w", err)
	}
	return x.writeBits(conn)
}

// Refresh implements [Projection]. After something was forgotten it empties the
// file's log, as [Subjects.Refresh] does.
func (x *Executions) Refresh(conn *sqlite.Conn) error {
	x.batch.committed = true
	if !x.batch.scrub {
		return nil
	}
	return sqlitex.Execute(conn, "PRAGMA wal_checkpoint(TRUNCATE)", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		x.batch.scrub = s.ColumnInt(0) != 0
		return nil
	}})
}

// write writes the executions that changed.
func (x *Executions) write(conn *sqlite.Conn) error {
	for _, row := range x.batch.order {
		if !row.dirty {
			continue
		}
		marks, err := x.marksOf(conn, row)
		if err != nil {
			return err
		}
		x.remark(row, marks)
		if err := row.save(conn); err != nil {
			return err
		}
		row.dirty = false
	}
	for _, flow := range slices.Sorted(maps.Keys(x.batch.begun)) {
		err := exec(conn, "UPDATE executions_flows SET begun = begun + ? WHERE n = ?", x.batch.begun[flow], flow)
		if err != nil {
			return err
		}
	}
	clear(x.batch.begun)
	return nil
}

// remark sets the bits of the marks that a row has and had not, and clears the
// others.
func (x *Executions) remark(row *executionRow, marks []string) {
	for _, mark := range marks {
		if !slices.Contains(row.marks, mark) {
			x.mark(mark, row.n, true)
		}
	}
	for _, mark := range row.marks {
		if !slices.Contains(marks, mark) {
			x.mark(mark, row.n, false)
		}
	}
	row.marks = marks
}

// mark sets or clears one bit.
func (x *Executions) mark(mark string, n int64, on bool) {
	at := markBlock{mark, n / blockSize}
	change := x.batch.bits[at]
	if change == nil {
		change = &bitChange{}
		x.batch.bits[at] = change
	}
	if on {
		change.set.set(n % blockSize)
		change.clear.clear(n % blockSize)
	} else {
		change.clear.set(n % blockSize)
		change.set.clear(n % blockSize)
	}
}

// writeBits writes the blocks that changed.
func (x *Executions) writeBits(conn *sqlite.Conn) error {
	places := slices.SortedFunc(maps.Keys(x.batch.bits), func(a, b markBlock) int {
		return cmp.Or(strings.Compare(a.mark, b.mark), cmp.Compare(a.block, b.block))
	})
	for _, at := range places {
		var b block
		err := query(conn, "SELECT bits FROM executions_bits WHERE mark = ? AND block = ?", func(s *sqlite.Stmt) error {
			var text [blockSize / 8]byte
			b.decode(text[:s.ColumnBytes(0, text[:])])
			return nil
		}, at.mark, at.block)
		if err != nil {
			return err
		}
		change := x.batch.bits[at]
		for i := range b {
			b[i] = b[i]&^change.clear[i] | change.set[i]
		}
		if text := b.encode(); len(text) > 0 {
			err = exec(conn, "INSERT OR REPLACE INTO executions_bits(mark, block, bits) VALUES(?, ?, ?)", at.mark, at.block, text)
		} else {
			err = exec(conn, "DELETE FROM executions_bits WHERE mark = ? AND block = ?", at.mark, at.block)
		}
		if err != nil {
			return err
		}
	}
	clear(x.batch.bits)
	return nil
}

// flow returns the number of a flow as of a revision, and gives it one if it
// has none: in the order of the ledger, so that a rebuild gives the same.
func (x *Executions) flow(conn *sqlite.Conn, f flowKey) (n int64, err error) {
	if n = x.batch.flows[f]; n != 0 {
		return n, nil
	}
	args := []any{f.ID, f.Revision, f.Name, f.slug, f.designation}
	number := func(s *sqlite.Stmt) error { n = s.ColumnInt64(0); return nil }
	err = query(conn, "SELECT n FROM executions_flows WHERE id = ? AND revision = ? AND name = ? AND slug = ? AND designation = ?", number, args...)
	if err == nil && n == 0 {
		err = query(conn, "INSERT INTO executions_flows(id, revision, name, slug, designation) VALUES(?, ?, ?, ?, ?) RETURNING n", number, args...)
	}
	x.batch.flows[f], x.batch.known[n] = n, f
	return n, err
}

// flowOf is the flow of a number.
func (x *Executions) flowOf(conn *sqlite.Conn, n int64) (f flowKey, err error) {
	f, ok := x.batch.known[n]
	if ok {
		return f, nil
	}
	err = query(conn, "SELECT id, revision, name, slug, designation FROM executions_flows WHERE n = ?", func(s *sqlite.Stmt) error {
		f.ID, f.Revision, f.Name = s.ColumnText(0), s.ColumnInt64(1), s.ColumnText(2)
		f.slug, f.designation = s.ColumnText(3), s.ColumnText(4)
		return nil
	}, n)
	x.batch.known[n] = f
	return f, err
}

// stage returns the number of a stage, and gives it one if it has none.
func (x *Executions) stage(conn *sqlite.Conn, k stageKey) (n int64, err error) {
	if n = x.batch.stages[k]; n != 0 {
		return n, nil
	}
	number := func(s *sqlite.Stmt) error { n = s.ColumnInt64(0); return nil }
	err = query(conn, "SELECT n FROM executions_stages WHERE id = ? AND name = ? AND kind = ?", number, k.id, k.name, k.kind)
	if err == nil && n == 0 {
		err = query(conn, "INSERT INTO executions_stages(id, name, kind) VALUES(?, ?, ?) RETURNING n", number, k.id, k.name, k.kind)
	}
	x.batch.stages[k], x.batch.kinds[n] = n, k.kind
	return n, err
}

// kindOf is the kind of the stage of a number.
func (x *Executions) kindOf(conn *sqlite.Conn, n int64) (kind string, err error) {
	kind, ok := x.batch.kinds[n]
	if ok {
		return kind, nil
	}
	err = query(conn, "SELECT kind FROM executions_stages WHERE n = ?", func(s *sqlite.Stmt) error {
		kind = s.ColumnText(0)
		return nil
	}, n)
	x.batch.kinds[n] = kind
	return kind, err
}

// numbers reads a list of numbers, and numbersText writes it.
func numbers(text string) (out []int64) {
	for part := range strings.FieldsSeq(text) {
		n, _ := strconv.ParseInt(part, 10, 64)
		out = append(out, n)
	}
	return out
}

func numbersText(list []int64) string {
	var b strings.Builder
	for i, n := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatInt(n, 10))
	}
	return b.String()
}
