package console

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/web"
	"github.com/flowledger/flowledger/projections"
)

// noon is when all tests happen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// hostile is a name that would be markup.
const hostile = `<script>alert("x")</script>`

// town is a small world behind the pages: every fake answers from it, and
// keeps what it was told to do.
type town struct {
	persons  map[string]Person
	sessions []web.Session
	runs     []projections.Execution
	outcomes func(flow string, from time.Time) map[string]int
	verdicts []projections.Verdict
	sources  map[string][]projections.Source
	changed  []projections.ConfigurationChange
	content  map[string]ChangeContent
	looks    []projections.Access
	erased   []projections.Erasure
	answers  map[string]ErasureAnswer
	rule     retention.State
	first    time.Time
	sinks    []Delivery
	parked   []ParkedEvent
	events   []projections.Entry
	things   []object.Thing
	deeds    []string // in order
}

func (t *town) did(format string, args ...any) {
	t.deeds = append(t.deeds, fmt.Sprintf(format, args...))
}

type fakePeople struct{ *town }

func (f fakePeople) Find(_ context.Context, words, _ string, _ projections.Page) (out []Person, _ int, _ error) {
	for _, id := range slices.Sorted(maps.Keys(f.persons)) {
		if p := f.persons[id]; strings.Contains(strings.Join([]string{id, p.Username, p.Name, p.Email}, " "), words) {
			out = append(out, p)
		}
	}
	return out, len(out), nil
}

func (f fakePeople) Person(_ context.Context, id string) (Person, bool, error) {
	p, ok := f.persons[id]
	return p, ok, nil
}

func (f fakePeople) Named(_ context.Context, ids []string) (map[string]string, error) {
	out := map[string]string{}
	for _, id := range ids {
		if p, ok := f.persons[id]; ok {
			out[id] = p.Username
		}
	}
	return out, nil
}

func (f fakePeople) UserID(_ context.Context, typed string) (string, error) {
	for id, p := range f.persons {
		if typed == id || typed == p.Username {
			return id, nil
		}
	}
	return "", nil
}

func (f fakePeople) Failures(_ context.Context, id string, _ time.Time) (int, error) {
	return len(f.persons[id].Groups), nil
}

type fakeLogins struct{ *town }

func (f fakeLogins) Sessions(context.Context, string) ([]web.Session, error) { return f.sessions, nil }

func (f fakeLogins) SignIns(context.Context, string, int) ([]web.SignIn, error) {
	return []web.SignIn{{Time: noon, IP: "192.0.2.1", Place: hostile, UserAgent: hostile, Method: "password"}}, nil
}

func (f fakeLogins) End(_ context.Context, c session.Caller, user, id string) error {
	if !slices.ContainsFunc(f.sessions, func(s web.Session) bool { return s.ID == id }) {
		return domain.Errorf(domain.NotFound, "There is no such session.")
	}
	f.did("%s ends %s of %s", c.User, id, user)
	return nil
}

type fakeVerdicts struct{ *town }

func (f fakeVerdicts) Policies(context.Context, time.Time, time.Time) ([]projections.PolicyVerdicts, error) {
	by := map[string]*projections.PolicyVerdicts{}
	for _, v := range f.verdicts {
		p := by[v.Policy.ID]
		if p == nil {
			p = &projections.PolicyVerdicts{Policy: v.Policy}
			by[v.Policy.ID] = p
		}
		tallied(v, &p.Passed, &p.Failed, &p.Erred)
	}
	var out []projections.PolicyVerdicts
	for _, id := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[id])
	}
	return out, nil
}

func tallied(v projections.Verdict, passed, failed, erred *int) {
	*map[string]*int{"passed": passed, "failed": failed, "erred": erred}[v.Said]++
}

func (f fakeVerdicts) Over(_ context.Context, id string, from, until time.Time, step time.Duration) (out []projections.VerdictSlot, _ error) {
	for at := from; at.Before(until); at = at.Add(step) {
		slot := projections.VerdictSlot{At: at}
		for _, v := range f.verdicts {
			if v.Policy.ID == id && !v.At.Before(at) && v.At.Before(at.Add(step)) {
				tallied(v, &slot.Passed, &slot.Failed, &slot.Erred)
			}
		}
		out = append(out, slot)
	}
	return out, nil
}

func (f fakeVerdicts) List(_ context.Context, w projections.VerdictFilter, _ projections.Page) (out []projections.Verdict, _ int, _ error) {
	for _, v := range f.verdicts {
		if v.Policy.ID == w.Policy && (w.Said == "" || w.Said == v.Said) && (w.PolicyRevision == nil || *w.PolicyRevision == v.Policy.Revision) {
			out = append(out, v)
		}
	}
	return out, len(out), nil
}

type fakeSources struct{ *town }

func (f fakeSources) Top(_ context.Context, by string, _, _ time.Time, _ projections.Page) ([]projections.Source, int, error) {
	return f.sources[by], len(f.sources[by]), nil
}

type fakeChanges struct{ *town }

