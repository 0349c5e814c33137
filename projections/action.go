package projections

import (
	"slices"

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
	"github.com/flowledger/flowledger/eventstore/codec"
)

// The contract's actions that more than one event stands for.
const (
	actionLogin     = "login"
	actionFailed    = "login_failed"
	actionLogout    = "logout"
	actionUserWrite = "user_write"
	actionCreated   = "model_created"
	actionUpdated   = "model_updated"
	actionDeleted   = "model_deleted"
)

// aboutSubject are the actions that the contract ascribes to whom they are
// about: whoever logs in is nobody before.
var aboutSubject = map[string]bool{actionLogin: true, actionFailed: true, actionLogout: true}

// actionOf returns the contract's name for what an event says, as far as it
// has one (spec/events.md 9.1).
func actionOf(e codec.Decoded) string {
	switch event := e.Event.(type) {
	case execution.UserLoggedIn:
		return actionLogin
	case execution.LoginFailed:
		return actionFailed
	case execution.UserLoggedOut, session.SessionBindingBroken:
		return actionLogout
	case execution.PolicyEvaluated:
		return exceptionOf(event.Evaluation)
	case execution.PolicyDenied:
		return exceptionOf(event.Evaluation)
	case execution.ContextChanged:
		if len(event.Diagnostics) > 0 {
			return event.Diagnostics[0].Class
		}
	case execution.ExecutionFailed:
		return "system_exception"
	case mail.MailSent:
		return "email_sent"
	case object.ObjectCreated:
		return actionCreated
	case object.ObjectChanged:
		return actionUpdated
	case object.ObjectRemoved:
		return actionDeleted
	case user.Event:
		return actionOnUser(event, e.Header.Execution != "")
	case group.Event:
		return actionOnGroup(event)
	case role.Event:
		return actionOnRole(event)
	case blueprint.Event:
		return actionOnBlueprint(event)
	case token.Event:
		return actionOnToken(event)
	case audit.AuditCustomRecorded:
		return event.Action
	case audit.AuditExported:
		return "export_ready"
	case invitation.Event:
		return actionOnInvitation(event)
	}
	return ""
}

// exceptionOf tells of policies that gave no verdict. One that took too long is
// as much of an error as one that broke: both let something happen that no
// policy decided.
func exceptionOf(e execution.Evaluation) string {
	if slices.ContainsFunc(e.Results, execution.PolicyResult.Erred) {
		return "policy_exception"
	}
	return ""
}

func actionOnUser(event user.Event, inExecution bool) string {
	switch event.(type) {
	case user.UserPasswordSet:
		return "password_set"
	case user.UserPasswordRehashed:
		return "" // the same password, stored another way
	case user.UserDeleted:
		return actionDeleted
	case user.UserCreated:
		if !inExecution {
			return actionCreated
		}
	}
	if inExecution {
		return actionUserWrite
	}
	return actionUpdated
}

func actionOnGroup(event group.Event) string {
	switch event.(type) {
	case group.GroupCreated:
		return actionCreated
	case group.GroupDeleted:
		return actionDeleted
	}
	return actionUpdated
}

func actionOnRole(event role.Event) string {
	switch event.(type) {
	case role.RoleCreated:
		return actionCreated
	case role.RoleDeleted:
		return actionDeleted
	}
	return actionUpdated
}

// actionOnBlueprint tells of instances. What applying one changed is told of
// the things themselves.
func actionOnBlueprint(event blueprint.Event) string {
	switch event.(type) {
	case blueprint.BlueprintAdded:
		return actionCreated
	case blueprint.BlueprintChanged:
		return actionUpdated
	case blueprint.BlueprintRemoved:
		return actionDeleted
	}
	return ""
}

// actionOnToken knows no links into flows: to the contract they are no tokens.
func actionOnToken(event token.Event) string {
	switch event := event.(type) {
	case token.TokenCreated:
		if event.Flow == "" {
			return actionCreated
		}
	case token.TokenChanged:
		return actionUpdated
	case token.TokenRotated:
		return "secret_rotate"
	case token.TokenViewed:
		return "secret_view"
	case token.TokenRevoked, token.TokenExpired:
		return actionDeleted
	}
	return ""
}

func actionOnInvitation(event invitation.Event) string {
	switch event := event.(type) {
	case invitation.InvitationCreated:
		if event.Changed == nil {
			return actionCreated
		}
	case invitation.InvitationUsed:
		return "invitation_used"
	case invitation.InvitationExpired, invitation.InvitationRemoved:
		return actionDeleted
	}
	return actionUpdated
}
