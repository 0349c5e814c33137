package policy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/user"
)

func ptr[T any](v T) *T { return &v }

type binding = object.PolicyBinding

var (
	yes, no  = says(true), says(false)
	fault    = raises(errors.New("broken"))
	disabled = func(b *binding) { b.Enabled = false }
	negated  = func(b *binding) { b.Negate = true }
	trusting = func(b *binding) { b.FailureResult = true }
	both     = func(b *binding) { b.Negate, b.FailureResult = true, true }
	admins   = func(b *binding) { b.Group = ptr("g1") }
	others   = func(b *binding) { b.Group = ptr("g9") }
	notStaff = func(b *binding) { b.Group, b.Negate = ptr("g9"), true }
	notAdmin = func(b *binding) { b.Group, b.Negate = ptr("g1"), true }
	isAda    = func(b *binding) { b.User = ptr(5) }
	notAda   = func(b *binding) { b.User, b.Negate = ptr(5), true }
	isEve    = func(b *binding) { b.User = ptr(6) }
	notEve   = func(b *binding) { b.User, b.Negate = ptr(6), true }
)

// is binds a user or a group.
func is(order int, change func(*binding)) policy.Bound { return bound(order, nil, change) }

func TestEvaluate(t *testing.T) {
	type all = []policy.Bound
	tests := map[string]struct {
		bound    all
		who      user.Person
		any, all bool // whether it passes, by mode
	}{
		"nothing is bound":                           {nil, ada, true, true},
		"only what is disabled":                      {all{bound(0, no, disabled), is(1, func(b *binding) { isEve(b); disabled(b) })}, ada, true, true},
		"a policy passes":                            {all{bound(0, yes, nil)}, ada, true, true},
		"a policy does not":                          {all{bound(0, no, nil)}, ada, false, false},
		"one of two does":                            {all{bound(0, yes, nil), bound(1, no, nil)}, ada, true, false},
		"both do":                                    {all{bound(0, yes, nil), bound(1, yes, nil)}, ada, true, true},
		"a negated one passes":                       {all{bound(0, no, negated)}, ada, true, true},
		"a negated one does not":                     {all{bound(0, yes, negated)}, ada, false, false},
		"a member of the group":                      {all{is(0, admins)}, ada, true, true},
		"no member of the group":                     {all{is(0, others)}, ada, false, false},
		"no member of a negated group":               {all{is(0, notStaff)}, ada, true, true},
		"a member of a negated group":                {all{is(0, notAdmin)}, ada, false, false},
		"the user":                                   {all{is(0, isAda)}, ada, true, true},
		"another user":                               {all{is(0, isEve)}, ada, false, false},
		"not another user":                           {all{is(0, notEve)}, ada, true, true},
		"not the negated user":                       {all{is(0, notAda)}, ada, false, false},
		"one static binding of two":                  {all{is(0, admins), is(1, isEve)}, ada, true, false},
		"two static bindings":                        {all{is(0, admins), is(1, isAda)}, ada, true, true},
		"a static binding beside a policy":           {all{bound(0, no, nil), is(1, isAda)}, ada, true, false},
		"a policy beside a static binding":           {all{bound(0, yes, nil), is(1, isEve)}, ada, true, false},
		"static bindings and policies that all pass": {all{bound(0, yes, nil), is(1, isAda), is(2, admins)}, ada, true, true},
		"nobody is in no group":                      {all{is(0, admins)}, nobody, false, false},
		"nobody does not even match a negated group": {all{is(0, notAdmin)}, nobody, false, false},
		"nor a negated user":                         {all{is(0, notAda)}, nobody, false, false},
		"nor does who does not exist":                {all{is(0, notEve)}, user.Person{Username: "ghost"}, false, false},
		"nobody passes a policy":                     {all{bound(0, yes, nil), is(1, notAdmin)}, nobody, true, false},
		"a fault counts as false":                    {all{bound(0, fault, nil)}, ada, false, false},
		"a fault counts as what the binding says":    {all{bound(0, fault, trusting)}, ada, true, true},
		"a fault is not negated":                     {all{bound(0, fault, negated)}, ada, false, false},
		"a fault that counts as true is not, too":    {all{bound(0, fault, both)}, ada, true, true},
		"a fault beside one that passes":             {all{bound(0, fault, nil), bound(1, yes, nil)}, ada, true, false},
	}
	for name, tt := range tests {
		for mode, want := range map[string]bool{"any": tt.any, "all": tt.all} {
			t.Run(name+", "+mode, func(t *testing.T) {
				e := policy.Evaluate(t.Context(), policy.Question{Mode: mode, Bound: tt.bound}, asked(tt.who))
				if e.Passing != want || e.Kept {
					t.Errorf("passing %t, kept %t; want %t: %+v", e.Passing, e.Kept, want, e.Results)
				}
				if (len(e.Decisive) > 0) == e.Passing || len(e.Details) != len(e.Results) {
					t.Errorf("decisive %v of %d results, %d details", e.Decisive, len(e.Results), len(e.Details))
				}
			})
		}
	}
}

