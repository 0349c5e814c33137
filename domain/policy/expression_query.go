package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/expr"
)

// A query is a set of users or groups that is looked up when somebody wants to
// know what is in it.
type query struct {
	e       *evaluation
	m       *model
	local   []row // what to choose from; nil to ask the directory
	given   []condition
	without [][]condition // each leaves out what meets all of its conditions
	order   []string
	from    int
	to      int // 0 for the end
	sliced  bool
	call    string // how it came to be, for the record

	rows []row
	read bool
}

// maxRows is how many users or groups one query may have to look at.
const maxRows = 1000

// Type implements [expr.Value].
func (*query) Type() string { return "QuerySet" }

// known tells whether what is in the set can be told without a look-up.
func (q *query) known() bool { return q.read || q.local != nil }

// with returns a copy that has not looked anything up.
func (q *query) with(call string) *query {
	out := *q
	out.rows, out.read, out.call = nil, false, shorten(q.call, maxAnswer)+"."+call
	out.given, out.without = slices.Clip(q.given), slices.Clip(q.without)
	return &out
}

// whole tells whether the directory answers all of the query: the conditions
// that it takes, and whether there is nothing to be left out or put in order
// here.
func (q *query) whole() (by map[string]any, rest []condition, whole bool) {
	by = map[string]any{}
	for _, c := range q.given {
		key, value, ok := c.pushed(q.m)
		if _, twice := by[key]; ok && !twice {
			by[key] = value
		} else {
			rest = append(rest, c)
		}
	}
	return by, rest, len(rest) == 0 && len(q.without) == 0 && len(q.order) == 0
}

// load looks at most limit rows up, or all of them for 0.
func (q *query) load(limit int) ([]row, error) {
	if q.read {
		return q.rows, nil
	}
	by, rest, whole := q.whole()
	rows := q.local
	if rows != nil {
		rest = q.given
	} else {
		wanted := 0 // all
		if whole && limit > 0 {
			wanted = q.from + limit
		} else if whole {
			wanted = q.to
		}
		var err error
		if rows, err = q.fetch(by, wanted); err != nil {
			return nil, err
		}
	}
	var kept []row
	for _, r := range rows {
		if q.wants(r, rest) {
			kept = append(kept, r)
		}
	}
	sortRows(kept, q.order)
	if q.from > 0 || q.to > 0 {
		to := len(kept)
		if q.to > 0 {
			to = min(q.to, to)
		}
		kept = kept[min(q.from, to):to]
	}
	if limit > 0 {
		return kept[:min(limit, len(kept))], nil
	}
	q.rows, q.read = kept, true
	return kept, nil
}

// fetch asks the directory for the first rows, as many as are wanted, or for
// all of them for 0.
func (q *query) fetch(by map[string]any, wanted int) ([]row, error) {
	most := maxRows
	if wanted > 0 {
		most = min(wanted, maxRows)
	}
	rows, total, err := q.find(by, most)
	if err != nil {
		return nil, err
	}
	if total > len(rows) && (wanted == 0 || wanted > maxRows) {
		return nil, expr.Raise("RuntimeError", "%s has to look at %d rows; at most %d are allowed: narrow it with conditions that are equal to something",
			q.call, total, maxRows)
	}
	return rows, nil
}

// find asks the directory.
func (q *query) find(by map[string]any, limit int) ([]row, int, error) {
	if err := q.e.mayAsk(); err != nil {
		return nil, 0, err
	}
	if q.e.q.Env.Directory == nil {
		return nil, 0, expr.Raise("RuntimeError", "there is nobody to look up here")
	}
	rows, total, err := q.m.find(q.e.ctx, q.e, by, limit)
	if code, _ := domain.Explain(err); code == domain.Invalid {
		return nil, 0, expr.FieldError.Raise("%s", err.Error())
	}
	if err != nil {
		return nil, 0, fmt.Errorf("look a %s up: %w", strings.ToLower(q.m.name), err)
	}
	q.e.first().read += len(rows)
	return rows, total, nil
}

func (q *query) wants(r row, rest []condition) bool {
	for _, c := range rest {
		if !c.meets(r) {
			return false
		}
	}
	for _, left := range q.without {
		if !slices.ContainsFunc(left, func(c condition) bool { return !c.meets(r) }) {
			return false
		}
	}
	return true
}

