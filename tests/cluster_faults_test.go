package tests

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// outage is how long a network is cut in these tests: longer than a node
// keeps a lease that it cannot prolong.
const outage = 15 * time.Second

// live has people log in again and again until the function that it returns
// is called, or the test ends.
func (t *town) live(tb testing.TB) (leave func()) {
	var walkers sync.WaitGroup
	for i := range crashWalkers {
		walkers.Go(func() { t.walk(i) })
	}
	leave = func() {
		t.closing.Store(true)
		walkers.Wait()
	}
	tb.Cleanup(leave)
	return leave
}

// goesOn waits for so many further logins.
func (t *town) goesOn(tb testing.TB, logins int64) {
	tb.Helper()
	from := t.logins.Load()
	awaitTrue(tb, fmt.Sprintf("%d people log in", logins), func() bool { return t.logins.Load() >= from+logins })
}

// turns waits until a node's readiness has this status; it is alive all the
// while.
func (s *server) turns(tb testing.TB, status int) {
	tb.Helper()
	began := time.Now()
	awaitTrue(tb, fmt.Sprintf("readiness of %s turns %d", s.listen, status), func() bool {
		now, _, err := s.health()
		return err == nil && now == status
	})
	tb.Logf("readiness of %s turns %d after %v", s.listen, status, time.Since(began).Round(10*time.Millisecond))
	response, err := http.Get(s.base + "/-/health/live/")
	if err != nil || response.StatusCode != http.StatusOK {
		tb.Errorf("%s is not alive: %v, %v", s.listen, response, err)
		return
	}
	_ = response.Body.Close()
}

// TestClusterKills kills one node after the other while people log in. Their
// executions go on at the other node, and nothing that they were told is lost.
func TestClusterKills(t *testing.T) {
	kills := amount(t, "FLOWLEDGER_TEST_NODE_KILLS", 2, 6)
	c := startCluster(t, startPostgres(t), 2)
	people := c.town(t)
	leave := people.live(t)
	for range kills {
		time.Sleep(rand.N(2 * time.Second)) // a crash has no schedule
		node := c.nodes[rand.IntN(len(c.nodes))]
		if err := node.kill(); err != nil {
			t.Fatal(err)
		}
		people.goesOn(t, crashWalkers)
		if err := node.run(); err != nil {
			t.Fatal(err)
		}
	}
	leave()
	c.judge(t, people)
	t.Logf("%d kills; %d logins, %d acknowledged answers, %d answers lost, %d executions gone on with",
		kills, people.logins.Load(), people.acks.Load(), people.lost.Load(), people.resumed.Load())
}

// TestClusterTakeover kills each node in turn: within ten seconds the other
// sends the mails, each once.
func TestClusterTakeover(t *testing.T) {
	const within = 10 * time.Second
	office := newPostOffice(t)
	p := startPostgres(t)
	c := startClusterBy(t, p, []string{p.address(), p.address()},
		"--bootstrap-password", adminPassword, "--bootstrap-token", adminToken, "--smtp", office.flag())
	c.front.admin(t).mustImport(t, mailing)
	asked := 0
	for _, node := range append(c.nodes, c.nodes...) {
		if err := node.kill(); err != nil {
			t.Fatal(err)
		}
		asked++
		began := time.Now()
		if err := c.front.enterMailing(t); err != nil {
			t.Fatal(err)
		}
		awaitTrue(t, "the mail arrives", func() bool { return len(office.copies()) == asked })
		if took := time.Since(began); took > within {
			t.Errorf("the mail took %v, want at most %v", took, within)
		}
		if err := node.run(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(office.letters()); n != asked {
		t.Errorf("%d letters of %d mails", n, asked)
	}
}

// TestClusterDatabase ends the database under load, in peace and as a crash
// does. Nodes say that they are not ready, refuse in words, and go on by
// themselves.
func TestClusterDatabase(t *testing.T) {
	p := startPostgres(t)
	c := startCluster(t, p, 2)
	people := c.town(t)
	leave := people.live(t)
	for _, how := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		people.goesOn(t, crashWalkers)
		if err := p.stop(how); err != nil {
			t.Fatal(err)
		}
		for _, node := range c.nodes {
			node.turns(t, http.StatusServiceUnavailable)
		}
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
		for _, node := range c.nodes {
			node.turns(t, http.StatusOK)
		}
	}
	people.goesOn(t, crashWalkers)
	leave()
	c.judge(t, people)
	t.Logf("%d logins, %d acknowledged answers, %d answers lost, %d refused for now",
		people.logins.Load(), people.acks.Load(), people.lost.Load(), c.balancer.refusals())
}

// TestClusterCut cuts the network between the store and one node, the other
// node, and both. Who is cut off says so and acknowledges nothing; the other
// goes on with the work of both, which happens once.
func TestClusterCut(t *testing.T) {
	office := newPostOffice(t)
	p := startPostgres(t)
	wires := []wire{newWire(t, p.address()), newWire(t, p.address())}
	c := startClusterBy(t, p, []string{wires[0].Listen, wires[1].Listen},
		"--bootstrap-password", adminPassword, "--bootstrap-token", adminToken, "--smtp", office.flag())
	people := c.town(t)
	c.front.admin(t).mustImport(t, mailing)
	leave := people.live(t)
	people.goesOn(t, crashWalkers)
	asked := 0
	for i, node := range c.nodes {
		other := c.nodes[1-i]
		healed := time.Now().Add(outage)
		if err := wires[i].cut(); err != nil {
			t.Fatal(err)
		}
		node.turns(t, http.StatusServiceUnavailable)
		people.goesOn(t, crashWalkers)
		asked++
		if err := other.enterMailing(t); err != nil {
			t.Fatal(err)
		}
		awaitTrue(t, "the other node sends the mail", func() bool { return len(office.copies()) == asked })
		if status, text, err := other.health(); status != http.StatusOK {
			t.Errorf("the other node is not ready: %d %s, %v", status, text, err)
		}
		time.Sleep(time.Until(healed))
		wires[i].heal()
		node.turns(t, http.StatusOK)
	}
	if err := errors.Join(wires[0].cut(), wires[1].cut()); err != nil {
		t.Fatal(err)
	}
	for _, node := range c.nodes {
		node.turns(t, http.StatusServiceUnavailable)
	}
	wires[0].heal()
	wires[1].heal()
	for _, node := range c.nodes {
		node.turns(t, http.StatusOK)
	}
	people.goesOn(t, crashWalkers)
	if err := errors.Join(wires[0].slow(50), wires[1].slow(50)); err != nil {
		t.Fatal(err)
	}
	people.goesOn(t, crashWalkers)
	wires[0].heal()
	wires[1].heal()
	for _, node := range c.nodes {
		node.turns(t, http.StatusOK)
	}
	leave()
	events := c.judge(t, people)
	if n := tally(events, "MailRequested"); n != asked || len(office.letters()) != asked {
		t.Errorf("%d mails were asked for, %d are in the ledger, %d letters arrived", asked, n, len(office.letters()))
	}
}
