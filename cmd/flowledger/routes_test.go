package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/handlers/auditapi"
	"github.com/flowledger/flowledger/handlers/caller"
	"github.com/flowledger/flowledger/handlers/flowapi"
	"github.com/flowledger/flowledger/handlers/openapi"
)

// routesFile tells who may do what, a line for each method of each path. The
// tests from outside try each line; a change of it has to be argued for.
const routesFile = "../../tests/testdata/routes.table"

// unlimited is what people use: a token that is limited is nobody there.
const unlimited = "anybody, with no limited token"

// TestWhoMayDoWhat holds the table of who may do what against its golden file, and
// finds addresses below the API that it does not have.
func TestWhoMayDoWhat(t *testing.T) {
	a, _ := newApp(t)
	flows, ledger, admin := &flowapi.Server{}, &auditapi.Server{}, a.admin(&caller.Callers{})
	ledger.Mount(mux.NewRouter())
	admin.Mount(mux.NewRouter())
	// Of what is not asked for its routes, the document and the pages to browse it.
	lines := []string{
		"GET\t" + openapi.Itself.Path + "\tanybody", "GET\t\t" + unlimited, "GET\tschema/browser/\t" + unlimited,
		"GET\tschema/browser/{operation}/\t" + unlimited,
	}
	for _, r := range flows.Routes() {
		lines = append(lines, r.Method+"\t"+r.Path+"\t"+unlimited)
	}
	for _, r := range ledger.Routes() {
		who := r.Needs
		if who == "" {
			who = "superusers"
		}
		lines = append(lines, r.Method+"\t"+r.Path+"\t"+who)
	}
	for _, r := range admin.Routes() {
		who := r.Needs
		switch {
		case r.Open:
			who = "anybody"
		case r.Own && who == "":
			who = "members"
		case r.Own:
			who = "members, of others: " + who
		case r.Hidden:
			who = "hidden: " + who
		case who == "":
			who = "superusers"
		}
		lines = append(lines, r.Method+"\t"+r.Path+"\t"+who)
		if _, known := role.Lookup(r.Needs); r.Needs != "" && !known {
			t.Errorf("%s %s needs %s, which nobody can be given: it is not in the table of domain/role", r.Method, r.Path, r.Needs)
		}
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(byPath(a), byPath(b)) })
	got := strings.Join(lines, "\n") + "\n"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(routesFile, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(routesFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("who may do what (-want +got):\n%s", diff)
	}
	a.everyAddress(t, got)
}

// byPath is a line with the path in front.
func byPath(line string) string {
	method, rest, _ := strings.Cut(line, "\t")
	return rest + "\t" + method
}

// everyAddress finds what the whole program serves below the API and the table
// does not have.
func (a *app) everyAddress(t *testing.T, table string) {
	t.Helper()
	err := a.router(config{}, newMetrics(a)).Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		template, err := route.GetPathTemplate()
		path, below := strings.CutPrefix(template, "/api/v3/")
		if err == nil && below && !strings.Contains(table, "\t"+path+"\t") {
			t.Errorf("%s is not in the table", template)
		}
		return nil
	})
	if err != nil {
		t.Error(fmt.Errorf("walk: %w", err))
	}
}
