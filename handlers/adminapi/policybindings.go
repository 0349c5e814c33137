package adminapi

import (
	"context"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// The filters for targets compare second identifiers, although targets are
// shown by their primary keys (spec/flows.md 8.1).
func boundTarget(_ *view, t object.Thing) any { return catalog.TargetID(text(t, "target")) }

// policyBindingPeculiarity: bindings show what they bind.
func policyBindingPeculiarity() peculiarity {
	return peculiarity{
		order:  []string{"target_pk", "order"},
		search: []string{"policy__name"},
		derived: map[string]func(*view, object.Thing) any{
			"target":    boundTarget,
			"target_in": boundTarget,
			"target_pk": func(_ *view, t object.Thing) any { return text(t, "target") },
			"policy__name": func(v *view, t object.Thing) any {
				policy, _ := v.s.Things.Thing(text(t, "policy"))
				return policy.Name
			},
		},
		adorn: adornPolicyBinding,
		amend: amendPolicyBinding,
	}
}

// adornPolicyBinding adds the policy, the group or the user. One that is gone
// is null, as if nothing were bound.
func adornPolicyBinding(ctx context.Context, v *view, _ catalog.Kind, t object.Thing, out map[string]any) error {
	out["expires"], out["expiring"] = nil, false
	out["policy_obj"], out["group_obj"], out["user_obj"] = nil, nil, nil
	if policy, ok := v.s.Things.Thing(text(t, "policy")); ok {
		shown, err := v.show(ctx, policy)
		if err != nil {
			return err
		}
		out["policy_obj"] = shown
	}
	if id := text(t, "group"); id != "" {
		g, ok, err := v.s.People.Group(ctx, id)
		if err != nil {
			return err
		}
		if ok {
			out["group_obj"] = partialGroup(g)
		}
	}
	if key, ok := number(t.Fields["user"]); ok {
		u, ok, err := v.s.People.UserByKey(ctx, int(key))
		if err != nil {
			return err
		}
		if ok {
			out["user_obj"] = partialUser(u)
		}
	}
	return nil
}

// amendPolicyBinding takes the second identifier of a target for the target.
func amendPolicyBinding(s *Server, _ string, _, set map[string]any) catalog.Problems {
	if target, given := set["target"].(string); given {
		if pk, ok := s.Bindings.ByTarget(target); ok {
			set["target"] = pk
		}
	}
	return nil
}
