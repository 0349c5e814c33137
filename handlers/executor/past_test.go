package executor_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/command"
)

// pastExecutions is how many executions the test looks back on, in all worlds
// together.
const (
	pastWorlds     = 8
	pastExecutions = 1000
)

// For each of very many executions, of whatever came to somebody's mind, the
// state at each revision is the one that the engine had in memory when it
// wrote that: while the execution ran, with all its secrets, and long after it
// without them.
func TestThePastIsAsItWas(t *testing.T) {
	for seed := range pastWorlds {
		t.Run(fmt.Sprint("world ", seed), func(t *testing.T) {
			t.Parallel()
			p := newPast(t, uint64(seed))
			for n := 0; len(p.had) < pastExecutions/pastWorlds; n++ {
				p.walk(n)
			}
			p.lookBack()
		})
	}
}

// A past is a world in which visitors do what comes to their minds, and what
// the engine had in memory meanwhile.
type past struct {
	*world
	rng   *rand.Rand
	flows []string
	links []link
	at    eventstore.Position // up to where the ledger was held against memory

	memory map[string]execution.State // by execution, what the engine had last
	ledger map[string]execution.State // the same, read from the ledger
	had    map[string][]string        // by execution, what the engine had at each revision, in words
	ends   map[execution.Status]int
	types  map[string]int
}

// A link is a mail's, to a flow.
type link struct{ flow, key string }

func newPast(t *testing.T, seed uint64) *past {
	p := &past{
		world: newWorld(t), rng: rand.New(rand.NewPCG(seed, 7)), memory: map[string]execution.State{}, ledger: map[string]execution.State{},
		had: map[string][]string{}, ends: map[execution.Status]int{}, types: map[string]int{},
	}
	p.watch()
	for _, name := range []string{"ada", "bob", "cyd"} {
		p.user(name)
	}
	for n := range 12 {
		p.flow(fmt.Sprint("flow", n), p.design(), p.steps(n)...)
		p.flows = append(p.flows, fmt.Sprint("flow", n))
	}
	return p
}

func pick[V any](p *past, from ...V) V { return from[p.rng.IntN(len(from))] }

// design are the fields of a flow.
func (p *past) design() fields {
	return fields{
		"designation": pick(p, "stage_configuration", "authentication", "recovery"), "policy_engine_mode": pick(p, "any", "all"),
		"denied_action": pick(p, "message", "message_continue", "continue"),
	}
}

// steps draws the stages of a flow.
func (p *past) steps(flow int) (steps []step) {
	path := func(i int) string { return fmt.Sprint("flow", flow, " stage", i) }
	for i := range 2 + p.rng.IntN(6) {
		var s step
		switch p.rng.IntN(12) {
		case 0, 1:
			s = identification()
		case 2, 3:
			s = password()
		case 4:
			s = mfa(pick(p, "return False", "return True", "return request.user.pk != None"))
		case 5, 6:
			s = login()
		case 7, 8:
			s = p.prompts(path(i), fields{"field_key": "nick", "required": true}, fields{"field_key": "pin", "type": "password"})
		case 9:
			s = step{kind: "deny.denystage", policies: []rule{{source: "return context.get('n', 0) > 2"}}}
		case 10:
			s = posting(nil)
		default:
			s = dummy()
		}
		s.name = "" // each place has a stage of its own
		if s.kind != "authenticator_validate.authenticatorvalidatestage" {
			s.policies = append(s.policies, p.opinions()...)
		}
		s.binding = fields{
			"evaluate_on_plan": pick(p, true, false), "re_evaluate_policies": pick(p, true, true, false), "policy_engine_mode": pick(p, "any", "all"),
			"invalid_response_action": pick(p, "retry", "restart", "restart_with_context"),
		}
		steps = append(steps, s)
	}
	return steps
}

// opinions draws the policies of a place, mostly none.
func (p *past) opinions() (rules []rule) {
	for range pick(p, 0, 0, 1, 1, 2) {
		rules = append(rules, rule{source: pick(p,
			"return True", "return True", "return False", "return missing", "ak_message('no')\nreturn context.get('n', 0) % 2 == 0",
			"context['flow_plan'].context['n'] = context.get('n', 0) + 1\nreturn True",
			"context['flow_plan'].context['deep'] = {'list': [1, 'two', {'three': None}], 'pin': 'sesame'}\nreturn True",
			"context['flow_plan'].context['email'] = 'somebody@example.org'\nreturn True",
			"if context.get('n', 0) == 3:\n    context['flow_plan'].redirect('https://example.org/')\nreturn True",
		), binding: fields{"negate": pick(p, false, false, true), "failure_result": pick(p, false, true)}})
	}
	return rules
}

