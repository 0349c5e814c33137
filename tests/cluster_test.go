package tests

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A cluster is several nodes of the program on one ledger, behind a balancer.
type cluster struct {
	nodes    []*server
	balancer *balancer
	front    *server // what stands at the balancer's address; no process of its own
	store    string  // of nobody's but the tests' own commands
	key      string
}

// clusterKey makes the master key that all nodes of a cluster share.
func clusterKey(tb testing.TB) string {
	tb.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	path := filepath.Join(tb.TempDir(), "master.key")
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(key)), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// postgresURL names a database by an address, which may be that of a proxy.
func postgresURL(address, database string) string {
	return "postgres://postgres@" + address + "/" + database + "?sslmode=disable"
}

// startCluster starts so many nodes at once on a new database.
func startCluster(tb testing.TB, p *postgres, nodes int) *cluster {
	tb.Helper()
	addresses := make([]string, nodes)
	for i := range addresses {
		addresses[i] = p.address()
	}
	return startClusterBy(tb, p, addresses, "--bootstrap-password", adminPassword, "--bootstrap-token", adminToken)
}

// startClusterBy starts one node for each address under which the database
// server is found.
func startClusterBy(tb testing.TB, p *postgres, addresses []string, args ...string) *cluster {
	tb.Helper()
	needsPostgres(tb)
	p.database(tb, "ledger")
	c := &cluster{store: postgresURL(p.address(), "ledger"), key: clusterKey(tb)}
	for _, address := range addresses {
		node := newPlain(tb, append([]string{"--store", postgresURL(address, "ledger"), "--master-key-file", c.key}, args...)...)
		c.nodes = append(c.nodes, node)
		watchOver(tb, node)
	}
	c.balancer = newBalancer(tb, c.nodes)
	c.front = &server{binary: c.nodes[0].binary, base: c.balancer.base, log: &journal{}}
	if err := c.each((*server).run); err != nil {
		tb.Fatal(err)
	}
	return c
}

// needsPostgres skips for a program that cannot keep its ledger in PostgreSQL.
func needsPostgres(tb testing.TB) {
	tb.Helper()
	program, err := buildPlain()
	if err != nil {
		tb.Fatal(err)
	}
	s := &server{binary: program}
	if _, errs, _ := s.command("", "events", "--data", tb.TempDir(), "--store", "postgres://127.0.0.1:1/none"); strings.Contains(errs, "none that this version knows") {
		tb.Skip("the program keeps no ledger in PostgreSQL")
	}
}

// each does something with all nodes at once.
func (c *cluster) each(do func(*server) error) error {
	errs := make([]error, len(c.nodes))
	var group sync.WaitGroup
	for i, node := range c.nodes {
		group.Go(func() { errs[i] = do(node) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// events returns the whole ledger, which no node has to hold for that.
func (c *cluster) events(tb testing.TB) []event {
	tb.Helper()
	return c.front.ledger(tb, "--data", c.nodes[0].data, "--store", c.store, "--master-key-file", c.key)
}

// town fills the cluster with people.
func (c *cluster) town(tb testing.TB) *town {
	tb.Helper()
	admin := c.front.admin(tb)
	admin.mustImport(tb, cheapLogin("crash", crashUsers))
	admin.mustImport(tb, crashDummy)
	return &town{server: c.front, tb: tb, acknowledged: map[string][]acknowledgement{}}
}

// judge ends the nodes and compares what people were told with the ledger.
func (c *cluster) judge(tb testing.TB, people *town) []event {
	tb.Helper()
	c.balancer.check(tb)
	people.checkSessions()
	people.checkDebts()
	if err := c.each((*server).stop); err != nil {
		tb.Fatal(err)
	}
	events := c.events(tb)
	people.checkLedger(events)
	return events
}

// TestClusterLogins sends each step of many logins to a random node of two.
// None fails, and none happens twice.
func TestClusterLogins(t *testing.T) {
	logins := amount(t, "FLOWLEDGER_TEST_LOGINS", 100, 1000)
	c := startCluster(t, startPostgres(t), 2)
	people := c.town(t)
	var walkers sync.WaitGroup
	for i := range crashWalkers {
		walkers.Go(func() {
			for n := i; n < logins && !t.Failed(); n += crashWalkers {
				if err := people.login(fmt.Sprintf("crash-%d", n%crashUsers)); err != nil {
					t.Errorf("login %d: %v", n, err)
				}
			}
		})
	}
	walkers.Wait()
	if people.lost.Load() > 0 || c.balancer.refusals() > 0 {
		t.Errorf("%d answers were lost, %d refused for now", people.lost.Load(), c.balancer.refusals())
	}
	for node, n := range c.balancer.shares() {
		if sum := logins * 2; n < sum {
			t.Errorf("node %s has given %d answers, want more than %d", node, n, sum)
		}
	}
	checkLogins(t, c.judge(t, people), logins)
}

// checkLogins checks that so many executions led to as many sessions, one each.
func checkLogins(t *testing.T, events []event, logins int) {
	t.Helper()
	sessions := map[string]int{}
	for _, e := range events {
		if e.Type == "SessionAuthenticated" {
			sessions[e.Stream]++
		}
	}
	for session, n := range sessions {
		if n != 1 {
			t.Errorf("%s was authenticated %d times", session, n)
		}
	}
	for what, n := range map[string]int{
		"UserLoggedIn": count(events, "UserLoggedIn", 0), "ExecutionCompleted": count(events, "ExecutionCompleted", 0), "sessions": len(sessions),
	} {
		if n != logins {
			t.Errorf("%d × %s, want %d", n, what, logins)
		}
	}
}

// TestClusterFirstStart starts two nodes at once on an empty database. The
// shipped blueprints are applied once, and one link leads to the set-up.
func TestClusterFirstStart(t *testing.T) {
	p := startPostgres(t)
	c := startClusterBy(t, p, []string{p.address(), p.address()})
	links := 0
	for _, node := range c.nodes {
		links += strings.Count(node.log.String(), "flow_token=")
	}
	if links != 1 {
		t.Errorf("%d set-up links were printed, want one", links)
	}
	files := map[any]int{}
	for _, e := range c.events(t) {
		if e.Type == "BlueprintImportStarted" {
			files[e.Payload["file"]]++
		}
	}
	if len(files) == 0 {
		t.Error("no blueprint was applied")
	}
	for file, n := range files {
		if n != 1 {
			t.Errorf("%v was applied %d times", file, n)
		}
	}
}
