package blueprint

import (
	"github.com/flowledger/flowledger/domain/catalog"
)

// dependency is metaapplyblueprint (spec/blueprints.md 4): it applies another
// instance, whose failure is its own affair. Each instance is applied once,
// which also ends circles.
func (r *run) dependency(e *entry) error {
	attrs, err := r.walkMapping(e.attrs)
	if err != nil {
		return err
	}
	var problems catalog.Problems
	identifiers, given := attrs.get("identifiers")
	m, ok := identifiers.(*mapping)
	switch {
	case !given:
		problems.Add("identifiers", "This field is required.")
	case !ok:
		problems.Add("identifiers", "Value must be a dictionary.")
	}
	required := true
	if v, given := attrs.get("required"); given {
		if required, ok = v.(bool); !ok {
			problems.Add("required", "Must be a valid boolean.")
		}
	}
	if err := serializerFault(problems); err != nil {
		return err
	}
	wanted, err := r.plain(m)
	if err != nil {
		return err
	}
	var instance Instance
	found := false
	if r.env.Instance != nil {
		instance, found = r.env.Instance(wanted.(map[string]any))
	}
	switch {
	case !found && required:
		problems.Add("identifiers", "Required blueprint does not exist")
		return serializerFault(problems)
	case !found:
		r.note("info", "Blueprint does not exist, but not required", map[string]any{"identifiers": wanted})
		return nil
	case !instance.Enabled || r.app.asked[instance.ID]:
		return nil
	}
	r.app.asked[instance.ID] = true // before it runs, or a circle would not end
	r.app.apply(instance)
	r.things.forget()
	return nil
}

// apply resolves an instance on what exists, not on what the document that
// asked for it intends: the instance is committed first, and stands alone.
func (a *application) apply(instance Instance) {
	done := Dependency{Instance: instance.ID}
	d, err := Parse(instance.File, instance.Text)
	if err != nil {
		done.Err = err
		a.applied = append(a.applied, done)
		return
	}
	things, logs, fail := a.resolve(d, instance.ID, instance.Context)
	done.Changes, done.Logs = things.list(), logs
	if fail != nil {
		done.Err = fail
	} else {
		a.base.absorb(things)
	}
	a.applied = append(a.applied, done)
}
