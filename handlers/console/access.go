package console

import (
	"context"
	"net/http"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Accesses are the looks at audit data, and the refusals.
type Accesses interface {
	// List returns those that f wants, the newest first, and how many there
	// are.
	List(ctx context.Context, f projections.AccessFilter, p projections.Page) ([]projections.Access, int, error)
}

// An accessKind is a kind of look, and what it is called.
type accessKind struct{ Type, Text string }

var accessKinds = []accessKind{
	{"AuditQueried", "Asked for a list"},
	{"AuditExecutionInspected", "Looked into an execution"},
	{"AuditSealedRevealed", "Had sealed data opened"},
	{"AuditExported", "Exported events"},
	{"AuditAccessRefused", "Refused"},
	{"AuditPolicyTested", "Tried a policy out"},
	{"TokenViewed", "Looked at a token's key"},
	{"ObjectExported", "Exported a configured thing"},
}

// accessViews are the names of views, to choose from.
var accessViews = []string{
	"accesses", "changes", "deliveries", "erasures", "events", "executions", "export", "exports", "inspector", "ledger", "overview", "people",
	"retention", "sources", "stream", "verdicts",
}

// causes are why somebody was refused.
var causes = map[string]string{
	"unauthenticated": "not logged in", "permission": "without the permission", "immutable": "it cannot be changed",
}

// An accessView is the access log for the template.
type accessView struct {
	frame
	naming
	Filter       projections.AccessFilter
	By           string // as it was typed
	Since, Until string
	Accesses     []projections.Access
	Total        int
	Pager        pager
}

// Kinds are the choices of the filter.
func (accessView) Kinds() []accessKind { return accessKinds }

// Views are the choices of the filter.
func (accessView) Views() []string { return accessViews }

// What says what somebody did.
func (accessView) What(a projections.Access) string {
	for _, k := range accessKinds {
		if k.Type != a.Type {
			continue
		}
		if text := causes[a.Cause]; text != "" {
			return text
		}
		return k.Text
	}
	return a.Type
}

func (s *Server) access(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	q := r.URL.Query()
	page, err := pageOf(q)
	if err != nil {
		return err
	}
	v := accessView{By: q.Get("by"), Since: q.Get("since"), Until: q.Get("until")}
	v.Filter = projections.AccessFilter{View: q.Get("view"), Execution: q.Get("execution"), Type: q.Get("type")}
	if v.Filter.From, v.Filter.Until, err = timesOf(q); err != nil {
		return err
	}
	known := true
	if v.Filter.By, known, err = s.personTyped(r.Context(), v.By); err != nil {
		return err
	}
	if known {
		if v.Accesses, v.Total, err = s.Accesses.List(r.Context(), v.Filter, page.Page); err != nil {
			return err
		}
	}
	v.Pager = page.of(r.URL, v.Total)
	ids := make([]string, len(v.Accesses))
	for i, a := range v.Accesses {
		ids[i] = a.By
	}
	if v.naming, err = s.named(r.Context(), ids...); err != nil {
		return err
	}
	if err := s.Looks.Queried(r.Context(), *c, looked.Look{View: "accesses", Filters: asked(r), Count: v.Total}); err != nil {
		return err
	}
	v.frame = s.frame(r, c, "Access log")
	return render(w, http.StatusOK, "access", v)
}
