package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
)

// watched evaluates an expression for somebody who tries it out.
func watched(t *testing.T, source string, change func(*policy.Request)) *policy.Watch {
	t.Helper()
	r := asked(ada)
	r.Watch = &policy.Watch{}
	if change != nil {
		change(&r)
	}
	_, _ = ran(t, source, r)
	return r.Watch
}

func TestWatchSeesEachStep(t *testing.T) {
	const mask = "********************"
	got := watched(t, `who, typed = request.user, context["prompt_data"]
pin = typed["pin"]
if not request.debug:
    return False
names = [g.name for g in who.ak_groups.all()]
api_key = "k"
result = ak_call_policy("other")
return None`, func(r *policy.Request) {
		r.Context = execution.Context{"prompt_data": map[string]any{"name": "Ada", "pin": domain.NewSecret("hunter2'\\"), "token": "t"}}
		r.Env = env{policies: map[string]policy.Policy{"other": &policy.Expression{Source: "x = 1.5\nreturn x"}}}.in()
	})
	typed := "{'name': 'Ada', 'pin': '" + mask + "', 'token': '" + mask + "'}"
	want := &policy.Watch{Steps: []policy.Step{
		{Line: 1, Source: `who, typed = request.user, context["prompt_data"]`, Names: map[string]string{"who": "<User: ada>", "typed": typed}},
		{Line: 2, Source: `pin = typed["pin"]`, Names: map[string]string{"pin": mask, "typed": typed}},
		{Line: 3, Source: `if not request.debug:`, Names: map[string]string{}},
		{Line: 5, Source: `names = [g.name for g in who.ak_groups.all()]`, Names: map[string]string{"names": "['admins', 'Staff']", "who": "<User: ada>"}},
		{Line: 6, Source: `api_key = "k"`, Names: map[string]string{"api_key": mask}},
		{Depth: 1, Line: 1, Source: "x = 1.5", Names: map[string]string{"x": "1.5"}},
		{Depth: 1, Line: 2, Source: "return x", Names: map[string]string{"x": "1.5"}},
		{Line: 7, Source: `result = ak_call_policy("other")`, Names: map[string]string{}},
		{Line: 8, Source: "return None", Names: map[string]string{}},
	}}
	if diff := cmp.Diff(want, got, alike); diff != "" {
		t.Errorf("watched (-want +got):\n%s", diff)
	}
	if got := watched(t, "for i in range(2000):\n  pass", nil); len(got.Steps) != 500 || !got.Cut {
		t.Errorf("kept %d steps, cut: %t", len(got.Steps), got.Cut)
	}
}
