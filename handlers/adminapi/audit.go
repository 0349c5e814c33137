package adminapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Audit is the ledger as the contract sees it: the events that it has an
// action for (spec/events.md 9.1).
type Audit interface {
	// Entries returns a page of the events that f wants, the newest first
	// unless oldest is set, and how many there are on all pages.
	Entries(ctx context.Context, f AuditFilter, oldest bool, p Page) ([]AuditEntry, int, error)
	// Entry returns an event by its id.
	Entry(ctx context.Context, id string) (AuditEntry, bool, error)
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
	Actions []string
	User    string
}

// mountAudit adds the audit log. It is read here; it is written by what
// happens.
func (s *Server) mountAudit(r *mux.Router) {
	const path = "events/events/"
	s.route(r, path, of("authentik_events.event"), verbs{http.MethodGet: s.listEvents, http.MethodPost: postEvent})
	s.route(r, path+"actions/", of("authentik_events.event"), verbs{http.MethodGet: listActions})
	s.route(r, path+"{key}/", of("authentik_events.event"), verbs{
		http.MethodGet: s.getEvent, http.MethodPut: keepEvent, http.MethodPatch: keepEvent, http.MethodDelete: keepEvent,
	})
}

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

// keepEvent refuses: what happened has happened.
func keepEvent(http.ResponseWriter, *http.Request, session.Caller) error {
	return domain.Errorf(domain.Forbidden, "Audit events cannot be changed.")
}

// postEvent refuses what only the program can say. The ledger has
// no place for events of clients' own making.
func postEvent(_ http.ResponseWriter, r *http.Request, _ session.Caller) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	action, _ := input["action"].(string)
	if !strings.HasPrefix(action, "custom_") {
		return invalid("action", "Only actions that begin with custom_ can be recorded.")
	}
	return domain.Errorf(domain.Forbidden, "Custom events are not recorded here.")
}

// listEvents answers from the index where it can. What only the events
// themselves can tell is looked for in them.
func (s *Server) listEvents(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f := AuditFilter{Actions: given(slices.Concat(q["action"], q["actions"]))}
	if name := q.Get("username"); name != "" {
		u, ok, err := s.userNamed(r.Context(), name)
		if err != nil {
			return err
		}
		if !ok {
			return writeList(w, pg, 0, nil)
		}
		f.User = u.ID
	}
	oldest := q.Get("ordering") == "created"
	if keep := contentFilter(q); keep != nil {
		return s.scanEvents(w, r, scan{filter: f, oldest: oldest, keep: keep, paging: pg})
	}
	found, total, err := s.Audit.Entries(r.Context(), f, oldest, pg.page())
	if err != nil {
		return err
	}
	shown, err := s.showEntries(r.Context(), found)
	if err != nil {
		return err
	}
	var results []any
	for _, e := range shown {
		results = append(results, e)
	}
	return writeList(w, pg, total, results)
}

// contentFilter tells which events are wanted by what they say; nil for all.
func contentFilter(q url.Values) func(map[string]any) bool {
	var tests []func(map[string]any) bool
	want := func(name string, path ...string) {
		if text := q.Get(name); text != "" {
			tests = append(tests, func(e map[string]any) bool { return strings.EqualFold(written(dig(e, path)), text) })
		}
	}
	want("client_ip", "client_ip")
	want("brand_name", "brand", "name")
	want("context_model_app", "context", "model", "app")
	want("context_model_name", "context", "model", "model_name")
	want("context_model_pk", "context", "model", "pk")
	words := strings.Fields(strings.ToLower(q.Get("search")))
	for _, word := range words[:min(len(words), maxWords)] {
		tests = append(tests, func(e map[string]any) bool { return mentions(e, word) })
	}
	if tests == nil {
		return nil
	}
	return func(e map[string]any) bool {
		return !slices.ContainsFunc(tests, func(test func(map[string]any) bool) bool { return !test(e) })
	}
}

// dig follows keys through maps.
func dig(v any, path []string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
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
	}
	return strings.Contains(strings.ToLower(written(v)), word)
}

// maxScan bounds how many events are opened to look for something in them.
const maxScan = 1000

// A scan looks for events by what they say. That is sealed, so there is no
// index of it: the newest events, or the oldest, are opened one by one.
type scan struct {
	filter AuditFilter
	oldest bool
	keep   func(map[string]any) bool
	paging paging
}

// scanEvents looks for events by what they say. The count is of what was
// found, which may be less than there is.
func (s *Server) scanEvents(w http.ResponseWriter, r *http.Request, c scan) error {
	found, _, err := s.Audit.Entries(r.Context(), c.filter, c.oldest, Page{Limit: maxScan})
	if err != nil {
		return err
	}
	shown, err := s.showEntries(r.Context(), found)
	if err != nil {
		return err
	}
	var kept []any
	for _, e := range shown {
		if c.keep(e) {
			kept = append(kept, e)
		}
	}
	return writeList(w, c.paging, len(kept), slice(c.paging, kept))
}

// getEvent shows one event. One that the contract has no action for is not
// there, as far as its clients are concerned.
func (s *Server) getEvent(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
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

// modelRef names a thing as events do.
func modelRef(model, pk, name string) map[string]any {
	k, ok := catalog.Lookup(model)
	app, base := k.App(), k.Base()
	if !ok {
		app, base, _ = strings.Cut(model, ".")
	}
	return map[string]any{"pk": pk, "app": app, "name": name, "model_name": base}
}
