package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// A view shows things for one request. What it had to gather for one thing it
// keeps for the next.
type view struct {
	s        *Server
	host     string
	defaults map[string]map[string]any           // by model
	lists    map[catalog.Category][]object.Thing // what was asked for before
	steady   []object.Thing                      // the last list that was asked for, as the read models or an arrangement have it
	sets     map[string]json.RawMessage          // stages to the flows that they are in, as they are shown
}

// view makes a view for the host that was asked.
func (s *Server) view(r *http.Request) *view {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host // it has no port
	}
	return &view{
		s: s, host: host, defaults: map[string]map[string]any{}, lists: map[catalog.Category][]object.Thing{},
		sets: map[string]json.RawMessage{},
	}
}

// category lists the things of a category.
func (v *view) category(c catalog.Category) []object.Thing {
	found, asked := v.lists[c]
	if !asked {
		found = v.s.Things.Category(c)
		v.lists[c] = found
	}
	v.steady = found
	return found
}

// kindOf returns the kind of a thing; the program knows all that it stores.
func kindOf(t object.Thing) catalog.Kind {
	k, ok := catalog.Lookup(t.Kind)
	if !ok {
		panic("adminapi: unknown kind " + t.Kind)
	}
	return k
}

// field returns the value of a field, its default when the thing is older
// than the field.
func (v *view) field(t object.Thing, name string) any {
	if value, ok := t.Fields[name]; ok {
		return value
	}
	defaults, ok := v.defaults[t.Kind]
	if !ok {
		defaults = kindOf(t).Defaults()
		v.defaults[t.Kind] = defaults
	}
	return defaults[name]
}

// value returns what a thing has under a name that lists know.
func (v *view) value(p peculiarity, t object.Thing, name string) any {
	if derive, ok := p.derived[name]; ok {
		return derive(v, t)
	}
	if name == "pk" {
		return t.ID
	}
	return v.field(t, name)
}

// show makes of a thing what the contract shows: its fields but for the
// secret ones, its key, and what its category adds.
func (v *view) show(ctx context.Context, t object.Thing) (map[string]any, error) {
	k := kindOf(t)
	out := map[string]any{keyName(k): t.ID}
	for _, f := range k.Fields() {
		if !f.Secret {
			out[f.Name] = v.field(t, f.Name)
		}
	}
	adorn := peculiarityOf(k.Category).adorn
	if adorn == nil {
		return out, nil
	}
	if err := adorn(ctx, v, k, t, out); err != nil {
		return nil, fmt.Errorf("show %s %s: %w", k.Model, t.ID, err)
	}
	return out, nil
}

// keyName is what the contract calls the primary key of a kind.
func keyName(k catalog.Kind) string {
	if _, isField := k.Field(k.Key); k.Key == "" || isField {
		return "pk"
	}
	return k.Key
}

// forms adds what the contract says about the kind of a stage or a policy.
func forms(k catalog.Kind, out map[string]any) {
	maps.Copy(out, map[string]any{
		"component": k.Form, "verbose_name": k.Name, "verbose_name_plural": k.Plural, "meta_model_name": k.Model,
	})
}

// text returns a field that holds a text, "" when it does not.
func text(t object.Thing, field string) string {
	s, _ := t.Fields[field].(string)
	return s
}
