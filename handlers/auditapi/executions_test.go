package auditapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/handlers/auditapi"
	"github.com/flowledger/flowledger/projections"
)

// A house is a server over a few executions.
type house struct {
	t      *testing.T
	caller session.Caller
	looks  looks
	store  eventstore.Store
	all    []projections.Execution
	router *mux.Router
	server *auditapi.Server

	filter  projections.ExecutionFilter // of the last search
	order   string
	reached time.Time
}

var begun = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newHouse(t *testing.T) *house {
	h := &house{t: t, caller: auditor, store: memory.New(time.Now)}
	for i, user := range []string{"u", "ann", "ann"} {
		h.all = append(h.all, projections.Execution{
			ID: fmt.Sprint("x", i), Slug: "login", Status: "completed", User: user, Started: begun.Add(time.Duration(i) * time.Hour),
			Flow: domain.Ref{ID: "f", Revision: int64(i)}, Revision: 3,
		})
	}
	h.all[2].Status = "running"
	for i := range 5 {
		e := eventstore.NewEvent{ID: uuid.New(), Type: "Sample", Schema: 1, Header: []byte(`{}`), Payload: []byte(`{}`)}
		if _, err := h.store.Append(t.Context(), "execution-x1", eventstore.At(eventstore.Revision(i-1)), e); err != nil {
			t.Fatal(err)
		}
	}
	h.server = &auditapi.Server{
		Retention: &ruled{}, Erased: erased{}, Models: (&shelves{}).models(), Forgery: forged{},
		Ledger: h.store, Index: h, Stories: h, Executions: h, Past: past{}, People: h, Tail: h, Records: gathered{}, Opened: gathered{}, Callers: h, Looks: &h.looks, Wait: func(context.Context) error { return nil },
		Log: slog.New(slog.DiscardHandler),
	}
	h.router = mux.NewRouter()
	h.server.Mount(h.router)
	return h
}

func (h *house) Of(http.ResponseWriter, *http.Request) (session.Caller, error) { return h.caller, nil }

func (h *house) Search(_ context.Context, f projections.ExecutionFilter, order string, p projections.Page) (page projections.ExecutionPage, err error) {
	h.filter, h.order = f, order
	var out []projections.Execution
	for _, x := range h.all {
		if (f.Slug == "" || f.Slug == x.Slug) && (f.User == "" || f.User == x.User) && (f.Statuses == nil || slices.Contains(f.Statuses, x.Status)) &&
			!x.Started.Before(f.From) && (f.Until.IsZero() || x.Started.Before(f.Until)) {
			out = append(out, x)
		}
	}
	if strings.HasPrefix(order, "-") {
		slices.Reverse(out)
	}
	from := min(p.Offset, len(out))
	page.Executions, page.Total, page.Exact, page.Reached = out[from:min(from+p.Limit, len(out))], len(out), h.reached.IsZero(), h.reached
	return page, nil
}

func (h *house) Applied() eventstore.Position {
	head, err := h.store.(interface {
		Head(ctx context.Context) (eventstore.Position, error)
	}).Head(context.Background())
	if err != nil {
		return eventstore.Position{}
	}
	return head
}

func (h *house) Person(_ context.Context, id string) (user.Person, error) {
	if id != "ann" {
		return user.Person{}, nil // erased
	}
	return user.Person{ID: id, Key: 7, Username: "annette"}, nil
}

func (h *house) ByID(_ context.Context, id string) (projections.Execution, bool, error) {
	i := slices.IndexFunc(h.all, func(x projections.Execution) bool { return x.ID == id })
	if i < 0 {
		return projections.Execution{}, false, nil
	}
	return h.all[i], true, nil
}

func (h *house) Timeline(_ context.Context, id string) (out []projections.Entry, err error) {
	for e, err := range h.store.ReadStream(h.t.Context(), eventstore.Stream("execution", id), 0) {
		if err != nil {
			return nil, err
		}
		out = append(out, projections.Entry{Stream: e.Stream, Revision: e.Revision, Position: e.Position})
	}
	return out, nil
}

func (h *house) Following(ctx context.Context, f projections.AuditFilter, after eventstore.Position, limit int) ([]projections.Entry, error) {
	all, err := h.Timeline(ctx, f.Execution)
	all = slices.DeleteFunc(all, func(e projections.Entry) bool { return e.Position.Compare(after) <= 0 })
	return all[:min(limit, len(all))], err
}

func (h *house) Story(_ context.Context, out io.Writer, id string) error {
	_, err := fmt.Fprintf(out, "the story of %s", id)
	return err
}

func (h *house) State(_ context.Context, out io.Writer, id string, at eventstore.Revision) error {
	_, err := fmt.Fprintf(out, `{"of": %q}`, id)
	return err
}

func (h *house) Definitions(context.Context, string) ([]auditapi.Definition, error) {
	return []auditapi.Definition{{Part: "stage", Ref: domain.Ref{ID: "s", Revision: 4}}}, nil
}

func (h *house) UserID(_ context.Context, text string) (string, error) {
	if text == "nobody" {
		return "", nil
	}
	return text, nil
}

