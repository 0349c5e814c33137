package blueprint

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/flowledger/flowledger/domain/catalog"
)

// modernise brings data of old files into the form of today
// (spec/blueprints.md 7.3).
func modernise(kind catalog.Kind, data map[string]any) {
	rename(data, "prompt_type", "type", nil)
	rename(data, "parent", "parents", func(v any) any { return []any{v} })
	rename(data, "can_create_users", "user_creation_mode", func(v any) any {
		if v == false {
			return "never_create"
		}
		return "create_when_required"
	})
	if kind.Base() == "emailstage" || kind.Base() == "authenticatoremailstage" {
		if n, ok := data["token_expiry"].(int64); ok {
			data["token_expiry"] = fmt.Sprintf("minutes=%d", n)
		}
	}
	if data["session_duration"] == "seconds=-1" {
		data["session_duration"] = "seconds=0"
	}
	if list, ok := data["backends"].([]any); ok {
		for i := range list {
			if list[i] == "django.contrib.auth.backends.ModelBackend" {
				list[i] = builtinBackends[0]
			}
		}
	}
}

var builtinBackends = []any{
	"authentik.core.auth.InbuiltBackend", "authentik.core.auth.TokenBackend", "authentik.sources.ldap.auth.LDAPBackend",
}

// complete adds what a bundle of the JSON era could leave out and a new thing
// needs today. The name of a prompt field is made unique by the flow's slug.
func (d *Document) complete(kind catalog.Kind, number int, data map[string]any) {
	switch kind.Base() {
	case "prompt":
		if _, named := data["name"]; !named && data["field_key"] != nil {
			data["name"] = cmp.Or(d.promptName(number), d.firstSlug()+pyString(data["field_key"]))
		}
	case "passwordstage":
		if _, given := data["backends"]; !given {
			data["backends"] = slices.Clone(builtinBackends)
		}
	}
}

// firstSlug is the slug of the document's first flow and a dash, or nothing.
func (d *Document) firstSlug() string {
	for i := range d.entries {
		e := &d.entries[i]
		if slug, ok := e.identifiers.values["slug"].(string); ok && e.model == "authentik_flows.flow" {
			return slug + "-"
		}
	}
	return ""
}

// outdated tells whether [modernise] reads a field that no kind has.
func outdated(name string) bool {
	return name == "prompt_type" || name == "parent" || name == "can_create_users"
}

// rename moves a value to the field's name of today, unless that is given.
func rename(data map[string]any, old, now string, convert func(any) any) {
	v, there := data[old]
	if !there {
		return
	}
	delete(data, old)
	if _, given := data[now]; given || v == nil {
		return
	}
	if convert != nil {
		v = convert(v)
	}
	data[now] = v
}