func (f fakeChanges) List(_ context.Context, w projections.ChangeFilter, p projections.Page) (out []projections.ConfigurationChange, _ int, _ error) {
	for _, c := range f.changed {
		if (w.Event == "" || w.Event == c.Event) && (w.Object == "" || w.Object == c.Object) && (w.Actor == "" || w.Actor == c.Actor) &&
			(w.Origin == "" || w.Origin == c.Origin) && (w.Kind == "" || w.Kind == c.Kind) && (w.Verb == "" || w.Verb == c.Verb) {
			out = append(out, c)
		}
	}
	return out[:min(len(out), p.Limit)], len(out), nil
}

func (f fakeChanges) Content(_ context.Context, c projections.ConfigurationChange) (ChangeContent, error) {
	return f.content[c.Event], nil
}

type fakeThings struct{ *town }

func (f fakeThings) Thing(id string) (object.Thing, bool) {
	i := slices.IndexFunc(f.things, func(t object.Thing) bool { return t.ID == id })
	if i < 0 {
		return object.Thing{}, false
	}
	return f.things[i], true
}

func (f fakeThings) Kind(string) []object.Thing { return f.things }

type fakeAccesses struct{ *town }

func (f fakeAccesses) List(_ context.Context, w projections.AccessFilter, _ projections.Page) (out []projections.Access, _ int, _ error) {
	for _, a := range f.looks {
		if (w.By == "" || w.By == a.By) && (w.View == "" || w.View == a.View) && (w.Execution == "" || w.Execution == a.Execution) && (w.Type == "" || w.Type == a.Type) {
			out = append(out, a)
		}
	}
	return out, len(out), nil
}

type fakeErasures struct{ *town }

func (f fakeErasures) List(_ context.Context, w projections.ErasureFilter, _ projections.Page) (out []projections.Erasure, _ int, _ error) {
	for _, e := range f.erased {
		if (w.Kind == "" || w.Kind == e.Kind) && (w.Subject == "" || w.Subject == e.Subject) {
			out = append(out, e)
		}
	}
	return out, len(out), nil
}

func (f fakeErasures) Answer(_ context.Context, event string) (ErasureAnswer, bool, error) {
	a, ok := f.answers[event]
	return a, ok, nil
}

type fakeRetention struct{ *town }

func (f fakeRetention) Rule(context.Context) (retention.State, []RuleChange, time.Time, error) {
	return f.rule, []RuleChange{{At: noon.AddDate(0, -1, 0), By: "u1", Rule: retention.Default()}}, f.first, nil
}

func (f fakeRetention) SetRetention(_ context.Context, c session.Caller, rule retention.Rule) error {
	f.did("%s sets %s %d %d %d", c.User, rule.Profile, rule.Trace, rule.Network, rule.Rows)
	return nil
}

type fakeDeliveries struct{ *town }

func (f fakeDeliveries) Deliveries(context.Context) ([]Delivery, error) {
	return slices.Clone(f.sinks), nil
}

func (f fakeDeliveries) Parked(context.Context, string) ([]ParkedEvent, error) { return f.parked, nil }

func (f fakeDeliveries) Resend(_ context.Context, c session.Caller, sink, from string) error {
	if from == "nonsense" {
		return domain.Errorf(domain.Invalid, "%s is neither a position nor a time.", from)
	}
	f.did("%s resends %s from %s", c.User, sink, from)
	return nil
}

func (f fakeDeliveries) Settle(_ context.Context, c session.Caller, sink, event string, again bool) error {
	f.did("%s settles %s of %s, again %v", c.User, event, sink, again)
	return nil
}

func (f fakeDeliveries) Enable(_ context.Context, c session.Caller, sink string, on bool) error {
	f.did("%s switches %s, on %v", c.User, sink, on)
	return nil
}

type fakeTrail struct{ *town }

func (f fakeTrail) Latest(context.Context, projections.AuditFilter, int) ([]projections.Entry, eventstore.Position, error) {
	return f.events, eventstore.PositionOf(77), nil
}

func (fakeTrail) Types() []string { return []string{"ExecutionStarted", "UserLoggedIn"} }

type fakeRuns struct{ *town }

func (f fakeRuns) ByID(context.Context, string) (projections.Execution, bool, error) {
	return projections.Execution{}, false, nil
}

func (f fakeRuns) Overview(context.Context, time.Time, time.Time, time.Duration) (projections.Overview, error) {
	return projections.Overview{}, nil
}

func (f fakeRuns) Outcomes(_ context.Context, flow string, from, _ time.Time) (map[string]int, error) {
	return f.outcomes(flow, from), nil
}

func (f fakeRuns) Search(_ context.Context, w projections.ExecutionFilter, _ string, _ projections.Page) (page projections.ExecutionPage, _ error) {
	for _, x := range f.runs {
		if x.User == w.User {
			page.Executions = append(page.Executions, x)
		}
	}
	page.Total, page.Exact = len(page.Executions), true
	return page, nil
}
