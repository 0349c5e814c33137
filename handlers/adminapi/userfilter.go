package adminapi

import (
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/catalog"
)

// userTypes are the contract's.
var userTypes = []string{"internal", "external", "service_account", "internal_service_account"}

// userFilter reads the filters of a list of users.
func userFilter(q url.Values) (UserFilter, error) {
	f := UserFilter{
		Username: q.Get("username"), Name: q.Get("name"), Email: q.Get("email"), Search: q.Get("search"),
		Active: boolParam(q, "is_active"), Superuser: boolParam(q, "is_superuser"), NoLogin: boolParam(q, "last_login__isnull"),
		Types: given(q["type"]), Path: q.Get("path"), PathStart: q.Get("path_startswith"), GroupNames: given(q["groups_by_name"]),
		RoleNames: given(q["roles_by_name"]),
	}
	var problems catalog.Problems
	f.Groups = idsParam(q, "groups_by_pk", &problems)
	f.Roles = idsParam(q, "roles_by_pk", &problems)
	f.Times = timesParam(q, &problems)
	for _, text := range f.Types {
		if !slices.Contains(userTypes, text) {
			problems.Add("type", "Select a valid choice. %s is not one of the available choices.", cut(text))
		}
	}
	if text := q.Get("uuid"); text != "" {
		id, err := uuid.Parse(text)
		if err != nil {
			problems.Add("uuid", "Enter a valid UUID.")
		}
		f.ID = id.String()
	}
	f.Attributes = attributesParam(q, &problems)
	return f, problems.Err()
}

// idsParam reads primary keys.
func idsParam(q url.Values, name string, problems *catalog.Problems) []string {
	var out []string
	for _, text := range given(q[name]) {
		id, err := uuid.Parse(text)
		if err != nil {
			problems.Add(name, "“%s” is not a valid UUID.", cut(text))
		}
		out = append(out, id.String())
	}
	return out
}

// timesParam reads the bounds of points in time, by the names of their
// parameters.
func timesParam(q url.Values, problems *catalog.Problems) map[string]time.Time {
	out := map[string]time.Time{}
	for _, field := range []string{"date_joined", "last_login", "last_updated"} {
		for _, name := range []string{field, field + "__gt", field + "__lt"} {
			text := q.Get(name)
			if text == "" {
				continue
			}
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				problems.Add(name, "Enter a valid date/time.")
			}
			out[name] = at
		}
	}
	return out
}

// attributesParam reads the attributes that are wanted.
func attributesParam(q url.Values, problems *catalog.Problems) map[string]any {
	text := q.Get("attributes")
	if text == "" {
		return nil
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		problems.Add("attributes", "filter must be a valid JSON object")
	}
	return out
}

// given leaves out parameters without a value.
func given(values []string) []string {
	var out []string
	for _, v := range values {
		if v != "" {
			out = append(out, v)
		}
	}
	return out
}
