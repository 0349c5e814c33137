package adminapi

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// An access says who may call a path. Superusers may call all; the zero one is
// for them alone, so what nobody thought about is closed.
type access struct {
	open   bool   // strangers may, too
	own    bool   // whoever is logged in may, for what is their own; all of it is for those with the permission
	model  string // app.model: the contract's permissions to view, add, change and delete it
	action string // app.codename: one permission for whatever the path does
	hidden bool   // whoever lacks the permission is told that there is nothing
	look   bool   // the permissions of model are good for looking only
	view   string // of audit data: whoever is refused it is recorded; empty for all else
}

var (
	superusers = access{}
	anybody    = access{open: true}
	members    = access{own: true}
)

// of is for those who may do with a model what the method does.
func of(model string) access { return access{model: model} }

// lookAt is of, for what only superusers may change whatever permission others
// have: with it, they would have all.
func lookAt(model string) access { return access{model: model, look: true} }

// ownOr is of, for what is not the caller's own.
func ownOr(model string) access { return access{own: true, model: model} }

// action is for those who have one permission.
func action(codename string) access { return access{action: codename} }

// hidden is action, for what the contract does not even own up to.
func hidden(codename string) access { return access{action: codename, hidden: true} }

// watched is the same access, to a view of audit data.
func (a access) watched(view string) access {
	a.view = view
	return a
}

// verbOf is the contract's word for what a method does.
var verbOf = map[string]string{
	http.MethodGet: "view", http.MethodHead: "view", http.MethodPost: "add", http.MethodPut: "change",
	http.MethodPatch: "change", http.MethodDelete: "delete",
}

// needs names the permission that a method needs; empty when none but being a
// superuser will do.
func (a access) needs(method string) string {
	app, model, _ := strings.Cut(a.model, ".")
	switch verb := verbOf[method]; {
	case a.action != "":
		return a.action
	case a.look && !safe(method):
		return ""
	case model != "" && verb != "":
		return app + "." + verb + "_" + model
	}
	return ""
}

// A Route is one method of one path that the server serves, and who may call
// it beside superusers.
type Route struct {
	Method string
	Path   string // below /api/v3/
	Needs  string // the permission, app.codename; empty for none that would do
	Own    bool   // whoever is logged in may, for what is their own
	Open   bool   // strangers may
	Hidden bool   // whoever may not is told that there is nothing

	Revised bool // what is there has a revision, and changes honour If-Match
}

// Routes lists what was mounted, by path and method.
func (s *Server) Routes() []Route {
	return slices.SortedFunc(slices.Values(s.routes), func(a, b Route) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
}
