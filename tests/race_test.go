package tests

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// racers is how many answer one challenge at the same time.
const racers = 16

// TestRace lets many answers to one challenge arrive at once. One of them
// decides, whatever the others say, and what it decides happens once.
func TestRace(t *testing.T) {
	rounds := amount(t, "FLOWLEDGER_TEST_ROUNDS", 20, 100)
	t.Run("as-shipped", func(t *testing.T) {
		raceFor(t, startPlain(t, cheapLogin("race", rounds), raceClick), rounds)
	})
	if raceEnabled {
		// The detector slows everything down; it needs fewer rounds to see.
		rounds := min(rounds, 40)
		t.Run("detected", func(t *testing.T) {
			raceFor(t, startWith(t, cheapLogin("race", rounds), raceClick), rounds)
		})
	}
}

// raceFor runs so many rounds and judges them by the ledger.
func raceFor(t *testing.T, s *server, rounds int) {
	t.Helper()
	kinds := races()
	var run []raced
	for i := range rounds {
		r, err := kinds[i%len(kinds)].round(s, fmt.Sprintf("race-%d", i))
		if err != nil {
			t.Fatalf("round %d, %s: %v", i, kinds[i%len(kinds)].name, err)
		}
		run = append(run, r)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	of := executions(s.events(t))
	for id, history := range of {
		for _, wrong := range checkExecution(history) {
			t.Errorf("execution %s: %s", id, wrong)
		}
	}
	for _, r := range run {
		r.check(t, of[r.execution])
	}
}

// raceClick is a flow that logs in whoever says who they are.
const raceClick = `version: 1
metadata: {name: race click}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: race-click}
    attrs: {name: race click, title: Click, designation: authentication, authentication: none}
  - model: authentik_stages_dummy.dummystage
    id: dummy
    identifiers: {name: race-dummy}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !Find [authentik_stages_identification.identificationstage, [name, race-identification]], order: 10}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf dummy, order: 20}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !Find [authentik_stages_user_login.userloginstage, [name, race-login]], order: 30}
`

// races are the kinds of rounds. Most are about a click before the login, which
// costs nothing to check; two of eighteen are about a password, whose right
// answer the server hashes anew for each of the racers.
func races() []race {
	clicks := []race{
		{name: "identical clicks", flow: "race-click", at: "ak-stage-dummy", answer: func(int) map[string]string { return nil }},
		{name: "differing clicks", flow: "race-click", at: "ak-stage-dummy",
			answer: func(i int) map[string]string { return map[string]string{"note": fmt.Sprint(i)} }},
		{name: "identical clicks, by API", flow: "race-click", at: "ak-stage-dummy", api: true},
		{name: "clicks and nonsense", flow: "race-click", at: "ak-stage-dummy", answer: func(i int) map[string]string {
			return []map[string]string{nil, {"component": "ak-stage-password", "password": "wrong"}}[i%2]
		}},
	}
	passwords := []race{
		{name: "identical passwords", flow: "race-login", at: "ak-stage-password",
			answer: func(int) map[string]string { return map[string]string{"password": cheapPassword} }},
		{name: "differing passwords", flow: "race-login", at: "ak-stage-password", answer: func(i int) map[string]string {
			if i%2 == 0 {
				return map[string]string{"password": cheapPassword}
			}
			return map[string]string{"password": fmt.Sprintf("wrong %d", i)}
		}},
	}
	return slices.Concat(clicks, clicks, passwords[:1], clicks, clicks, passwords[1:])
}

// A race is a kind of round.
type race struct {
	name   string
	flow   string
	at     string // the component that all answer
	api    bool   // by the API, where an answer does not say which challenge it is for
	answer func(i int) map[string]string
}

// A raced round is what there is to look for in the ledger.
type raced struct {
	race      race
	execution string
	sequence  int
	errors    int // answers that say that something is wrong with the server
}

// round brings a new browser to the challenge and answers it all at once.
func (r race) round(s *server, user string) (raced, error) {
	c := s.browser()
	p, err := c.open(flowPage(r.flow, ""))
	if err != nil {
		return raced{}, err
	}
	if p, err = c.hand(p, map[string]string{"uid_field": user}); err != nil {
		return raced{}, err
	}
	if p.component() != r.at {
		return raced{}, fmt.Errorf("%s is at %q, want %s: %s", p.address, p.component(), r.at, end(p.text(), 300))
	}
	done := raced{race: r, execution: p.execution}
	if _, err := fmt.Sscanf(p.sequence(), "%d", &done.sequence); err != nil {
		return raced{}, fmt.Errorf("the form has the sequence %q", p.sequence())
	}
	// Each racer has its own copy of the browser as it is at the start.
	statuses := make([]int, racers)
	problems := make([]error, racers)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range racers {
		racer := &client{base: c.base, http: c.http, cookies: map[string]string{}}
		for name, value := range c.cookies {
			racer.cookies[name] = value
		}
		group.Go(func() {
			<-start
			var a *answer
			if r.api {
				a, problems[i] = racer.send(http.MethodPost, executor(r.flow), object{"component": r.at})
			} else {
				a, problems[i] = racer.post(p, r.answer(i))
			}
			if a != nil {
				statuses[i] = a.status
			}
		})
	}
	close(start)
	group.Wait()
	for _, status := range statuses {
		if status >= 500 && status != http.StatusServiceUnavailable {
			done.errors++
		}
	}
	return done, errors.Join(problems...)
}

// check judges what the ledger has about a round.
func (r raced) check(t *testing.T, history []event) {
	t.Helper()
	if r.errors > 0 {
		t.Errorf("%s, execution %s: %d of %d racers met an internal error", r.race.name, r.execution, r.errors, racers)
	}
	passed, rejected := count(history, "StageCompleted", r.sequence), count(history, "ResponseRejected", r.sequence)
	if passed+rejected != 1 {
		t.Errorf("%s, execution %s: challenge %d was passed %d times and rejected %d times, want one of both",
			r.race.name, r.execution, r.sequence, passed, rejected)
	}
	if logins := count(history, "UserLoggedIn", 0); logins != passed {
		t.Errorf("%s, execution %s: %d logins, want %d", r.race.name, r.execution, logins, passed)
	}
	if failures := count(history, "LoginFailed", 0); failures != rejected {
		t.Errorf("%s, execution %s: %d failed logins, want %d", r.race.name, r.execution, failures, rejected)
	}
}

// TestInterleavedFlows goes through eight flows in one browser, a step of this
// and a step of that. No flow sees anything of another.
func TestInterleavedFlows(t *testing.T) {
	const flows, stages, times = 8, 4, 5
	var blueprints []string
	for i := range flows {
		blueprints = append(blueprints, dummies(fmt.Sprintf("interleaved-%d", i), stages))
	}
	s := startWith(t, blueprints...)
	c := s.visitor(t)
	for range times {
		for _, turn := range turns(flows, stages) {
			slug := fmt.Sprintf("interleaved-%d", turn.who)
			ch, err := c.challenge(slug)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := ch.text("name"), fmt.Sprintf("%s-%d", slug, turn.step); got != want {
				t.Fatalf("%s asks for %q at step %d, want %q", slug, got, turn.step, want)
			}
			ch, err = c.respond(slug, object{"component": "ak-stage-dummy"})
			if err != nil {
				t.Fatal(err)
			}
			if last := turn.step == stages-1; last != (ch.text("component") == "xak-flow-redirect") {
				t.Fatalf("%s answers %v to step %d of %d", slug, ch, turn.step, stages)
			}
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	checkCompleted(t, s.events(t), "interleaved-", flows*times, stages)
}

// TestInterleavedTabs goes through one flow in eight tabs of one browser, each
// for somebody else.
func TestInterleavedTabs(t *testing.T) {
	const tabs = 8
	s := startWith(t, cheapLogin("tab", tabs), strings.NewReplacer("crash-login", "tab-login", "crash-dummy", "tab-dummy").Replace(crashDummy))
	c := s.visitor(t)
	pages := make([]*page, tabs)
	for i := range pages {
		p, err := c.open(flowPage("tab-login", ""))
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range pages[:i] {
			if other.execution == p.execution {
				t.Fatalf("two tabs have the execution %s", p.execution)
			}
		}
		pages[i] = p
	}
	for _, turn := range turns(tabs, 2) {
		user := fmt.Sprintf("tab-%d", turn.who)
		fields := []map[string]string{{"uid_field": user}, {"password": cheapPassword}}[turn.step]
		p, err := c.hand(pages[turn.who], fields)
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"ak-stage-password", "ak-stage-dummy"}[turn.step]; p.component() != want || p.execution != pages[turn.who].execution {
			t.Fatalf("tab %d is at %q of %s, want %s of %s", turn.who, p.component(), p.execution, want, pages[turn.who].execution)
		}
		if turn.step == 0 && !strings.Contains(p.text(), user) {
			t.Errorf("tab %d does not show %s: %s", turn.who, user, p.text())
		}
		for i := range tabs {
			if other := fmt.Sprintf("tab-%d", i); i != turn.who && strings.Contains(p.text(), other) {
				t.Errorf("tab %d shows %s", turn.who, other)
			}
		}
		pages[turn.who] = p
	}
	// Each login belongs to the person of its tab.
	p, err := c.hand(pages[3], nil)
	if err != nil {
		t.Fatal(err)
	}
	if !p.loggedIn() || !strings.Contains(p.text(), "tab-3") {
		t.Errorf("the login of tab 3 leads to %s: %s", p.address, end(p.text(), 300))
	}
}

// A turn is whose step is next.
type turn struct{ who, step int }

// turns mixes the steps of all, and leaves each one's own in their order.
func turns(who, steps int) []turn {
	var order []int
	for i := range who {
		order = append(order, slices.Repeat([]int{i}, steps)...)
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	next := make([]int, who)
	mixed := make([]turn, len(order))
	for i, w := range order {
		mixed[i] = turn{w, next[w]}
		next[w]++
	}
	return mixed
}

// checkCompleted checks that so many executions of flows with this prefix came
// to their end by exactly so many stages.
func checkCompleted(t *testing.T, events []event, prefix string, want, stages int) {
	t.Helper()
	completed := 0
	for id, history := range executions(events) {
		for _, wrong := range checkExecution(history) {
			t.Errorf("execution %s: %s", id, wrong)
		}
		if slug, _ := history[0].Payload["slug"].(string); !strings.HasPrefix(slug, prefix) || count(history, "ExecutionCompleted", 0) == 0 {
			continue
		}
		completed++
		if n := count(history, "StageCompleted", 0); n != stages {
			t.Errorf("execution %s has %d completed stages, want %d", id, n, stages)
		}
	}
	if completed != want {
		t.Errorf("%d executions are complete, want %d", completed, want)
	}
}
