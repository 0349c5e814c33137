package console

import (
	"net/http"

	"github.com/flowledger/flowledger/domain/session"
)

// base is where the console begins.
const base = "/if/admin/"

// The permissions of auditors.
const (
	viewEvents  = "authentik_events.view_event"
	inspectFlow = "authentik_flows.inspect_flow"
)

// A page is one address of the console.
type page struct {
	path   string // below base
	method string // GET, and HEAD, unless it says otherwise
	needs  string // app.codename of a permission; empty for superusers
	view   string // name under which refusals are recorded
	run    func(w http.ResponseWriter, r *http.Request, c *session.Caller) error
}

// pages lists all addresses. A page records the look before it writes.
func (s *Server) pages() []page {
	return []page{
		{path: "", needs: viewEvents, view: "overview", run: s.overview},
	}
}

// A section is an entry of the navigation.
type section struct {
	Title string
	Path  string
	Key   string // to which g and this key lead
}

// sections are the navigation, in its order.
var sections = []section{
	{"Overview", base, "o"},
	{"Executions", base + "executions/", "e"},
	{"People", base + "people/", "p"},
	{"Policies", base + "policies/", "y"},
	{"Sources", base + "sources/", "s"},
	{"Changes", base + "changes/", "c"},
	{"Live", base + "live/", "l"},
	{"Deliveries", base + "deliveries/", "d"},
	{"Access", base + "access/", "a"},
	{"Erasures", base + "erasures/", "r"},
}
