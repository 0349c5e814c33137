package auditapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/handlers/auditapi"
	"github.com/flowledger/flowledger/handlers/looked"
)

// callers knows one caller.
type callers struct{ session.Caller }

func (c callers) Of(http.ResponseWriter, *http.Request) (session.Caller, error) { return c.Caller, nil }

// broken is a ledger that cannot be read.
type broken struct{}

func (broken) ReadAll(context.Context, eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		yield(eventstore.Recorded{}, eventstore.ErrClosed)
	}
}

func (broken) ReadStream(context.Context, eventstore.StreamID, eventstore.Revision) iter.Seq2[eventstore.Recorded, error] {
	return broken{}.ReadAll(context.Background(), eventstore.Position{})
}

// looks remembers who looked, in words.
type looks struct {
	mu   sync.Mutex // guards told while requests are under way
	told []string
}

func (l *looks) tell(words ...any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, fmt.Sprint(words...))
	return nil
}

func (l *looks) Queried(_ context.Context, c session.Caller, q looked.Look) error {
	return l.tell(q.View, " ", q.Filters, " found ", q.Count)
}

func (l *looks) Inspected(_ context.Context, c session.Caller, execution string, live bool) error {
	return l.tell("inspected ", execution, " live ", live)
}

func (l *looks) Refused(_ context.Context, c session.Caller, f looked.Refusal) error {
	return l.tell("refused ", f.View, ": ", f.Cause)
}

func (l *looks) Exported(_ context.Context, c session.Caller, e audit.AuditExported, about string) error {
	return l.tell("exported ", e.Of, e.Format, " ", e.Filters, " for ", e.Purpose, ": ", e.Count, " from ", e.From, " to ", e.To, " truncated ", e.Truncated,
		" bare ", e.Bare, " ", e.Digest)
}

var auditor = session.Caller{User: "u", Superuser: true}

func ask(t *testing.T, l auditapi.Ledger, c session.Caller, query string) (int, map[string]any) {
	t.Helper()
	r := mux.NewRouter()
	s := &auditapi.Server{Ledger: l, Callers: callers{c}, Looks: &looks{}, Wait: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler)}
	s.Mount(r)
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v3/ledger/events/"+query, nil))
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	return w.Code, body
}

func TestEvents(t *testing.T) {
	store := memory.New(time.Now)
	for i := range 5 {
		e := eventstore.NewEvent{
			ID: uuid.New(), Type: "Sample", Schema: 1, Header: []byte(`{}`), Payload: []byte(`{"open":1}`), Sealed: []byte("hidden"),
		}
		if _, err := store.Append(t.Context(), "sample-1", eventstore.At(eventstore.Revision(i-1)), e); err != nil {
			t.Fatal(err)
		}
	}
	status, first := ask(t, store, auditor, "?limit=3")
	if got := len(first["results"].([]any)); status != 200 || got != 3 {
		t.Fatalf("first page: status %d, %d events, want 200 and 3", status, got)
	}
	event := first["results"].([]any)[0].(map[string]any)
	if event["type"] != "Sample" || event["sealed"] != 6.0 {
		t.Errorf("first event is %v, want a Sample with 6 sealed bytes", event)
	}
	_, second := ask(t, store, auditor, "?after="+first["next"].(string))
	if got := len(second["results"].([]any)); got != 2 {
		t.Errorf("second page has %d events, want 2", got)
	}
	_, end := ask(t, store, auditor, "?after="+second["next"].(string))
	if got := len(end["results"].([]any)); got != 0 || end["next"] != second["next"] {
		t.Errorf("behind the end: %d events and next %v, want none and %v", got, end["next"], second["next"])
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		caller session.Caller
		ledger auditapi.Ledger
		query  string
		status int
		says   string
	}{
		"a stranger":        {session.Caller{}, broken{}, "", 403, "Authentication credentials were not provided."},
		"an ordinary user":  {session.Caller{User: "u"}, broken{}, "", 403, "You do not have permission to perform this action."},
		"no position":       {auditor, broken{}, "?after=x", 400, `{"after":["Enter a position of the ledger."]}`},
		"too many at once":  {auditor, broken{}, "?limit=1001", 400, `{"limit":["Ensure this value is less than or equal to 1000."]}`},
		"none at all":       {auditor, broken{}, "?limit=0", 400, `{"limit":["Ensure this value is greater than or equal to 1."]}`},
		"a ledger in ruins": {auditor, broken{}, "", 500, "Internal error."},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, c.ledger, c.caller, c.query)
			text, err := json.Marshal(body)
			if status != c.status || !strings.Contains(string(text), c.says) || err != nil {
				t.Errorf("got %d %s, want %d %q", status, text, c.status, c.says)
			}
		})
	}
}
