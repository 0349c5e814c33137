package projections_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// logsIn records a login of somebody from a city; from nowhere for "".
func logsIn(w *world, n int, who, city string) {
	network := session.Network{IP: "192.0.2.1"}
	if city != "" {
		network.Place = &session.Place{City: city}
	}
	w.appendAs(codec.Meta{Network: network}, stream("execution", fmt.Sprint(who, n)),
		execution.ExecutionCancelled{}, execution.UserLoggedIn{User: id(who)})
}

func TestLogins(t *testing.T) {
	w := newWorld(t)
	for n, city := range []string{"Rome", "", "Paris", "Berlin"} {
		logsIn(w, n, "ada", city)
		logsIn(w, n, "bob", "Oslo")
		w.append(stream("execution", fmt.Sprint("failed", n)), execution.LoginFailed{User: id("ada")})
	}
	w.run()
	w.settle()
	for name, test := range map[string]struct {
		who   string
		limit int
		want  []string
	}{
		"the last two":  {id("ada"), 2, []string{"Berlin", "Paris"}},
		"all":           {id("ada"), 9, []string{"Berlin", "Paris", "", "Rome"}},
		"none":          {id("ada"), 0, nil},
		"of nobody":     {"", 9, nil},
		"of a stranger": {id("eve"), 9, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var cities []string
			for _, s := range must[[]projections.SignIn](t)(w.audit.Logins(t.Context(), test.who, test.limit)) {
				city := ""
				if s.Place != nil {
					city = s.Place.City
				}
				if cities = append(cities, city); !s.Succeeded || s.ID == "" || s.At.IsZero() {
					t.Errorf("login %+v", s)
				}
			}
			if diff := cmp.Diff(test.want, cities); diff != "" {
				t.Errorf("cities (-want +got):\n%s", diff)
			}
		})
	}
}

// An index leads to the logins of a user in their order: a policy that asks
// for them must not become slow with the ledger.
func TestLoginsUseAnIndex(t *testing.T) {
	w := newWorld(t)
	conn, err := sqlite.OpenConn(w.path, sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text, args := projections.LoginsQuery(id("ada"), 5)
	var plan []string
	err = sqlitex.Execute(conn, "EXPLAIN QUERY PLAN "+text, &sqlitex.ExecOptions{Args: args, ResultFunc: func(s *sqlite.Stmt) error {
		plan = append(plan, s.GetText("detail"))
		return nil
	}})
	whole := strings.Join(plan, "\n")
	if err != nil || !strings.Contains(whole, "USING INDEX audit_by_subject (subject=? AND type=?)") || strings.Contains(whole, "TEMP B-TREE") {
		t.Errorf("%v, plan:\n%s", err, whole)
	}
}
