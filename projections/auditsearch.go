package projections

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
)

// An AuditWord is a word of a search, as far as the index knows it: an event
// has to do with it if any of these is the event's.
type AuditWord struct {
	Actions, Users, Brands, About []string
	IP                            string
	IDs                           []string // of events, executions, users
}

// A leaf is one value in one index: within it, events are in order.
type leaf struct {
	index, condition string
	arg              any
}

// leaves are the values by which a word finds events.
func (a *Audit) leaves(w AuditWord) (out []leaf) {
	add := func(index, condition string, texts []string, arg func(string) any) {
		for _, text := range texts {
			out = append(out, leaf{index, condition, arg(text)})
		}
	}
	plain := func(text string) any { return text }
	add("audit_by_action", "action = ?", w.Actions, plain)
	add("audit_by_user", "user = ?", append(w.Users, w.IDs...), plain)
	add("audit_by_brand", "brand = ? AND brand <> ''", w.Brands, plain)
	add("audit_by_about", "about = ? AND about <> 0", w.About, func(text string) any { return a.mark("about", plainKey(text)) })
	add("sqlite_autoindex_audit_1", "id = ?", w.IDs, plain)
	add("audit_by_execution", "execution = ? AND execution <> ''", w.IDs, plain)
	if w.IP != "" {
		out = append(out, leaf{"audit_by_ip", "ip = ? AND ip <> 0", a.mark("ip", w.IP)})
	}
	return out
}

// search finds events that have to do with all words, and counts them as
// [Audit.Count] does. One word is followed through its indexes, the first of
// each as far as the page goes; the others are conditions.
func (a *Audit) search(ctx context.Context, f AuditFilter, oldest bool, p Page) (entries []Entry, total int, exact bool, err error) {
	rest, err := a.where(ctx, f)
	if err != nil {
		return nil, 0, false, err
	}
	words := make([][]leaf, len(f.Words))
	for i, word := range f.Words {
		if words[i] = a.leaves(word); len(words[i]) == 0 {
			return nil, 0, true, nil // of this word, the index has nothing
		}
	}
	lead, err := a.rarest(ctx, words)
	if err != nil {
		return nil, 0, false, err
	}
	for i, leaves := range words {
		if i != lead {
			rest.anyOf(leaves)
		}
	}
	order := " ORDER BY n" + direction(!oldest)
	reach := fmt.Sprintf("%s LIMIT %d", order, p.Offset+p.Limit)
	query, args := union(words[lead], rest, reach)
	err = a.views.readOnce(ctx, "audit", "SELECT * FROM audit WHERE n IN ("+query+")"+order+p.sql(), args, func(s *sqlite.Stmt) error {
		entries = append(entries, entryAt(s))
		return nil
	})
	if err != nil {
		return nil, 0, false, err
	}
	total, exact, err = a.countUnion(ctx, words[lead], rest)
	if err == nil && !exact {
		total = atLeast(p, len(entries))
	}
	return entries, total, exact, err
}

// countUnion counts what any of some leaves has, as far as there is time.
func (a *Audit) countUnion(ctx context.Context, leaves []leaf, rest where) (total int, exact bool, err error) {
	query, args := union(leaves, rest, "")
	brief, cancel, err := a.briefly(ctx)
	if err != nil {
		return 0, false, err
	}
	defer cancel()
	err = a.views.readOnce(brief, "audit", "SELECT count(*) FROM ("+query+")", args, func(s *sqlite.Stmt) error {
		total = s.ColumnInt(0)
		return nil
	})
	if err != nil && ctx.Err() == nil && errors.Is(brief.Err(), context.DeadlineExceeded) {
		return 0, false, nil
	}
	return total, err == nil, err
}

// atLeast is how many there are at least if a page has so many: behind a full
// one there may be more.
func atLeast(p Page, found int) int {
	if found > 0 && found == p.Limit {
		return p.Offset + found + 1
	}
	return p.Offset + found
}

// union is the query for the places of what any of some leaves has, of each no
// more than end says.
func union(leaves []leaf, rest where, end string) (query string, args []any) {
	rest.add(listed)
	parts := make([]string, len(leaves))
	for i, l := range leaves {
		parts[i] = "SELECT n FROM (SELECT n FROM audit INDEXED BY " + l.index + rest.sql() + " AND " + l.condition + end + ")"
		args = append(append(args, rest.args...), l.arg)
	}
	return strings.Join(parts, " UNION "), args
}

// anyOf wants one of some leaves. The signs keep SQLite from following their
// indexes, too.
func (w *where) anyOf(leaves []leaf) {
	parts := make([]string, len(leaves))
	args := make([]any, len(leaves))
	for i, l := range leaves {
		parts[i], args[i] = "+"+l.condition, l.arg
	}
	w.add("("+strings.Join(parts, " OR ")+")", args...)
}

// rare is how many events a word may have for its count to matter.
const rare = 200

// rarest returns which of some words has the fewest events, as far as it is
// worth knowing.
func (a *Audit) rarest(ctx context.Context, words [][]leaf) (lead int, err error) {
	fewest := -1
	for i, leaves := range words {
		if len(words) == 1 {
			return 0, nil
		}
		query, args := union(leaves, where{}, fmt.Sprintf(" LIMIT %d", rare))
		n := 0
		err := a.views.readOnce(ctx, "audit", "SELECT count(*) FROM ("+query+")", args, func(s *sqlite.Stmt) error {
			n = s.ColumnInt(0)
			return nil
		})
		if err != nil {
			return 0, err
		}
		if fewest < 0 || n < fewest {
			lead, fewest = i, n
		}
	}
	return lead, nil
}
