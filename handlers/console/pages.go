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
		{path: "executions/", needs: viewEvents, view: "executions", run: s.executions},
		{path: "executions/{execution}/", needs: viewEvents, view: "executions", run: s.execution},
		{path: "executions/{execution}/why/", needs: inspectFlow, view: "executions", run: s.why},
		{path: "compare/", needs: inspectFlow, view: "executions", run: s.compare},
		{path: "people/", needs: viewEvents, view: "people", run: s.people},
		{path: "sources/", needs: viewEvents, view: "sources", run: s.sources},
		{path: "policies/", needs: viewEvents, view: "verdicts", run: s.policies},
		{path: "policies/{policy}/", needs: viewEvents, view: "verdicts", run: s.policy},
		{path: "live/", needs: viewEvents, view: "live", run: s.live},
		{path: "live/names/", needs: viewEvents, view: "people", run: s.names},
		{path: "deliveries/", needs: viewEvents, view: "deliveries", run: s.deliveries},
		{path: "deliveries/{sink}/", needs: viewEvents, view: "deliveries", run: s.delivery},
		{path: "deliveries/{sink}/{deed}/", method: http.MethodPost, needs: changeSinks, view: "deliveries", run: s.deliveryDeed},
		{path: "access/", needs: viewEvents, view: "accesses", run: s.access},
		{path: "erasures/", needs: viewEvents, view: "erasures", run: s.erasures},
		{path: "erasures/retention/", method: http.MethodPost, view: "retention", run: s.setRetention},
		{path: "erasures/{event}/", needs: viewEvents, view: "erasures", run: s.erasure},
		{path: "people/{person}/", needs: viewEvents, view: "people", run: s.person},
		{path: "people/{person}/sessions/{session}/end/", method: http.MethodPost, needs: endSession, view: "people", run: s.endSession},
		{path: "changes/", needs: viewEvents, view: "changes", run: s.changes},
		{path: "changes/{event}/", needs: viewEvents, view: "changes", run: s.change},
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
