package adminapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

// managing is all that concerns users, groups, roles and tokens.
var managing = []string{
	"authentik_core.view_user", "authentik_core.add_user", "authentik_core.change_user", "authentik_core.delete_user",
	"authentik_core.view_group", "authentik_core.add_group", "authentik_core.change_group", "authentik_core.delete_group",
	"authentik_core.add_user_to_group", "authentik_core.remove_user_from_group", "authentik_core.reset_user_password",
	"authentik_core.view_token", "authentik_core.add_token", "authentik_core.change_token", "authentik_core.delete_token",
	"authentik_core.set_token_key", "authentik_core.view_token_key",
	"authentik_rbac.view_role", "authentik_rbac.add_role", "authentik_rbac.change_role", "authentik_rbac.delete_role",
	"authentik_rbac.assign_role_permissions", "authentik_rbac.unassign_role_permissions",
}

// A court is a bench with people of all ranks: a superuser by a group above
// theirs, an auditor by a role, and nobody.
type court struct {
	*bench
	crown, heirs, plain, auditing, quiet string // groups
	auditor, idle, light                 string // roles
	king, judge, nobody                  string // addresses of users
	keys                                 map[string]float64
}

func newCourt(t *testing.T) *court {
	c := &court{bench: newBench(t), keys: map[string]float64{}}
	c.auditor, c.idle = c.role("auditor", "authentik_events.view_event"), c.role("idle")
	c.light = c.role("light", "authentik_core.view_user")
	group := func(in fields) string { return c.want(201, http.MethodPost, "core/groups/", in).str("pk") }
	c.crown = group(fields{"name": "crown", "is_superuser": true})
	c.heirs = group(fields{"name": "heirs", "parents": []string{c.crown}})
	c.plain = group(fields{"name": "plain"})
	c.auditing = group(fields{"name": "auditing", "roles": []string{c.auditor}})
	c.quiet = group(fields{"name": "quiet", "roles": []string{c.light}})
	user := func(in fields) string {
		made := c.want(201, http.MethodPost, "core/users/", in)
		c.keys[made.str("username")] = made.at("pk").(float64)
		return "core/users/" + jsonText(made.at("pk").(float64)) + "/"
	}
	c.king = user(fields{"username": "king", "name": "K", "email": "k@example.org", "groups": []string{c.heirs}})
	c.judge = user(fields{"username": "judge", "name": "J", "roles": []string{c.auditor}})
	c.nobody = user(fields{"username": "nobody", "name": "N"})
	c.as("manager", managing...)
	return c
}

// user is the id of a user.
func (c *court) user(name string) string {
	return c.want(200, http.MethodGet, "core/users/?username="+name, nil).str("results.0.uuid")
}

