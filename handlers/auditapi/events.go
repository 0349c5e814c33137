package auditapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

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

func eventsOf(all []eventstore.Recorded) []Event {
	out := make([]Event, len(all))
	for i, e := range all {
		out[i] = EventOf(e)
	}
	return out
}

// maxPage is how many events one answer holds at most.
const maxPage = 1000

// defaultPage is how many it holds where nobody says how many.
const defaultPage = 500

// events answers with the events after a position, oldest first:
// {"results": [...], "next": "POSITION"}. Whoever asks again with that position
// follows the ledger live.
func (s *Server) events(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	after, limit, f := p.position("after"), p.limit(defaultPage, maxPage), p.eventsBetween()
	if err := p.err(); err != nil {
		return err
	}
	page, err := s.following(r.Context(), f, after, limit)
	if err != nil {
		return err
	}
	if len(page) > 0 {
		after = page[len(page)-1].Position
	}
	if err := s.Looks.Queried(r.Context(), c, looked.Look{View: "ledger", Filters: asked(r), Count: len(page)}); err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, map[string]any{"results": eventsOf(page), "next": after.String()})
	return nil
}

// position is a place in the ledger; none is its beginning.
func (p *params) position(name string) (at eventstore.Position) {
	if text := p.text(name); text != "" {
		var err error
		if at, err = eventstore.ParsePosition(text); err != nil {
			p.refuse(name, "Enter a position of the ledger.")
		}
	}
	return at
}

// limit is how many are wanted.
func (p *params) limit(unless, most int) int {
	n := p.number("limit", 1)
	if n == nil {
		return unless
	}
	if *n > int64(most) {
		p.refuse("limit", fmt.Sprintf("Ensure this value is less than or equal to %d.", most))
	}
	return int(min(*n, int64(most)))
}

// events are the filters of events, but for those of time.
func (p *params) events() projections.AuditFilter {
	return projections.AuditFilter{
		Stream: p.text("stream"), Execution: p.text("execution"), Category: p.text("category"), Types: p.texts("type"),
	}
}

// eventsBetween are the filters of events.
func (p *params) eventsBetween() projections.AuditFilter {
	f := p.events()
	f.From, f.Until = p.time("since"), p.time("until")
	return f
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

// following returns the events behind a position that f wants, the oldest
// first, at most limit.
func (s *Server) following(ctx context.Context, f projections.AuditFilter, after eventstore.Position, limit int) ([]eventstore.Recorded, error) {
	if f.Stream+f.Execution+f.Category == "" && len(f.Types) == 0 && f.From.IsZero() && f.Until.IsZero() {
		return s.all(ctx, after, limit)
	}
	found, err := s.Index.Following(ctx, f, after, limit)
	if err != nil {
		return nil, err
	}
	return s.recorded(ctx, found)
}

// all reads the ledger itself.
func (s *Server) all(ctx context.Context, after eventstore.Position, limit int) ([]eventstore.Recorded, error) {
	var page []eventstore.Recorded
	for e, err := range s.Ledger.ReadAll(ctx, after) {
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		page = append(page, e)
		if len(page) == limit {
			break
		}
	}
	return page, nil
}

// recorded reads events that the index has found.
func (s *Server) recorded(ctx context.Context, entries []projections.Entry) ([]eventstore.Recorded, error) {
	out := make([]eventstore.Recorded, 0, len(entries))
	for _, entry := range entries {
		for e, err := range s.Ledger.ReadStream(ctx, entry.Stream, entry.Revision) {
			if err != nil {
				return nil, fmt.Errorf("read event %s: %w", entry.ID, err)
			}
			out = append(out, e)
			break
		}
	}
	return out, nil
}
