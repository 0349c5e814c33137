package executor_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/executor"
)

func code(err error) domain.Code {
	c, _ := domain.Explain(err)
	return c
}

// A session runs one execution of each flow, and more when a page asks for a
// fresh one and names it afterwards.
func TestSeveralExecutionsInOneSession(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, dummy(), dummy())
	w.flow("g", nil, dummy(), dummy())
	b := w.browser("s")
	b.get("f")
	b.post("f", "{}")
	if got := said(b.get("g")); got != "ak-stage-dummy g/0" {
		t.Errorf("another flow: %s", got)
	}
	if got := said(b.get("f")); got != "ak-stage-dummy f/1" {
		t.Errorf("the first flow afterwards: %s", got)
	}
	fresh := b.visit(execution.Visit{Slug: "f", Fresh: true})
	if got := said(fresh); got != "ak-stage-dummy f/0" {
		t.Errorf("a fresh one: %s", got)
	}
	first := w.executions()[0]
	if got := said(b.visit(execution.Visit{Slug: "f", Execution: first, Fresh: true})); got != "ak-stage-dummy f/1" {
		t.Errorf("the first by its name: %s", got)
	}
	if got := said(b.get("f")); got != "ak-stage-dummy f/0" {
		t.Errorf("without a name it is the newest: %s", got)
	}
	other := w.browser("other")
	if a := other.visit(execution.Visit{Slug: "f", Execution: first}); a.Execution == first {
		t.Error("another session took the execution over")
	}
	if a := b.visit(execution.Visit{Slug: "g", Execution: first}); a.Execution == first {
		t.Error("the execution goes on under another flow")
	}
}

func TestUnknownFlow(t *testing.T) {
	w := newWorld(t)
	if _, err := w.browser("s").try(execution.Visit{Slug: "nowhere"}); code(err) != domain.NotFound {
		t.Errorf("got %v", err)
	}
}

// An answer to an earlier asking changes nothing, and is told what is asked
// now.
func TestStaleSequence(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, dummy(), dummy())
	b := w.browser("s")
	a := b.get("f")
	b.post("f", "{}")
	before := w.head()
	got := b.visit(execution.Visit{Slug: "f", Execution: a.Execution, Sequence: a.Sequence, Response: []byte("{}")})
	if said(got) != "ak-stage-dummy f/1" || w.head() != before {
		t.Errorf("told %s, and the ledger grew: %t", said(got), w.head() != before)
	}
}

func TestExpiry(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, dummy(), dummy())
	b := w.browser("s")
	first := b.get("f").Execution
	w.pass(execution.Idle - time.Second)
	b.post("f", "{}") // which is a sign of life
	w.pass(execution.Idle - time.Second)
	if a := b.get("f"); a.Execution != first || said(a) != "ak-stage-dummy f/1" {
		t.Errorf("in time: %s", said(a))
	}
	if err := w.Expire(t.Context(), first); err != nil || w.state(first).Status != execution.Running {
		t.Errorf("swept too soon: %s, %v", w.state(first).Status, err)
	}
	w.pass(2 * time.Second)
	a := b.visit(execution.Visit{Slug: "f", Response: []byte("{}"), Execution: first})
	if a.Execution == first || w.state(first).Status != execution.Expired {
		t.Errorf("a late answer: %s, the execution is %s", said(a), w.state(first).Status)
	}
	second := a.Execution
	w.pass(execution.Idle + time.Second)
	for range 2 {
		if err := w.Expire(t.Context(), second); err != nil {
			t.Fatal(err)
		}
	}
	if story := w.story(eventstore.Stream("execution", second)); tally(story, "ExecutionExpired") != 1 {
		t.Errorf("swept: %v", story)
	}
}

// Many late requests at once: each begins anew, and one of them says that the
// old execution is over.
func TestLateAtOnce(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, dummy())
	b := w.browser("s")
	x := b.get("f").Execution
	w.pass(execution.Idle + time.Second)
	for _, told := range race(t, 8, func(int) (execution.Answer, error) {
		c := *b
		return c.try(execution.Visit{Slug: "f", Execution: x})
	}) {
		if told != "ak-stage-dummy f/0" {
			t.Errorf("told %s", told)
		}
	}
	if got := w.count("ExecutionExpired"); got != 1 {
		t.Errorf("expired %d times", got)
	}
}

