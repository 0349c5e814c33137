package blueprint

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
)

// A wish is one entry of an ordinary model on its way to what it asks for.
type wish struct {
	run   *run
	entry *entry
	kind  catalog.Kind
	state string

	oldKey      string   // the primary key as the file writes it, or empty
	identifiers *mapping // resolved, old keys replaced
	found       Object
	exists      bool
}

// grant looks the thing up and does what the state demands.
func (w *wish) grant() error {
	data, err := w.gather()
	if w.state == "absent" {
		if f, ok := errors.AsType[*fault](err); ok && !f.limit {
			return nil // what cannot be named need not be removed
		}
		if err == nil && w.exists {
			w.run.things.remove(w.entry, w.found, "")
		}
		return err
	}
	if err != nil {
		return err
	}
	set, secrets, err := w.clean(data)
	if err != nil {
		return err
	}
	// What exists is validated in every state, even if it is then left alone.
	var t *thing
	switch {
	case !w.exists:
		t = w.create(set, secrets)
	case w.state == "must_created" && !w.mine():
		return faultf("State is set to must_created and object exists already")
	case w.state == "created" && !w.mine():
		t = w.run.things.touch(w.entry, w.found)
	default:
		t = w.run.things.put(w.entry, w.found, set, secrets)
	}
	return w.remember(t)
}

// gather resolves the entry and finds the thing that it means.
func (w *wish) gather() (map[string]any, error) {
	if err := w.identify(); err != nil {
		return nil, err
	}
	if err := w.lookup(); err != nil {
		return nil, err
	}
	attrs := newMapping()
	for _, key := range w.entry.attrs.keys {
		v, err := w.run.walk(w.entry.attrs.values[key])
		if err != nil {
			return nil, inField(key, err)
		}
		attrs.set(key, w.run.replaced(w.kind, key, v))
	}
	merged, err := w.run.deepMerge(attrs, w.identifiers)
	if err != nil {
		return nil, err
	}
	data := map[string]any{}
	for key, v := range merged.(*mapping).values {
		// Old files carry names that the kind lost, and exports of old versions
		// fields that could never be set; both are passed over.
		if _, known := w.kind.Field(key); !known && !outdated(key) {
			continue
		}
		if data[key], err = w.run.plain(v); err != nil {
			return nil, inField(key, err)
		}
		if data[key] == nil && w.exists && w.keepsSecret(key) {
			delete(data, key)
		}
	}
	modernise(w.kind, data)
	if w.run.doc.lenient {
		unquoted(w.kind, data)
	}
	if w.run.doc.legacy && !w.exists {
		w.run.doc.complete(w.kind, w.entry.number, data)
	}
	return data, nil
}

// keepsSecret tells whether null leaves a field as it is: a secret that cannot
// be null. An export does not know it, and is to be applied where it is known.
func (w *wish) keepsSecret(name string) bool {
	f, _ := w.kind.Field(name)
	return f.Secret && !f.Nullable
}

// inField says which field a fault is about.
func inField(name string, err error) error {
	if f, ok := errors.AsType[*fault](err); ok && f.field == "" {
		f.field = name
	}
	return err
}

// identify resolves the identifiers.
func (w *wish) identify() error {
	w.identifiers = newMapping()
	for _, key := range w.entry.identifiers.keys {
		v, err := w.run.walk(w.entry.identifiers.values[key])
		if err != nil {
			return inField(key, err)
		}
		if m, ok := v.(*mapping); ok {
			if pk, there := m.get("pk"); there {
				v = pk
			}
		}
		if key == "pk" && v != nil {
			w.oldKey = pyString(v)
		}
		w.identifiers.set(key, w.run.replaced(w.kind, key, v))
	}
	if len(w.identifiers.keys) == 0 {
		return faultf("No or invalid identifiers")
	}
	return nil
}

// lookup finds the existing thing: the one with the primary key or one that
// all other identifiers describe, the lowest key first.
func (w *wish) lookup() error {
	things := w.run.things
	var tests []*test
	for _, key := range w.identifiers.keys {
		value, err := w.run.plain(w.identifiers.values[key])
		if err != nil {
			return inField(key, err)
		}
		if key == "pk" {
			err = w.lookupKey(value)
		} else {
			var t *test
			if t, err = things.newTest(w.kind.Model, key, value); err == nil {
				t.within = true
				tests = append(tests, t)
			}
		}
		if f, ok := errors.AsType[*fault](err); ok && f.message != "" {
			return identifierFault(key, f)
		}
	}
	if len(tests) == 0 {
		return nil
	}
	o, found := things.first(w.kind.Model, hintsOf(tests), func(o Object) bool { return things.matchAll(tests, o) })
	if found && (!w.exists || lessKey(o.PK, w.found.PK)) {
		w.found, w.exists = o, true
	}
	return nil
}

// identifierFault words a fault of an identifier; the one about a name that is
// no field has a beginning of its own.
func identifierFault(key string, f *fault) error {
	if f.field == "" {
		f.field = key
	}
	if strings.HasPrefix(f.message, "Cannot resolve keyword") {
		f.message = "Invalid identifier field: " + f.message
	}
	return f
}

// lookupKey finds the thing with the primary key that the file gives.
func (w *wish) lookupKey(value any) error {
	if value == nil {
		return nil
	}
	id, fault := catalog.Field{Type: catalog.Reference, Ref: string(w.kind.Category)}.Clean(value)
	if fault != "" {
		return faultf("%s", fault)
	}
	key := keyString(id)
	w.found, w.exists = w.run.things.Get(w.kind.Model, key)
	w.identifiers.values["pk"] = key
	return nil
}

// create makes the thing with the primary key of the file, or with a fresh
// one where that cannot be had.
func (w *wish) create(set map[string]any, secrets map[string]domain.Secret) *thing {
	o := Object{Model: w.kind.Model, Fields: defaults(w.kind)}
	maps.Copy(o.Fields, set)
	if given, _ := w.identifiers.get("pk"); given != nil && !w.run.things.Used(given.(string)) {
		o.PK = given.(string)
	} else if w.kind.IntegerKey() {
		o.PK = strconv.Itoa(w.run.env.NextUserPK())
	} else {
		o.PK = w.newID()
	}
	return w.run.things.put(w.entry, o, set, secrets)
}

// newID is the primary key that the entry gives a new thing.
func (w *wish) newID() string {
	return w.run.env.NewID(fmt.Sprintf("%s#%d", w.run.instance, w.entry.number))
}

// mine tells whether the thing that exists was made by this entry, before a
// crash interrupted the import: whatever the state says, it is to be finished.
func (w *wish) mine() bool {
	if w.kind.IntegerKey() {
		return w.run.env.MadeUser != nil && w.run.env.MadeUser(w.found.PK)
	}
	return w.found.PK == w.newID()
}

// remember lets later entries find the thing. Permissions on it are refused, for
// one that was left out silently would be believed in.
func (w *wish) remember(t *thing) error {
	if w.oldKey != "" {
		w.run.oldKeys[w.oldKey] = keyValue(t.Object)
	}
	if _, taken := w.run.ids[w.entry.id]; w.entry.id != "" && !taken {
		w.run.ids[w.entry.id] = t.Object
	}
	if len(w.entry.permissions) > 0 {
		return inField("permissions", faultf("There are no permissions on single objects: give the role a permission on all objects of the model, in the entry of the role."))
	}
	return nil
}
