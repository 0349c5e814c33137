package executor_test

import (
	"context"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
)

// failures is a history that counts the wrong identifiers in the ledger.
type failures struct{ w *world }

// Score implements [policy.History].
func (f failures) Score(context.Context, string, string) (int64, error) {
	return -int64(f.w.count("IdentificationFailed")), nil
}

// Logins implements [policy.History].
func (failures) Logins(context.Context, string, int) ([]policy.Login, error) { return nil, nil }

// Reused implements [policy.History].
func (failures) Reused(context.Context, string, domain.Secret, int) (bool, error) { return false, nil }

// What went wrong in a request is in the ledger before policies are asked in
// the same request: they look for it there.
func TestPoliciesKnowWhatWentWrong(t *testing.T) {
	w := newWorld(t)
	w.Policies.History = failures{w}
	i := identification()
	i.stage["pretend_user_exists"] = false
	i.binding = fields{"invalid_response_action": "restart_with_context"}
	w.flow("guarded", nil, step{kind: "deny.denystage", binding: fields{"evaluate_on_plan": false, "re_evaluate_policies": true}}, i)
	p := w.put("authentik_policies_reputation.reputationpolicy", "reputation", fields{"name": "reputation", "threshold": -1})
	w.put(object.PolicyBindingModel, "reputation/binding", fields{"policy": p, "target": id("guarded/0/binding"), "order": 0})
	w.sync()
	b := w.browser("guest")
	if got := said(b.get("guarded")); got != "ak-stage-identification" {
		t.Fatalf("first: %s", got)
	}
	if got := said(b.post("guarded", `{"component":"ak-stage-identification","uid_field":"ghost"}`)); got != "ak-stage-access-denied Unknown error" {
		t.Errorf("after a wrong identifier: %s", got)
	}
}