// Somebody else has logged in meanwhile: only a login that is for them, too,
// goes on.
func TestAnotherUserInTheBrowser(t *testing.T) {
	w := newWorld(t)
	ada, root := w.user("ada"), w.user("root")
	for name, test := range map[string]struct {
		flow  fields
		from  string
		to    string
		want  string
		ended execution.Status
	}{
		"a login for anybody": {fields{"designation": "authentication"}, "", ada, "ak-stage-dummy f/1", execution.Running},
		"a login for strangers": {
			fields{"designation": "authentication", "authentication": "require_unauthenticated"}, "", ada,
			"xak-flow-redirect /", execution.Cancelled,
		},
		"settings of somebody else": {nil, ada, root, "ak-stage-dummy f/0", execution.Cancelled},
	} {
		t.Run(name, func(t *testing.T) {
			w.flow("f", fields{"designation": "stage_configuration", "authentication": "none"}.with(test.flow), dummy(), dummy())
			b := w.browser(name)
			b.caller.User = test.from
			b.get("f")
			first := b.post("f", "{}").Execution
			b.caller.User = test.to
			if got := said(b.get("f")); got != test.want {
				t.Errorf("told %s, want %s", got, test.want)
			}
			if got := w.state(first).Status; got != test.ended {
				t.Errorf("the execution is %s, want %s: %v", got, test.ended, w.story(eventstore.Stream("execution", first)))
			}
		})
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, dummy())
	w.flow("g", nil, dummy())
	b := w.browser("s")
	f, g := b.get("f").Execution, b.get("g").Execution
	for range 2 {
		if err := w.Cancel(t.Context(), f, b.caller); err != nil {
			t.Fatal(err)
		}
	}
	if w.state(f).Status != execution.Cancelled || w.state(g).Status != execution.Running {
		t.Errorf("one was cancelled: %s, %s", w.state(f).Status, w.state(g).Status)
	}
	other := w.browser("other")
	if err := w.Cancel(t.Context(), g, other.caller); err != nil || w.state(g).Status != execution.Running {
		t.Errorf("cancelled from another session: %s, %v", w.state(g).Status, err)
	}
	if err := w.Cancel(t.Context(), "", b.caller); err != nil || w.state(g).Status != execution.Cancelled {
		t.Errorf("all were cancelled: %s, %v", w.state(g).Status, err)
	}
	stranger := b.caller
	stranger.Session = ""
	if err := w.Cancel(t.Context(), "", stranger); err != nil {
		t.Errorf("without a session: %v", err)
	}
	if got := said(b.get("f")); got != "ak-stage-dummy f/0" || b.get("f").Execution == f {
		t.Errorf("afterwards: %s", got)
	}
}

func TestTitle(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada")
	for title, want := range map[string]string{
		"Hello %(user)s": "Hello ada", "100%": "100%", "Sign in to %(app)s": "Sign in to ", "%(nobody)s": "%(nobody)s",
	} {
		w.flow("f", fields{"title": title}, dummy())
		info, _ := w.browser(title).as(ada).get("f").Challenge["flow_info"].(map[string]any)
		if info["title"] != want {
			t.Errorf("%q became %q, want %q", title, info["title"], want)
		}
	}
}

// breaking are people whose look-up panics, as a mistake of ours would.
type breaking struct{ executor.People }

func (breaking) FindPerson(context.Context, []string, string, bool) (user.Person, error) {
	panic("a mistake")
}

