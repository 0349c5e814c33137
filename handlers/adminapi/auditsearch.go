package adminapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
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
	scanChunk   = 50
	scanPatient = 30 * time.Millisecond
	maxReach    = 10_000 // how far pages of a search go
)

// sinceHeader says from when on a search looked at all that events say. It is
// missing when it looked at all events so.
const sinceHeader = "X-Search-Full-Text-Since"

// searchEvents answers a search: what the index finds, and what the newest
// events say beside.
func (s *Server) searchEvents(w http.ResponseWriter, r *http.Request, q search) (AuditPage, error) {
	ctx := r.Context()
	if q.page.Offset+q.page.Limit > maxReach {
		return AuditPage{}, errPage()
	}
	actions, err := s.Audit.Actions(ctx)
	if err != nil {
		return AuditPage{}, err
	}
	indexed := q.filter
	for _, word := range q.words {
		known, err := s.wordFor(ctx, word, actions)
		if err != nil {
			return AuditPage{}, err
		}
		indexed.Words = append(indexed.Words, known)
	}
	found, err := s.Audit.Entries(ctx, indexed, q.oldest, Page{Limit: q.page.Offset + q.page.Limit})
	if err != nil {
		return AuditPage{}, err
	}
	said, since, err := s.scan(ctx, q)
	if err != nil {
		return AuditPage{}, err
	}
	if !since.IsZero() {
		w.Header().Set(sinceHeader, stamp(since))
	}
	if len(said) > 0 {
		if found, err = s.merge(ctx, found, said, indexed, q.oldest); err != nil {
			return AuditPage{}, err
		}
	}
	from := min(q.page.Offset, len(found.Entries))
	found.Entries = found.Entries[from:min(from+q.page.Limit, len(found.Entries))]
	return found, nil
}

// scan opens the newest events and returns those that say all words. Since is
// the time of the oldest that it came to, zero when it came to the end.
func (s *Server) scan(ctx context.Context, q search) (said []AuditEntry, since time.Time, err error) {
	begun := time.Now() // how long it takes is no matter of the server's clock
	for offset := 0; offset < maxScan; offset += scanChunk {
		page, err := s.Audit.Entries(ctx, q.filter, false, Page{Offset: offset, Limit: scanChunk})
		if err != nil {
			return nil, since, err
		}
		shown, err := s.showEntries(ctx, page.Entries)
		if err != nil {
			return nil, since, err
		}
		for i, e := range shown {
			if !slices.ContainsFunc(q.words, func(word string) bool { return !mentions(e, word) }) {
				said = append(said, page.Entries[i])
			}
		}
		if len(page.Entries) < scanChunk {
			return said, time.Time{}, nil
		}
		since = page.Entries[scanChunk-1].RecordedAt
		if time.Since(begun) > scanPatient {
			break
		}
	}
	return said, since, nil
}

// merge adds to what the index found what the newest events say beside, in
// order.
func (s *Server) merge(ctx context.Context, found AuditPage, said []AuditEntry, indexed AuditFilter, oldest bool) (AuditPage, error) {
	indexed.From = said[len(said)-1].RecordedAt
	newest, err := s.Audit.Entries(ctx, indexed, false, Page{Limit: maxScan})
	if err != nil {
		return found, err
	}
	known := map[string]bool{}
	for _, e := range slices.Concat(newest.Entries, found.Entries) {
		known[e.ID.String()] = true
	}
	for _, e := range said {
		if !known[e.ID.String()] {
			found.Entries, found.Total = append(found.Entries, e), found.Total+1
		}
	}
	slices.SortFunc(found.Entries, func(a, b AuditEntry) int {
		if oldest {
			return a.Position.Compare(b.Position)
		}
		return b.Position.Compare(a.Position)
	})
	return found, nil
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
