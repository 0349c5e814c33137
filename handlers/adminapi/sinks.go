package adminapi

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Sinks does with the sinks of the outgoing trail what is more than to
// configure them.
type Sinks interface {
	// Health tells how a sink is doing; how all are, by name, for the empty id.
	Health(ctx context.Context, id string) ([]SinkHealth, error)
	// Parked returns a page of the events that a sink gave up on, the oldest
	// first, and how many there are on all pages.
	Parked(ctx context.Context, id string, p Page) ([]SinkParked, int, error)
	// Settle has a sink try a parked event again, or abandons it; all of them
	// for the empty event. It returns how many there were.
	Settle(ctx context.Context, c session.Caller, id, event string, release bool) (int, error)
	// Resend has a sink send again what comes after a position, or what was
	// recorded from a time on. It returns that position.
	Resend(ctx context.Context, c session.Caller, id, position string, since time.Time) (string, error)
	// Try sends one record that is marked as a test, and tells what the target
	// said.
	Try(ctx context.Context, sink object.Thing) (SinkTrial, error)
}

// SinkHealth is how a sink is doing.
type SinkHealth struct {
	ID        string     `json:"pk"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	Format    string     `json:"format"`
	Enabled   bool       `json:"enabled"`
	State     string     `json:"state"`
	Lag       float64    `json:"lag_seconds"`
	At        string     `json:"position"`
	Head      string     `json:"head"`
	Delivered int64      `json:"delivered"`
	Parked    int64      `json:"parked"`
	LastError string     `json:"last_error"`
	Since     *time.Time `json:"failing_since"`
	NextTry   *time.Time `json:"next_try"`
}

// SinkParked is an event that a sink gave up on.
type SinkParked struct {
	Event    string    `json:"event"`
	Position string    `json:"position"`
	Class    string    `json:"class"`
	At       time.Time `json:"parked_at"`
}

// A SinkTrial is what a target made of a test record.
type SinkTrial struct {
	Taken  bool    `json:"taken"`
	Answer string  `json:"answer"` // a status, or what is wrong; no secret
	Millis float64 `json:"milliseconds"`
}

// mountSinks adds what sinks have beside the endpoints of every kind.
func (s *Server) mountSinks(r *mux.Router) {
	if s.Sinks == nil {
		return
	}
	const path = "ledger/sinks/"
	change := action("flowledger_trail.change_sink")
	s.route(r, path+"health/", of(trail.Model), verbs{http.MethodGet: s.sinksHealth})
	s.route(r, path+"{key}/health/", of(trail.Model), verbs{http.MethodGet: s.sinkHealth})
	s.route(r, path+"{key}/parked/", of(trail.Model), verbs{http.MethodGet: s.sinkParked})
	s.route(r, path+"{key}/release/", change, verbs{http.MethodPost: s.settleSink(true)})
	s.route(r, path+"{key}/abandon/", change, verbs{http.MethodPost: s.settleSink(false)})
	s.route(r, path+"{key}/resend/", change, verbs{http.MethodPost: s.resendSink})
	s.route(r, path+"{key}/test/", change, verbs{http.MethodPost: s.trySink})
}

// sink returns the sink that the path names.
func (s *Server) sink(r *http.Request) (object.Thing, error) {
	k, _ := catalog.Lookup(trail.Model)
	return s.find(r, ofKind(k))
}

func (s *Server) sinksHealth(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	pg, err := pagingOf(r.URL.Query())
	if err != nil {
		return err
	}
	all, err := s.Sinks.Health(r.Context(), "")
	if err != nil {
		return err
	}
	var results []any
	for _, h := range slice(pg, all) {
		results = append(results, h)
	}
	return writeList(w, pg, len(all), results)
}

func (s *Server) sinkHealth(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	t, err := s.sink(r)
	if err != nil {
		return err
	}
	found, err := s.Sinks.Health(r.Context(), t.ID)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return notFound("Sink") // it was removed a moment ago
	}
	return writeJSON(w, http.StatusOK, found[0])
}

func (s *Server) sinkParked(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	t, err := s.sink(r)
	if err != nil {
		return err
	}
	pg, err := pagingOf(r.URL.Query())
	if err != nil {
		return err
	}
	found, total, err := s.Sinks.Parked(r.Context(), t.ID, pg.page())
	if err != nil {
		return err
	}
	var results []any
	for _, p := range found {
		results = append(results, p)
	}
	return writeList(w, pg, total, results)
}

// settleSink releases or abandons the parked event that the body names, or all
// there are.
func (s *Server) settleSink(release bool) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		t, err := s.sink(r)
		if err != nil {
			return err
		}
		input, err := readObject(r)
		if err != nil {
			return err
		}
		event := ""
		if value, given := input["event"]; given && value != nil {
			id, err := uuid.Parse(written(value))
			if err != nil {
				return invalid("event", "Must be a valid UUID.")
			}
			event = id.String()
		}
		n, err := s.Sinks.Settle(r.Context(), c, t.ID, event, release)
		if err != nil {
			return err
		}
		if err := s.changed(r.Context()); err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, map[string]any{"count": n})
	}
}

// resendSink takes a position, or a time, in from.
func (s *Server) resendSink(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	t, err := s.sink(r)
	if err != nil {
		return err
	}
	input, err := readObject(r)
	if err != nil {
		return err
	}
	value, given := input["from"]
	if !given {
		return invalid("from", "This field is required.")
	}
	from := written(value)
	since, err := time.Parse(time.RFC3339Nano, from)
	if err == nil {
		from = ""
	} else if !digits(from) {
		return invalid("from", "Give a position of the ledger, or a time such as 2026-11-23T08:00:00Z.")
	}
	position, err := s.Sinks.Resend(r.Context(), c, t.ID, from, since)
	if err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return writeJSON(w, http.StatusAccepted, map[string]any{"from": position})
}

// digits tells whether a text can be a position.
func digits(text string) bool {
	for _, r := range text {
		if r < '0' || r > '9' {
			return false
		}
	}
	return text != "" && len(text) <= 19
}

func (s *Server) trySink(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	t, err := s.sink(r)
	if err != nil {
		return err
	}
	tried, err := s.Sinks.Try(r.Context(), t)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, tried)
}

// sinkPeculiarity: a sink is found by where it sends to. What it sends must be
// known, and a secret goes to nobody but whom it was given for.
func sinkPeculiarity() peculiarity {
	return peculiarity{
		order: []string{"name"}, search: []string{"name", "kind", "target", "format"},
		amend: func(s *Server, id string, all, set map[string]any) (problems catalog.Problems) {
			for _, event := range keysOf(set["events"]) {
				if name := written(event); name != "" && name[0] >= 'A' && name[0] <= 'Z' && !codec.Known(name, 1) {
					problems.Add("events", "There are no events of type %q.", cut(name))
				}
			}
			before, there := s.Things.Thing(id)
			if _, given := set["secret"]; given || !there {
				return problems
			}
			if elsewhere(before.Fields, all) {
				problems.Add("secret", "Give the secret again: the one that is kept was for another target. Leave it blank for none.")
			}
			return problems
		},
	}
}

// elsewhere tells whether a sink would show its secret to somebody else than
// before. Whoever may change a sink must not learn that way what they could
// not read.
func elsewhere(before, after map[string]any) bool {
	for _, name := range []string{"kind", "ca", "server_name"} {
		if !object.Equal(before[name], after[name]) {
			return true
		}
	}
	was, err := url.Parse(written(before["target"]))
	is, fault := url.Parse(written(after["target"]))
	if err != nil || fault != nil {
		return !object.Equal(before["target"], after["target"])
	}
	return was.Scheme != is.Scheme || was.Host != is.Host
}
