package projections

import (
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// The event types of all aggregates. They are registered here because whoever
// follows the ledger must know them all, and the aggregates know no codec.
func init() {
	registerExecution()
	registerPeople()

	codec.Register[audit.AuditCustomRecorded](1)
	codec.Register[audit.AuditPolicyTested](1)
	codec.Register[audit.AuditQueried](1)
	codec.Register[audit.AuditExecutionInspected](1)
	codec.Register[audit.AuditAccessRefused](1)
	codec.Register[audit.AuditExported](1)
	codec.Register[audit.ObjectExported](1)

	codec.Register[invitation.InvitationCreated](1)
	codec.Register[invitation.InvitationUsed](1)
	codec.Register[invitation.InvitationExpired](1)
	codec.Register[invitation.InvitationRemoved](1)

	codec.Register[mail.MailRequested](1)
	codec.Register[mail.MailResent](1)
	codec.Register[mail.MailSent](1)
	codec.Register[mail.MailFailed](1)
	codec.Register[mail.MailGivenUp](1)
	codec.Register[key.SubjectKeyDestroyed](1)
	codec.Register[key.EpochKeyDestroyed](1)
	codec.Register[retention.LedgerRetentionChanged](1)

	codec.Register[notification.NotificationRaised](1)
	codec.Register[notification.NotificationSeen](1)
	codec.Register[notification.NotificationUnseen](1)
	codec.Register[notification.NotificationRemoved](1)
	codec.Register[consent.ConsentGranted](1)
	codec.Register[consent.ConsentExpired](1)
	codec.Register[consent.ConsentRevoked](1)

	codec.Register[object.ObjectCreated](1)
	codec.Register[object.ObjectChanged](1)
	codec.Register[object.ObjectRemoved](1)

	codec.Register[session.SessionBegun](1)
	codec.Register[session.SessionExecutionAttached](1)
	codec.Register[session.SessionAuthenticated](1)
	codec.Register[session.SessionSeen](1)
	codec.Register[session.SessionBindingBroken](1)
	codec.Register[session.SessionLoggedOut](1)
	codec.Register[session.SessionRevoked](1)
	codec.Register[session.SessionEnded](1)

	codec.Register[token.TokenCreated](1)
	codec.Register[token.TokenChanged](1)
	codec.Register[token.TokenRotated](1)
	codec.Register[token.TokenViewed](1)
	codec.Register[token.TokenUsed](1)
	codec.Register[token.TokenExpired](1)
	codec.Register[token.TokenRevoked](1)
}

func registerExecution() {
	codec.Register[execution.ExecutionStarted](1)
	codec.Register[execution.PolicyEvaluated](1)
	codec.Register[execution.PolicyDenied](1)
	codec.Register[execution.PlanCreated](1)
	codec.Register[execution.ExecutionResumed](1)
	codec.Register[execution.SubjectIdentified](1)
	codec.Register[execution.IdentificationFailed](1)
	codec.Register[execution.StageReevaluated](1)
	codec.Register[execution.StageSkipped](1)
	codec.Register[execution.StageEntered](1)
	codec.Register[execution.ChallengeIssued](1)
	codec.Register[execution.ResponseRejected](1)
	codec.Register[execution.LoginFailed](1)
	codec.Register[execution.FactorVerified](1)
	codec.Register[execution.ContextChanged](1)
	codec.Register[execution.SecretsDiscarded](1)
	codec.Register[execution.StageInserted](1)
	codec.Register[execution.UserLoggedIn](1)
	codec.Register[execution.UserLoggedOut](1)
	codec.Register[execution.StageCompleted](1)
	codec.Register[execution.PlanRestarted](1)
	codec.Register[execution.ExecutionCompleted](1)
	codec.Register[execution.ExecutionDenied](1)
	codec.Register[execution.ExecutionCancelled](1)
	codec.Register[execution.ExecutionExpired](1)
	codec.Register[execution.ExecutionFailed](1)
}

func registerPeople() {
	codec.Register[user.UserCreated](1)
	codec.Register[user.UserProfileChanged](1)
	codec.Register[user.UserRenamed](1)
	codec.Register[user.UserPasswordSet](1)
	codec.Register[user.UserPasswordRehashed](1)
	codec.Register[user.UserPasswordRemoved](1)
	codec.Register[user.UserActivated](1)
	codec.Register[user.UserDeactivated](1)
	codec.Register[user.UserTypeChanged](1)
	codec.Register[user.UserMoved](1)
	codec.Register[user.UserRolesChanged](1)
	codec.Register[user.UserDeleted](1)
	codec.Register[user.UsernameClaimed](1)
	codec.Register[user.UsernameReleased](1)
	codec.Register[user.CounterAdvanced](1)

	codec.Register[group.GroupCreated](1)
	codec.Register[group.GroupRenamed](1)
	codec.Register[group.GroupMemberAdded](1)
	codec.Register[group.GroupMemberRemoved](1)
	codec.Register[group.GroupParentsChanged](1)
	codec.Register[group.GroupSuperuserChanged](1)
	codec.Register[group.GroupAttributesChanged](1)
	codec.Register[group.GroupRolesChanged](1)
	codec.Register[group.GroupDeleted](1)

	codec.Register[role.RoleCreated](1)
	codec.Register[role.RoleRenamed](1)
	codec.Register[role.RolePermissionsChanged](1)
	codec.Register[role.RoleDeleted](1)
}
