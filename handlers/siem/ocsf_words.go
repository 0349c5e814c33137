package siem

// A class is a class of OCSF 1.8.0 as far as events become one.
type class struct {
	name       string
	category   int
	activities map[int]string
}

var categories = map[int]string{2: "Findings", 3: "Identity & Access Management", 6: "Application Activity"}

var classes = map[int]class{
	detection: {"Detection Finding", 2, map[int]string{1: "Create", 2: "Update", 3: "Close"}},
	accountChange: {"Account Change", 3, map[int]string{
		1: "Create", 2: "Enable", 3: "Password Change", 4: "Password Reset", 5: "Disable", 6: "Delete", 7: "Attach Policy",
		8: "Detach Policy", 9: "Lock", 10: "MFA Factor Enable", 11: "MFA Factor Disable", 12: "Unlock",
	}},
	authentication: {"Authentication", 3, map[int]string{
		1: "Logon", 2: "Logoff", 3: "Authentication Ticket", 4: "Service Ticket Request", 5: "Service Ticket Renew", 6: "Preauth",
		7: "Account Switch",
	}},
	authorization: {"Authorize Session", 3, map[int]string{1: "Assign Privileges", 2: "Assign Groups"}},
	entity: {"Entity Management", 3, map[int]string{
		1: "Create", 2: "Read", 3: "Update", 4: "Delete", 5: "Move", 6: "Enroll", 7: "Unenroll", 8: "Enable", 9: "Disable",
		10: "Activate", 11: "Deactivate", 12: "Suspend", 13: "Resume",
	}},
	userAccess: {"User Access Management", 3, map[int]string{1: "Assign Privileges", 2: "Revoke Privileges"}},
	groups: {"Group Management", 3, map[int]string{
		1: "Assign Privileges", 2: "Revoke Privileges", 3: "Add User", 4: "Remove User", 5: "Delete", 6: "Create",
		7: "Add Subgroup", 8: "Remove Subgroup",
	}},
	lifecycle: {"Application Lifecycle", 6, map[int]string{
		1: "Install", 2: "Remove", 3: "Start", 4: "Stop", 5: "Restart", 6: "Enable", 7: "Disable", 8: "Update",
	}},
	api: {"API Activity", 6, map[int]string{1: "Create", 2: "Read", 3: "Update", 4: "Delete"}},
	datastore: {"Datastore Activity", 6, map[int]string{
		1: "Read", 2: "Update", 3: "Connect", 4: "Query", 5: "Write", 6: "Create", 7: "Delete", 8: "List", 9: "Encrypt", 10: "Decrypt",
	}},
}

// The captions of the numbers that rows use.
var (
	severities   = map[int]string{1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
	statuses     = map[int]string{1: "Success", 2: "Failure"}
	actions      = map[int]string{0: "Unknown", 1: "Allowed", 2: "Denied"}
	dispositions = map[int]string{1: "Allowed", 2: "Blocked", 23: "Challenge", 24: "Access Revoked"}
	userTypes    = map[int]string{0: "Unknown", 1: "User", 2: "Admin", 3: "System", 4: "Service"}
	factorTypes  = map[int]string{1: "SMS", 5: "Push Notification", 7: "OTP", 8: "Email", 10: "WebAuthn", 11: "Password"}
)

// factorIDs are the types of factors by the methods that verify them.
var factorIDs = map[string]int{
	"password": 11, "app_password": 11, "sms": 1, "duo": 5, "webauthn": 10, "passkey": 10, "totp": 7, "static": 7, "email": 8,
}

// kinds are the types of users by the kinds of actors.
var kinds = map[string]int{
	"user": 1, "admin": 2, "service": 4, "outpost": 4, "policy": 3, "blueprint": 3, "system": 3,
}
