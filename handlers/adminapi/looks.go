package adminapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
)

// Looks records who looks at audit data, and who was refused. What it is told
// is durable when it returns, and nobody is answered before.
type Looks interface {
	Queried(ctx context.Context, c session.Caller, l looked.Look) error
	Inspected(ctx context.Context, c session.Caller, execution string, live bool) error
	Refused(ctx context.Context, c session.Caller, f looked.Refusal) error
}

// opened are the classes of sealed data that events are shown with.
var opened = []string{"N", "P", "T"}

// queried records a question for audit data.
func (s *Server) queried(ctx context.Context, c session.Caller, l looked.Look) error {
	if s.Looks == nil {
		return nil
	}
	return s.Looks.Queried(ctx, c, l)
}

// refused records a refusal.
func (s *Server) refused(ctx context.Context, c session.Caller, f looked.Refusal) error {
	if s.Looks == nil {
		return nil
	}
	return s.Looks.Refused(ctx, c, f)
}

// turnedAway records that somebody asked for audit data who may not. The
// answer stays what it was; only if nothing can be recorded it is a fault.
func (s *Server) turnedAway(r *http.Request, c session.Caller, who access, answer error) error {
	cause := ""
	switch code, _ := domain.Explain(answer); code {
	case domain.Unauthenticated:
		cause = "unauthenticated"
	case domain.Forbidden:
		cause = "permission"
	}
	if who.view == "" || cause == "" {
		return answer
	}
	if err := s.refused(r.Context(), c, looked.Refusal{View: who.view, Cause: cause}); err != nil {
		return err
	}
	return answer
}

// loginActions are what somebody's own sign-ins are listed by.
var loginActions = []string{"login", "login_failed", "logout"}

// lookedForEvents records a question for events. Whoever reads their own
// sign-ins looks at nobody.
func (s *Server) lookedForEvents(r *http.Request, c session.Caller, f AuditFilter, count int) error {
	own := len(f.Users) == 1 && f.Users[0] == c.User && len(f.Actions) > 0 &&
		!slices.ContainsFunc(f.Actions, func(action string) bool { return !slices.Contains(loginActions, action) })
	if own {
		return nil
	}
	l := looked.Look{View: "events", Filters: filtersOf(r), Count: count, Opened: opened}
	if len(f.Users) == 1 {
		l.About = f.Users[0]
	}
	return s.queried(r.Context(), c, l)
}

// filtersOf are the parameters of a request that say what is wanted, without
// those that say which part of it.
func filtersOf(r *http.Request) map[string]string {
	out := map[string]string{}
	for name, values := range maps.All(r.URL.Query()) {
		if name != "page" && name != "page_size" && name != "ordering" {
			out[cut(name)] = cut(strings.Join(values, ","))
		}
	}
	return out
}
