package story

import (
	"strings"
	"unicode"
)

// effects are events of other streams in words, for those that executions cause
// most.
var effects = map[string]string{
	"SessionBegun": "A session began for this browser.", "SessionExecutionAttached": "The session took note of this execution.",
	"SessionAuthenticated": "The session has a user from here on.", "SessionLoggedOut": "The session has no user any more.",
	"SessionRevoked": "A session of the same user was ended.", "SessionEnded": "The session ended.",
	"UserCreated": "An account was made.", "UserProfileChanged": "The account was changed.", "UserPasswordSet": "The account has a new password.",
	"UserPasswordRehashed": "The password was stored anew, in the form of today.", "UserPasswordRemoved": "The account's password was made unusable.",
	"UserActivated": "The account was activated.", "UserDeactivated": "The account was deactivated.", "UserDeleted": "The account was deleted.",
	"UsernameClaimed": "The user name is taken from here on.", "UsernameReleased": "The user name is free again.",
	"MailRequested": "A mail is to be sent.", "MailSent": "The mail was handed over to the mail server.",
	"MailFailed": "The mail could not be sent, and will be tried again.", "MailGivenUp": "The mail was given up.",
	"MailResent":   "The mail was asked for once more.",
	"TokenCreated": "A token was made.", "TokenUsed": "A token was used.", "TokenRevoked": "A token was revoked.", "TokenExpired": "A token expired.",
	"ConsentGranted": "The user agreed.", "ConsentRevoked": "A former agreement is no longer valid.",
	"InvitationUsed":      "The invitation was used.",
	"AuditCustomRecorded": "A policy wrote into the audit trail.",
}

// otherwise is an event of another stream in words.
func otherwise(s Step) string {
	if text, ok := effects[s.Type]; ok {
		return text
	}
	return sentence(s.Type) + "."
}

// sentence writes the name of a type as words.
func sentence(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