// With errors as a third value, "any" is an or and "all" is an and of three
// values; an error that decides lets the target stay.
func TestErrorsKeepStages(t *testing.T) {
	y, n, f, trusted := bound(0, yes, nil), bound(1, no, nil), bound(2, fault, nil), bound(3, fault, trusting)
	type all = []policy.Bound
	type verdict struct {
		Passing, Kept bool
		Decisive      []int
	}
	passes, stays := verdict{Passing: true}, verdict{Passing: true, Kept: true}
	fails := func(at ...int) verdict { return verdict{Decisive: at} }
	tests := map[string]struct {
		bound    all
		any, all verdict
	}{
		"only an error":                               {all{f}, stays, stays},
		"an error that counts as true":                {all{trusted}, passes, passes},
		"an error beside one that passes":             {all{f, y}, passes, stays},
		"an error beside one that does not":           {all{f, n}, stays, fails(1)},
		"an error, one that passes, one not":          {all{y, f, n}, passes, fails(2)},
		"an error and one that counts as true":        {all{f, trusted}, passes, stays},
		"an error beside a static binding that fails": {all{f, is(4, isEve)}, stays, fails(1)},
		"no error":         {all{y, n}, passes, fails(1)},
		"nothing is bound": {nil, passes, passes},
	}
	for name, tt := range tests {
		for mode, want := range map[string]verdict{"any": tt.any, "all": tt.all} {
			t.Run(name+", "+mode, func(t *testing.T) {
				e := policy.Evaluate(t.Context(), policy.Question{Mode: mode, Bound: tt.bound, KeepOnError: true}, asked(ada))
				if diff := cmp.Diff(want, verdict{e.Passing, e.Kept, e.Decisive}, alike); diff != "" {
					t.Errorf("verdict (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestEvaluationSaysWhy(t *testing.T) {
	told := judge(func(context.Context) (policy.Verdict, error) {
		return policy.Verdict{
			Passing: true, Messages: []string{"one"}, Reasons: []string{"r"}, Facts: map[string]any{"line": 1},
			Detail: execution.Detail{Raw: "True"},
		}, nil
	})
	q := policy.Question{ID: "e", Target: execution.Target{Kind: "flow"}, Phase: "flow", Mode: "all", Bound: []policy.Bound{
		bound(0, told, nil), bound(1, says(false, "two", "three"), nil), bound(2, fault, trusting), bound(3, no, disabled), is(4, admins), is(5, isEve),
	}}
	r := asked(ada)
	ticks := 0
	r.Clock = func() time.Time { ticks++; return now.Add(time.Duration(ticks) * time.Millisecond) }
	got := policy.Evaluate(t.Context(), q, r)
	result := func(at int, passing bool) execution.PolicyResult {
		return execution.PolicyResult{
			Binding: &q.Bound[at].Ref, TargetType: "policy", Policy: &q.Bound[at].Policy, Passing: passing, Outcome: "ok", MS: 1,
		}
	}
	first, broken := result(0, true), result(2, true)
	first.Reasons, first.Facts = []string{"r"}, map[string]any{"line": 1}
	broken.FailureResult, broken.Outcome = true, "exception"
	want := execution.Evaluation{
		ID: "e", Target: q.Target, Phase: "flow", Mode: "all", Decisive: []int{1, 3}, MS: 7,
		Results: []execution.PolicyResult{first, result(1, false), broken, {
			TargetType: "static", Bindings: []string{"e", "f"}, Matched: []string{"e"}, Outcome: "ok",
		}},
		Messages: []string{"one", "two", "three", "broken"},
		Details: []execution.Detail{
			{Raw: "True", Messages: []string{"one"}}, {Messages: []string{"two", "three"}}, {Error: "broken", Messages: []string{"broken"}}, {},
		},
	}
	if len(got.Inputs) != 64 {
		t.Errorf("the inputs' digest is %q", got.Inputs)
	}
	got.Inputs = ""
	if diff := cmp.Diff(want, got, alike); diff != "" {
		t.Errorf("evaluation (-want +got):\n%s", diff)
	}
}

func TestPoliciesHaveLimits(t *testing.T) {
	waits := judge(func(ctx context.Context) (policy.Verdict, error) {
		if _, has := ctx.Deadline(); !has {
			return policy.Verdict{}, errors.New("no deadline")
		}
		return policy.Verdict{}, fmt.Errorf("wait: %w", context.DeadlineExceeded)
	})
	panics := judge(func(context.Context) (policy.Verdict, error) { panic("index out of range") })
	long := judge(func(context.Context) (policy.Verdict, error) {
		return policy.Verdict{}, errors.New(strings.Repeat("é", 3000))
	})
	tests := map[string]struct {
		judge            policy.Policy
		outcome, message string
	}{
		"one that takes too long": {waits, "timeout", "The policy took too long."},
		"one that panics":         {panics, "exception", "policy a: panic: index out of range"},
		"one with a long error":   {long, "exception", strings.Repeat("é", 1024) + "…"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := policy.Evaluate(t.Context(), policy.Question{Mode: "any", Bound: []policy.Bound{bound(0, tt.judge, nil)}}, asked(ada))
			if e.Passing || e.Results[0].Outcome != tt.outcome || len(e.Messages) != 1 || e.Messages[0] != tt.message {
				t.Errorf("got %+v, %q", e.Results[0], e.Messages)
			}
		})
	}
	odd := judge(func(context.Context) (policy.Verdict, error) {
		return policy.Verdict{}, errors.New("x" + strings.Repeat("é", 3000))
	})
	e := policy.Evaluate(t.Context(), policy.Question{Bound: []policy.Bound{bound(0, odd, nil)}}, asked(ada))
	if !utf8.ValidString(e.Messages[0]) {
		t.Error("a cut text is no text")
	}
}

func TestOrder(t *testing.T) {
	all := []policy.Bound{bound(2, yes, nil), bound(0, no, nil), bound(1, yes, nil), bound(0, yes, negated)}
	policy.Order(all)
	for i, want := range []int{0, 0, 1, 2} {
		if all[i].Ref.Order != want {
			t.Fatalf("place %d has order %d, want %d", i, all[i].Ref.Order, want)
		}
	}
	if all[0].Binding.Negate || !all[1].Binding.Negate {
		t.Error("bindings of the same order changed places")
	}
}

func TestDummy(t *testing.T) {
	for _, result := range []bool{true, false} {
		v, err := (&policy.Dummy{Result: result}).Passes(t.Context(), asked(ada))
		if diff := cmp.Diff(policy.Verdict{Passing: result, Messages: []string{"dummy"}}, v, alike); diff != "" || err != nil {
			t.Errorf("verdict (-want +got):\n%s%v", diff, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, d := range []policy.Dummy{{WaitMin: 5, WaitMax: 30}, {WaitMax: 1 << 30, WaitMin: 1}, {WaitMin: -5, WaitMax: 30}, {WaitMin: 9, WaitMax: 3}} {
		r := asked(ada)
		r.Seed = 23
		if _, err := d.Passes(ctx, r); !errors.Is(err, context.Canceled) {
			t.Errorf("%+v waits for longer than its caller: %v", d, err)
		}
	}
}

func TestLoad(t *testing.T) {
	p, err := policy.Load("authentik_policies_dummy.DummyPolicy", map[string]any{"name": "d", "result": true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&policy.Dummy{Named: policy.Named{Name: "d"}, Result: true, WaitMin: 5, WaitMax: 30}, p); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	for _, model := range []string{"authentik_policies_x.x", object.FlowModel} {
		if _, err := policy.Load(model, nil); err == nil {
			t.Errorf("%s is a policy", model)
		}
	}
	if _, err := policy.Load("authentik_policies_dummy.dummypolicy", map[string]any{"result": "yes"}); err == nil {
		t.Error("a policy has a field of another type")
	}
}

// A policy sees what those before it wrote, as in the contract, where they
// share the plan.
func TestPoliciesSeeWhatOthersWrote(t *testing.T) {
	r := asked(ada)
	r.Context = execution.Context{"prompt_data": map[string]any{"a": "typed"}, "old": 1}
	r.Plan = &policy.Plan{}
	var bound []policy.Bound
	for i, source := range []string{
		"context['prompt_data']['b'] = 'first'\ncontext['flow_plan'].context['new'] = 2\ndel context['flow_plan'].context['old']\nreturn True",
		"context['prompt_data']['c'] = 'second'\nreturn context['prompt_data']['b'] == 'first' and context['new'] == 2 and 'old' not in context",
		"context['flow_plan'].context['lost'] = 1\nraise ValueError('no verdict')",
		"return context['prompt_data'] == {'a': 'typed', 'b': 'first', 'c': 'second'} and 'lost' not in context",
	} {
		b := policy.Bound{Binding: object.PolicyBinding{Enabled: true, FailureResult: true}, Judge: &policy.Expression{Source: source}}
		b.Ref.Order = i
		bound = append(bound, b)
	}
	e := policy.Evaluate(t.Context(), policy.Question{Mode: "all", Bound: bound}, r)
	if !e.Passing {
		t.Errorf("did not pass: %+v", e.Details)
	}
	if got := r.Context["prompt_data"].(map[string]any); len(got) != 1 {
		t.Errorf("the asker's own context changed: %v", got)
	}
}
