package adminapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A search looks for events that have to do with all of some words.
type search struct {
	filter AuditFilter
	words  []string
	oldest bool
	page   Page
}

// What events say is sealed, so there is no index of it. The newest events are
// opened one by one, so many and so long; all others are found by what the
// index has: who, from where, what was done, to what.
const (
	maxScan     = 1000
	scanChunk   = 25
	scanPatient = 15 * time.Millisecond
	maxReach    = 10_000 // how far pages of a search go
)

// sinceHeader says from when on a search looked at all that events say. It is
// missing when it looked at all events so.
const sinceHeader = "X-Search-Full-Text-Since"

// searchEvents answers a search: what the newest events say, and what the
// index finds among all before them.
func (s *Server) searchEvents(w http.ResponseWriter, r *http.Request, q search) (AuditPage, error) {
	ctx := r.Context()
	if q.page.Offset+q.page.Limit > maxReach {
		return AuditPage{}, errPage()
	}
	actions, err := s.Audit.Actions(ctx)
	if err != nil {
		return AuditPage{}, err
	}
	older, all := q.filter, true
	for _, word := range q.words {
		known, whole, err := s.wordFor(ctx, word, actions)
		if err != nil {
			return AuditPage{}, err
		}
		older.Words, all = append(older.Words, known), all && whole
	}
	newest, last, err := s.scan(ctx, q, older.Words)
	if err != nil {
		return AuditPage{}, err
	}
	if last.ID == uuid.Nil { // all events are opened
		from := min(q.page.Offset, len(newest))
		page := turned(newest, q.oldest)[from:min(from+q.page.Limit, len(newest))]
		return AuditPage{Entries: page, Total: len(newest), Exact: true}, nil
	}
	w.Header().Set(sinceHeader, stamp(last.RecordedAt))
	older.Before = last.Position
	found, err := s.join(ctx, q, newest, older)
	found.Exact = found.Exact && all
	return found, err
}

// turned is a list in the wanted order.
func turned(entries []AuditEntry, oldest bool) []AuditEntry {
	if oldest {
		slices.Reverse(entries)
	}
	return entries
}

// join makes a page of two lists, of which one is newer than the other.
func (s *Server) join(ctx context.Context, q search, newest []AuditEntry, older AuditFilter) (AuditPage, error) {
	n := len(newest)
	if q.oldest {
		found, err := s.Audit.Entries(ctx, older, true, q.page)
		if err == nil && len(found.Entries) < q.page.Limit {
			from := min(max(0, q.page.Offset-found.Total), n)
			to := min(from+q.page.Limit-len(found.Entries), n)
			found.Entries = append(found.Entries, turned(newest, true)[from:to]...)
		}
		found.Total += n
		return found, err
	}
	first := newest[min(q.page.Offset, n):min(q.page.Offset+q.page.Limit, n)]
	rest := Page{Offset: max(0, q.page.Offset-n), Limit: max(1, q.page.Limit-len(first))}
	found, err := s.Audit.Entries(ctx, older, false, rest)
	found.Entries = append(first, found.Entries[:min(q.page.Limit-len(first), len(found.Entries))]...)
	found.Total += n
	return found, err
}

// scan opens the newest events and returns those that have to do with all
// words, the newest first, and the oldest that it came to: none when it came to
// the end.
func (s *Server) scan(ctx context.Context, q search, known []AuditWord) (found []AuditEntry, last AuditEntry, err error) {
	begun, people := time.Now(), map[string]map[string]any{} // how long it takes is no matter of the server's clock
	for offset := 0; offset < maxScan; offset += scanChunk {
		page, err := s.Audit.Entries(ctx, q.filter, false, Page{Offset: offset, Limit: scanChunk})
		if err != nil {
			return nil, last, err
		}
		shown, err := s.showTo(ctx, people, page.Entries)
		if err != nil {
			return nil, last, err
		}
		for i, e := range page.Entries {
			if q.wants(e, shown[i], known) {
				found = append(found, e)
			}
		}
		if len(page.Entries) < scanChunk {
			return found, AuditEntry{}, nil
		}
		last = page.Entries[scanChunk-1]
		if time.Since(begun) > scanPatient {
			break
		}
	}
	return found, last, nil
}

// wants tells whether an event has to do with all words: it says them, or the
// index would find it.
func (q search) wants(e AuditEntry, shown map[string]any, known []AuditWord) bool {
	for i, word := range q.words {
		w := known[i]
		if !mentions(shown, word) && !slices.Contains(w.Users, e.User) && !slices.Contains(w.About, e.Stream.ID()) &&
			!slices.Contains(w.IDs, e.ID.String()) && !slices.Contains(w.IDs, e.Header.Execution) {
			return false
		}
	}
	return true
}

// mentions tells whether a word occurs in any text of a value.
func mentions(v any, word string) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			if mentions(item, word) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return mentions(item, word) })
	case []string:
		return slices.ContainsFunc(v, func(item string) bool { return mentions(item, word) })
	}
	return strings.Contains(strings.ToLower(written(v)), word)
}

// dig follows keys through maps.
func dig(v any, path []string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}