// TestNobodyRises tries each way in which whoever may manage people could come
// to what they may not. Beside each stands what they may.
func TestNobodyRises(t *testing.T) {
	c := newCourt(t)
	group := func(key string) string { return "core/groups/" + key + "/" }
	role := func(key string) string { return "rbac/roles/" + key + "/" }
	const assigned = "rbac/permissions/assigned_by_roles/"
	king, judge, nobody := fields{"pk": c.keys["king"]}, fields{"pk": c.keys["judge"]}, fields{"pk": c.keys["nobody"]}
	for name, test := range map[string]struct {
		method, path string
		body         fields
		want         int
	}{
		"a superuser's password":           {"POST", c.king + "set_password/", fields{"password": "pw"}, 403},
		"an auditor's password":            {"POST", c.judge + "set_password/", fields{"password": "pw"}, 403},
		"a password":                       {"POST", c.nobody + "set_password/", fields{"password": "pw"}, 204},
		"a superuser's recovery link":      {"POST", c.king + "recovery/", fields{}, 403},
		"a superuser's recovery mail":      {"POST", c.king + "recovery_email/", fields{"email_stage": "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10"}, 403},
		"a superuser's mailbox":            {"PATCH", c.king, fields{"email": "mine@example.org"}, 403},
		"a superuser's name":               {"PATCH", c.king, fields{"username": "pretender"}, 403},
		"a superuser is deactivated":       {"PATCH", c.king, fields{"is_active": false}, 403},
		"a superuser is replaced":          {"PUT", c.king, fields{"username": "king", "name": "K"}, 403},
		"a superuser is deleted":           {"DELETE", c.king, nil, 403},
		"an auditor's mailbox":             {"PATCH", c.judge, fields{"email": "mine@example.org"}, 403},
		"an auditor loses the role":        {"PATCH", c.judge, fields{"roles": []string{}}, 403},
		"an auditor is deleted":            {"DELETE", c.judge, nil, 403},
		"a mailbox":                        {"PATCH", c.nobody, fields{"email": "n@example.org"}, 200},
		"into a superuser group":           {"POST", group(c.crown) + "add_user/", nobody, 403},
		"into a group below one":           {"POST", group(c.heirs) + "add_user/", nobody, 403},
		"into a group with a role":         {"POST", group(c.auditing) + "add_user/", nobody, 403},
		"out of a group below the crown":   {"POST", group(c.heirs) + "remove_user/", king, 403},
		"into a group":                     {"POST", group(c.plain) + "add_user/", nobody, 204},
		"into a group with a role one has": {"POST", group(c.quiet) + "add_user/", nobody, 204},
		"into the crown with the user":     {"PATCH", c.nobody, fields{"groups": []string{c.crown}}, 403},
		"below the crown with the user":    {"PATCH", c.nobody, fields{"groups": []string{c.heirs}}, 403},
		"below the crown with a new user":  {"POST", "core/users/", fields{"username": "new", "name": "n", "groups": []string{c.heirs}}, 403},
		"a role with a new user":           {"POST", "core/users/", fields{"username": "new", "name": "n", "roles": []string{c.auditor}}, 403},
		"a new user":                       {"POST", "core/users/", fields{"username": "fresh", "name": "n", "groups": []string{c.plain}, "roles": []string{c.light}}, 201},
		"into the crown with the group":    {"PATCH", group(c.crown), fields{"users": []float64{c.keys["nobody"]}}, 403},
		"below the crown with the group":   {"PUT", group(c.heirs), fields{"name": "heirs", "users": []float64{c.keys["nobody"]}}, 403},
		"a superuser group's name":         {"PATCH", group(c.crown), fields{"name": "c"}, 403},
		"a superuser group is deleted":     {"DELETE", group(c.crown), nil, 403},
		"a group below one is deleted":     {"DELETE", group(c.heirs), nil, 403},
		"the crown is taken":               {"PATCH", group(c.crown), fields{"is_superuser": false}, 403},
		"the crown is given":               {"PATCH", group(c.plain), fields{"is_superuser": true}, 403},
		"a new crown":                      {"POST", "core/groups/", fields{"name": "new", "is_superuser": true}, 403},
		"a new group below the crown":      {"POST", "core/groups/", fields{"name": "new", "parents": []string{c.crown}}, 403},
		"a new group below the heirs":      {"POST", "core/groups/", fields{"name": "new", "parents": []string{c.heirs}}, 403},
		"a group is moved below the crown": {"PATCH", group(c.plain), fields{"parents": []string{c.heirs}}, 403},
		"a group is moved below a role":    {"PATCH", group(c.plain), fields{"parents": []string{c.auditing}}, 403},
		"a role for a group":               {"PATCH", group(c.plain), fields{"roles": []string{c.auditor}}, 403},
		"a role for a new group":           {"POST", "core/groups/", fields{"name": "new", "roles": []string{c.auditor}}, 403},
		"no role for a group":              {"PATCH", group(c.auditing), fields{"roles": []string{}}, 403},
		"a light role for a group":         {"PATCH", group(c.plain), fields{"roles": []string{c.light}}, 200},
		"a role for a user":                {"POST", role(c.auditor) + "add_user/", nobody, 403},
		"no role for a user":               {"POST", role(c.auditor) + "remove_user/", judge, 403},
		"a light role for a user":          {"POST", role(c.light) + "add_user/", nobody, 204},
		"a permission one lacks":           {"POST", assigned + c.idle + "/assign/", fields{"permissions": []string{"authentik_flows.change_flow"}}, 403},
		"a permission for a higher role":   {"POST", assigned + c.auditor + "/assign/", fields{"permissions": []string{"authentik_core.view_user"}}, 403},
		"a permission is taken away":       {"PATCH", assigned + c.auditor + "/unassign/", fields{"permissions": []string{"authentik_events.view_event"}}, 403},
		"a permission one has":             {"POST", assigned + c.idle + "/assign/", fields{"permissions": []string{"authentik_core.view_group"}}, 200},
		"a higher role's name":             {"PATCH", role(c.auditor), fields{"name": "a"}, 403},
		"a higher role is deleted":         {"DELETE", role(c.auditor), nil, 403},
		"a superuser's token":              {"POST", "core/tokens/", fields{"identifier": "t", "user": c.keys["king"]}, 400},
		"a token of one's own":             {"POST", "core/tokens/", fields{"identifier": "mine"}, 201},
		"a superuser's stored password":    {"POST", c.king + "set_password_hash/", fields{"password": storedHash}, 403},
		"a blueprint":                      {"POST", "managed/blueprints/import/", fields{}, 403},
		"a flow":                           {"POST", "flows/instances/", fields{"name": "f", "slug": "f", "title": "f", "designation": "recovery"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			var body any
			if test.body != nil {
				body = test.body
			}
			if got := c.do("manager", test.method, test.path, body); got.status != test.want {
				t.Errorf("%s %s: %d %s, want %d", test.method, test.path, got.status, got.text, test.want)
			}
		})
	}
	c.t = t
	if got := c.want(200, http.MethodGet, c.king, nil); got.str("email") != "k@example.org" || got.at("is_active") != true || got.str("groups.0") != c.heirs {
		t.Errorf("the superuser now: %s", got.text)
	}
}

