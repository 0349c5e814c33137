package tests

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	crashWalkers  = 16 // logins under way at any time
	crashUsers    = 320
	crashFlow     = "crash-login"
	crashPatience = 90 * time.Second // for a server to come back
)

// crashSteps is what the flow asks for, in its order; the login itself follows
// the last without asking.
var crashSteps = []string{"ak-stage-identification", "ak-stage-password", "ak-stage-dummy"}

// TestCrash kills the server at random instants while people log in. What it
// acknowledged before is in the ledger once, and what it was asked in between
// goes on at its step.
func TestCrash(t *testing.T) {
	kills := amount(t, "FLOWLEDGER_TEST_KILLS", 5, 25)
	// Not under the race detector: a life that is too short for one answer
	// shows nothing.
	s := startPlain(t, cheapLogin("crash", crashUsers), crashDummy)

	town := &town{server: s, tb: t, acknowledged: map[string][]acknowledgement{}}
	var walkers sync.WaitGroup
	for i := range crashWalkers {
		walkers.Go(func() { town.walk(i) })
	}
	for range kills {
		time.Sleep(rand.N(400 * time.Millisecond)) // a crash has no schedule
		if err := errors.Join(s.kill(), s.run()); err != nil {
			t.Error(err)
			break
		}
	}
	town.closing.Store(true)
	walkers.Wait()
	if t.Failed() {
		return
	}
	town.checkSessions()
	town.checkDebts()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	town.checkLedger(s.events(t))
	t.Logf("%d kills; %d logins, %d acknowledged answers, %d answers lost, %d executions gone on with",
		kills, town.logins.Load(), town.acks.Load(), town.lost.Load(), town.resumed.Load())
	if town.lost.Load() == 0 {
		t.Error("no kill met a login: the test has shown nothing")
	}
}

// crashDummy puts a stage that only asks for a click between password and
// login.
const crashDummy = `version: 1
metadata: {name: crash dummy}
entries:
  - model: authentik_stages_dummy.dummystage
    id: dummy
    identifiers: {name: crash-dummy}
  - model: authentik_flows.flowstagebinding
    identifiers:
      target: !Find [authentik_flows.flow, [slug, crash-login]]
      stage: !KeyOf dummy
      order: 25
`

// A town is full of people who log in, and keeps the list of what they were
// told.
type town struct {
	server  *server
	tb      testing.TB
	closing atomic.Bool // whoever finishes a login goes home

	logins, acks, lost, resumed atomic.Int64

	mu           sync.Mutex // guards the two below
	acknowledged map[string][]acknowledgement
	inside       []*client // who was told that they are logged in
}

// An acknowledgement is an answer that the server said it has taken: to which
// challenge, and with which event it must be in the ledger.
type acknowledgement struct {
	sequence int
	event    string
	last     bool // the flow was over with it
}

// walk logs in again and again.
func (t *town) walk(number int) {
	const each = crashUsers / crashWalkers
	for n := 0; ; n++ {
		last := t.closing.Load()
		if err := t.login(fmt.Sprintf("crash-%d", number*each+n%each)); err != nil {
			t.tb.Errorf("walker %d, login %d: %v", number, n, err)
			return
		}
		if last || t.tb.Failed() {
			return // a whole login after the last kill
		}
	}
}

// login goes through the flow once, however often the server dies meanwhile.
func (t *town) login(user string) error {
	c := t.server.browser()
	p, err := t.open(c, flowPage(crashFlow, ""))
	if err != nil {
		return err
	}
	mistaken := rand.N(3) == 0
	for {
		step := stepOf(p.component())
		if step < 0 {
			return fmt.Errorf("%s shows %q: %s", p.address, p.component(), end(strings.TrimSpace(p.text()), 300))
		}
		fields := map[string]string{}
		switch p.component() {
		case "ak-stage-identification":
			fields["uid_field"] = user
		case "ak-stage-password":
			fields["password"] = cheapPassword
			if mistaken {
				fields["password"] = "not it"
			}
		}
		a, err := c.post(p, fields)
		switch {
		case err != nil || a.status == http.StatusServiceUnavailable:
			if p, err = t.recover(c, p, step); err != nil || p == nil {
				return err
			}
		case a.status == http.StatusSeeOther || a.status == http.StatusFound:
			t.note(p, acknowledgement{event: "StageCompleted", last: step == len(crashSteps)-1})
			if step == len(crashSteps)-1 {
				t.arrived(c)
				return nil
			}
			if p, err = t.proceed(c, p, step+1); err != nil {
				return err
			}
		case a.status == http.StatusOK && mistaken && step == 1:
			t.note(p, acknowledgement{event: "ResponseRejected"})
			mistaken = false
			if p, err = t.proceed(c, p, step); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the answer to %s is %d %s", p.component(), a.status, end(string(a.body), 600))
		}
	}
}