// walk lets one visitor go through flows until they have enough.
func (p *past) walk(n int) {
	b := p.browser(fmt.Sprint("visitor ", n))
	slug := pick(p, p.flows...)
	a, err := b.try(execution.Visit{Slug: slug})
	for range 4 + p.rng.IntN(16) {
		switch p.rng.IntN(24) {
		case 0: // another tab
			slug = pick(p, p.flows...)
			a, err = b.try(execution.Visit{Slug: slug})
		case 1:
			p.each(b, func(id string) error { return p.Cancel(p.t.Context(), id, b.caller) })
		case 2:
			p.pass(2 * execution.Idle)
			p.each(b, func(id string) error { return p.Expire(p.t.Context(), id) })
		case 3:
			p.restart()
			p.watch()
		case 4, 5:
			if len(p.links) > 0 {
				l := pick(p, p.links...)
				slug = l.flow
				a, err = b.try(execution.Visit{Slug: l.flow, Query: map[string][]string{"flow_token": {l.key}}})
			}
		case 6:
			a, err = b.try(execution.Visit{Slug: slug, Response: []byte(`{"component":"ak-stage-other"}`)})
		default:
			a, err = b.try(execution.Visit{Slug: slug, Response: p.answer(a)})
		}
		if err != nil && !domainError(err) {
			p.t.Fatalf("visit %s: %v", slug, err)
		}
		if a.Advanced || err != nil {
			a, err = b.try(execution.Visit{Slug: slug})
		}
	}
}

// domainError tells whether an error is one that a client may read.
func domainError(err error) bool {
	code, _ := domain.Explain(err)
	return code != domain.Internal
}

// watch remembers what an executor has in memory from here on.
func (p *past) watch() {
	p.Executions.Cache = command.NewCache[execution.State](16)
	p.Watch(func(id string, events []execution.Event, s execution.State) {
		state := p.memory[id]
		for _, e := range events {
			state = e.Evolve(state)
			p.had[id] = append(p.had[id], inWords(state))
		}
		got, want := without(inWords(s), isOwed), without(p.had[id][len(p.had[id])-1], isOwed)
		if got != want {
			p.t.Errorf("execution %s has in memory what its events do not say (-events +memory):\n%s", id, diffWords(want, got))
		}
		p.memory[id] = state
		p.check()
	})
}

// each does something to all executions of a visitor that run.
func (p *past) each(b *browser, do func(id string) error) {
	for id, s := range p.memory {
		if s.Session == b.caller.Session && s.Status == execution.Running {
			if err := do(id); err != nil && !domainError(err) {
				p.t.Fatal(err)
			}
		}
	}
}

// answer draws an answer to a challenge, right more often than not.
func (p *past) answer(a execution.Answer) []byte {
	component, _ := a.Challenge["component"].(string)
	if p.rng.IntN(5) == 0 {
		return []byte(pick(p, `{}`, `{"uid_field":"nobody"}`, `{"password":"wrong"}`, `{"nick":""}`, `[]`, `{`))
	}
	switch component {
	case "ak-stage-identification":
		return []byte(pick(p, `{"uid_field":"ada"}`, `{"uid_field":"bob"}`, `{"uid_field":"cyd@example.org"}`))
	case "ak-stage-password":
		return fmt.Appendf(nil, `{"password":"%v!"}`, a.Challenge["pending_user"])
	case "ak-stage-prompt":
		return []byte(`{"nick":"Nick","pin":"sesame"}`)
	case "ak-stage-consent":
		return confirm(a)
	}
	return []byte(`{}`)
}

