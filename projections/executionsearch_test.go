package projections_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// A tale is an execution, with what lists do not show of it.
type tale struct {
	projections.Execution
	kinds []string
	said  []string // policy:verdict
}

// A teller makes up executions, and questions about them.
type teller struct {
	*world
	*rand.Rand
	kinds, said map[string][]string // by execution
	names       map[string]string   // by user
}

func newTeller(t *testing.T) *teller {
	return &teller{newWorld(t), rand.New(rand.NewPCG(3, 5)), map[string][]string{}, map[string][]string{}, map[string]string{}}
}

// few picks one of a number of things, mostly of the first.
func (x *teller) few(of int) int { return int(float64(of) * x.Float64() * x.Float64()) }

func (x *teller) among(letters string, of int) string { return id(fmt.Sprint(letters, x.few(of))) }

// visits appends executions of all kinds, and returns them as they are listed.
func (x *teller) visits(n int) []tale {
	for who := range 40 {
		name := fmt.Sprintf("user%02d", who)
		x.names[id(fmt.Sprint("u", who))] = name
		x.append(stream("user", fmt.Sprint("u", who)), user.UserCreated{Key: who + 1, Username: name, Email: name + "@example.org"})
	}
	for i := range n {
		x.visit(i)
	}
	x.run()
	x.settle()
	page, err := x.executions.Search(x.t.Context(), projections.ExecutionFilter{}, "", projections.Page{})
	if err != nil || len(page.Executions) != n || page.Total != n || !page.Exact {
		x.t.Fatalf("%d of %d executions, want %d, %v", len(page.Executions), page.Total, n, err)
	}
	all := make([]tale, n)
	for i, e := range page.Executions {
		all[i] = tale{e, x.kinds[e.ID], x.said[e.ID]}
	}
	return all
}

func (x *teller) visit(n int) {
	x.clock = x.clock.Add(time.Duration(x.IntN(3)) * time.Second)
	to := stream("execution", fmt.Sprint("x", n))
	flow := x.few(9)
	network := session.Network{
		IP: netip.AddrFrom4([4]byte{10, byte(x.few(5)), byte(x.few(5)), byte(x.IntN(9))}).String(), UserAgent: "curl/8",
		Place: &session.Place{Country: []string{"DE", "US", "FR", ""}[x.few(4)]}, System: &session.System{Number: x.few(4)},
	}
	if x.few(9) == 8 {
		network.IP = fmt.Sprintf("2001:db%x::%x", x.few(9), x.few(9))
	}
	begun := execution.ExecutionStarted{
		Flow: domain.Ref{ID: id(fmt.Sprint("f", flow)), Revision: int64(x.few(4)), Name: fmt.Sprint("Flow ", flow)}, Slug: fmt.Sprint("flow-", flow),
		Designation: []string{"authentication", "recovery"}[flow%2], Entry: "api", Session: x.among("s", n), Deadline: deadline,
	}
	if x.few(3) > 0 {
		begun.User = x.among("u", 40)
	}
	if x.few(3) > 0 {
		begun.Set = map[string]any{execution.KeyApplication: map[string]any{"id": x.among("a", 5)}}
	}
	x.appendAs(codec.Meta{Network: network}, to, begun)
	for range x.few(4) {
		x.step(to.ID(), flow)
	}
	x.end(to.ID(), n)
}

func (x *teller) step(of string, flow int) {
	kind := []string{"password", "consent", "email", "prompt"}[x.few(4)]
	at := domain.Ref{ID: id(fmt.Sprint(kind, flow)), Name: fmt.Sprint("stage-", kind, "-", flow)}
	policy, said := id(fmt.Sprint("p", x.few(6))), []string{"passed", "failed", "erred"}[x.few(3)]
	result := execution.PolicyResult{Policy: &domain.Ref{ID: policy}, Passing: said == "passed", Outcome: map[bool]string{true: "timeout", false: "ok"}[said == "erred"]}
	x.kinds[of], x.said[of] = append(x.kinds[of], kind), append(x.said[of], policy+":"+said)
	to := eventstore.Stream("execution", of)
	x.append(to, execution.PolicyEvaluated{Evaluation: execution.Evaluation{Results: []execution.PolicyResult{result}}},
		execution.StageEntered{Stage: at, Kind: kind}, execution.ChallengeIssued{ExpiresAt: deadline})
	x.clock = x.clock.Add(time.Duration(x.few(200)) * time.Second / 10)
	x.append(to, execution.SubjectIdentified{User: x.among("u", 40)},
		execution.FactorVerified{Factor: execution.Factor{Method: []string{"password", "totp", "webauthn"}[x.few(3)]}})
}

func (x *teller) end(of string, n int) {
	ends := []codec.Event{
		execution.ExecutionCompleted{}, execution.ExecutionDenied{Cause: "flow_policy"}, execution.ExecutionExpired{}, nil,
		execution.ExecutionCancelled{Cause: "user"}, execution.ExecutionFailed{Class: "stage", ErrorID: fmt.Sprintf("r%05d", n)},
		execution.ExecutionCompleted{Early: "empty_flow"},
	}
	if end := ends[x.few(len(ends))]; end != nil {
		x.append(eventstore.Stream("execution", of), end)
	}
}