// A service account may come with a group, which is for those who may make one.
func TestAGroupWithAServiceAccount(t *testing.T) {
	b := newBench(t)
	b.as("clerk", "authentik_core.add_user", "authentik_core.add_token")
	for name, group := range map[string]bool{"robot": false, "droid": true} {
		got := b.do("clerk", http.MethodPost, "core/users/service_account/", fields{"name": name, "create_group": group})
		if (got.status == 403) != group {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
}

// Whoever deletes a group must not open with it the flow that was bound to it.
func TestDeletingAGroupOpensNothing(t *testing.T) {
	c := newCourt(t)
	flow := c.flow("guarded")
	c.want(201, http.MethodPost, "policies/bindings/", fields{"target": flow, "group": c.plain, "order": 0})
	c.want(201, http.MethodPost, "policies/bindings/", fields{"target": flow, "user": c.keys["nobody"], "order": 1})
	for _, path := range []string{"core/groups/" + c.plain + "/", c.nobody} {
		if got := c.do("manager", http.MethodDelete, path, nil); got.status != 403 || !strings.Contains(got.text, "authentik_policies.delete_policybinding") {
			t.Errorf("deleted: %d %s", got.status, got.text)
		}
	}
	c.callers["manager"].Granted["authentik_policies.delete_policybinding"] = true
	if got := c.do("manager", http.MethodDelete, "core/groups/"+c.plain+"/", nil); got.status != 204 {
		t.Errorf("whoever may delete the binding may not delete the group: %d %s", got.status, got.text)
	}
}

// A limited token of a superuser is not one, not even towards its owner.
func TestALimitedTokenIsNotItsOwner(t *testing.T) {
	c := newCourt(t)
	c.callers["limited"] = session.Caller{
		User: c.user("king"), Token: "t", Scoped: true,
		Granted: session.Grants{"authentik_core.reset_user_password": true, "authentik_core.change_user": true, "authentik_core.add_token": true},
	}
	for path, body := range map[string]fields{c.king + "set_password/": {"password": "pw"}, "core/tokens/": {"identifier": "wide"}} {
		if got := c.do("limited", http.MethodPost, path, body); got.status < 400 {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
}

// To preview a prompt is to run an expression that the caller wrote.
func TestPreviewIsForWriters(t *testing.T) {
	b := newBench(t)
	b.as("reader", "authentik_stages_prompt.view_prompt")
	for _, r := range b.server.Routes() {
		if r.Path == "stages/prompt/prompts/preview/" && r.Needs == "authentik_stages_prompt.view_prompt" {
			t.Errorf("%s %s is for readers", r.Method, r.Path)
		}
	}
	if got := b.do("reader", http.MethodPost, "stages/prompt/prompts/preview/", fields{}); got.status != 403 && got.status != 404 {
		t.Errorf("previewed: %d %s", got.status, got.text)
	}
}

// late are people between whose first being asked for a group and the answer
// something happens.
type late struct {
	adminapi.People
	meanwhile func()
}

func (l *late) Group(ctx context.Context, id string) (adminapi.Group, bool, error) {
	g, ok, err := l.People.Group(ctx, id)
	if happen := l.meanwhile; happen != nil {
		l.meanwhile = nil
		happen()
	}
	return g, ok, err
}

// A role that a superuser takes from a group is not given back by somebody who
// asked for the group before.
func TestWhatIsTakenStaysTaken(t *testing.T) {
	c := newCourt(t)
	path := "core/groups/" + c.auditing + "/"
	c.server.People = &late{c.server.People, func() { c.want(200, http.MethodPatch, path, fields{"roles": []string{}}) }}
	if got := c.do("manager", http.MethodPatch, path, fields{"roles": []string{c.auditor}}); got.status != http.StatusForbidden {
		t.Errorf("%d %s", got.status, got.text)
	}
	if got := c.want(200, http.MethodGet, path, nil); got.str("roles.0") != "" {
		t.Errorf("the role is back: %s", got.text)
	}
}
