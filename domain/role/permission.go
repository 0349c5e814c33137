package role

import (
	"hash/crc32"
	"slices"
	"strings"
	"sync"

	"github.com/flowledger/flowledger/domain/catalog"
)

// A Permission is something that roles and tokens can be given: for all things
// of a model, never for one of them.
type Permission struct {
	App, Model string // authentik_flows, flow
	Codename   string // view_flow
	Title      string // for people
	ModelTitle string // for people: Flow
}

// Name is how the permission is written: app.codename.
func (p Permission) Name() string { return p.App + "." + p.Codename }

// ID is the contract's integer key. It follows from the name, so that it is
// the same on every instance, and stays when the table grows.
func (p Permission) ID() int { return int(crc32.ChecksumIEEE([]byte(p.Name())) & 0x7fffffff) }

// AppTitle is the app's name for people: authentik Stages.User Login.
func (p Permission) AppTitle() string {
	words := strings.Split(strings.TrimPrefix(p.App, "authentik_"), "_")
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	if len(words) == 1 {
		return "authentik " + words[0]
	}
	return "authentik " + words[0] + "." + strings.Join(words[1:], " ")
}

// verbs are what can be done with every model.
var verbs = []string{"add", "change", "delete", "view"}

// models are what permissions are about beside the kinds of the catalog.
var models = [][2]string{
	{"authentik_blueprints.blueprintinstance", "Blueprint Instance"},
	{"authentik_core.application", "Application"},
	{"authentik_core.authenticatedsession", "Authenticated Session"},
	{"authentik_core.userconsent", "User Consent"},
	{"authentik_events.event", "Event"},
	{"authentik_events.notification", "Notification"},
	{"authentik_flows.stage", "Stage"},
	{"authentik_policies.policy", "Policy"},
	{"authentik_policies_reputation.reputation", "Reputation Score"},
	{"authentik_reports.dataexport", "Data Export"},
}

// special are the permissions that are no verb and model. Whether a group's
// members are superusers is not among them: only superusers make superusers.
//
// Who may write flows, stages, bindings, policies, prompts or brands decides
// how people log in. A flow can be written that logs its visitor in as anybody,
// superusers included: such a permission is worth as much as all of them, and
// the guards that keep holders of roles from becoming superusers cannot hold
// against it. Give it to people who may be superusers.
var special = []Permission{
	{"authentik_core", "group", "add_user_to_group", "Add user to group", "Group"},
	{"authentik_core", "group", "remove_user_from_group", "Remove user from group", "Group"},
	{"authentik_core", "token", "set_token_key", "Set a token's key", "Token"},
	{"authentik_core", "token", "view_token_key", "View a token's key", "Token"},
	{"authentik_core", "user", "reset_user_password", "Reset the password of a user", "User"},
	{"authentik_flows", "flow", "clear_flow_cache", "Clear the cache of flows", "Flow"},
	{"authentik_flows", "flow", "export_flow", "Export a flow", "Flow"},
	{"authentik_flows", "flow", "inspect_flow", "Inspect executions of flows", "Flow"},
	{"authentik_flows", "flow", "view_flow_cache", "View the cache of flows", "Flow"},
	{"authentik_policies", "policy", "clear_policy_cache", "Clear the cache of policies", "Policy"},
	{"authentik_policies", "policy", "view_policy_cache", "View the cache of policies", "Policy"},
	{"authentik_rbac", "role", "assign_role_permissions", "Give permissions to roles", "Role"},
	{"authentik_rbac", "role", "unassign_role_permissions", "Take permissions from roles", "Role"},
	{SystemApp, systemModel, "access_admin_interface", "Open the administration pages", "System"},
}

// The permissions about nothing in particular, which the contract lists apart.
const (
	SystemApp   = "authentik_rbac"
	systemModel = "systempermission"
)

// System tells whether the permission is about nothing in particular.
func (p Permission) System() bool { return p.App == SystemApp && p.Model == systemModel }

// table is made once, after the packages that own the kinds have registered
// them.
var table = sync.OnceValue(func() map[string]Permission {
	out := map[string]Permission{}
	add := func(model, title string) {
		app, base, _ := strings.Cut(model, ".")
		for _, verb := range verbs {
			p := Permission{app, strings.ToLower(base), verb + "_" + strings.ToLower(base), "Can " + verb + " " + title, title}
			out[p.Name()] = p
		}
	}
	for _, k := range catalog.All() {
		add(k.Model, k.Name)
	}
	for _, m := range models {
		add(m[0], m[1])
	}
	for _, p := range special {
		out[p.Name()] = p
	}
	return out
})

// Lookup finds a permission by its name, app.codename.
func Lookup(name string) (Permission, bool) {
	p, ok := table()[name]
	return p, ok
}

// Permissions lists the whole table, by name.
func Permissions() []Permission {
	var out []Permission
	for _, p := range table() {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Permission) int { return strings.Compare(a.Name(), b.Name()) })
	return out
}
