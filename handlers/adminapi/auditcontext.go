package adminapi

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
)

// masked stands for what must not be read.
const masked = "********************"

// contextOf is what an event tells, in the contract's words (spec/events.md
// 9.1).
func (s *Server) contextOf(ctx context.Context, known map[string]map[string]any, e AuditEntry) (map[string]any, error) {
	switch event := e.Event.(type) {
	case user.Event:
		return s.userContext(ctx, known, e, event)
	case group.Event:
		return s.groupContext(ctx, e, event)
	case role.Event:
		return s.roleContext(ctx, e, event)
	case blueprint.Event:
		return blueprintContext(e.Stream.ID(), event), nil
	case execution.UserLoggedIn:
		return loginContext(event), nil
	case execution.LoginFailed:
		return map[string]any{
			"username": event.Identifier, "password": masked, "auth_method": event.Method,
			"stage": modelRef(event.Stage.Kind, event.Stage.ID, event.Stage.Name),
		}, nil
	case execution.PolicyEvaluated:
		return exceptionContext(event.Evaluation), nil
	case execution.PolicyDenied:
		return exceptionContext(event.Evaluation), nil
	case execution.ContextChanged:
		return diagnosticContext(event), nil
	case execution.ExecutionFailed:
		return map[string]any{
			"message":   "System exception during flow execution.",
			"exception": map[string]any{"type": event.Class, "message": event.Detail, "id": event.ErrorID},
		}, nil
	case session.SessionBindingBroken:
		return map[string]any{
			"logout_reason": "Session binding broken", "binding": map[string]any{
				"reason": event.Reason, "previous_value": event.Previous, "new_value": event.New,
			},
			"ip": map[string]any{"previous": event.PreviousIP, "new": event.NewIP},
		}, nil
	case mail.MailSent:
		return mailContext(event), nil
	case object.ObjectCreated:
		return map[string]any{"model": modelRef(event.Kind, e.Stream.ID(), event.Name)}, nil
	case object.ObjectChanged:
		return map[string]any{"model": modelRef(event.Kind, e.Stream.ID(), event.Name), "diff": objectDiff(event)}, nil
	case object.ObjectRemoved:
		return map[string]any{"model": modelRef(event.Kind, e.Stream.ID(), event.Name)}, nil
	case audit.AuditCustomRecorded:
		return cleansed(event.Context), nil
	case token.TokenCreated:
		return map[string]any{"model": modelRef(token.Model, e.Stream.ID(), event.Identifier)}, nil
	case token.TokenChanged:
		return map[string]any{
			"model": modelRef(token.Model, e.Stream.ID(), event.To.Identifier), "diff": diff(termsOf(event.To, event.Description, event), termsOf(event.From, event.Previous, event)),
		}, nil
	case token.TokenRotated:
		return map[string]any{"secret": modelRef(token.Model, e.Stream.ID(), "")}, nil
	case invitation.InvitationUsed:
		return map[string]any{"invitation_uuid": strings.ReplaceAll(e.Stream.ID(), "-", "")}, nil
	case invitation.Event:
		return invitationContext(e.Stream.ID(), event), nil
	case token.Event:
		return map[string]any{"model": modelRef(token.Model, e.Stream.ID(), "")}, nil
	}
	return map[string]any{}, nil
}

// termsOf are the fields of a token that an event changed, by the contract's
// names.
func termsOf(t token.Terms, description string, e token.TokenChanged) map[string]any {
	all := map[string]any{
		"identifier": t.Identifier, "intent": t.Intent, "user": t.User, "expires": moment(t.Expires), "expiring": t.Expiring,
		"scope": limits(t.Scope), "description": description,
	}
	maps.DeleteFunc(all, func(name string, _ any) bool { return !slices.Contains(e.Fields, name) })
	return all
}

// loginContext says how somebody proved who they are. Whether the device was
// seen before is part of the arguments, unless they say so themselves.
func loginContext(e execution.UserLoggedIn) map[string]any {
	args := map[string]any{"known_device": e.KnownDevice}
	maps.Copy(args, e.AuthMethodArgs)
	out := map[string]any{"auth_method_args": cleansed(args)}
	if e.AuthMethod != "" {
		out["auth_method"] = e.AuthMethod
	}
	return out
}

// mailContext tells of a mail that was sent. What it said is not kept.
func mailContext(e mail.MailSent) map[string]any {
	to := make([]string, len(e.To))
	for i, text := range e.To {
		to[i] = shownAddress(text)
	}
	return map[string]any{
		"message": "Email to " + strings.Join(to, ", ") + " sent", "subject": e.Subject, "body": "",
		"from_email": shownAddress(e.From), "to_email": to,
	}
}

// shownAddress is an address as the contract's events have it: without quotes
// around the name, and with nothing around an address alone.
func shownAddress(text string) string {
	a, err := mail.Address(text)
	switch {
	case err != nil:
		return text
	case a.Name == "":
		return a.Address
	}
	return a.Name + " <" + a.Address + ">"
}

