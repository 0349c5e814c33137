package adminapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/looked"
)

// Audit is the ledger as the contract sees it: the events that it has an
// action for (spec/events.md 9.1).
type Audit interface {
	// Entries returns a page of the events that f wants, the newest first
	// unless oldest is set.
	Entries(ctx context.Context, f AuditFilter, oldest bool, p Page) (AuditPage, error)
	// Entry returns an event by its id.
	Entry(ctx context.Context, id string) (AuditEntry, bool, error)
	// Actions lists the actions that there ever was an event of.
	Actions(ctx context.Context) ([]string, error)
	// Person returns what events show of a user: key, name and address.
	Person(ctx context.Context, id string) (User, bool, error)
	// Mentioned returns the ids of users who have a word in their names or
	// address, at most limit.
	Mentioned(ctx context.Context, word string, limit int) ([]string, error)
}

// An AuditPage is a part of a list of events.
type AuditPage struct {
	Entries []AuditEntry
	Total   int  // on all pages
	Exact   bool // if not, Total is what there is at least
}

// An AuditEntry is an event that the contract has an action for, decoded, with
// the network of its append.
type AuditEntry struct {
	codec.Decoded
	Action string
	User   string // id of the user to whom the contract ascribes it; empty for nobody
}

// An AuditFilter says which events are wanted. What is empty does not matter.
type AuditFilter struct {
	Actions             []string // one of which it is
	Users               []string // to one of whom it is ascribed
	Brands              []string
	IP                  string
	App, Model          string   // of the thing that it is about
	About               []string // keys of that thing, one of which it has
	Device, Application string   // keys of what its context names
	From                time.Time
	Before              eventstore.Position
	Words               []AuditWord // all of which it has to do with
}

// An AuditWord is a word of a search, as far as the index knows it: an event
// has to do with it if any of these is the event's.
type AuditWord struct {
	Actions, Users, Brands, About []string
	IP                            string
	IDs                           []string // of events, executions and users that are gone
}

// mountAudit adds the audit log. It is read here; it is written by what
// happens.
func (s *Server) mountAudit(r *mux.Router) {
	const path = "events/events/"
	view := action(viewEvent).watched("events")
	s.route(r, path, of("authentik_events.event").watched("events"), verbs{http.MethodGet: s.listEvents, http.MethodPost: s.postEvent})
	s.route(r, path+"actions/", view, verbs{http.MethodGet: listActions})
	s.route(r, path+"volume/", view, verbs{http.MethodGet: s.eventVolume})
	s.route(r, path+"top_per_user/", view, verbs{http.MethodGet: s.topPerUser})
	s.route(r, path+"stats/", view, verbs{http.MethodGet: s.eventStats})
	if s.Exports != nil {
		s.mountExports(r, path)
	}
	s.route(r, path+"{key}/", of("authentik_events.event").watched("events"), verbs{
		http.MethodGet: s.getEvent, http.MethodPut: s.keepEvent, http.MethodPatch: s.keepEvent, http.MethodDelete: s.keepEvent,
	})
}

// viewEvent is the permission to read audit data.
const viewEvent = "authentik_events.view_event"

// listActions answers with what events can be filtered by.
func listActions(w http.ResponseWriter, _ *http.Request, _ session.Caller) error {
	out := []any{}
	for _, action := range audit.Actions {
		out = append(out, map[string]any{
			"name": title(action), "description": "", "component": action, "model_name": "",
			"requires_enterprise": false, "deprecated": false,
		})
	}
	return writeJSON(w, http.StatusOK, out)
}

// title is an action in words.
func title(action string) string {
	words := strings.Fields(strings.ReplaceAll(action, "_", " "))
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, " ")
}

// keepEvent refuses: what happened has happened. That somebody wanted it to be
// otherwise is recorded.
func (s *Server) keepEvent(_ http.ResponseWriter, r *http.Request, c session.Caller) error {
	refusal := looked.Refusal{View: "events", Cause: "immutable"}
	if id, err := uuid.Parse(mux.Vars(r)["key"]); err == nil {
		refusal.Event = id.String()
	}
	if err := s.refused(r.Context(), c, refusal); err != nil {
		return err
	}
	return domain.Errorf(domain.Forbidden, "Audit events cannot be changed.")
}

// listEvents answers from the index, and looks into the newest events for
// words that no index has.
func (s *Server) listEvents(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f, some, err := s.auditFilter(r.Context(), q)
	if err != nil {
		return err
	}
	var found AuditPage
	found.Exact = true
	oldest := q.Get("ordering") == "created"
	switch words := wordsOf(q); {
	case !some:
	case len(words) > 0:
		found, err = s.searchEvents(w, r, search{filter: f, words: words, oldest: oldest, page: pg.page()})
	default:
		found, err = s.Audit.Entries(r.Context(), f, oldest, pg.page())
	}
	if err != nil {
		return err
	}
	shown, err := s.showEntries(r.Context(), found.Entries)
	if err != nil {
		return err
	}
	if err := s.lookedForEvents(r, c, f, found.Total); err != nil {
		return err
	}
	if !found.Exact {
		w.Header().Set(countHeader, "false")
	}
	results := make([]any, len(shown))
	for i, e := range shown {
		results[i] = e
	}
	return writeList(w, pg, found.Total, results)
}

// countHeader says "false" when the count of a list is what there is at least:
// to count the rest would take longer than anybody waits.
const countHeader = "X-Count-Exact"

// getEvent shows one event. One that the contract has no action for is not
// there, as far as its clients are concerned.
func (s *Server) getEvent(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	id, err := uuid.Parse(mux.Vars(r)["key"])
	if err != nil {
		return notFound("Event")
	}
	e, ok, err := s.Audit.Entry(r.Context(), id.String())
	if err == nil && (!ok || e.Action == "") {
		err = notFound("Event")
	}
	if err != nil {
		return err
	}
	shown, err := s.showEntries(r.Context(), []AuditEntry{e})
	if err != nil {
		return err
	}
	l := looked.Look{View: "events", Filters: map[string]string{"pk": id.String()}, Count: 1, Opened: opened}
	if err := s.queried(r.Context(), c, l); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shown[0])
}

// brandRef names a brand as events do.
func (s *Server) brandRef(id string) map[string]any {
	t, ok := s.Things.Thing(id)
	if !ok {
		return map[string]any{}
	}
	return modelRef(t.Kind, t.ID, t.Name)
}

// modelRef names a thing as events do: its key without dashes (spec/flows.md
// 11.5).
func modelRef(model, pk, name string) map[string]any {
	k, ok := catalog.Lookup(model)
	app, base := k.App(), k.Base()
	if !ok {
		app, base, _ = strings.Cut(model, ".")
	}
	if id, err := uuid.Parse(pk); err == nil {
		pk = strings.ReplaceAll(id.String(), "-", "")
	}
	return map[string]any{"pk": pk, "app": app, "name": name, "model_name": base}
}
