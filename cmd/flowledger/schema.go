package main

import (
	"sync"

	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/auditapi"
	"github.com/flowledger/flowledger/handlers/flowapi"
	"github.com/flowledger/flowledger/handlers/openapi"
)

// described is the document of what the servers have mounted, made when it is
// first asked for.
func (a *app) described(flows *flowapi.Server, ledger *auditapi.Server, admin *adminapi.Server) func() *openapi.Document {
	return sync.OnceValue(func() *openapi.Document { return a.describe(flows, ledger, admin) })
}

func (a *app) describe(flows *flowapi.Server, ledger *auditapi.Server, admin *adminapi.Server) *openapi.Document {
	routes := []openapi.Route{openapi.Itself}
	for _, r := range flows.Routes() {
		routes = append(routes, openapi.Route{Method: r.Method, Path: r.Path, Open: true})
	}
	for _, r := range ledger.Routes() {
		routes = append(routes, openapi.Route{Method: r.Method, Path: r.Path, Needs: r.Needs})
	}
	for _, r := range admin.Routes() {
		routes = append(routes, openapi.Route{Method: r.Method, Path: r.Path, Needs: r.Needs, Own: r.Own, Open: r.Open, Revised: r.Revised})
	}
	document, problems := openapi.Build(routes, version())
	for _, problem := range problems {
		a.log.Error("the API's document is not complete", "problem", problem)
	}
	return document
}
