package executor_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/handlers/executor"
)

// Policies judge an event about whoever it is about. Where there is none to
// ask, or none that is asked, the answer is no.
func TestJudge(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada")
	matcher := func(action string) string {
		return w.put("authentik_policies_event_matcher.eventmatcherpolicy", action, fields{"name": action, "action": action})
	}
	expression := func(name, source string) string {
		return w.put("authentik_policies_expression.expressionpolicy", name, fields{"name": name, "expression": source})
	}
	login, logout := matcher("login"), matcher("logout")
	broken, dotted := expression("broken", "return 1 / 0"), expression("dotted", "event = request.context['event']\n"+
		"return event.action == 'login' and event.context['auth_method'] == 'password' and event.user['username'] == request.user.username")
	for name, tt := range map[string]struct {
		bind  []fields
		want  bool
		erred bool
	}{
		"nothing is bound":              {},
		"a policy that passes":          {bind: []fields{{"policy": login}}, want: true},
		"one that does not":             {bind: []fields{{"policy": logout}}},
		"one of two is enough":          {bind: []fields{{"policy": logout}, {"policy": login}}, want: true},
		"one that is off is not asked":  {bind: []fields{{"policy": login, "enabled": false}}},
		"one turned around":             {bind: []fields{{"policy": login, "negate": true}}},
		"one that fails":                {bind: []fields{{"policy": broken}}, erred: true},
		"one that may fail":             {bind: []fields{{"policy": broken, "failure_result": true}}, want: true, erred: true},
		"an expression reads with dots": {bind: []fields{{"policy": dotted}}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			rule := w.put(notification.RuleModel, name, fields{"name": name})
			for i, b := range tt.bind {
				b["target"], b["order"] = rule, i
				w.put("authentik_policies.policybinding", name+string(rune('0'+i)), b)
			}
			w.sync()
			who, err := w.People.Person(t.Context(), ada)
			if err != nil {
				t.Fatal(err)
			}
			target, ok := w.Definitions.Thing(rule)
			before := w.head()
			e, err := w.Judge(t.Context(), executor.Matter{ID: "e", Target: target, Who: who, Context: execution.Context{"event": map[string]any{
				"action": "login", "user": map[string]any{"username": "ada"}, "context": map[string]any{"auth_method": "password"},
			}}})
			erred := len(e.Results) == 1 && e.Results[0].Erred()
			if err != nil || !ok || e.Passing != tt.want || erred != tt.erred {
				t.Errorf("%t with %+v, %+v, %v", e.Passing, e.Results, e.Messages, err)
			}
			if w.head() != before {
				t.Error("something was written")
			}
		})
	}
}