func TestPanicInAStage(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, identification())
	w.People = breaking{w.People}
	b := w.browser("s")
	b.get("f")
	a := b.visit(execution.Visit{Slug: "f", Response: []byte(uid)})
	if got := said(a); got != "ak-stage-flow-error request-s" {
		t.Errorf("told %s", got)
	}
	if _, shown := a.Challenge["error"]; shown {
		t.Errorf("the client sees the fault: %v", a.Challenge)
	}
	if story := w.story(eventstore.Stream("execution", a.Execution)); tally(story, "ExecutionFailed") != 1 {
		t.Errorf("events %v", story)
	}
	admin := w.browser("admin").as(w.superuser("root"))
	admin.get("f")
	a2 := admin.visit(execution.Visit{Slug: "f", Response: []byte(uid)})
	if told, _ := a2.Challenge["error"].(string); !strings.Contains(told, "a mistake") {
		t.Errorf("a superuser is told %v", a2.Challenge)
	}
	if trace, _ := a2.Challenge["traceback"].(string); !strings.Contains(trace, "FindPerson") {
		t.Errorf("traceback %q", trace)
	}
	// The answer is the same for who asks again by name; else one starts anew.
	if got := said(b.visit(execution.Visit{Slug: "f", Execution: a.Execution})); got != "ak-stage-flow-error request-s" {
		t.Errorf("asked again: %s", got)
	}
	if got := said(b.get("f")); got != "ak-stage-identification" {
		t.Errorf("started anew: %s", got)
	}
}

// What a login asks for is done although stages follow it.
func TestStagesAfterALogin(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada")
	w.pool.rehash = true
	w.flow("signin", fields{"designation": "authentication"}, identification(), password(), login(),
		dummy(rule{source: "return request.http_request.user.username == 'ada'"}))
	b := w.browser("s")
	b.get("signin")
	b.post("signin", uid)
	a := b.visit(execution.Visit{Slug: "signin", Response: []byte(right)})
	if !a.Advanced || !a.Renew {
		t.Errorf("after the password: %s, renew %t", said(a), a.Renew)
	}
	s, _, err := w.Sessions.Load(t.Context(), eventstore.Stream("session", b.caller.Session))
	if err != nil || s.User != ada {
		t.Errorf("the session is of %q, %v", s.User, err)
	}
	if got := w.count("UserPasswordRehashed"); got != 1 {
		t.Errorf("rehashed %d times", got)
	}
	if got := said(b.get("signin")); got != "ak-stage-dummy signin/3" {
		t.Errorf("then: %s", got)
	}
	if got := said(b.post("signin", "{}")); got != "xak-flow-redirect /" {
		t.Errorf("in the end: %s", got)
	}
}

func TestHandover(t *testing.T) {
	w := newWorld(t)
	target := w.flow("target", fields{"authentication": "require_redirect"}, dummy())
	to := step{kind: "redirect.redirectstage", stage: fields{"mode": "flow", "target_flow": target}}
	w.flow("f", nil, to)
	b := w.browser("s")
	if got := said(b.get("target")); got != refused {
		t.Errorf("entered directly: %s", got)
	}
	a := b.visit(execution.Visit{Slug: "f", Query: url.Values{"next": {"/x"}}})
	if got := said(a); got != "xak-flow-redirect /if/flow/target/?next=%2Fx" {
		t.Errorf("sent away: %s", got)
	}
	if got := said(b.visit(execution.Visit{Slug: "target", Entry: "interface", Fresh: true})); got != "ak-stage-dummy target/0" {
		t.Errorf("arrived: %s", got)
	}
	if got := said(b.post("target", "{}")); got != "xak-flow-redirect /x" {
		t.Errorf("at the end: %s", got)
	}
	w.flow("closed", fields{"authentication": "require_authenticated"}, dummy())
	w.flow("f", nil, step{kind: "redirect.redirectstage", stage: fields{"mode": "flow", "target_flow": id("closed")}})
	if got := said(w.browser("t").get("f")); got != refused {
		t.Errorf("to a flow that does not apply: %s", got)
	}
}

