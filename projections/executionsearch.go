package projections

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/domain"
)

// searchLimits bound what a search costs among very many executions.
type searchLimits struct {
	// budget is how long it looks at executions one by one. If it has not
	// seen all by then that matter, it says how far it came.
	budget time.Duration

	// collect is how many executions are collected that an index yields
	// before they are rather looked for among what else is wanted.
	collect int

	// sort is how many executions are read and sorted, rather than met on a
	// walk along the index of their order.
	sort int
}

// To read a row costs as much as to pass twenty entries of an index.
var usualLimits = searchLimits{budget: 150 * time.Millisecond, collect: 300_000, sort: 15_000}

// executionOrders are the expressions by which lists can be ordered. A minus
// in front of the name turns an order round.
var executionOrders = map[string]string{"started": "", "seen": "seen", "duration": "seen - started"}

// Search returns a page of the executions that f wants, in an order:
// "-started", which is the default, "started", "-seen", "seen", "-duration" or
// "duration".
func (x *Executions) Search(ctx context.Context, f ExecutionFilter, order string, p Page) (page ExecutionPage, err error) {
	name, descending := cutMinus(cmp.Or(order, "-started"))
	by, ok := executionOrders[name]
	if !ok {
		return page, domain.Errorf(domain.Invalid, "There is no order %s.", order)
	}
	err = x.views.snapshot(ctx, "executions", func(conn *sqlite.Conn) error {
		s := &executionSearch{conn: conn, limits: x.limits, exact: true, deadline: time.Now().Add(x.limits.budget)}
		if err := s.find(f); err != nil {
			return err
		}
		var numbers []int64
		if by == "" {
			numbers, err = s.walk(descending, p)
		} else {
			numbers, err = s.sorted(by, descending, p)
		}
		if err != nil {
			return err
		}
		page.Total, page.Exact, page.Reached = s.total, s.exact, s.reached
		page.Executions, err = fetch(conn, numbers)
		return err
	})
	return page, err
}

// cutMinus tells whether an order is turned round, and which it is.
func cutMinus(order string) (name string, descending bool) {
	if order[0] == '-' {
		return order[1:], true
	}
	return order, false
}

// An executionSearch is a search under way, in one snapshot of the tables.
type executionSearch struct {
	conn     *sqlite.Conn
	limits   searchLimits
	low      int64 // number of the first execution that may be wanted
	high     int64 // number behind the last
	found    *numberSet
	took     [2]int64   // at least and at most, in microseconds; 0 for any
	rest     []residual // what has to be looked at one by one
	deadline time.Time

	total   int
	exact   bool
	reached time.Time
}

// A residual is a condition that no index answers in the order of executions,
// and that too many meet to collect them.
type residual struct {
	table, condition string
	args             []any
}

// walk returns the numbers of a page in the order of starts, and counts all.
func (s *executionSearch) walk(descending bool, p Page) ([]int64, error) {
	if len(s.rest) == 0 {
		s.total = s.found.count()
		return s.found.page(descending, p), nil
	}
	wanted := max(p.Offset, 0) + p.Limit
	if p.Limit <= 0 {
		wanted = math.MaxInt
	}
	matched, err := s.match(descending, wanted)
	if err != nil {
		return nil, err
	}
	page := matched[min(max(p.Offset, 0), len(matched)):min(wanted, len(matched))]
	s.total = len(matched)
	if !s.exact && len(matched) >= wanted {
		s.total, s.reached = max(len(matched), atLeast(p, len(page))), time.Time{} // the page is full
	}
	return page, nil
}

// matchAtOnce is how many executions are looked at with one query.
const matchAtOnce = 1000

// match returns what meets the residual conditions, too, as far as there is
// time: less of it once there is what is wanted. It always looks at some.
func (s *executionSearch) match(descending bool, wanted int) (out []int64, err error) {
	part := make([]int64, 0, matchAtOnce)
	enough := s.deadline.Add(-s.limits.budget * 2 / 3)
	look := func() {
		var those []int64
		those, err = s.meeting(part)
		slices.Sort(those)
		if descending {
			slices.Reverse(those)
		}
		out = append(out, those...)
	}
	s.found.each(descending, func(n int64) bool {
		if len(part) < cap(part) {
			part = append(part, n)
			return true
		}
		look()
		if now := time.Now(); err == nil && (now.After(s.deadline) || len(out) >= wanted && now.After(enough)) {
			s.exact = false
			s.reached, err = startOf(s.conn, part[len(part)-1])
		}
		part = append(part[:0], n)
		return err == nil && s.exact
	})
	if err == nil && s.exact && len(part) > 0 {
		look()
	}
	return out, err
}

// meeting returns which of some executions meet all residual conditions.
func (s *executionSearch) meeting(numbers []int64) ([]int64, error) {
	for _, r := range s.rest {
		if len(numbers) == 0 {
			return nil, nil
		}
		var those []int64
		args := append([]any{listOf(numbers)}, r.args...)
		err := query(s.conn, "SELECT n FROM "+r.table+" WHERE n IN (SELECT value FROM json_each(?)) AND "+r.condition, func(row *sqlite.Stmt) error {
			those = append(those, row.ColumnInt64(0))
			return nil
		}, args...)
		if err != nil {
			return nil, err
		}
		numbers = those
	}
	return numbers, nil
}

