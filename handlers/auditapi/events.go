package auditapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// An Event is an event as auditors read it: Sealed says how many bytes of it
// only the program itself can read.
type Event struct {
	Position   string          `json:"position"`
	Stream     string          `json:"stream"`
	Revision   int64           `json:"revision"`
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Schema     int             `json:"schema"`
	RecordedAt time.Time       `json:"recorded_at"`
	Header     json.RawMessage `json:"header"`
	Payload    json.RawMessage `json:"payload"`
	Sealed     int             `json:"sealed"`
}

// EventOf shows a recorded event.
func EventOf(e eventstore.Recorded) Event {
	return Event{
		Position: e.Position.String(), Stream: string(e.Stream), Revision: int64(e.Revision), ID: e.ID.String(), Type: e.Type,
		Schema: e.Schema, RecordedAt: e.RecordedAt, Header: e.Header, Payload: e.Payload, Sealed: len(e.Sealed),
	}
}

// maxPage is how many events one answer holds at most.
const maxPage = 1000

// defaultPage is how many it holds where nobody says how many.
const defaultPage = 500

// events answers with the events after a position, oldest first:
// {"results": [...], "next": "POSITION"}. Whoever asks again with that position
// follows the ledger live.
func (s *Server) events(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	q := r.URL.Query()
	after, limit, err := window(q)
	if err != nil {
		return err
	}
	f, err := filter(q)
	if err != nil {
		return err
	}
	read := s.all
	if f.Stream != "" || f.Execution != "" || len(f.Types) > 0 || !f.From.IsZero() || !f.Until.IsZero() {
		read = s.some
	}
	page, err := read(r.Context(), f, after, limit)
	if err != nil {
		return err
	}
	if len(page) > 0 {
		if after, err = eventstore.ParsePosition(page[len(page)-1].Position); err != nil {
			return err
		}
	}
	if err := s.Looks.Queried(r.Context(), c, looked.Look{View: "ledger", Filters: asked(r), Count: len(page)}); err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, map[string]any{"results": page, "next": after.String()})
	return nil
}

// window reads which part of the ledger is wanted.
func window(q url.Values) (after eventstore.Position, limit int, err error) {
	if text := q.Get("after"); text != "" {
		if after, err = eventstore.ParsePosition(text); err != nil {
			return after, 0, domain.Errorf(domain.Invalid, "after is no position.")
		}
	}
	limit = defaultPage
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return after, 0, domain.Errorf(domain.Invalid, "limit is a number from 1 to %d.", maxPage)
		}
	}
	return after, limit, nil
}

// filter reads which events are wanted.
func filter(q url.Values) (f projections.AuditFilter, err error) {
	f.Stream, f.Execution, f.Types = q.Get("stream"), q.Get("execution"), given(q["type"])
	if f.From, err = timeOf(q, "since"); err == nil {
		f.Until, err = timeOf(q, "until")
	}
	return f, err
}

// given are the values of a parameter that are not empty.
func given(values []string) (out []string) {
	for _, v := range values {
		if v != "" {
			out = append(out, v)
		}
	}
	return out
}

// timeOf reads a time; none is the zero one.
func timeOf(q url.Values, name string) (t time.Time, err error) {
	if text := q.Get(name); text != "" {
		if t, err = time.Parse(time.RFC3339, text); err != nil {
			return t, domain.Errorf(domain.Invalid, "%s is a time such as 2026-01-31T08:00:00Z.", name)
		}
	}
	return t, nil
}

// all reads the ledger itself.
func (s *Server) all(ctx context.Context, _ projections.AuditFilter, after eventstore.Position, limit int) ([]Event, error) {
	page := []Event{}
	for e, err := range s.Ledger.ReadAll(ctx, after) {
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		page = append(page, EventOf(e))
		if len(page) == limit {
			break
		}
	}
	return page, nil
}

// some reads what the index finds.
func (s *Server) some(ctx context.Context, f projections.AuditFilter, after eventstore.Position, limit int) ([]Event, error) {
	found, err := s.Index.Following(ctx, f, after, limit)
	if err != nil {
		return nil, err
	}
	return s.recorded(ctx, found)
}

// recorded reads events that the index has found.
func (s *Server) recorded(ctx context.Context, entries []projections.Entry) ([]Event, error) {
	out := make([]Event, 0, len(entries))
	for _, entry := range entries {
		for e, err := range s.Ledger.ReadStream(ctx, entry.Stream, entry.Revision) {
			if err != nil {
				return nil, fmt.Errorf("read event %s: %w", entry.ID, err)
			}
			out = append(out, EventOf(e))
			break
		}
	}
	return out, nil
}
