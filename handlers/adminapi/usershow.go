package adminapi

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// avatar is the picture of everybody: others would be fetched from elsewhere.
const avatar = "/static/dist/assets/images/user_default.svg"

// uid is the identifier that the contract derives from a user's keys
// (spec/stages.md 2.1).
func uid(u User) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(u.Key) + "-" + u.ID))
	return hex.EncodeToString(sum[:])
}

// partialUser is a user as other things show one.
func partialUser(u User) map[string]any {
	return map[string]any{
		"pk": u.Key, "username": u.Username, "name": u.Name, "is_active": u.Active, "last_login": moment(u.LastLogin),
		"email": u.Email, "attributes": attributes(u.Attributes), "uid": uid(u),
	}
}

// fullUser is a user as the list of users shows one.
func fullUser(u User) map[string]any {
	out := partialUser(u)
	groups, shown := []any{}, []any{}
	for _, g := range u.Groups {
		groups, shown = append(groups, g.ID), append(shown, partialGroup(g))
	}
	out["groups"], out["groups_obj"] = groups, shown
	out["roles"], out["roles_obj"] = roleIDs(u.Roles), shownRoles(u.Roles)
	out["is_superuser"], out["avatar"] = u.Superuser, avatar
	out["path"], out["type"], out["uuid"] = u.Path, u.Type, u.ID
	out["date_joined"], out["last_updated"] = stamp(u.Joined), stamp(u.Updated)
	out["password_change_date"] = stamp(u.PasswordChanged)
	return out
}

// moment is a time on the wire, null for none.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// stamp is a time on the wire.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// attributes are never null on the wire.
func attributes(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