// sortRows puts rows in order by fields; one with a minus turns it around.
func sortRows(rows []row, by []string) {
	if len(by) == 0 {
		return
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		for _, name := range by {
			field, descending := strings.CutPrefix(name, "-")
			n := sorting(a.field(field), b.field(field))
			if descending {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
}

// sorting compares fields. What is not there comes last.
func sorting(a, b any) int {
	n, ok := ordered(a, b)
	x, isBool := a.(bool)
	y, isBool2 := b.(bool)
	switch {
	case ok:
		return n
	case isBool && isBool2 && x != y:
		if x {
			return 1
		}
		return -1
	case a == nil && b != nil:
		return 1
	case a != nil && b == nil:
		return -1
	}
	return 0
}

// count is how many rows there are.
func (q *query) count() (int, error) {
	by, _, whole := q.whole()
	if q.read || q.local != nil || !whole || q.sliced {
		rows, err := q.load(0)
		return len(rows), err
	}
	_, total, err := q.find(by, 1)
	return total, err
}

// Fetch implements [expr.Fetcher].
func (q *query) Fetch() ([]expr.Value, error) {
	before := q.read
	rows, err := q.load(0)
	if err != nil {
		return nil, err
	}
	if !before && q.local == nil {
		q.e.look(q.call, foundRows(rows))
	}
	out := make([]expr.Value, len(rows))
	for i, r := range rows {
		out[i] = r
	}
	return out, nil
}

// Items implements [expr.Iterable], for those who cannot handle a failure: it
// ends the evaluation when it is over.
func (q *query) Items() []expr.Value {
	items, err := q.Fetch()
	if err != nil {
		q.e.fail(err)
	}
	return items
}

// Truth implements [expr.Truther].
func (q *query) Truth() bool { return len(q.Items()) > 0 }

// Len implements [expr.Lengther].
func (q *query) Len() int { return len(q.Items()) }

// Text implements [expr.Texter].
func (q *query) Text() string {
	names := make([]string, 0, maxListed)
	items := q.Items()
	for _, item := range items[:min(maxListed, len(items))] {
		names = append(names, "<"+q.m.name+": "+text(item)+">")
	}
	return "<QuerySet [" + strings.Join(names, ", ") + "]>"
}

// Index implements [expr.Indexer].
func (q *query) Index(key expr.Value) (expr.Value, bool, error) {
	n, ok := key.(expr.Int)
	if !ok {
		return nil, false, expr.Raise("TypeError", "QuerySet indices must be integers or slices, not %s.", key.Type())
	}
	if n < 0 {
		return nil, false, expr.Raise("ValueError", "Negative indexing is not supported.")
	}
	items, err := q.Fetch()
	if err == nil && int(n) >= len(items) {
		err = expr.Raise("IndexError", "list index out of range")
	}
	if err != nil {
		return nil, false, err
	}
	return items[n], true, nil
}

// Slice implements [expr.Slicer].
func (q *query) Slice(from, to, step expr.Value) (expr.Value, error) {
	const most = 1000
	if q.e.slices++; q.e.slices > most {
		return nil, expr.Raise("RuntimeError", "an expression can take at most %d slices of queries", most)
	}
	bounds := [2]int{}
	for i, v := range []expr.Value{from, to} {
		n, ok := v.(expr.Int)
		if v != expr.None && (!ok || n < 0) || step != expr.None {
			return nil, expr.Raise("ValueError", "Negative indexing is not supported.")
		}
		bounds[i] = min(int(n), 1<<30)
	}
	if to != expr.None && bounds[1] <= bounds[0] {
		return expr.NewList(), nil
	}
	out := q.with("")
	out.call = fmt.Sprintf("%s[%s:%s]", shorten(q.call, maxAnswer), shownBound(from), shownBound(to))
	out.from, out.sliced = q.from+bounds[0], true
	if to != expr.None {
		out.to = q.from + bounds[1]
		if q.to > 0 {
			out.to = min(out.to, q.to)
		}
	}
	return out, nil
}

func shownBound(v expr.Value) string {
	if v == expr.None {
		return ""
	}
	return text(v)
}
