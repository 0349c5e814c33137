package adminapi

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// somebody is the user ada and the group team, and no others.
type somebody struct {
	People
	Audit
}

func (somebody) UserByID(_ context.Context, id string) (User, bool, error) {
	return User{ID: id, Key: 5, Username: "ada"}, id == "u", nil
}

func (s somebody) Person(ctx context.Context, id string) (User, bool, error) {
	return s.UserByID(ctx, id)
}

func (somebody) Group(_ context.Context, id string) (Group, bool, error) {
	return Group{ID: id, Name: "team"}, id == "g", nil
}

func TestContexts(t *testing.T) {
	name, old, email := "Ada", "A", ""
	ada := map[string]any{"pk": "5", "app": "authentik_core", "model_name": "user", "name": "ada"}
	team := map[string]any{"pk": "g", "app": "authentik_core", "model_name": "group", "name": "team"}
	changed := func(field string, from, to any) map[string]any {
		return map[string]any{"model": ada, "diff": map[string]any{field: map[string]any{"new_value": to, "previous_value": from}}}
	}
	ofTeam := func(field string, from, to any) map[string]any {
		return map[string]any{"model": team, "diff": map[string]any{field: map[string]any{"new_value": to, "previous_value": from}}}
	}
	tests := map[string]struct {
		stream eventstore.StreamID
		action string
		event  codec.Event
		want   map[string]any
	}{
		"a user is made": {"user-u", "model_created", user.UserCreated{Username: "ada"}, map[string]any{"model": ada}},
		"a user enrols": {"user-u", "user_write", user.UserCreated{Username: "ada", Attributes: map[string]any{"api_key": "k"}}, map[string]any{
			"username": "ada", "name": "", "email": "", "attributes": map[string]any{"api_key": masked}, "created": true,
		}},
		"a user changes": {"user-u", "user_write", user.UserProfileChanged{Set: user.Profile{Name: &name, Email: &email}}, map[string]any{
			"name": "Ada", "email": "", "created": false,
		}},
		"a user is changed":       {"user-u", "model_updated", user.UserProfileChanged{Set: user.Profile{Name: &name}, Previous: user.Profile{Name: &old}}, changed("name", "A", "Ada")},
		"a user is renamed":       {"user-u", "model_updated", user.UserRenamed{Username: "ada", Previous: "countess"}, changed("username", "countess", "ada")},
		"a user is deactivated":   {"user-u", "model_updated", user.UserDeactivated{}, changed("is_active", true, false)},
		"a user is activated":     {"user-u", "model_updated", user.UserActivated{}, changed("is_active", false, true)},
		"a user has another type": {"user-u", "model_updated", user.UserTypeChanged{From: "internal", To: "external"}, changed("type", "internal", "external")},
		"a user moves":            {"user-u", "model_updated", user.UserMoved{From: "a", To: "b"}, changed("path", "a", "b")},
		"a password is set":       {"user-u", "password_set", user.UserPasswordSet{}, map[string]any{}},
		"a deleted user":          {"user-x", "model_deleted", user.UserDeleted{}, map[string]any{"model": map[string]any{"pk": "", "app": "authentik_core", "model_name": "user", "name": ""}}},
		"a group is changed":      {"group-g", "model_updated", group.GroupSuperuserChanged{To: true}, ofTeam("is_superuser", false, true)},
		"a group is renamed":      {"group-g", "model_updated", group.GroupRenamed{From: "band", To: "team"}, ofTeam("name", "band", "team")},
		"a group moves":           {"group-g", "model_updated", group.GroupParentsChanged{To: []string{"h"}}, ofTeam("parents", []string{}, []string{"h"})},
		"a member comes":          {"group-g", "model_updated", group.GroupMemberAdded{User: "u"}, ofTeam("users", []any{}, []any{"u"})},
		"a member leaves":         {"group-g", "model_updated", group.GroupMemberRemoved{User: "u"}, ofTeam("users", []any{"u"}, []any{})},
		"a group has other roles": {"group-g", "model_updated", group.GroupRolesChanged{Added: []string{"r"}, Removed: []string{"q"}}, ofTeam("roles", []string{"q"}, []string{"r"})},
		"a group has attributes": {"group-g", "model_updated", group.GroupAttributesChanged{Set: map[string]any{"api_key": "k", "a": 1.0}},
			ofTeam("attributes", map[string]any{}, map[string]any{"api_key": masked, "a": 1.0})},
		"a user has other roles": {"user-u", "model_updated", user.UserRolesChanged{Added: []string{"r"}}, changed("roles", []string{}, []string{"r"})},
		"a stage has another secret": {"object-o", "model_updated", object.ObjectChanged{
			Kind: "authentik_stages_captcha.captchastage", Name: "s", Secrets: map[string]domain.Secret{"private_key": domain.NewSecret("hunter2")},
			Set: map[string]any{"interactive": true}, Previous: map[string]any{"interactive": false},
		}, map[string]any{
			"model": map[string]any{"pk": "o", "app": "authentik_stages_captcha", "model_name": "captchastage", "name": "s"},
			"diff": map[string]any{
				"interactive": map[string]any{"new_value": true, "previous_value": false},
				"private_key": map[string]any{"new_value": masked, "previous_value": masked},
			},
		}},
		"an invitation is changed": {"invitation-i", "model_updated", invitation.InvitationCreated{
			Terms: invitation.Terms{Name: "new", SingleUse: true}, Changed: []string{"name", "single_use", "flow", "fixed_data", "expires"}, PreviousName: "old",
			Before: &invitation.Before{SingleUse: new(bool), Flow: &old, Expires: &time.Time{}}, PreviousData: map[string]any{"password": "hunter2"},
		}, map[string]any{
			"model": map[string]any{"pk": "i", "app": "authentik_stages_invitation", "model_name": "invitation", "name": "new"},
			"diff": map[string]any{
				"name": map[string]any{"new_value": "new", "previous_value": "old"}, "single_use": map[string]any{"new_value": true, "previous_value": false},
				"flow":       map[string]any{"new_value": "", "previous_value": "A"},
				"fixed_data": map[string]any{"new_value": map[string]any{}, "previous_value": map[string]any{"password": masked}},
				"expires":    map[string]any{"new_value": nil, "previous_value": nil},
			},
		}},
		"a blueprint is changed": {"blueprint-b", "model_updated", blueprint.BlueprintChanged{
			Terms: blueprint.Terms{Name: "b", Enabled: true, Content: domain.NewSecret("hunter2")}, Changed: []string{"content", "enabled"},
			Before: blueprint.Before{Enabled: new(bool)},
		}, map[string]any{
			"model": map[string]any{"pk": "b", "app": "authentik_blueprints", "model_name": "blueprintinstance", "name": "b"},
			"diff": map[string]any{
				"enabled": map[string]any{"new_value": true, "previous_value": false},
				"content": map[string]any{"new_value": masked, "previous_value": masked},
			},
		}},
		"a token's text is changed": {"token-t", "model_updated", token.TokenChanged{
			Fields: []string{"description"}, To: token.Terms{Identifier: "robot"}, Description: "new", Previous: "old",
		}, map[string]any{
			"model": map[string]any{"pk": "t", "app": "authentik_core", "model_name": "token", "name": "robot"},
			"diff":  map[string]any{"description": map[string]any{"new_value": "new", "previous_value": "old"}},
		}},
		"a group is made": {"group-h", "model_created", group.GroupCreated{Name: "band"}, map[string]any{
			"model": map[string]any{"pk": "h", "app": "authentik_core", "model_name": "group", "name": "band"},
		}},
		"a token is made": {"token-t", "model_created", token.TokenCreated{Identifier: "robot"}, map[string]any{
			"model": map[string]any{"pk": "t", "app": "authentik_core", "model_name": "token", "name": "robot"},
		}},
		"a token is changed": {"token-t", "model_updated", token.TokenChanged{
			Fields: []string{"identifier", "scope"}, From: token.Terms{Identifier: "robot"}, To: token.Terms{Identifier: "machine", Scope: []string{"a.b"}},
		}, map[string]any{
			"model": map[string]any{"pk": "t", "app": "authentik_core", "model_name": "token", "name": "machine"},
			"diff": map[string]any{
				"identifier": map[string]any{"new_value": "machine", "previous_value": "robot"},
				"scope":      map[string]any{"new_value": []string{"a.b"}, "previous_value": nil},
			},
		}},
		"a token has another key": {"token-t", "secret_rotate", token.TokenRotated{}, map[string]any{
			"secret": map[string]any{"pk": "t", "app": "authentik_core", "model_name": "token", "name": ""},
		}},
		"a policy notes something": {"audit-a", "custom_x", audit.AuditCustomRecorded{Action: "custom_x", Context: map[string]any{"n": 1, "api_key": "k"}}, map[string]any{
			"n": 1, "api_key": masked,
		}},
		"a mail is sent": {"mail-m", "email_sent", mail.MailSent{From: "a@b.test", To: []string{"c@d.test", "e@f.test"}, Subject: "Hello"}, map[string]any{
			"message": "Email to c@d.test, e@f.test sent", "subject": "Hello", "body": "", "from_email": "a@b.test",
			"to_email": []string{"c@d.test", "e@f.test"},
		}},
		"a thing is removed": {"object-o", "model_deleted", object.ObjectRemoved{Kind: object.FlowModel, Name: "f"}, map[string]any{
			"model": map[string]any{"pk": "o", "app": "authentik_flows", "model_name": "flow", "name": "f"},
		}},
		"a session breaks": {"session-s", "logout", session.SessionBindingBroken{Reason: "network.asn", Previous: "a", New: "b", PreviousIP: "c", NewIP: "d"}, map[string]any{
			"logout_reason": "Session binding broken", "binding": map[string]any{"reason": "network.asn", "previous_value": "a", "new_value": "b"},
			"ip": map[string]any{"previous": "c", "new": "d"},
		}},
		"an execution fails": {"execution-e", "system_exception", execution.ExecutionFailed{Class: "internal", ErrorID: "1", Detail: "d"}, map[string]any{
			"message": "System exception during flow execution.", "exception": map[string]any{"type": "internal", "message": "d", "id": "1"},
		}},
		"nobody logs out": {"execution-e", "logout", execution.UserLoggedOut{}, map[string]any{}},
		"a failed expression": {"execution-e", "property_mapping_exception", execution.ContextChanged{
			Diagnostics: []execution.Diagnostic{{Class: "property_mapping_exception", Part: "placeholder", Ref: domain.Ref{ID: "p", Kind: "authentik_stages_prompt.prompt", Name: "n"}}},
			Details:     []string{"NameError: x", "NameError: y"},
		}, map[string]any{
			"message": "NameError: x\nNameError: y", "field": "placeholder",
			"model": map[string]any{"pk": "p", "app": "authentik_stages_prompt", "model_name": "prompt", "name": "n"},
		}},
		"a verdict without fault": {"execution-e", "policy_exception", execution.PolicyEvaluated{}, map[string]any{}},
	}
	s := &Server{People: somebody{}, Audit: somebody{}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := AuditEntry{Action: tt.action, Decoded: codec.Decoded{Recorded: eventstore.Recorded{Stream: tt.stream}, Event: tt.event}}
			got, err := s.contextOf(t.Context(), map[string]map[string]any{}, e)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("context (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCleansed(t *testing.T) {
	in := map[string]any{
		"password": "x", "API_KEY": 5, "token": nil, "Secret": true, "name": "ada", "auth_method": "password",
		"password_change_date": "2026", "list": []any{map[string]any{"key": "k", "value": 1}}, "keys": []any{"a", "b"},
	}
	want := map[string]any{
		"password": masked, "API_KEY": masked, "token": nil, "Secret": true, "name": "ada", "auth_method": "password",
		"password_change_date": "2026", "list": []any{map[string]any{"key": masked, "value": 1}}, "keys": []any{masked, masked},
	}
	if diff := cmp.Diff(want, cleansed(in)); diff != "" {
		t.Errorf("cleansed (-want +got):\n%s", diff)
	}
	if in["password"] != "x" {
		t.Error("the event itself was changed")
	}
}

// Who acts for somebody else is told apart from them.
func TestActors(t *testing.T) {
	s := &Server{People: somebody{}, Audit: somebody{}}
	e := AuditEntry{User: "u"}
	e.Header.Actor = codec.Actor{OnBehalfOf: "x", AuthenticatedAs: "u"}
	got, err := s.actors(t.Context(), map[string]map[string]any{}, e)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"pk": 5, "username": "ada", "email": "", "on_behalf_of": map[string]any{"username": "", "email": "", "uuid": "x"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actors (-want +got):\n%s", diff)
	}
}