func (h *house) get(path string) (int, map[string]any, string) {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.router.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v3/"+path, nil))
	text, body := w.Body.String(), map[string]any{}
	if w.Header().Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			h.t.Fatalf("%s: %q: %v", path, text, err)
		}
	}
	return w.Code, body, text
}

func TestExecutions(t *testing.T) {
	h := newHouse(t)
	for query, want := range map[string][]string{
		"": {"x2", "x1", "x0"}, "?user=ann": {"x2", "x1"}, "?user=nobody": {}, "?status=running": {"x2"}, "?flow=login&page_size=1&page=3": {"x0"},
		"?flow=other": {}, "?since=2026-11-22T13:00:00Z": {"x2", "x1"}, "?until=2026-11-22T13:00:00Z": {"x0"}, "?page_size=2&page=2": {"x0"},
	} {
		status, body, text := h.get("flows/executions/" + query)
		got := []string{}
		results, _ := body["results"].([]any)
		for _, x := range results {
			got = append(got, x.(map[string]any)["pk"].(string))
		}
		if diff := cmp.Diff(want, got); diff != "" || status != 200 {
			t.Errorf("%s: %d %s (-want +got):\n%s", query, status, text, diff)
		}
	}
	for query, want := range map[string]int{
		"?page=9": 404, "?page=x": 404, "?since=yesterday": 400, "?until=1": 400, "x9/": 404, "x9/story/": 404, "x9/state/": 404, "x9/events/": 404,
		"x1/events/?page=2": 404, "x1/state/?revision=-1": 400,
	} {
		if status, body, text := h.get("flows/executions/" + query); status != want || len(body) != 1 {
			t.Errorf("%s: %d %s, want %d", query, status, text, want)
		}
	}
	_, one, text := h.get("flows/executions/x1/")
	flow, _ := one["flow"].(map[string]any)
	definitions, _ := one["definitions"].([]any)
	if flow["revision"] != 1.0 || len(definitions) != 1 || definitions[0].(map[string]any)["revision"] != 4.0 {
		t.Errorf("one: %s", text)
	}
	_, events, text := h.get("flows/executions/x1/events/?page_size=2&page=3")
	if results, _ := events["results"].([]any); len(results) != 1 || results[0].(map[string]any)["revision"] != 4.0 {
		t.Errorf("events: %s", text)
	}
	_, some, text := h.get("ledger/events/?execution=x1&limit=2")
	_, more, _ := h.get("ledger/events/?execution=x1&after=" + fmt.Sprint(some["next"]))
	if a, b := some["results"].([]any), more["results"].([]any); len(a) != 2 || len(b) != 3 {
		t.Errorf("ledger: %s, then %v", text, more)
	}
}

// Whoever looks is on record; one's own execution is one's own.
func TestExecutionLooks(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"?user=ann&page_size=1", "x1/", "x1/events/", "x0/story/", "x1/story/", "x2/state/"} {
		if status, _, text := h.get("flows/executions/" + path); status != 200 {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	h.get("ledger/events/?type=Sample&after=0&ann@example.org=1") // the name of a parameter is no place for people
	h.caller = session.Caller{User: "eve"}
	h.get("flows/executions/x1/")
	h.caller = session.Caller{}
	h.get("ledger/events/")
	want := []string{
		"executions map[user:ann] found 2", "executions map[execution:x1] found 1", "executions map[execution:x1] found 5",
		"inspected x1 live false", "inspected x2 live true", "ledger map[type:Sample] found 0", "refused executions: permission", "refused ledger: unauthenticated",
	}
	if diff := cmp.Diff(want, h.looks.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Each route names its permission, and without it there is nothing to see.
func TestRoutes(t *testing.T) {
	h := newHouse(t)
	routes := h.server.Routes()
	if len(routes) < 14 {
		t.Errorf("%d routes", len(routes))
	}
	for _, r := range routes {
		if r.Method != http.MethodGet {
			continue
		}
		path, rest, keyed := strings.Cut(r.Path, "{")
		if keyed {
			_, rest, _ = strings.Cut(rest, "}")
			path += "x1" + rest
		}
		if strings.HasSuffix(path, "export/") {
			path += "?format=csv"
		}
		for name, tt := range map[string]struct {
			session.Caller
			want int
		}{
			"a stranger":       {session.Caller{}, 403},
			"an ordinary user": {session.Caller{User: "eve"}, 403},
			"who has it":       {session.Caller{User: "eve", Granted: session.Grants{r.Needs: true}}, 200},
			"a scoped token":   {session.Caller{User: "u", Scoped: true, Granted: session.Grants{"authentik_core.view_user": true}}, 403},
			"a superuser":      {auditor, 200},
		} {
			h.caller = tt.Caller
			if status, _, text := h.get(path); status != tt.want && !(tt.want == 200 && keyed && status == 404) {
				t.Errorf("%s asks %s: %d %s, want %d", name, path, status, text, tt.want)
			}
		}
		w := httptest.NewRecorder()
		h.router.ServeHTTP(w, httptest.NewRequest(http.MethodDelete, "/api/v3/"+path, nil))
		if w.Code != http.StatusMethodNotAllowed || !strings.HasPrefix(w.Header().Get("Allow"), "GET") {
			t.Errorf("DELETE %s: %d", path, w.Code)
		}
	}
}