// ask makes up a part of a filter from what an execution is like.
func (x *teller) ask(f *projections.ExecutionFilter, like tale) {
	first := func(list []string, or string) string { return slices.Concat(list, []string{or})[0] }
	yes, no := true, false
	questions := []func(){
		func() { f.ID = like.ID }, func() { f.Slug = like.Slug }, func() { f.User = cmp.Or(like.User, id("nobody")) },
		func() { f.Session = like.Session }, func() { f.Visitor = cmp.Or(like.Visitor, id("nobody")) },
		func() { f.Status = like.Status }, func() { f.Statuses = []string{like.Status, "failed"} },
		func() { f.From = like.Started }, func() { f.Until = like.Started }, func() { f.Cause = cmp.Or(like.Cause, "user") },
		func() { f.Flow = like.Flow.ID }, func() { f.FlowRevision = &like.Flow.Revision }, func() { f.Designation = like.Designation },
		func() { f.StageKind = first(like.kinds, "email") }, func() { f.Reached = cmp.Or(like.Stage.Name, like.Stage.ID, "stage-prompt-1") },
		func() { f.Reached = cmp.Or(like.Stage.ID, "x") }, func() { f.Factor = first(like.Factors, "webauthn") },
		func() { f.Policy, _, _ = strings.Cut(first(like.said, id("p5")), ":") },
		func() { f.Policy, f.Said, _ = strings.Cut(first(like.said, id("p1")+":erred"), ":") },
		func() { f.Said = "erred" }, func() { f.Application = cmp.Or(like.Application, id("a1")) },
		func() { f.Network, _ = like.Origin.IP.Prefix(like.Origin.IP.BitLen() - x.IntN(33)) },
		func() { f.Country = cmp.Or(like.Origin.Country, "FR") }, func() { f.ASN = 1 + like.Origin.ASN },
		func() { f.Longer = like.Took + 1 }, func() { f.Shorter, f.Longer = like.Took+time.Second, like.Took/2 },
		func() { f.Running = &yes }, func() { f.Running = &no }, func() { f.Abandoned = &yes }, func() { f.Abandoned = &no },
		func() { f.Words = []string{like.Slug} }, func() { f.Words = []string{"FLOW", like.ID[:8]} },
		func() { f.Words = []string{cmp.Or(like.Reference, like.Origin.IP.String())} },
		func() { f.Words = []string{x.names[cmp.Or(like.User, id("u1"))]} },
	}
	questions[x.IntN(len(questions))]()
}

// wants is what a filter means, said of one execution.
func (x *teller) wants(f projections.ExecutionFilter, e tale) bool {
	is := func(wanted, value string) bool { return wanted == "" || wanted == value }
	state := func(wanted *bool, status string) bool { return wanted == nil || *wanted == (e.Status == status) }
	said := func(s string) bool {
		policy, verdict, _ := strings.Cut(s, ":")
		return is(f.Policy, policy) && is(f.Said, verdict)
	}
	for _, meets := range []bool{
		is(f.ID, e.ID), is(f.Slug, e.Slug), is(f.User, e.User), is(f.Session, e.Session), is(f.Visitor, e.Visitor), is(f.Status, e.Status),
		f.Statuses == nil || slices.Contains(f.Statuses, e.Status), f.From.IsZero() || !e.Started.Before(f.From),
		f.Until.IsZero() || e.Started.Before(f.Until), is(f.Cause, e.Cause), is(f.Flow, e.Flow.ID),
		f.FlowRevision == nil || *f.FlowRevision == e.Flow.Revision, is(f.Designation, e.Designation),
		f.StageKind == "" || slices.Contains(e.kinds, f.StageKind), is(f.Reached, e.Stage.Name) || is(f.Reached, e.Stage.ID),
		f.Factor == "" || slices.Contains(e.Factors, f.Factor), f.Policy+f.Said == "" || slices.ContainsFunc(e.said, said),
		is(f.Application, e.Application), !f.Network.IsValid() || f.Network.Contains(e.Origin.IP), is(f.Country, e.Origin.Country),
		f.ASN == 0 || f.ASN == e.Origin.ASN, f.Longer == 0 || e.Took >= f.Longer.Truncate(time.Microsecond),
		f.Shorter == 0 || e.Took < f.Shorter, state(f.Running, "running"), state(f.Abandoned, "expired"),
	} {
		if !meets {
			return false
		}
	}
	for _, word := range f.Words {
		word = strings.ToLower(word)
		if !strings.Contains(strings.ToLower(e.Slug+" "+e.Flow.Name+" "+e.Stage.Name), word) && !strings.HasPrefix(e.ID, word) &&
			e.Reference != word && e.Origin.IP.String() != word && x.names[e.User] != word && x.names[e.Visitor] != word {
			return false
		}
	}
	return true
}

