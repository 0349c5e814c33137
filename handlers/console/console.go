// Package console serves the audit console, the pages below /if/admin/ on which
// people see what happened in every execution and why. Pages are rendered here,
// on the server, and work without scripts. It decides nothing; whatever shows
// data of others is recorded before it is shown.
package console

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// A Server serves the console. Brands may be nil; the other fields may not.
type Server struct {
	Callers    Callers
	Forgery    Forgery
	Brands     Brands
	Looks      Looks
	People     People
	Executions Executions
	Stories    Stories
	Persons    Persons
	Logins     Logins
	Verdicts   Verdicts
	Sources    Sources
	Changes    Changes
	Things     Things
	Trail      Trail
	Deliveries Deliveries
	Accesses   Accesses
	Erasures   Erasures
	Retention  Retention
	Fresh      func(ctx context.Context) (Freshness, error)
	Wait       func(ctx context.Context) error // until what is read has seen all that is written
	Now        func() time.Time
	Log        *slog.Logger
}

// Callers tells who makes a request.
type Callers interface {
	Of(w http.ResponseWriter, r *http.Request) (session.Caller, error)
}

// Forgery tells a form that we rendered from one that another site made.
type Forgery interface {
	// Token returns the token of this browser, and sets its cookie if need be.
	Token(w http.ResponseWriter, r *http.Request) string
	// Check fails with Forbidden unless token is the one in the cookie of r.
	Check(r *http.Request, token string) error
}

// Brands knows what the site calls itself.
type Brands interface {
	Title(ctx context.Context, c session.Caller) string
}

// Looks records who looks, before anything is shown.
type Looks interface {
	Queried(ctx context.Context, c session.Caller, l looked.Look) error
	Inspected(ctx context.Context, c session.Caller, execution string, live bool) error
	Refused(ctx context.Context, c session.Caller, f looked.Refusal) error
}

// People knows who is behind the ids of users.
type People interface {
	// Named returns the names of users by their ids, without those who are
	// gone.
	Named(ctx context.Context, ids []string) (map[string]string, error)
	// UserID finds a user by name or by id; empty for nobody.
	UserID(ctx context.Context, text string) (string, error)
}

// Executions are all executions.
type Executions interface {
	Search(ctx context.Context, f projections.ExecutionFilter, order string, p projections.Page) (projections.ExecutionPage, error)
	ByID(ctx context.Context, id string) (projections.Execution, bool, error)
	Overview(ctx context.Context, from, until time.Time, step time.Duration) (projections.Overview, error)
	Outcomes(ctx context.Context, flowID string, from, until time.Time) (map[string]int, error)
}

// A Freshness is how far the read models have followed the ledger.
type Freshness struct {
	Shown  eventstore.Position // the last event that every page shows
	Behind time.Duration       // age of the first event that is not shown yet; zero for none
	Halted bool                // a view stands still, or is being made anew
}

// Mount adds the routes of the console to m.
func (s *Server) Mount(m *mux.Router) {
	m.HandleFunc("/static/console/{hash}/{name}", serveAsset).Methods(http.MethodGet, http.MethodHead)
	pages := m.NewRoute().Subrouter().StrictSlash(true)
	for _, p := range s.pages() {
		methods := []string{http.MethodGet, http.MethodHead}
		if p.method != "" {
			methods = []string{p.method}
		}
		pages.Handle(base+p.path, s.handle(p)).Methods(methods...)
	}
}
