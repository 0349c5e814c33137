package projections

import (
	"encoding/hex"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/execution"
)

// find makes the set of what f wants, and the conditions that are left.
func (s *executionSearch) find(f ExecutionFilter) (err error) {
	if err := s.bound(f); err != nil {
		return err
	}
	if s.found, err = s.marked(s.statusMarks(f)...); err != nil {
		return err
	}
	s.found.keep(s.low, s.high)
	for _, narrow := range []func(ExecutionFilter) error{s.byFlow, s.byMarks, s.byPlace, s.byColumns, s.byDuration, s.byWords} {
		if err := narrow(f); err != nil {
			return err
		}
	}
	return nil
}

// bound turns times into numbers: executions are in the order of their times.
func (s *executionSearch) bound(f ExecutionFilter) (err error) {
	err = query(s.conn, "SELECT coalesce((SELECT min(n) FROM executions), 0), coalesce((SELECT max(n) FROM executions), -1) + 1", func(row *sqlite.Stmt) error {
		s.low, s.high = row.ColumnInt64(0), row.ColumnInt64(1)
		return nil
	})
	if err == nil && !f.From.IsZero() {
		s.low, err = placeOf(s.conn, f.From)
	}
	if err == nil && !f.Until.IsZero() {
		s.high, err = placeOf(s.conn, f.Until)
	}
	s.high = max(s.low, s.high)
	return err
}

// placeOf returns the number of the first execution that began at a time or
// later, or the next there will be. Times never go back, so it is looked for by
// halves.
func placeOf(conn *sqlite.Conn, t time.Time) (int64, error) {
	return placeBetween(conn, t, 0, math.MaxInt64)
}

