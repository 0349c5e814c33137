package executor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/eventstore"
)

// remove ends configured things.
func (w *world) remove(names ...string) {
	w.t.Helper()
	for _, name := range names {
		_, err := w.objects.Handle(w.t.Context(), eventstore.Stream("object", id(name)), object.Remove{Via: "api"}, w.meta())
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// rehearsed is a login of many parts, in which nothing happens by itself.
func (w *world) rehearsed() {
	w.t.Helper()
	ask := w.prompts("ask", fields{"field_key": "color", "label": "Color"})
	check := w.put("authentik_policies_expression.expressionpolicy", "check", fields{"name": "check", "expression": "return True"})
	ask.stage["validation_policies"] = []any{check}
	w.flow("signin", fields{"designation": "authentication", "title": "Old"},
		identification(), password(), ask,
		step{name: "checked", kind: "dummy.dummystage", policies: []rule{{source: "return True"}, {source: "return False"}}},
		step{name: "skipped", kind: "dummy.dummystage", policies: []rule{{source: "return False"}}},
		step{name: "plain", kind: "dummy.dummystage"}, login())
}

// sight is all that a visitor can tell the definitions by.
func sight(a execution.Answer) string {
	text := said(a)
	if info, ok := a.Challenge["flow_info"].(map[string]any); ok {
		text = fmt.Sprint(info["title"], ": ", text)
	}
	list, _ := a.Challenge["fields"].([]any)
	for _, f := range list {
		text += fmt.Sprint(" ", f.(map[string]any)["label"])
	}
	return text
}

// goes answers what comes behind the password stage until the end.
func (b *browser) goes(slug string) []string {
	b.w.t.Helper()
	seen := []string{}
	for _, body := range []string{wrong, right, `{"color":"green"}`, "{}", "{}", "{}", "{}"} {
		a, err := b.try(execution.Visit{Slug: slug, Response: []byte(body)})
		if err == nil && a.Advanced {
			a, err = b.try(execution.Visit{Slug: slug})
		}
		if err != nil {
			return append(seen, err.Error())
		}
		seen = append(seen, sight(a))
		if a.Final {
			return seen
		}
	}
	return seen
}

func TestRunningExecutionsKeepTheirFlow(t *testing.T) {
	expression := func(w *world, name, source string) {
		w.put("authentik_policies_expression.expressionpolicy", name, fields{"expression": source})
	}
	for name, tt := range map[string]struct {
		change func(w *world)
		slug   string // where others find the flow then
		others string // something that only they see, or what they see no more, with a minus
	}{
		"the title changes":   {change: func(w *world) { w.put(object.FlowModel, "signin", fields{"title": "New"}) }, others: "New: ak-stage-password"},
		"the address changes": {change: func(w *world) { w.put(object.FlowModel, "signin", fields{"slug": "elsewhere"}) }, slug: "elsewhere"},
		"the address is taken": {change: func(w *world) {
			w.put(object.FlowModel, "signin", fields{"slug": "elsewhere"})
			w.flow("signin2", fields{"slug": "signin"}, dummy())
		}, slug: "elsewhere"},
		"a stage is stricter": {change: func(w *world) {
			w.put("authentik_stages_password.passwordstage", "password", fields{"failed_attempts_before_cancel": 1})
		}, others: "ak-stage-access-denied"},
		"a prompt changes": {change: func(w *world) { w.put(stage.PromptModel, "ask color", fields{"label": "Hue"}) }, others: " Hue"},
		"a prompt comes": {change: func(w *world) {
			more := w.put(stage.PromptModel, "more", fields{"name": "more", "field_key": "more", "label": "More", "type": "text"})
			w.put("authentik_stages_prompt.promptstage", "ask", fields{"fields": []any{id("ask color"), more}})
		}, others: " More"},
		"a prompt goes": {change: func(w *world) {
			w.put("authentik_stages_prompt.promptstage", "ask", fields{"fields": []any{}})
			w.remove("ask color")
		}, others: "- Color"},
		"what is typed is judged anew": {change: func(w *world) { expression(w, "check", `ak_message("not green")`+"\nreturn False") }, others: "not green"},
		"a stage comes":                {change: func(w *world) { w.bind(id("signin"), "more", 3, dummy()) }, others: "ak-stage-dummy more"},
		"a stage goes":                 {change: func(w *world) { w.remove("signin/5/binding", "plain") }, others: "-ak-stage-dummy plain"},
		"a stage moves":                {change: func(w *world) { w.put(object.StageBindingModel, "signin/5/binding", fields{"order": -1}) }, others: "plain\nOld: ak-stage-identification"},
		"a policy is stricter":         {change: func(w *world) { expression(w, "signin/3/policy0", "return False") }, others: "-ak-stage-dummy checked"},
		"a policy is looser":           {change: func(w *world) { expression(w, "signin/4/policy0", "return True") }, others: "ak-stage-dummy skipped"},
		"a policy breaks":              {change: func(w *world) { expression(w, "signin/4/policy0", "return 1 / 0") }, others: "ak-stage-dummy skipped"},
		"a policy goes":                {change: func(w *world) { w.remove("signin/4/policy0/binding", "signin/4/policy0") }, others: "ak-stage-dummy skipped"},
		"a policy comes":               {change: func(w *world) { w.rules(id("signin/5/binding"), "late", []rule{{source: "return False"}}) }, others: "-ak-stage-dummy plain"},
		"a policy is negated":          {change: func(w *world) { w.put(object.PolicyBindingModel, "signin/4/policy0/binding", fields{"negate": true}) }, others: "ak-stage-dummy skipped"},
		"all policies must pass": {change: func(w *world) {
			w.put(object.StageBindingModel, "signin/3/binding", fields{"policy_engine_mode": "all"})
		}, others: "-ak-stage-dummy checked"},
		"the flow goes": {change: func(w *world) {
			for i := range 7 {
				w.remove(fmt.Sprint("signin/", i, "/binding"))
			}
			w.remove("identification", "password", "ask", "ask color", "check", "checked", "skipped", "plain", "login",
				"signin/3/policy0", "signin/3/policy1", "signin/4/policy0", "signin")
		}, others: "No Flow matches the given query."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.rehearsed()
			w.user("ada")
			b := w.browser("s")
			b.get("signin")
			b.post("signin", uid)
			tt.change(w)
			w.sync()
			w.restart()
			want := []string{
				"Old: ak-stage-password map[password:[map[code:invalid string:Invalid password]]]", "Old: ak-stage-prompt Color",
				"Old: ak-stage-dummy checked", "Old: ak-stage-dummy plain", "xak-flow-redirect /",
			}
			if diff := cmp.Diff(want, b.goes("signin")); diff != "" {
				t.Errorf("whoever was in it (-want +got):\n%s", diff)
			}
			slug := "signin"
			if tt.slug != "" {
				slug = tt.slug
			}
			other := w.browser("other")
			_, err := other.try(execution.Visit{Slug: slug})
			seen := ""
			if err != nil {
				seen = err.Error()
			} else {
				other.visit(execution.Visit{Slug: slug, Response: []byte(uid)})
				seen = strings.Join(other.goes(slug), "\n")
			}
			text, gone := strings.CutPrefix(tt.others, "-")
			if strings.Contains(seen, text) == gone && tt.others != "" {
				t.Errorf("others see\n%s\nwant %q", seen, tt.others)
			}
		})
	}
}

// Whoever comes to the address where a flow was finds what is there now.
func TestFormerAddress(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, dummy(), dummy())
	b, looks := w.browser("s"), w.browser("looks")
	first := b.get("f")
	looks.get("f")
	b.post("f", "{}")
	w.put(object.FlowModel, "f", fields{"slug": "g"})
	w.sync()
	if _, err := looks.try(execution.Visit{Slug: "f"}); err == nil {
		t.Error("whoever has answered nothing sees the flow where it is no more")
	}
	if _, err := w.browser("other").try(execution.Visit{Slug: "f"}); err == nil {
		t.Error("a flow is begun where it is no more")
	}
	for _, slug := range []string{"f", "g"} {
		if a := b.get(slug); said(a) != "ak-stage-dummy f/1" || a.Execution != first.Execution {
			t.Errorf("at %s, whoever was in it sees %s", slug, said(a))
		}
	}
	if got := said(b.post("f", "{}")); got != "xak-flow-redirect /" {
		t.Errorf("in the end: %s", got)
	}
	if _, err := b.try(execution.Visit{Slug: "f"}); err == nil {
		t.Error("the flow is begun anew where it is no more")
	}
}

