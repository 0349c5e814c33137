package object

import (
	"maps"
	"reflect"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
)

// Put sets fields of a thing, and makes it if it is not there. Fields are
// cleaned (see [catalog.Kind.Clean]); those that are not named keep their
// value, or have the kind's default on a new thing.
type Put struct {
	Kind   string
	Fields map[string]any
	By     string // id of the user who asks; empty for the program
	Via    string // api, blueprint, import or bootstrap
	// Create refuses to change a thing that is there.
	Create bool
}

// Decide implements [domain.Command]. A thing that was removed stays so.
func (c Put) Decide(s State) ([]Event, error) {
	kind, ok := catalog.Lookup(c.Kind)
	if !ok {
		return nil, domain.Errorf(domain.Invalid, "There is no kind %q.", c.Kind)
	}
	fields, secrets := split(kind, c.Fields)
	switch {
	case s.Status == Removed:
		return nil, domain.Errorf(domain.NotFound, "The %s was deleted.", kind.Name)
	case s.Status == Present && s.Kind != kind.Model:
		return nil, domain.Errorf(domain.Conflict, "The identifier belongs to a thing of the kind %s.", s.Kind)
	case s.Status == Present && c.Create:
		return nil, domain.Errorf(domain.Conflict, "The %s exists already.", kind.Name)
	case s.Status == Present:
		return c.change(s, kind, fields, secrets), nil
	}
	set := kind.Defaults()
	for _, f := range kind.Fields() {
		if f.Secret {
			delete(set, f.Name)
		}
	}
	maps.Copy(set, fields)
	return []Event{ObjectCreated{
		Kind: kind.Model, Name: NameOf(kind, set), Set: set, Secrets: secrets, By: c.By, Via: c.Via,
	}}, nil
}

func (c Put) change(s State, kind catalog.Kind, fields map[string]any, secrets map[string]domain.Secret) []Event {
	set, previous := map[string]any{}, map[string]any{}
	for name, v := range fields {
		if old, had := s.Fields[name]; !had || !Equal(old, v) {
			set[name], previous[name] = v, old
		}
	}
	for name, v := range secrets {
		if s.Secrets[name].Equal(v) {
			delete(secrets, name)
		}
	}
	if len(set) == 0 && len(secrets) == 0 {
		return nil
	}
	return []Event{ObjectChanged{
		Kind: kind.Model, Name: NameOf(kind, merged(s.Fields, set)), Set: set, Previous: previous,
		Secrets: secrets, By: c.By, Via: c.Via,
	}}
}

// Remove ends a thing. Removing what is not there is nothing to do.
type Remove struct {
	By        string
	Via       string
	CascadeOf string
}

// Decide implements [domain.Command].
func (c Remove) Decide(s State) ([]Event, error) {
	if s.Status != Present {
		return nil, nil
	}
	return []Event{ObjectRemoved{Kind: s.Kind, Name: s.Name, By: c.By, Via: c.Via, CascadeOf: c.CascadeOf}}, nil
}

// NameOf picks what people call a thing with these fields: its name, its
// slug, its domain. Bindings have none.
func NameOf(kind catalog.Kind, fields map[string]any) string {
	for _, key := range []string{kind.Key, "name", "slug", "domain"} {
		if text, ok := fields[key].(string); ok && key != "" {
			return text
		}
	}
	return ""
}

// NameField is the field that [NameOf] takes the name of things of a kind from,
// "" if they have none.
func NameField(kind catalog.Kind) string {
	for _, key := range []string{kind.Key, "name", "slug", "domain"} {
		if _, ok := kind.Field(key); ok {
			return key
		}
	}
	return ""
}

// Equal compares two JSON values; numbers are equal whatever Go type holds
// them.
func Equal(a, b any) bool { return reflect.DeepEqual(plain(a), plain(b)) }

func plain(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case []string:
		out := make([]any, len(v))
		for i := range v {
			out[i] = v[i]
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = plain(v[k])
		}
		return out
	}
	return v
}

// secretOf takes a secret field as importers and as the API have it.
func secretOf(v any) domain.Secret {
	if s, ok := v.(domain.Secret); ok {
		return s
	}
	text, _ := v.(string)
	return domain.NewSecret(text)
}

// split parts secret fields from the others.
func split(kind catalog.Kind, in map[string]any) (map[string]any, map[string]domain.Secret) {
	fields, secrets := map[string]any{}, map[string]domain.Secret{}
	for name, v := range in {
		f, known := kind.Field(name)
		switch {
		case !known:
		case f.Secret:
			secrets[name] = secretOf(v)
		default:
			fields[name] = v
		}
	}
	return fields, secrets
}