// placeBetween is placeOf where it is known to be between two numbers.
func placeBetween(conn *sqlite.Conn, t time.Time, low, high int64) (int64, error) {
	if high == math.MaxInt64 {
		err := query(conn, "SELECT coalesce(max(n), -1) + 1 FROM executions", func(s *sqlite.Stmt) error {
			high = s.ColumnInt64(0)
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	for low < high {
		middle := low + (high-low)/2
		at, n := int64(math.MaxInt64), int64(0)
		err := query(conn, "SELECT started, n FROM executions WHERE n >= ? ORDER BY n LIMIT 1", func(s *sqlite.Stmt) error {
			at, n = s.ColumnInt64(0), s.ColumnInt64(1)
			return nil
		}, middle)
		if err != nil {
			return 0, err
		}
		if at >= micros(t) {
			high = middle
		} else {
			low = n + 1
		}
	}
	return low, nil
}

// startOf is when an execution began.
func startOf(conn *sqlite.Conn, n int64) (at time.Time, err error) {
	err = query(conn, "SELECT started FROM executions WHERE n = ?", func(s *sqlite.Stmt) error {
		at = timeAt(s, "started")
		return nil
	}, n)
	return at, err
}

// marked returns the executions that have any of some marks.
func (s *executionSearch) marked(marks ...string) (*numberSet, error) {
	set := newNumberSet(s.low, s.high)
	for _, mark := range marks {
		if err := s.add(set, "mark = ?", mark); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// add adds the executions whose mark meets a condition.
func (s *executionSearch) add(set *numberSet, condition string, args ...any) error {
	args = append(args, set.first, set.first+int64(len(set.blocks)))
	return query(s.conn, "SELECT block, bits FROM executions_bits WHERE "+condition+" AND block >= ? AND block < ?", func(row *sqlite.Stmt) error {
		var text [blockSize / 8]byte
		set.blocks[row.ColumnInt64(0)-set.first].decode(text[:row.ColumnBytes(1, text[:])])
		return nil
	}, args...)
}

// with keeps what has any of some marks.
func (s *executionSearch) with(marks ...string) error {
	set, err := s.marked(marks...)
	if err == nil {
		s.found.with(set)
	}
	return err
}

// statusMarks are the statuses that f wants: every execution has one.
func (s *executionSearch) statusMarks(f ExecutionFilter) (marks []string) {
	for _, status := range statuses {
		if (f.Status == "" || f.Status == status) && (len(f.Statuses) == 0 || slices.Contains(f.Statuses, status)) &&
			(f.Running == nil || *f.Running == (status == string(execution.Running))) &&
			(f.Abandoned == nil || *f.Abandoned == (status == string(execution.Expired))) {
			marks = append(marks, markStatus+status)
		}
	}
	return marks
}

// byFlow keeps executions of a flow.
func (s *executionSearch) byFlow(f ExecutionFilter) error {
	var w where
	w.equal("slug", f.Slug)
	w.equal("id", f.Flow)
	if f.FlowRevision != nil {
		w.add("revision = ?", *f.FlowRevision)
	}
	if len(w.conditions) == 0 {
		return nil
	}
	marks, err := s.numbered(markFlow, "SELECT n FROM executions_flows"+w.sql(), w.args...)
	if err != nil {
		return err
	}
	return s.with(marks...)
}

// numbered makes marks of the numbers that a query yields.
func (s *executionSearch) numbered(mark, text string, args ...any) (marks []string, err error) {
	err = query(s.conn, text, func(row *sqlite.Stmt) error {
		marks = append(marks, mark+strconv.FormatInt(row.ColumnInt64(0), 10))
		return nil
	}, args...)
	return marks, err
}

// byMarks keeps what has the marks of simple filters.
func (s *executionSearch) byMarks(f ExecutionFilter) error {
	wanted := [][]string{}
	for mark, value := range map[string]string{
		markDesignation: f.Designation, markEntered: f.StageKind, markFactor: f.Factor, markApplication: f.Application,
		markCountry: strings.ToUpper(f.Country),
	} {
		if value != "" {
			wanted = append(wanted, []string{mark + value})
		}
	}
	if f.ASN != 0 {
		wanted = append(wanted, []string{markASN + strconv.FormatInt(f.ASN, 10)})
	}
	if f.Cause != "" {
		var any []string
		for _, status := range statuses {
			any = append(any, markCause+status+":"+f.Cause)
		}
		wanted = append(wanted, any)
	}
	switch {
	case f.Policy != "" && f.Said != "":
		wanted = append(wanted, []string{markSaid + f.Policy + ":" + f.Said})
	case f.Policy != "":
		mark := markSaid + f.Policy + ":"
		wanted = append(wanted, []string{mark + "passed", mark + "failed", mark + "erred"})
	case f.Said != "":
		wanted = append(wanted, []string{markAnySaid + f.Said})
	}
	if f.Reached != "" {
		marks, err := s.numbered(markStage, "SELECT n FROM executions_stages WHERE id = ?1 UNION SELECT n FROM executions_stages WHERE name = ?1", f.Reached)
		if err != nil {
			return err
		}
		wanted = append(wanted, marks)
	}
	for _, marks := range wanted {
		if err := s.with(marks...); err != nil {
			return err
		}
	}
	return nil
}

// byPlace keeps what came from a network.
func (s *executionSearch) byPlace(f ExecutionFilter) error {
	if !f.Network.IsValid() {
		return nil
	}
	return s.byNetwork(f.Network)
}

// byNetwork keeps what came from a network. The first bytes of addresses have
// marks; longer prefixes are looked up by the address, too.
func (s *executionSearch) byNetwork(p netip.Prefix) error {
	if p.Addr().Is4In6() {
		p = netip.PrefixFrom(p.Addr().Unmap(), max(p.Bits()-96, 0))
	}
	set, err := s.fromNetwork(p)
	if err != nil {
		return err
	}
	s.found.with(set)
	if _, marked := networkMark(p.Addr()); p.Bits() <= marked {
		return nil
	}
	low, high := rangeOf(p)
	return s.narrow("executions_origins", "ip BETWEEN ? AND ?", low, high)
}

// networkMark is the kind of mark of an address, and how many of its bits are
// in it.
func networkMark(ip netip.Addr) (mark string, bits int) {
	if ip.Is4() {
		return markNetwork4, 16
	}
	return markNetwork6, 32
}

// fromNetwork returns what came from a network, or from one around it that has
// a mark.
func (s *executionSearch) fromNetwork(p netip.Prefix) (*numberSet, error) {
	mark, bits := networkMark(p.Addr())
	if p.Bits() > bits {
		p = netip.PrefixFrom(p.Addr(), bits)
	}
	low, high := rangeOf(p)
	from, bytes := 0, bits/8
	if bits == 16 {
		from = 12
	}
	set := newNumberSet(s.low, s.high)
	return set, s.add(set, "mark BETWEEN ? AND ?", mark+hex.EncodeToString(low[from:from+bytes]), mark+hex.EncodeToString(high[from:from+bytes]))
}

// rangeOf returns the first and the last address of a network, as the table
// has them.
func rangeOf(p netip.Prefix) (low, high []byte) {
	p = p.Masked()
	low = ipBytes(p.Addr())
	high = append(high, low...)
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	for i := bits; i < 128; i++ {
		high[i/8] |= 0x80 >> (i % 8)
	}
	return low, high
}

// byColumns keeps what has the values of columns that nearly each execution
// has another of.
func (s *executionSearch) byColumns(f ExecutionFilter) error {
	for column, value := range map[string]string{"id": f.ID, "user": f.User, "visitor": f.Visitor, "session": f.Session} {
		if value == "" {
			continue
		}
		condition := column + " = ? AND " + column + " <> ''" // as the index says
		if err := s.narrow("executions", condition, value); err != nil {
			return err
		}
	}
	return nil
}

// byDuration keeps what took as long as it is to have taken. Those that are
// not over are not in the index.
func (s *executionSearch) byDuration(f ExecutionFilter) error {
	var w where
	if f.Longer > 0 {
		w.add("seen - started >= ?", f.Longer.Microseconds())
	}
	if f.Shorter > 0 {
		w.add("seen - started < ?", f.Shorter.Microseconds())
	}
	if len(w.conditions) == 0 {
		return nil
	}
	s.took = [2]int64{f.Longer.Microseconds(), f.Shorter.Microseconds()}
	condition := strings.Join(w.conditions, " AND ")
	set := newNumberSet(s.low, s.high)
	enough, err := s.collect(set, "SELECT n FROM executions WHERE status <> 'running' AND "+condition, w.args...)
	if err == nil && !enough {
		enough, err = s.collect(set, "SELECT n FROM executions WHERE status = 'running' AND "+condition, w.args...)
	}
	if enough {
		s.rest = append(s.rest, residual{"executions", condition, w.args})
	} else {
		s.found.with(set)
	}
	return err
}

// narrow keeps what meets a condition: it collects them if they are not too
// many, else each has to be looked at.
func (s *executionSearch) narrow(table, condition string, args ...any) error {
	set := newNumberSet(s.low, s.high)
	enough, err := s.collect(set, "SELECT n FROM "+table+" WHERE "+condition, args...)
	if enough {
		s.rest = append(s.rest, residual{table, condition, args})
	} else {
		s.found.with(set)
	}
	return err
}

// collect adds the numbers that a query yields to a set, and tells whether it
// gave up.
func (s *executionSearch) collect(set *numberSet, text string, args ...any) (enough bool, err error) {
	n := 0
	err = eachUntil(s.conn, text, func(row *sqlite.Stmt) bool {
		if n++; n > s.limits.collect {
			enough = true
			return false
		}
		set.add(row.ColumnInt64(0))
		return true
	}, args...)
	return enough, err
}