// Whoever has the first form of a flow open when the flow goes can hand it in.
func TestFirstAnswerToAFormerFlow(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, dummy(), dummy())
	b, named := w.browser("s"), w.browser("named")
	b.get("f")
	page := named.get("f")
	w.remove("f/0/binding", "f/1/binding", "f/0", "f/1", "f")
	w.sync()
	if got := said(named.visit(execution.Visit{Slug: "f", Execution: page.Execution})); got != "ak-stage-dummy f/0" {
		t.Errorf("a page that names its execution sees %s", got)
	}
	if got := said(b.post("f", "{}")); got != "ak-stage-dummy f/1" {
		t.Errorf("after the answer: %s", got)
	}
	if got := said(b.post("f", "{}")); got != "xak-flow-redirect /" {
		t.Errorf("in the end: %s", got)
	}
}

// To start over takes the newest of all; where the flow is gone, there is
// nothing to start.
func TestStartingOverTakesTheNewest(t *testing.T) {
	again := step{name: "again", kind: "deny.denystage", binding: fields{"invalid_response_action": "restart"},
		policies: []rule{{source: "return 'go' in context.get('prompt_data', {})"}}}
	for name, tt := range map[string]struct {
		change func(w *world)
		want   string
	}{
		"the flow changed": {func(w *world) {
			w.put(object.FlowModel, "f", fields{"title": "New"})
			w.put(stage.PromptModel, "ask go", fields{"label": "Again?"})
		}, "New: ak-stage-prompt Again?"},
		"the flow is gone": {func(w *world) { w.remove("f/0/binding", "f/1/binding", "ask", "again", "f") }, refused},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.flow("f", nil, w.prompts("ask", fields{"field_key": "go", "label": "Go?"}), again)
			b := w.browser("s")
			b.get("f")
			tt.change(w)
			w.sync()
			a := b.visit(execution.Visit{Slug: "f", Response: []byte(`{"go":"x"}`)})
			if a.Advanced {
				a = b.get("f")
			}
			if got := sight(a); !strings.HasSuffix(got, tt.want) {
				t.Errorf("sees %q, want %q", got, tt.want)
			}
			s := w.state(w.executions()[0])
			if gone := s.Status == execution.Denied; gone != (tt.want == refused) || gone && s.Outcome.Cause != "flow_removed" {
				t.Errorf("it is %s, because of %q", s.Status, s.Outcome.Cause)
			}
		})
	}
}

