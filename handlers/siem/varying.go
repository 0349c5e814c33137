package siem

import (
	"encoding/json"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
)

// many is from how many failures in one execution on they are somebody's
// attempt rather than somebody's mistake.
const many = 5

// varying are the types whose row depends on what they say.
var varying = map[string]func(*Record) (row, bool){
	"LoginFailed":           loginFailed,
	"PolicyDenied":          policyDenied,
	"ExecutionFailed":       func(*Record) (row, bool) { return plain(authentication, 1).failed("ERROR").grave(medium), true },
	"SessionLoggedOut":      loggedOut,
	"SessionEnded":          ended,
	"TokenUsed":             tokenUsed,
	"UserPasswordSet":       passwordSet,
	"UserRolesChanged":      rolesChanged,
	"GroupRolesChanged":     groupRoles,
	"GroupSuperuserChanged": groupSuperuser,
	"TokenRefused":          tokenRefused,
	"LedgerVerified":        verified,
	"AuditCustomRecorded": func(*Record) (row, bool) {
		return plain(api, other).named("Report"), true
	},
}

// details are the causes of failed logins in the words of OCSF.
var details = map[string]string{
	"bad_credential": "INVALID_CREDENTIALS",
	"no_such_user":   "USER_DOES_NOT_EXIST",
	"inactive":       "ACCOUNT_DISABLED",
	"locked":         "ACCOUNT_LOCKED_OUT",
	"expired":        "PASSWORD_EXPIRED",
}

func loginFailed(r *Record) (row, bool) {
	w := plain(authentication, 1).failed("INVALID_CREDENTIALS").grave(low)
	if e, ok := r.Event.(execution.LoginFailed); ok {
		if detail, ok := details[e.Cause]; ok {
			w.detail = detail
		}
		if e.Failures >= many {
			w = w.grave(medium)
		}
	}
	return w, true
}

// policyDenied is told if it kept somebody from a stage that logs in. A denial
// of the flow is followed by ExecutionDenied, which tells it.
func policyDenied(r *Record) (row, bool) {
	return plain(authentication, 1).failed("").grave(medium).control(2, 2), r.Login
}

// loggedOut is told by UserLoggedOut already, where a flow logs out.
func loggedOut(r *Record) (row, bool) {
	w := plain(authentication, 2)
	if e, ok := r.Event.(session.SessionLoggedOut); ok && e.Execution != "" {
		w = w.hidden()
	}
	return w, true
}

// ended is the end of a session that nobody ended: the others are told already.
func ended(r *Record) (row, bool) {
	w := plain(authentication, 2)
	if e, ok := r.Event.(session.SessionEnded); ok && e.Cause != "expired" && e.Cause != "idle" {
		w = w.hidden()
	}
	return w, true
}

// tokenUsed is a login where a token stands for a password. The use of an API
// token, and of the link of a letter, is none.
func tokenUsed(r *Record) (row, bool) {
	w := plain(authentication, 1)
	if r.Intent != token.Recovery && r.Intent != token.AppPassword {
		w = w.hidden()
	}
	return w, true
}

// tokenRefused is somebody's attempt if the token was made for another flow,
// and somebody's late click otherwise.
func tokenRefused(r *Record) (row, bool) {
	if said(r).Cause == "wrong_flow" {
		return plain(detection, 1).grave(high), true
	}
	return plain(authentication, 1).failed("INVALID_CREDENTIALS").grave(low), true
}

func verified(r *Record) (row, bool) {
	if said(r).Result == "mismatch" {
		return plain(detection, 1).grave(critical), true
	}
	return plain(api, 2), true
}

// A saying is what rows ask of clear payloads whose struct they do not know.
type saying struct {
	Cause  string `json:"cause"`
	Result string `json:"result"`
	Class  string `json:"class"`
}

func said(r *Record) (s saying) {
	// Keys of another type than expected say nothing.
	_ = json.Unmarshal(r.Payload, &s)
	return s
}

// passwordSet is a change by the user, who may be about to become one, and a
// reset by anybody else, or by a link.
func passwordSet(r *Record) (row, bool) {
	e, ok := r.Event.(user.UserPasswordSet)
	own := ok && (e.By == r.Stream.ID() && r.Designation != "recovery" || e.By == "" && r.Designation == "enrollment")
	if own {
		return plain(accountChange, 3), true
	}
	return plain(accountChange, 4), true
}

func rolesChanged(r *Record) (row, bool) {
	e, ok := r.Event.(user.UserRolesChanged)
	if ok && len(e.Added) == 0 && len(e.Removed) > 0 {
		return plain(userAccess, 2), true
	}
	return plain(userAccess, 1), true
}

func groupRoles(r *Record) (row, bool) {
	e, ok := r.Event.(group.GroupRolesChanged)
	switch {
	case ok && len(e.Removed) == 0:
		return plain(groups, 1), true
	case ok && len(e.Added) == 0:
		return plain(groups, 2), true
	}
	return plain(groups, other).named("Update"), true
}

func groupSuperuser(r *Record) (row, bool) {
	if e, ok := r.Event.(group.GroupSuperuserChanged); ok && !e.To {
		return plain(groups, 2), true
	}
	return plain(groups, 1).grave(medium), true
}
