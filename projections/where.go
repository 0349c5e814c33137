package projections

import (
	"strings"
	"time"
)

// A where is the condition of a query, as it grows.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

// equal wants a column to have a value, unless that is empty.
func (w *where) equal(column, value string) {
	if value != "" {
		w.add(column+" = ?", value)
	}
}

// oneOf wants a column to have one of some values, unless there are none.
func (w *where) oneOf(column string, values []string) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	w.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}

// maxWords is how many words of a search count.
const maxWords = 16

// search wants each word of text in a column that holds folded text.
func (w *where) search(text, column string) {
	for _, word := range wordsOf(text) {
		w.add("instr("+column+", ?) > 0", word)
	}
}

// wordsOf are the folded words of a search that count.
func wordsOf(text string) []string {
	words := strings.Fields(fold(text))
	return words[:min(len(words), maxWords)]
}

// fold makes texts equal that differ in case.
func fold(text string) string { return strings.ToLower(strings.ToUpper(text)) }

// sql is the condition as a part of a query.
func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// few is how many rows are rather found and sorted than met on a walk along
// the index of their order: there could be a long way between them.
const few = 2000

// through is put in front of the first column of an order, and decides whether
// its index is walked along.
func (w *where) through(total int) string {
	if total < few && len(w.conditions) > 0 {
		return "+"
	}
	return ""
}

func direction(descending bool) string {
	if descending {
		return " DESC"
	}
	return ""
}

// between wants a time from from on and before until, where they are not zero.
func (w *where) between(column string, from, until time.Time) {
	if !from.IsZero() {
		w.add(column+" >= ?", micros(from))
	}
	if !until.IsZero() {
		w.add(column+" < ?", micros(until))
	}
}