// check holds what was appended since the last time against what the engine
// had. The keys of an execution that has just ended are still there, so nothing
// is left out.
func (p *past) check() {
	p.t.Helper()
	for e, err := range p.world.ledger.ReadAll(p.t.Context(), p.at) {
		if err != nil {
			p.t.Fatal(err)
		}
		p.at = e.Position
		if category := e.Stream.Category(); category != "execution" && category != "mail" {
			continue
		}
		d, err := p.codec.Decode(p.t.Context(), e)
		if err != nil {
			p.t.Fatal(err)
		}
		switch event := d.Event.(type) {
		case mail.MailRequested:
			p.found(event)
		case execution.Event:
			id := e.Stream.ID()
			p.types[e.Type]++
			p.ledger[id] = event.Evolve(p.ledger[id])
			if got, want := inWords(p.ledger[id]), p.had[id][e.Revision]; got != want {
				p.t.Errorf("%s at revision %d, %s (-engine +ledger):\n%s", e.Stream, e.Revision, e.Type, diffWords(want, got))
			}
		}
	}
}

func (p *past) found(m mail.MailRequested) {
	_, query, linked := strings.Cut(m.Link.Reveal(), "flow_token=")
	if flow, _, ok := strings.Cut(strings.TrimPrefix(m.Link.Reveal(), "http://test/if/flow/"), "/"); ok && linked {
		key, _, _ := strings.Cut(query, "&")
		p.links = append(p.links, link{flow, key})
	}
}

// lookBack holds each revision of each execution, as people who look at the
// past are shown it, against what the engine had.
func (p *past) lookBack() {
	p.t.Helper()
	revisions := 0
	for id, had := range p.had {
		p.ends[p.memory[id].Status]++
		var s execution.State
		stream := eventstore.Stream("execution", id)
		for e, err := range p.world.ledger.ReadStream(p.t.Context(), stream, 0) {
			if err != nil {
				p.t.Fatal(err)
			}
			d, err := p.codec.Decode(p.t.Context(), e)
			if err != nil {
				p.t.Fatal(err)
			}
			s = d.Event.(execution.Event).Evolve(s)
			p.compare(id, e.Revision, s)
		}
		at := eventstore.Revision(p.rng.IntN(len(had)))
		s, revision, err := p.Executions.LoadAt(p.t.Context(), stream, at)
		if err != nil || revision != at {
			p.t.Fatalf("execution %s at revision %d: it is at %d, %v", id, at, revision, err)
		}
		p.compare(id, at, s)
		revisions += len(had)
	}
	p.t.Logf("%d executions of %d revisions: %v, %v", len(p.had), revisions, p.ends, p.types)
}

// compare holds a state of long ago against what the engine had.
func (p *past) compare(id string, at eventstore.Revision, s execution.State) {
	p.t.Helper()
	if got, want := without(inWords(s), isSecret), without(p.had[id][at], isSecret); got != want {
		p.t.Errorf("execution %s at revision %d (-engine +past):\n%s", id, at, diffWords(want, got))
	}
}

func diffWords(want, got string) string {
	return cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n"))
}

// without leaves out lines of a state in words.
func without(words string, left func(line string) bool) string {
	var b strings.Builder
	for line := range strings.Lines(words) {
		if !left(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// isOwed is what is paid between two appends, and no event says so.
func isOwed(line string) bool { return strings.HasPrefix(line, ".Owed") }

// isSecret is what goes with the keys of an execution that has ended, or is
// about these. In a history, a mask stands for a secret as long as its key is
// there.
func isSecret(line string) bool {
	return strings.Contains(line, ": secret \"") || strings.HasSuffix(line, ": ********************\n") || strings.HasPrefix(line, ".Sealed:")
}

// inWords is a state as text: one line for each value in it, however it is
// kept in memory.
func inWords(s execution.State) string {
	var b strings.Builder
	write(&b, "", reflect.ValueOf(s))
	return b.String()
}

func write(b *strings.Builder, path string, v reflect.Value) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if v.IsZero() {
		return
	}
	switch value := v.Interface().(type) {
	case domain.Secret:
		fmt.Fprintf(b, "%s: secret %q\n", path, value.Reveal())
		return
	case time.Time:
		fmt.Fprintf(b, "%s: %s\n", path, value.UTC().Format(time.RFC3339Nano))
		return
	case execution.Limit: // of mails; it was asked before the decision and is no part of it
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			write(b, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			write(b, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			write(b, path+"/"+key.String(), v.MapIndex(key))
		}
	default:
		fmt.Fprintf(b, "%s: %v\n", path, v.Interface())
	}
}