// proceed fetches the step that follows an acknowledged answer.
func (t *town) proceed(c *client, from *page, step int) (*page, error) {
	p, err := t.open(c, flowPage(crashFlow, from.execution))
	if err != nil {
		return nil, err
	}
	if p.execution != from.execution || p.component() != crashSteps[step] {
		return nil, fmt.Errorf("execution %s was acknowledged up to step %d, and is at %q of execution %s",
			from.execution, step, p.component(), p.execution)
	}
	return p, nil
}

// recover finds out what became of an answer that nobody acknowledged: the
// execution is at its step or at the next one. It returns no page when the
// flow may have ended.
func (t *town) recover(c *client, from *page, step int) (*page, error) {
	t.lost.Add(1)
	p, err := t.open(c, flowPage(crashFlow, from.execution))
	if err != nil {
		return nil, err
	}
	if p.execution != from.execution {
		if step == len(crashSteps)-1 {
			return nil, nil
		}
		return nil, fmt.Errorf("execution %s is lost at step %d: its address leads to %s", from.execution, step, p.address)
	}
	if now := stepOf(p.component()); now != step && now != step+1 {
		return nil, fmt.Errorf("execution %s was at step %d and is at %q after a crash", from.execution, step, p.component())
	}
	t.resumed.Add(1)
	return p, nil
}

// open gets a page as soon as there is a server to give it.
func (t *town) open(c *client, address string) (*page, error) {
	deadline := time.Now().Add(crashPatience)
	for {
		p, err := c.open(address)
		if err == nil {
			return p, nil
		}
		if time.Now().After(deadline) {
			return nil, err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (t *town) note(p *page, a acknowledgement) {
	t.acks.Add(1)
	if _, err := fmt.Sscanf(p.sequence(), "%d", &a.sequence); err != nil || a.sequence < 1 {
		t.tb.Errorf("the form of %s has the sequence %q", p.address, p.sequence())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.acknowledged[p.execution] = append(t.acknowledged[p.execution], a)
}

func (t *town) arrived(c *client) {
	t.logins.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inside = append(t.inside, c)
}

// checkSessions asks for everybody who was told that they are logged in
// whether they still are.
func (t *town) checkSessions() {
	outside := 0
	for _, c := range t.inside {
		p, err := c.open("/if/user/")
		if err != nil {
			t.tb.Error(err)
			return
		}
		if !p.loggedIn() {
			outside++
		}
	}
	if outside > 0 {
		t.tb.Errorf("%d of %d who were logged in are not", outside, len(t.inside))
	}
}

// checkDebts waits until each login has reached its session, also those whose
// client was cut off between the decision and its effect.
func (t *town) checkDebts() {
	deadline := time.Now().Add(crashPatience)
	for {
		owed := map[string]bool{}
		for _, e := range t.server.eventsOf(t.tb, "UserLoggedIn") {
			owed[strings.TrimPrefix(e.Stream, "execution-")] = true
		}
		for _, e := range t.server.eventsOf(t.tb, "SessionAuthenticated") {
			id, _ := e.Payload["execution"].(string)
			delete(owed, id)
		}
		if len(owed) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.tb.Errorf("%d logins have not reached their session, such as that of execution %s", len(owed), slices.Sorted(maps.Keys(owed))[0])
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// checkLedger compares what people were told with what is written.
func (t *town) checkLedger(events []event) {
	of := executions(events)
	for id, history := range of {
		for _, wrong := range checkExecution(history) {
			t.tb.Errorf("execution %s: %s", id, wrong)
		}
	}
	for id, acknowledgements := range t.acknowledged {
		for _, a := range acknowledgements {
			if n := count(of[id], a.event, a.sequence); n != 1 {
				t.tb.Errorf("execution %s: challenge %d was acknowledged, and is in the ledger with %d × %s", id, a.sequence, n, a.event)
			}
			if a.last && (count(of[id], "UserLoggedIn", 0) != 1 || count(of[id], "ExecutionCompleted", 0) != 1) {
				t.tb.Errorf("execution %s was told to be over, and the ledger does not say so", id)
			}
		}
	}
	logins := map[any]int{}
	for _, e := range events {
		if e.Type == "SessionAuthenticated" {
			logins[e.Payload["execution"]]++
		}
	}
	for id, n := range logins {
		if n != 1 {
			t.tb.Errorf("execution %v authenticated a session %d times", id, n)
		}
	}
}

func stepOf(component string) int {
	for i, c := range crashSteps {
		if c == component {
			return i
		}
	}
	return -1
}