// sorted returns the numbers of a page in the order of an expression.
func (s *executionSearch) sorted(by string, descending bool, p Page) ([]int64, error) {
	if len(s.rest) > 0 {
		matched, err := s.match(true, 0)
		if err != nil {
			return nil, err
		}
		s.found = newNumberSet(s.low, s.high)
		for _, n := range matched {
			s.found.add(n)
		}
	}
	s.total = s.found.count()
	if s.total > s.limits.sort && p.Limit > 0 {
		if numbers, ok, err := s.along(by, descending, p); ok || err != nil {
			return numbers, err
		}
		// They are far apart in that order. The newest of them will do.
		newest := s.found.page(true, Page{Limit: s.limits.sort})
		reached, err := startOf(s.conn, newest[len(newest)-1])
		if err != nil {
			return nil, err
		}
		s.reached, s.exact = reached, false
		return s.sort(newest, by, descending, p)
	}
	return s.sort(s.found.page(true, Page{}), by, descending, p)
}

// A placed execution has a value to sort by.
type placed struct{ n, value int64 }

// sort returns a page of some executions in the order of an expression.
func (s *executionSearch) sort(numbers []int64, by string, descending bool, p Page) ([]int64, error) {
	all := make([]placed, 0, len(numbers))
	for from := 0; from < len(numbers); from += 5 * matchAtOnce {
		part := numbers[from:min(from+5*matchAtOnce, len(numbers))]
		err := query(s.conn, "SELECT n, "+by+" FROM executions WHERE n IN (SELECT value FROM json_each(?))", func(row *sqlite.Stmt) error {
			all = append(all, placed{row.ColumnInt64(0), row.ColumnInt64(1)})
			return nil
		}, listOf(part))
		if err != nil {
			return nil, err
		}
	}
	return pageOf(all, descending, p), nil
}

// along walks along the index of an order, and tests each execution on it for
// being wanted, as far as there is time. Those that are not over are not in it,
// and few.
func (s *executionSearch) along(by string, descending bool, p Page) (numbers []int64, ok bool, err error) {
	wanted := max(p.Offset, 0) + p.Limit
	var met []placed
	late, seen, deadline := false, 0, time.Now().Add(s.limits.budget)
	// Nothing was seen before it began, and what took as long as is asked for
	// is known: what cannot be wanted is not walked along.
	first, err := startOf(s.conn, s.found.page(false, Page{Limit: 1})[0])
	if err != nil {
		return nil, false, err
	}
	along := fmt.Sprintf("SELECT n, %[1]s FROM executions WHERE status <> 'running' AND %[1]s BETWEEN ? AND ? ORDER BY %[1]s%[2]s", by, direction(descending))
	least, most := s.took[0], cmp.Or(s.took[1], math.MaxInt64)
	if by == "seen" {
		least, most = micros(first), math.MaxInt64
	}
	err = eachUntil(s.conn, along, func(row *sqlite.Stmt) bool {
		at := placed{row.ColumnInt64(0), row.ColumnInt64(1)}
		if seen++; seen%1024 == 0 && time.Now().After(deadline) {
			late = true
		}
		if late || len(met) >= wanted && at.value != met[len(met)-1].value {
			return false // of those with the last value, the newest are wanted
		}
		if s.found.has(at.n) {
			met = append(met, at)
		}
		return true
	}, least, most)
	if err != nil || late {
		return nil, false, err
	}
	err = query(s.conn, "SELECT n, "+by+" FROM executions WHERE status = 'running'", func(row *sqlite.Stmt) error {
		if n := row.ColumnInt64(0); s.found.has(n) {
			met = append(met, placed{n, row.ColumnInt64(1)})
		}
		return nil
	})
	return pageOf(met, descending, p), true, err
}

// pageOf sorts executions by their values, the newest first among equal ones,
// and returns the numbers of a page.
func pageOf(all []placed, descending bool, p Page) (numbers []int64) {
	slices.SortFunc(all, func(a, b placed) int {
		if descending {
			return cmp.Or(cmp.Compare(b.value, a.value), cmp.Compare(b.n, a.n))
		}
		return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(b.n, a.n))
	})
	from := min(max(p.Offset, 0), len(all))
	until := len(all)
	if p.Limit > 0 {
		until = min(from+p.Limit, until)
	}
	for _, at := range all[from:until] {
		numbers = append(numbers, at.n)
	}
	return numbers
}

// errEnough ends a query early.
var errEnough = errors.New("enough")

// eachUntil yields rows until yield returns false.
func eachUntil(conn *sqlite.Conn, text string, yield func(*sqlite.Stmt) bool, args ...any) error {
	err := sqlitex.Execute(conn, text, &sqlitex.ExecOptions{Args: args, ResultFunc: func(s *sqlite.Stmt) error {
		if !yield(s) {
			return errEnough
		}
		return nil
	}})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