// What is as it was planned is not read again, and what is not is read once.
func TestFormerRevisionsAreReadOnce(t *testing.T) {
	w := newWorld(t)
	w.rehearsed()
	w.user("ada")
	walk := func(name string, change bool) int {
		before := w.folded
		for i := range 3 {
			b := w.browser(fmt.Sprint(name, i))
			b.get("signin")
			b.post("signin", uid)
			if change && i == 0 {
				expressions := []string{"signin/3/policy0", "signin/4/policy0"}
				for _, e := range expressions {
					w.put("authentik_policies_expression.expressionpolicy", e, fields{"name": e + " renamed"})
				}
				w.sync()
			}
			b.goes("signin")
		}
		return w.folded - before
	}
	if got := walk("plain", false); got != 0 {
		t.Errorf("%d former revisions were read where nothing changed", got)
	}
	if got := walk("changed", true); got != 2 {
		t.Errorf("%d former revisions were read, want one of each policy", got)
	}
}

// Evidence names the revisions that were asked, and the plan those it goes by.
func TestPinsAreTold(t *testing.T) {
	w := newWorld(t)
	w.rehearsed()
	w.put("authentik_policies_expression.expressionpolicy", "signin/4/policy0", fields{"name": "renamed"})
	w.sync()
	w.browser("s").get("signin")
	s := w.state(w.executions()[0])
	want := execution.Pins{
		id("ask color"): 0, id("check"): 0, id("signin/3/policy0"): 0, id("signin/3/policy0/binding"): 0,
		id("signin/3/policy1"): 0, id("signin/3/policy1/binding"): 0, id("signin/4/policy0"): 1, id("signin/4/policy0/binding"): 0,
	}
	if diff := cmp.Diff(want, s.Pins); diff != "" {
		t.Errorf("pins (-want +got):\n%s", diff)
	}
	if got := s.Plan[3].Policies; len(got) != 2 || got[0] != id("signin/3/policy0/binding") {
		t.Errorf("the policies of a stage are %v", got)
	}
	if (s.Flow != domain.Ref{ID: id("signin"), Kind: object.FlowModel, Name: "signin"}) {
		t.Errorf("the flow is %+v", s.Flow)
	}
}
