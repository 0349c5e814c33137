package auditapi

import (
	"context"
	"net/http"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Accesses are the looks at audit data.
type Accesses interface {
	List(ctx context.Context, f projections.AccessFilter, p projections.Page) ([]projections.Access, int, error)
}

// An Access is one look at audit data, or one refusal.
type Access struct {
	Event     string    `json:"event"`
	Position  string    `json:"position"`
	At        time.Time `json:"at"`
	Type      string    `json:"type"`
	By        *Person   `json:"by"`
	View      string    `json:"view"`
	Execution string    `json:"execution"`
	Filters   []string  `json:"filters"`
	Count     int       `json:"count"`
	Requests  int       `json:"requests"`
	Opened    []string  `json:"sealed_opened"`
	Cause     string    `json:"cause"`
}

// accesses lists looks at audit data, the newest first.
func (s *Server) accesses(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	f := projections.AccessFilter{By: p.text("by"), View: p.text("view"), Execution: p.text("execution"), Type: p.text("type")}
	f.From, f.Until = p.between()
	look := looked.Look{View: "accesses", About: f.By, Opened: []string{"P"}}
	return answer(s, w, r, c, p, look, func(ctx context.Context, page projections.Page) ([]projections.Access, int, error) {
		return s.Models.Accesses.List(ctx, f, page)
	}, func(n *names, a projections.Access) (Access, error) {
		who, err := n.of(a.By)
		return Access{
			Event: a.Event, Position: a.Position.String(), At: a.At, Type: a.Type, By: who, View: a.View, Execution: a.Execution,
			Filters: some(a.Filters), Count: a.Count, Requests: a.Requests, Opened: some(a.Opened), Cause: a.Cause,
		}, err
	})
}
