package main

import (
	"fmt"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/eventstore"
)

// Where a filled folder has more than one of a sort, they differ like this.
var (
	designations = []string{"authentication", "authorization", "enrollment", "recovery", "stage_configuration", "unenrollment", "invalidation"}

	secondStages = []string{
		"authentik_stages_password.passwordstage", "authentik_stages_prompt.promptstage", "authentik_stages_user_login.userloginstage",
		"authentik_stages_consent.consentstage", "authentik_stages_deny.denystage", "authentik_stages_email.emailstage",
	}
	stageFields = map[string]map[string]any{
		"authentik_stages_password.passwordstage": {"backends": []any{"authentik.core.auth.InbuiltBackend"}},
		"authentik_stages_deny.denystage":         {"deny_message": "Not today."},
	}
	policyModels = []string{
		"authentik_policies_expression.expressionpolicy", "authentik_policies_password.passwordpolicy",
		"authentik_policies_reputation.reputationpolicy", "authentik_policies_event_matcher.eventmatcherpolicy",
	}
)

// shared is the stage that every twentieth flow has.
const shared = "authentik_stages_user_login.userloginstage"

// configured writes the flows with all that belongs to them. The first flow
// logs in with a name and a password.
func (f *filler) configured() {
	f.put(shared, scaleID("shared", 0), map[string]any{"name": "shared-login"})
	for n := range f.flows {
		slug := fmt.Sprintf("flow-%05d", n)
		flow := scaleID("flow", n)
		f.put(object.FlowModel, flow, map[string]any{
			"name": fmt.Sprint("Flow ", n), "slug": slug, "title": fmt.Sprint("Welcome to ", n), "designation": designations[n%len(designations)],
		})
		f.put("authentik_stages_identification.identificationstage", scaleID("first", n), map[string]any{
			"name": slug + "-identification", "user_fields": []any{"username", "email"},
		})
		f.put(stage.PromptModel, scaleID("prompt", n), map[string]any{
			"name": slug + "-prompt", "field_key": fmt.Sprint("answer_", n%50), "label": fmt.Sprint("Question ", n), "type": "text",
		})
		f.policy(n, slug)
		f.bind(n, 0, scaleID("first", n))
		f.second(n, slug)
		f.bind(n, 1, scaleID("second", n))
		if n%20 == 0 {
			f.bind(n, 2, scaleID("shared", 0))
		}
	}
}

func (f *filler) second(n int, slug string) {
	model := secondStages[n%len(secondStages)]
	fields := map[string]any{"name": slug + "-second"}
	for name, v := range stageFields[model] {
		fields[name] = v
	}
	if model == secondStages[1] {
		var asked []any
		for k := max(n-5, 0); k <= n; k++ {
			asked = append(asked, scaleID("prompt", k))
		}
		fields["fields"] = asked
	}
	f.put(model, scaleID("second", n), fields)
}

// bind places a stage in a flow.
func (f *filler) bind(n, order int, placed string) {
	f.put(object.StageBindingModel, scaleID(fmt.Sprint("binding ", order), n), map[string]any{
		"target": scaleID("flow", n), "stage": placed, "order": float64(order * 10), "re_evaluate_policies": true,
	})
}

// policy writes a policy, and binds it to the flow or to its first stage. It
// lets everybody pass.
func (f *filler) policy(n int, slug string) {
	model := policyModels[n%len(policyModels)]
	fields := map[string]any{"name": slug + "-policy"}
	if model == policyModels[0] {
		fields["expression"] = "return True"
	}
	f.put(model, scaleID("policy", n), fields)
	target := scaleID("binding 0", n)
	if n%2 == 1 {
		target = scaleID("flow", n)
	}
	bound := map[string]any{"target": target, "order": float64(0), "enabled": n%3 != 0}
	switch {
	case n%10 == 9:
		bound["group"] = scaleID("group", n%f.groupCount())
	case n%10 == 8:
		bound["user"] = float64(1 + n%f.users)
	default:
		bound["policy"] = scaleID("policy", n)
	}
	f.put(object.PolicyBindingModel, scaleID("policy binding", n), bound)
}

// put writes a configured thing, as the administration API would.
func (f *filler) put(model, id string, fields map[string]any) {
	f.t.Helper()
	kind, ok := catalog.Lookup(model)
	if !ok {
		f.t.Fatalf("there is no kind %s", model)
	}
	set, problems := kind.Clean(fields, false)
	if err := problems.Err(); err != nil {
		f.t.Fatalf("%s: %v", model, err)
	}
	f.add(eventstore.Stream("object", id), f.in("object:"+id),
		decide[object.State](f.t, object.Put{Kind: model, Fields: set, Via: "api", Create: true})...)
}