// diagnosticContext tells of the faults that an execution went on with.
func diagnosticContext(e execution.ContextChanged) map[string]any {
	if len(e.Diagnostics) == 0 {
		return map[string]any{}
	}
	first := e.Diagnostics[0]
	return map[string]any{
		"message": strings.Join(e.Details, "\n"), "field": first.Part, "model": modelRef(first.Ref.Kind, first.Ref.ID, first.Ref.Name),
	}
}

// exceptionContext tells of the first policy that gave no verdict.
func exceptionContext(e execution.Evaluation) map[string]any {
	for i, r := range e.Results {
		if !r.Erred() {
			continue
		}
		out := map[string]any{"message": "Policy failed to execute"}
		if i < len(e.Details) && e.Details[i].Error != "" {
			out["message"] = e.Details[i].Error
		}
		if r.Policy != nil {
			out["policy_uuid"] = strings.ReplaceAll(r.Policy.ID, "-", "")
			out["policy"] = modelRef(r.Policy.Kind, r.Policy.ID, r.Policy.Name)
		}
		if r.Binding != nil {
			out["binding"] = modelRef(object.PolicyBindingModel, r.Binding.ID, "")
		}
		return out
	}
	return map[string]any{}
}

// userContext tells what became of a user: the fields themselves when an
// execution wrote them, the model and its changes when an administrator did.
func (s *Server) userContext(ctx context.Context, known map[string]map[string]any, e AuditEntry, event user.Event) (map[string]any, error) {
	if e.Action == "password_set" {
		return map[string]any{}, nil
	}
	set, previous := changeOf(event)
	if e.Action == "user_write" {
		_, created := event.(user.UserCreated)
		out := cleansed(set)
		out["created"] = created
		return out, nil
	}
	who, err := s.person(ctx, known, e.Stream.ID())
	if err != nil {
		return nil, err
	}
	out := map[string]any{"model": modelRef(object.UserModel, written(who["pk"]), written(who["username"]))}
	if previous != nil {
		out["diff"] = diff(set, previous)
	}
	return out, nil
}

// changeOf are the fields that an event about a user sets, and what they were
// before; nil when there was nothing before.
func changeOf(event user.Event) (set, previous map[string]any) {
	switch event := event.(type) {
	case user.UserCreated:
		return map[string]any{
			"username": event.Username, "name": event.Name, "email": event.Email, "attributes": attributes(event.Attributes),
		}, nil
	case user.UserProfileChanged:
		return profile(event.Set), profile(event.Previous)
	case user.UserRenamed:
		return map[string]any{"username": event.Username}, map[string]any{"username": event.Previous}
	case user.UserActivated:
		return map[string]any{"is_active": true}, map[string]any{"is_active": false}
	case user.UserDeactivated:
		return map[string]any{"is_active": false}, map[string]any{"is_active": true}
	case user.UserTypeChanged:
		return map[string]any{"type": event.To}, map[string]any{"type": event.From}
	case user.UserMoved:
		return map[string]any{"path": event.To}, map[string]any{"path": event.From}
	case user.UserRolesChanged:
		return map[string]any{"roles": listed(event.Added)}, map[string]any{"roles": listed(event.Removed)}
	}
	return map[string]any{}, nil
}

// profile are the parts of a profile that an event has, by the contract's
// names. What is forgotten is nil, and left out.
func profile(p user.Profile) map[string]any {
	out := map[string]any{}
	if p.Name != nil {
		out["name"] = *p.Name
	}
	if p.Email != nil {
		out["email"] = *p.Email
	}
	if p.Attributes != nil {
		out["attributes"] = p.Attributes
	}
	return out
}

// diff says what of each field changed.
func diff(set, previous map[string]any) map[string]any {
	set, previous = cleansed(set), cleansed(previous)
	out := map[string]any{}
	for name, v := range set {
		out[name] = map[string]any{"new_value": v, "previous_value": previous[name]}
	}
	return out
}

// sensitive and harmless are the contract's rules for keys whose values are
// masked (spec/flows.md 11.4).
var (
	sensitive = regexp.MustCompile(`(?i)API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE`)
	harmless  = regexp.MustCompile(`(?i)wauth|passing|password_change_date|^auth_method(_args)?$`)
)

// cleansed masks values whose keys say that they are secret, at any depth.
func cleansed(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for key, v := range m {
		out[key] = cleansedValue(key, v)
	}
	return out
}

// cleansedValue masks a value under a key. The values of a list stand under
// the list's key.
func cleansedValue(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		return cleansed(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = cleansedValue(key, item)
		}
		return out
	case nil, bool:
		return v
	}
	if sensitive.MatchString(key) && !harmless.MatchString(key) {
		return masked
	}
	return v
}
