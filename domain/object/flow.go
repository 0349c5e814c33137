package object

import "github.com/flowledger/flowledger/domain/catalog"

// Model names of the kinds that the engine itself reads.
const (
	FlowModel          = "authentik_flows.flow"
	StageBindingModel  = "authentik_flows.flowstagebinding"
	PolicyBindingModel = "authentik_policies.policybinding"
	BrandModel         = "authentik_brands.brand"
	UserModel          = "authentik_core.user"
	GroupModel         = "authentik_core.group"
)

func init() {
	catalog.Register(catalog.Kind{
		Model: FlowModel, Category: catalog.Flow, Path: "flows/instances", Name: "Flow", Key: "slug",
		Natural: [][]string{{"slug"}},
		New: func() any {
			return &Flow{Engine: "any", Layout: "stacked", DeniedAction: "message_continue", Authentication: "none"}
		},
	})
	catalog.Register(catalog.Kind{
		Model: StageBindingModel, Category: catalog.StageBinding, Path: "flows/bindings", Name: "Flow Stage Binding",
		Natural: [][]string{{"target", "stage", "order"}},
		New: func() any {
			return &StageBinding{ReEvaluate: true, Engine: "any", OnInvalid: "retry"}
		},
	})
	catalog.Register(catalog.Kind{
		Model: PolicyBindingModel, Category: catalog.PolicyBinding, Path: "policies/bindings", Name: "Policy Binding",
		Natural: [][]string{{"policy", "target", "order"}},
		New:     func() any { return &PolicyBinding{Enabled: true, Timeout: 30} },
	})
}

// Flow is an ordered list of stages under an address (spec/flows.md 2).
type Flow struct {
	Name           string `json:"name" catalog:"required"`
	Slug           string `json:"slug" catalog:"required,slug"`
	Title          string `json:"title" catalog:"required"`
	Designation    string `json:"designation" catalog:"required,enum=authentication|authorization|invalidation|enrollment|unenrollment|recovery|stage_configuration"`
	Background     string `json:"background" catalog:"blank"`
	Engine         string `json:"policy_engine_mode" catalog:"enum=all|any"`
	Compatibility  bool   `json:"compatibility_mode"`
	Layout         string `json:"layout" catalog:"enum=stacked|content_left|content_right|sidebar_left|sidebar_right|sidebar_left_frame_background|sidebar_right_frame_background"`
	DeniedAction   string `json:"denied_action" catalog:"enum=message_continue|message|continue"`
	Authentication string `json:"authentication" catalog:"enum=none|require_authenticated|require_unauthenticated|require_superuser|require_redirect|require_outpost|require_token"`
}

// StageBinding is a stage's place in a flow (spec/flows.md 3.1).
type StageBinding struct {
	Target         string `json:"target" catalog:"required,ref=flow"`
	Stage          string `json:"stage" catalog:"required,ref=stage"`
	EvaluateOnPlan bool   `json:"evaluate_on_plan"`
	ReEvaluate     bool   `json:"re_evaluate_policies"`
	Order          int    `json:"order" catalog:"required,min=-2147483648,max=2147483647"`
	Engine         string `json:"policy_engine_mode" catalog:"enum=all|any"`
	OnInvalid      string `json:"invalid_response_action" catalog:"enum=retry|restart|restart_with_context"`
}

// PolicyBinding places a policy, a group or a user on a target
// (spec/flows.md 8.1).
type PolicyBinding struct {
	Policy        *string `json:"policy" catalog:"ref=policy"`
	Group         *string `json:"group" catalog:"ref=group"`
	User          *int    `json:"user" catalog:"ref=user"`
	Target        string  `json:"target" catalog:"required,ref=target"`
	Negate        bool    `json:"negate"`
	Enabled       bool    `json:"enabled"`
	Order         int     `json:"order" catalog:"required,min=-2147483648,max=2147483647"`
	Timeout       int     `json:"timeout" catalog:"min=0,max=2147483647"`
	FailureResult bool    `json:"failure_result"`
}

// Validate implements [catalog.Validator].
func (b *PolicyBinding) Validate() catalog.Problems {
	n := 0
	for _, set := range []bool{b.Policy != nil, b.Group != nil, b.User != nil} {
		if set {
			n++
		}
	}
	var p catalog.Problems
	switch {
	case n > 1:
		p.Add(catalog.NonField, "Only one of 'group', 'policy', 'user' can be set.")
	case n == 0:
		p.Add(catalog.NonField, "One of 'group', 'policy', 'user' must be set.")
	}
	return p
}
