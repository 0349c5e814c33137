package console

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// A Trail is the ledger as a list of events.
type Trail interface {
	// Latest returns the newest events that f wants, the newest first, and the
	// end of the ledger when it was asked: whoever follows it from there misses
	// nothing.
	Latest(ctx context.Context, f projections.AuditFilter, limit int) ([]projections.Entry, eventstore.Position, error)
	// Types are the types of all events that there can be, by name.
	Types() []string
}

// liveEvents is how many events the page has when it comes.
const liveEvents = 50

// maxNames bounds how many names are asked for at once.
const maxNames = 50

// An eventRow is an event on the live page.
type eventRow struct {
	ID, Type  string
	At        time.Time
	Where     string
	Path      string // of its execution; empty for none
	Actor     string // id of the user; empty for nobody
	ActorName string
}

// A liveView is the live page for the template.
type liveView struct {
	frame
	Type, Category, Execution string
	Types                     []string
	Events                    []eventRow
	After                     string // position behind which the stream goes on
	Now                       time.Time
	query                     url.Values
}

// Categories are the choices of the filter.
func (liveView) Categories() []string {
	return []string{
		"audit", "blueprint", "consent", "export", "group", "invitation", "key", "ledger", "mail", "object", "role", "session", "token", "user",
		"worker", "execution",
	}
}

// AllTypes are the types as one word list, for the script: a stream names the
// type of each event, and only those that are listened for are heard.
func (v liveView) AllTypes() string { return strings.Join(v.Types, " ") }

// Stream is the address of the stream that the page follows.
func (v liveView) Stream() string {
	q := url.Values{}
	for _, name := range []string{"type", "category", "execution"} {
		if value := v.query.Get(name); value != "" {
			q.Set(name, value)
		}
	}
	return "/api/v3/ledger/stream/?" + q.Encode()
}

// Reload is the address of this page.
func (v liveView) Reload() string { return "/if/admin/live/?" + v.query.Encode() }

// Blank is a row to be filled by the script.
func (liveView) Blank() eventRow { return eventRow{Path: "/if/admin/executions/", Actor: "-"} }

func (s *Server) live(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	q := r.URL.Query()
	v := liveView{Type: q.Get("type"), Category: q.Get("category"), Execution: q.Get("execution"), Types: s.Trail.Types(), Now: c.Now, query: q}
	if v.Type != "" && !slices.Contains(v.Types, v.Type) {
		return invalid("type", "There is no event of this type. Types are written as UserLoggedIn is.")
	}
	if v.Category != "" && !slices.Contains(v.Categories(), v.Category) {
		return invalid("category", "There is no such category.")
	}
	f := projections.AuditFilter{Category: v.Category, Execution: v.Execution}
	if v.Type != "" {
		f.Types = []string{v.Type}
	}
	// The look comes first: it is an event, and belongs to what the page shows.
	if err := s.Looks.Queried(r.Context(), *c, looked.Look{View: "live", Filters: asked(r), Count: liveEvents}); err != nil {
		return err
	}
	found, end, err := s.Trail.Latest(r.Context(), f, liveEvents)
	if err != nil {
		return err
	}
	v.After = end.String()
	if v.Events, err = s.eventRows(r.Context(), found); err != nil {
		return err
	}
	v.frame = s.frame(r, c, "Live")
	v.Scripts = []string{"live.js"}
	return render(w, http.StatusOK, "live", v)
}

func (s *Server) eventRows(ctx context.Context, found []projections.Entry) ([]eventRow, error) {
	ids := make([]string, len(found))
	for i, e := range found {
		ids[i] = e.Actor
	}
	names, err := s.named(ctx, ids...)
	if err != nil {
		return nil, err
	}
	rows := make([]eventRow, len(found))
	for i, e := range found {
		rows[i] = eventRow{ID: e.ID, Type: e.Type, At: e.At, Actor: e.Actor, ActorName: names.Who(e.Actor).Name}
		rows[i].Where, rows[i].Path = whereOf(e)
	}
	return rows, nil
}

// whereOf says where an event happened, and leads to its execution. The script
// of the page says the same of events that come later.
func whereOf(e projections.Entry) (text, path string) {
	switch {
	case e.Stream.Category() == "execution":
		id, revision := e.Stream.ID(), e.Revision
		return "execution " + short(id) + ", revision " + strconv.FormatInt(int64(revision), 10), "/if/admin/executions/" + url.PathEscape(id) + "/?revision=" + strconv.FormatInt(int64(revision), 10)
	case e.Execution != "":
		return e.Stream.Category() + " of execution " + short(e.Execution), "/if/admin/executions/" + url.PathEscape(e.Execution) + "/"
	default:
		return string(e.Stream), ""
	}
}

// names answers with the user names of some ids, for rows that came in by
// themselves. Whoever may see the page may see them.
func (s *Server) names(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	ids := r.URL.Query()["id"]
	if len(ids) > maxNames {
		return invalid("id", "So many names are not asked for at once.")
	}
	names, err := s.named(r.Context(), ids...)
	if err != nil {
		return err
	}
	if err := s.Looks.Queried(r.Context(), *c, looked.Look{View: "people", Filters: map[string]string{"for": "live"}, Count: len(names), Opened: []string{"P"}}); err != nil {
		return err
	}
	if names == nil {
		names = naming{}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(names)
}
