package blueprint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/catalog"
)

// An application resolves a document and what it depends on.
type application struct {
	env     Env
	budget  budget
	base    *overlay // what exists, with what dependencies change
	asked   map[string]bool
	applied []Dependency
}

// A run resolves one document.
type run struct {
	resolver
	app      *application
	doc      *Document
	instance string // ID of the instance that the document is from
	oldKeys  map[string]any
	logs     []LogEvent
}

// Resolve works out what the document asks for, given what exists. It changes
// nothing itself. On an error, which is an [*Error], there are no changes;
// Result then has the log, and the dependencies that were applied before.
func (d *Document) Resolve(view View, env Env) (Result, error) {
	if env.Context[LenientKey] == true {
		d = d.relaxed()
	}
	app := &application{env: env, base: newOverlay(view), asked: map[string]bool{env.Self: true}}
	changes, logs, err := app.resolve(d, env.Self, env.Context)
	result := Result{Dependencies: app.applied, Changes: changes.list(), Logs: logs}
	if err != nil {
		return result, err
	}
	return result, nil
}

// list is nil-safe, for documents that failed.
func (v *overlay) list() []Change {
	if v == nil {
		return nil
	}
	return v.changes()
}

// resolve runs one document on an overlay of its own.
func (a *application) resolve(d *Document, instance string, context map[string]any) (*overlay, []LogEvent, *Error) {
	r := &run{app: a, doc: d, instance: instance, oldKeys: map[string]any{}}
	r.resolver = resolver{budget: &a.budget, env: a.env, things: newOverlay(a.base), ids: map[string]Object{}}
	r.resolver.log = func(event string, attributes map[string]any) { r.note("warning", event, attributes) }
	own := d.context
	if own == nil {
		own = newMapping()
	}
	merged := valueOf(builtins())
	// The document wins over the built-in context, and the caller over both.
	for _, over := range []any{own, valueOf(anyMap(context))} {
		var err error
		if merged, err = r.deepMerge(merged, over); err != nil {
			return nil, r.logs, d.asError(&entry{}, "", err)
		}
	}
	r.context = merged.(*mapping)
	for i := range d.entries {
		e := &d.entries[i]
		model, err := r.entry(e)
		if err != nil {
			r.noteFailure(model, err)
			fault := d.asError(e, model, err)
			fault.Hint = clip(strings.Join(r.missed, "; "))
			return nil, r.logs, fault
		}
	}
	return r.things, r.logs, nil
}

func anyMap(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func (r *run) note(level, event string, attributes map[string]any) {
	r.logs = append(r.logs, LogEvent{Level: level, Event: event, Attributes: attributes})
}

// errNoModel is the one fault that the log shows in its own words.
var errNoModel = errors.New("App or Model does not exist") //lint:ignore ST1005 the contract's words

func (r *run) noteFailure(model string, err error) {
	if errors.Is(err, errNoModel) {
		r.note("warning", err.Error(), splitModel(model))
		return
	}
	r.note("warning", "Entry invalid: "+err.Error(), nil)
}

// entry processes one entry in the order of spec/blueprints.md 3.2. It returns
// the model's name for errors.
func (r *run) entry(e *entry) (string, error) {
	r.missed = nil
	r.binding = false // the model itself is resolved as in any other entry
	// A model that nobody knows is an error even where a condition would skip
	// the entry, or where it should be absent.
	value, err := r.direct(e.model)
	if err != nil {
		return "", err
	}
	model := pyString(value)
	name := canonical(model)
	kind, supported := catalog.Lookup(name)
	if !supported && !isKnown(name) && !isBase(name) {
		return model, errNoModel
	}
	r.binding = kind.Category == catalog.PolicyBinding
	if skip, err := r.skipped(e, model); err != nil || skip {
		return model, err
	}
	state, err := r.state(e)
	if err != nil {
		return model, err
	}
	switch {
	case name == metaModel:
		return model, r.dependency(e)
	case !supported && state == "absent" && !isBase(name):
		return model, nil // nothing of the kind can be there
	case !supported:
		return model, modelFault(model)
	}
	w := &wish{run: r, entry: e, kind: kind, state: state}
	return model, w.grant()
}

// skipped tells whether a condition keeps the entry from being processed.
func (r *run) skipped(e *entry, model string) (bool, error) {
	for _, c := range e.conditions {
		v, err := r.walk(c)
		if err != nil {
			return false, err
		}
		if !truth(v) {
			why := "a condition does not hold"
			if len(r.missed) > 0 {
				why += ": " + strings.Join(r.missed, "; ")
			}
			r.note("info", fmt.Sprintf("skipped   %s, entry %d in line %d: %s", model, e.number, e.line, clip(why)), nil)
			return true, nil
		}
	}
	return false, nil
}

var states = []string{"present", "created", "must_created", "absent"}

func knownState(v any) bool {
	text, ok := v.(string)
	return ok && slices.Contains(states, text)
}

func (r *run) state(e *entry) (string, error) {
	v, err := r.direct(e.state)
	if err != nil {
		return "", err
	}
	if !knownState(v) {
		return "", &fault{field: "state", message: pyRepr(v) + " is not a valid state"}
	}
	return v.(string), nil
}

// replaced exchanges primary keys of the file for the actual ones: the value
// itself, or one level below it. Integers are keys only where users are
// referred to.
func (r *run) replaced(kind catalog.Kind, name string, v any) any {
	if len(r.oldKeys) == 0 {
		return v
	}
	f, _ := kind.Field(name)
	one := func(v any) any {
		switch v := v.(type) {
		case string:
			if now, ok := r.oldKeys[v]; ok {
				return now
			}
		case int64:
			if now, ok := r.oldKeys[pyRepr(v)]; ok && (f.Ref == string(catalog.User) || name == "pk") {
				return now
			}
		}
		return v
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = one(v[i])
		}
		return out
	case *mapping:
		out := newMapping()
		for _, key := range v.keys {
			out.set(key, one(v.values[key]))
		}
		return out
	}
	return one(v)
}

// nameOf is the name that problems of uniqueness call a kind by.
func nameOf(kind catalog.Kind) string {
	switch kind.Category {
	case catalog.Stage:
		return "stage"
	case catalog.Policy:
		return "Policy"
	}
	return kind.Name
}

// defaults are the fields of a new thing, secret ones apart.
func defaults(kind catalog.Kind) map[string]any {
	out := kind.Defaults()
	for _, f := range kind.Fields() {
		if f.Secret {
			delete(out, f.Name)
		}
	}
	return out
}
