package policy

import (
	"sync"

	"github.com/flowledger/flowledger/domain/expr"
)

// host is what expressions are checked against when they are saved: all names
// that there may be.
var host = sync.OnceValue(func() expr.Host {
	known := map[string]bool{}
	for name := range names {
		known[name] = true
	}
	for name := range functions {
		known[name] = true
	}
	return expr.Host{Modules: available, Names: known, Advice: instead}
})

// instead is what to write for names that are known from elsewhere.
var instead = map[string]string{
	"ak_create_jwt":     "this server has no providers that issue tokens; leave it out",
	"ak_create_jwt_raw": "this server has no providers that issue tokens; leave it out",
	"ak_impersonate":    "nobody acts as somebody else here; leave it out",
	"User":              "add from authentik.core.models import User, or use ak_user_by(username=…)",
	"Group":             "add from authentik.core.models import Group, or use ak_is_group_member(user, name=…)",
	"Event":             "use ak_create_event(action, …)",
	"Stage":             "stages are bound to flows; a policy decides with return True or return False",
	"Flow":              "the flow is context[\"flow_plan\"]",
	"Policy":            "use ak_call_policy(name)",
	"Token":             "this server does not show tokens to expressions; leave it out",
	"Q":                 "give filter() and exclude() conditions by name, such as name__in=[…]",
	"timezone":          "add from django.utils import timezone",
	"timedelta":         "add from datetime import timedelta",
	"plan":              "the plan is context[\"flow_plan\"]",
	"flow_plan":         "the plan is context[\"flow_plan\"]",
	"pending_user":      "use request.user, or context[\"pending_user\"]",
	"prompt_data":       "use context[\"prompt_data\"]",
	"logger":            "use ak_logger",
	"logging":           "use ak_logger",
	"client_ip":         "use ak_client_ip",
	"geoip":             "use context[\"geoip\"]",
}
