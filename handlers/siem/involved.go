package siem

import (
	"reflect"

	"github.com/flowledger/flowledger/domain/execution"
)

// involved tells who acted, or was to log in, and whom the event is about where
// that is somebody else; ids, empty for nobody.
func involved(r *Record) (user, target string) {
	if r.Stream.Category() == "execution" {
		return subject(r), ""
	}
	user = r.Header.Actor.ID
	switch r.Header.Actor.Kind {
	case "user", "admin", "service", "outpost":
	default:
		user = ""
	}
	switch r.Stream.Category() {
	case "user", "guard":
		target = r.Stream.ID()
	default:
		if target = named(r.Event); target == "" {
			target = r.Owner
		}
	}
	if user == "" {
		return target, ""
	}
	if target == user {
		target = ""
	}
	return user, target
}

// subject is whom an event of an execution is about.
func subject(r *Record) string {
	switch e := r.Event.(type) {
	case execution.LoginFailed:
		if e.User != "" {
			return e.User
		}
	case execution.UserLoggedIn:
		return e.User
	case execution.UserLoggedOut:
		return e.User
	}
	return r.User.ID
}

// named is the user that a payload names in a field of that name.
func named(event any) string {
	v := reflect.ValueOf(event)
	if v.Kind() != reflect.Struct {
		return ""
	}
	if f := v.FieldByName("User"); f.IsValid() && f.Kind() == reflect.String {
		return f.String()
	}
	return ""
}
