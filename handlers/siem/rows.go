package siem

// The classes of OCSF that events become.
const (
	detection      = 2004
	accountChange  = 3001
	authentication = 3002
	authorization  = 3003
	entity         = 3004
	userAccess     = 3005
	groups         = 3006
	lifecycle      = 6002
	api            = 6003
	datastore      = 6005
)

// The severities and statuses of OCSF.
const (
	informational = 1
	low           = 2
	medium        = 3
	high          = 4
	critical      = 5

	success = 1
	failure = 2
)

// other is the activity of a class that has no word for what happened; the
// row says it.
const other = 99

// A row is what an event is to who watches: spec/events.md 9.2.
type row struct {
	class    int
	activity int
	name     string // of the activity, if that is other
	status   int
	severity int
	detail   string // status_detail
	off      bool   // only with Options.All

	action, disposition int // of the profile security_control; 0 for none
}

// plain is a row of a success that nobody need be told of at once.
func plain(class, activity int) row {
	return row{class: class, activity: activity, status: success, severity: informational}
}

func (w row) grave(severity int) row { w.severity = severity; return w }

func (w row) named(name string) row { w.activity, w.name = other, name; return w }

func (w row) failed(detail string) row { w.status, w.detail = failure, detail; return w }

func (w row) hidden() row { w.off = true; return w }

func (w row) control(action, disposition int) row {
	w.action, w.disposition = action, disposition
	return w
}

// fixed are the rows of the types that are always the same. Types that are
// not here, in varying, or in quiet have the row of their category.
var fixed = map[string]row{
	"ExecutionStarted":     plain(authentication, 6).hidden(),
	"ChallengeIssued":      plain(authentication, 6).hidden().control(0, 23),
	"UserLoggedIn":         plain(authentication, 1),
	"IdentificationFailed": plain(authentication, 1).failed("USER_DOES_NOT_EXIST").grave(low),
	"ExecutionDenied":      plain(authentication, 1).failed("").grave(medium).control(2, 2),
	"UserLoggedOut":        plain(authentication, 2),
	"SessionRevoked":       plain(authentication, 2).grave(medium).control(2, 24),
	"SessionBindingBroken": plain(authentication, 2).grave(medium).control(2, 24),

	"SessionSteppedUp":            plain(authentication, 1),
	"SessionUserSwitched":         plain(authentication, 7).grave(medium),
	"SessionImpersonationStarted": plain(authentication, 7).grave(medium),
	"SessionImpersonationEnded":   plain(authentication, 7).grave(medium),

	"UserCreated":         plain(accountChange, 1),
	"UserActivated":       plain(accountChange, 2),
	"UserDeactivated":     plain(accountChange, 5),
	"UserDeleted":         plain(accountChange, 6),
	"UserPasswordRemoved": plain(accountChange, other).named("Password Remove"),
	"UserLocked":          plain(accountChange, 9).grave(medium),
	"GuardLocked":         plain(accountChange, 9).grave(medium),
	"UserUnlocked":        plain(accountChange, 12).grave(medium),
	"GuardUnlocked":       plain(accountChange, 12).grave(medium),
	"DeviceEnrolled":      plain(accountChange, 10),
	"DeviceRemoved":       plain(accountChange, 11),
	"UserProfileChanged":  plain(entity, 3),
	"UserRenamed":         plain(entity, 3),
	"UserTypeChanged":     plain(entity, 3),
	"UserMoved":           plain(entity, 5),

	"GroupCreated":       plain(groups, 6),
	"GroupDeleted":       plain(groups, 5),
	"GroupMemberAdded":   plain(groups, 3),
	"GroupMemberRemoved": plain(groups, 4),

	"RoleAssigned":           plain(userAccess, 1),
	"RoleWithdrawn":          plain(userAccess, 2),
	"RoleCreated":            plain(entity, 1),
	"RoleRenamed":            plain(entity, 3),
	"RolePermissionsChanged": plain(entity, 3),
	"RoleDeleted":            plain(entity, 4),

	"ObjectCreated":    plain(entity, 1),
	"ObjectChanged":    plain(entity, 3),
	"ObjectRemoved":    plain(entity, 4),
	"BlueprintAdded":   plain(entity, 1),
	"BlueprintChanged": plain(entity, 3),
	"BlueprintRemoved": plain(entity, 4),
	"ObjectExported":   plain(entity, 2),

	"TokenCreated": plain(entity, 1),
	"TokenViewed":  plain(entity, 2).grave(medium),
	"TokenRotated": plain(entity, 3),
	"TokenChanged": plain(entity, 3),
	"TokenRevoked": plain(entity, 4),
	"TokenExpired": plain(entity, 4).hidden(),

	"InvitationCreated": plain(entity, 1),
	"InvitationUsed":    plain(entity, 10),
	"InvitationExpired": plain(entity, 4).hidden(),
	"InvitationRemoved": plain(entity, 4),

	"ConsentGranted":               plain(authorization, 1),
	"ConsentApplicationAuthorized": plain(authorization, 1),
	"ConsentRevoked":               plain(entity, 4),
	"ConsentExpired":               plain(entity, 4).hidden(),

	"AuditQueried":            plain(datastore, 4),
	"AuditExecutionInspected": plain(datastore, 1),
	"AuditExported":           plain(datastore, 1),
	"AuditSealedRevealed":     plain(datastore, 10).grave(medium),
	"AuditPolicyTested":       plain(datastore, 4),
	"AuditAccessRefused":      plain(datastore, 4).failed("ACCESS_DENIED").grave(medium).control(2, 2),

	"DeviceCounterRegressed": plain(detection, 1).grave(high),

	"LedgerStarted":          plain(lifecycle, 3),
	"LedgerStopped":          plain(lifecycle, 4),
	"LedgerRetentionChanged": plain(api, 3),
	"SubjectKeyDestroyed":    plain(api, 4).grave(medium),
	"EpochKeyDestroyed":      plain(api, 4).grave(medium),
}

// quiet are the types of other categories than execution that nobody who
// watches need hear of: effects of what another event tells already, claims,
// counters, letters.
var quiet = map[string]bool{
	"SessionBegun": true, "SessionExecutionAttached": true, "SessionAuthenticated": true, "SessionSeen": true,
	"UserPasswordRehashed": true, "GuardFailureCounted": true, "GuardCleared": true,
	"DeviceEnrolmentBegun": true, "DeviceCodeSent": true, "DeviceCodeUsed": true,
	"UsernameClaimed": true, "UsernameReleased": true, "EmailClaimed": true, "EmailReleased": true, "CounterAdvanced": true,
	"BlueprintImportStarted": true, "BlueprintImportFinished": true,
}

// byCategory are the rows of the types that have none of their own.
var byCategory = map[string]row{
	"user":   plain(entity, 3),
	"group":  plain(groups, other).named("Update"),
	"role":   plain(entity, 3),
	"object": plain(entity, 3),
	"device": plain(entity, 3),
	"audit":  plain(datastore, 4),
	"key":    plain(api, 3),
	"ledger": plain(api, other).named("Report"),
	"export": plain(api, other).named("Report").hidden(),
	"worker": plain(api, other).named("Report").hidden(),
}

// rowOf finds what an event is; false if that is nothing.
func rowOf(r *Record) (row, bool) {
	if vary := varying[r.Type]; vary != nil {
		return vary(r)
	}
	if w, ok := fixed[r.Type]; ok {
		return w, true
	}
	if quiet[r.Type] {
		return row{}, false
	}
	w, ok := byCategory[r.Stream.Category()]
	return w, ok
}