// keys are what executions are sorted by in each order.
var keys = map[string]func(tale) int64{
	"started": func(tale) int64 { return 0 }, "seen": func(e tale) int64 { return e.Seen.UnixMicro() },
	"duration": func(e tale) int64 { return e.Took.Microseconds() },
}

// inOrder sorts executions, which come with the newest first, as a search
// does: among equal ones the newest is first, but for the order of starts,
// which is turned round as a whole.
func inOrder(all []tale, order string) (ids []string) {
	name, descending := strings.CutPrefix(order, "-")
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b tale) int {
		if descending {
			a, b = b, a
		}
		return cmp.Compare(keys[name](a), keys[name](b))
	})
	if order == "started" {
		slices.Reverse(sorted)
	}
	for _, e := range sorted {
		ids = append(ids, e.ID)
	}
	return ids
}

// Whatever is asked, a search finds what a look at each execution finds:
// within its usual limits, and where it may collect and sort nearly nothing.
func TestSearchFindsWhatALookAtEachFinds(t *testing.T) {
	x := newTeller(t)
	all := x.visits(2000)
	found, residual := 0, 0
	for round := range 700 {
		few := round%2 == 1
		if x.executions.Limit(time.Hour, 50_000, 20_000); few {
			x.executions.Limit(time.Hour, 10+round%300, 30)
		}
		var f projections.ExecutionFilter
		for range 1 + x.IntN(3) {
			x.ask(&f, all[x.IntN(len(all))])
		}
		order := []string{"-started", "started", "-seen", "seen", "-duration", "duration"}[x.IntN(6)]
		p := projections.Page{Offset: x.IntN(3) * 7, Limit: 20}
		wanted := slices.DeleteFunc(slices.Clone(all), func(e tale) bool { return !x.wants(f, e) })
		page, err := x.executions.Search(t.Context(), f, order, p)
		if err != nil {
			t.Fatal(err)
		}
		if !page.Exact && len(f.Words) > 0 && few {
			residual++ // only the newest that a word means count
			continue
		}
		ids := inOrder(wanted, order)
		ids = ids[min(p.Offset, len(ids)):min(p.Offset+p.Limit, len(ids))]
		if got := idsOf(page); !slices.Equal(got, ids) || !page.Exact || page.Total != len(wanted) || !page.Reached.IsZero() {
			t.Fatalf("round %d, %s of %+v: %d of %d, exact %v, reached %v\n got %v\nwant %v of %d",
				round, order, f, len(got), page.Total, page.Exact, page.Reached, got, ids, len(wanted))
		}
		found += len(ids)
	}
	if found < 2000 || residual > 100 {
		t.Errorf("%d were found, and %d questions not compared: that tests little", found, residual)
	}
}

// Without any time, a search finds a part, and says how far back it looked:
// up to there nothing is missing.
func TestSearchWithoutTimeSaysHowFarItCame(t *testing.T) {
	x := newTeller(t)
	all := x.visits(2500)
	x.executions.Limit(0, 1, 1)
	f := projections.ExecutionFilter{Longer: time.Millisecond}
	wanted := slices.DeleteFunc(slices.Clone(all), func(e tale) bool { return e.Took < time.Millisecond })
	page, err := x.executions.Search(t.Context(), f, "-started", projections.Page{Limit: 2000})
	if err != nil || page.Exact || page.Reached.IsZero() || len(page.Executions) == 0 || len(page.Executions) >= len(wanted) {
		t.Fatalf("%d of %d, exact %v, reached %v, %v", len(page.Executions), len(wanted), page.Exact, page.Reached, err)
	}
	for i, e := range wanted {
		if e.Started.After(page.Reached) && (i >= len(page.Executions) || page.Executions[i].ID != e.ID) {
			t.Fatalf("%s is missing, which began at %s; it was looked back to %s", e.ID, e.Started, page.Reached)
		}
	}
	if full, err := x.executions.Search(t.Context(), f, "-started", projections.Page{Limit: 10}); err != nil || full.Exact || !full.Reached.IsZero() || full.Total <= 10 {
		t.Errorf("a full page: exact %v, reached %v, %d in all, %v", full.Exact, full.Reached, full.Total, err)
	}
	f.Until = page.Reached
	if older, err := x.executions.Search(t.Context(), f, "-started", projections.Page{Limit: 2000}); err != nil || len(older.Executions) == 0 {
		t.Errorf("further back there are %d, %v", len(older.Executions), err)
	}
}

func idsOf(p projections.ExecutionPage) (ids []string) {
	for _, e := range p.Executions {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestSearchRefusesAnOrder(t *testing.T) {
	w := newWorld(t)
	for _, order := range []string{"id", "-", "- started", "started DESC"} {
		_, err := w.executions.Search(t.Context(), projections.ExecutionFilter{}, order, projections.Page{})
		if refusal, ok := errors.AsType[*domain.Error](err); !ok || refusal.Code != domain.Invalid {
			t.Errorf("order %q: %v", order, err)
		}
	}
}