// A link opens its flow, as often as it takes until the flow is done.
func TestLinks(t *testing.T) {
	w := newWorld(t)
	flow := w.flow("f", fields{"authentication": "require_token"}, dummy(), dummy())
	w.links.named["key"] = named{id("token"), flow, w.user("ada")}
	w.links.named["other"] = named{id("token"), id("elsewhere"), id("ada")}
	const dead = "ak-stage-access-denied This link has expired. Please request a new one."
	for key, want := range map[string]string{"key": "ak-stage-dummy f/0", "unknown": dead, "other": dead, "": dead} {
		b := w.browser("key " + key)
		a := b.visit(execution.Visit{Slug: "f", Query: url.Values{"flow_token": {key}}})
		if got := said(a); got != want {
			t.Errorf("with the key %q: %s, want %s", key, got, want)
		}
		s := w.state(a.Execution)
		if key == "key" && s.Subject.User != id("ada") {
			t.Errorf("it is about %q", s.Subject.User)
		}
		if s.Query["flow_token"] != "" {
			t.Error("the execution remembers the key")
		}
	}
}

// What a passed stage owes is paid before the execution is given up.
func TestDebtsArePaidBeforeTheEnd(t *testing.T) {
	end := map[string]func(*world, *browser, string) error{
		"cancelled": func(w *world, b *browser, x string) error { return w.Cancel(w.t.Context(), x, b.caller) },
		"swept":     func(w *world, _ *browser, x string) error { return w.Expire(w.t.Context(), x) },
		"late": func(w *world, b *browser, x string) error {
			_, err := b.try(execution.Visit{Slug: "f", Execution: x})
			return err
		},
	}
	for name, end := range end {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ada := w.user("ada")
			w.flow("f", nil, dummy(rule{source: "context['flow_plan'].context['prompt_data'] = {'name': 'Ada L.'}\nreturn True"}),
				step{kind: "user_write.userwritestage"}, dummy())
			b := w.browser("s").as(ada)
			x := b.get("f").Execution
			w.ledger.only(func(s eventstore.StreamID) bool { return s.Category() == "user" })
			if _, err := b.try(execution.Visit{Slug: "f", Response: []byte("{}")}); err == nil {
				t.Fatal("the effect was to fail")
			}
			w.ledger.only(nil)
			if len(w.state(x).Owed) != 1 {
				t.Fatalf("nothing is owed: %v", w.story(eventstore.Stream("execution", x)))
			}
			w.pass(execution.Idle + time.Second)
			if err := end(w, b, x); err != nil {
				t.Fatal(err)
			}
			if s, _, err := w.Users.Load(t.Context(), eventstore.Stream("user", ada)); err != nil || s.Name != "Ada L." {
				t.Errorf("the user is called %q, %v; %v", s.Name, err, w.story(eventstore.Stream("execution", x)))
			}
			if w.state(x).Status == execution.Running {
				t.Error("the execution runs still")
			}
		})
	}
}

func TestDefault(t *testing.T) {
	w := newWorld(t)
	ask := func() string {
		slug, err := w.Default(t.Context(), "authentication", w.browser(time.Now().String()).caller)
		if err != nil && code(err) != domain.NotFound {
			t.Fatal(err)
		}
		return slug
	}
	if got := ask(); got != "" {
		t.Errorf("without a flow: %q", got)
	}
	auth := fields{"designation": "authentication"}
	w.flow("b", auth)
	w.flow("c", auth)
	w.flow("0", fields{"designation": "recovery"})
	if got := ask(); got != "b" {
		t.Errorf("the first by slug: %q", got)
	}
	w.rules(w.flow("a", auth), "a", []rule{{source: "return False"}})
	if got := ask(); got != "b" {
		t.Errorf("the first that lets one pass: %q", got)
	}
	w.put("authentik_brands.brand", "brand", fields{"domain": "d", "default": true, "flow_authentication": id("a")})
	w.sync()
	if got := ask(); got != "a" {
		t.Errorf("the brand's: %q", got)
	}
	if slug, err := w.Default(t.Context(), "invalidation", w.browser("s").caller); code(err) != domain.NotFound {
		t.Errorf("of another designation: %q, %v", slug, err)
	}
	if diff := cmp.Diff(0, len(w.executions())); diff != "" {
		t.Error("choosing a flow began an execution")
	}
}
