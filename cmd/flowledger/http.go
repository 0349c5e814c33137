package main

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/handlers/auditapi"
	"github.com/flowledger/flowledger/handlers/caller"
	"github.com/flowledger/flowledger/handlers/flowapi"
	"github.com/flowledger/flowledger/handlers/openapi"
	"github.com/flowledger/flowledger/handlers/web"
)

// handler puts the HTTP face together.
func (a *app) handler(cfg config, m *metrics) http.Handler {
	return caller.Identify(a.recovered(a.abreast(a.network(cfg).Secure, a.router(cfg, m))))
}

// network is how addresses of clients are found out.
func (a *app) network(cfg config) caller.Network {
	return caller.Network{Trusted: cfg.trusted, Base: cfg.baseURL, Places: a.places}
}

// router mounts the servers.
func (a *app) router(cfg config, m *metrics) *mux.Router {
	people := &people{app: a}
	callers := &caller.Callers{
		Sessions: &a.sessionHandler, Tokens: &a.tokenHandler, Cookies: a.vault, Bearers: &bearers{app: a}, People: people, Roles: a.roles,
		Network: a.network(cfg), Brand: a.brandAt, Now: time.Now,
	}
	r := mux.NewRouter()
	r.Use(m.observe)
	r.HandleFunc("/-/health/live/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	r.HandleFunc("/-/health/ready/", a.readiness)
	flows := &flowapi.Server{Flows: a.executor, Callers: callers, Log: a.log}
	flows.Mount(r)
	ledger := &auditapi.Server{
		Ledger: a.store, Index: a.audit, Stories: a, Past: a.teller(), Executions: a.executions, People: a.users, Callers: callers, Forgery: callers, Retention: a, Erased: a, Looks: a.looks,
		Records: a.outgoing.gatherers[false], Opened: a.outgoing.gatherers[true], Version: version(),
		Models: auditapi.Models{
			Changes: a.changes, Outcomes: a.executions, Sources: a.sources, Verdicts: a.verdicts, Accesses: a.accesses, Erasures: a.erasures,
		},
		Tail: a.runner, Ending: a.ending, Wait: a.wait, Log: a.log,
	}
	ledger.Mount(r)
	admin := a.admin(callers)
	admin.Mount(r)
	a.keeper.Alone = admin.Alone
	document := a.described(flows, ledger, admin)
	openapi.NewServer(document).Mount(r)
	pages := &web.Server{
		Callers: callers, Forgery: callers, Flows: &pageFlows{a.executor, a}, Account: &pageAccount{a}, Brands: &brands{a}, API: document,
		Log: a.log,
	}
	pages.Mount(r)
	a.console(callers).Mount(r)
	r.NotFoundHandler = notFound(pages.NotFound())
	return r
}

// notFound answers for addresses that nobody serves: below the API in its
// shape, elsewhere with a page.
func notFound(page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			page.ServeHTTP(w, r)
			return
		}
		refuse(w, r, http.StatusNotFound, "Not found.")
	})
}

// refuse answers with a plain sentence; below the API in its shape.
func refuse(w http.ResponseWriter, r *http.Request, status int, detail string) {
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		http.Error(w, detail, status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, "{\"detail\":%q}\n", detail)
}

// readiness says whether requests are served as they should be, and why not.
func (a *app) readiness(w http.ResponseWriter, r *http.Request) {
	reason := ""
	if err := a.runner.Ready(); err != nil {
		reason = err.Error()
	} else if !a.ready.Load() {
		reason = "starting: the shipped blueprints are being applied"
	}
	if reason != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, reason)
		return
	}
	fmt.Fprintln(w, "ready")
}

// recovered answers a request whose handler panicked: a fault of ours must
// not take the others with it.
func (a *app) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				a.log.Error("panic in a request", "request", caller.RequestID(r.Context()), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				refuse(w, r, http.StatusInternalServerError, "Internal error.")
			}
		}()
		next.ServeHTTP(w, r)
	})
}
