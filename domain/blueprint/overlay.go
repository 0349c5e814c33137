package blueprint

import (
	"maps"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// An overlay is what exists with the intended changes on top.
type overlay struct {
	under   View
	touched map[string]*thing
	known   map[string]Object // of the models that were looked up
	shelves map[string]*shelf // by model, each filled when it is first needed
	mine    map[string]*shelf // by model, what is touched
	clock   int
	// targets maps the second identifiers of things that policies can be bound
	// to; it is made when one is first needed.
	targets map[string]string
}

var _ View = (*overlay)(nil)

// A thing is an object that the document touches.
type thing struct {
	Object
	gone      bool
	secrets   map[string]domain.Secret
	cascadeOf string
	by        *entry
	touchedAt int // order of the changes: the first touch, but a removal when it happens
}

func newOverlay(under View) *overlay {
	v := &overlay{under: under, touched: map[string]*thing{}, mine: map[string]*shelf{}}
	v.forget()
	return v
}

// forget drops what was read from below, for it has changed.
func (v *overlay) forget() {
	v.known, v.shelves, v.targets = map[string]Object{}, map[string]*shelf{}, nil
}

// shelf returns the shelf of a kind.
func (v *overlay) shelf(kind catalog.Kind) *shelf {
	if s, ok := v.shelves[kind.Model]; ok {
		return s
	}
	s := newShelf(kind)
	v.shelves[kind.Model] = s
	for _, o := range v.under.All(kind.Model) {
		v.known[o.PK] = o
		if _, over := v.touched[o.PK]; !over {
			s.add(o)
		}
	}
	for _, t := range v.touched {
		if t.Model == kind.Model {
			s.add(t.Object)
		}
	}
	return s
}

// own returns the shelf of the touched things of a model.
func (v *overlay) own(model string) *shelf {
	if v.mine[model] == nil {
		kind, _ := catalog.Lookup(model)
		v.mine[model] = newShelf(kind)
	}
	return v.mine[model]
}

// candidates returns the keys of what can match all hints. Where what is below
// can be asked for a value, it need not tell all that it has.
func (v *overlay) candidates(kind catalog.Kind, hints []hint) []string {
	under, can := v.under.(Finder)
	if _, filled := v.shelves[kind.Model]; filled || !can {
		return v.shelf(kind).candidates(hints)
	}
	for _, h := range hints {
		found, ok := under.Having(kind.Model, h.field, h.value)
		if !ok {
			continue
		}
		keys := slices.Clone(v.own(kind.Model).candidates(hints))
		for _, o := range found {
			if _, over := v.touched[o.PK]; !over {
				v.known[o.PK], keys = o, append(keys, o.PK)
			}
		}
		return keys
	}
	return v.shelf(kind).candidates(hints)
}

// Having implements [Finder].
func (v *overlay) Having(model, field string, value any) ([]Object, bool) {
	h, ok := hintOf(field, value)
	if !ok {
		return nil, false
	}
	return v.find(model, []hint{h}, func(o Object) bool { return has(o, h) }), true
}

// Get implements [View].
func (v *overlay) Get(ref, pk string) (Object, bool) {
	t, ok := v.touched[pk]
	if !ok {
		return v.under.Get(ref, pk)
	}
	return t.Object, !t.gone && isOf(t.Model, ref)
}

func isOf(model, ref string) bool {
	kind, ok := catalog.Lookup(model)
	return ok && kind.Match(ref)
}

// All implements [View].
func (v *overlay) All(model string) []Object {
	return v.find(model, nil, func(Object) bool { return true })
}

// find returns the things that match among those that have the values of the
// hints, the lowest primary key first.
func (v *overlay) find(ref string, hints []hint, match func(Object) bool) []Object {
	var out []Object
	for _, kind := range kindsOf(ref) {
		for _, pk := range v.candidates(kind, hints) {
			o := v.known[pk]
			if t, over := v.touched[pk]; over {
				if t.gone {
					continue
				}
				o = t.Object
			}
			if match(o) {
				out = append(out, o)
			}
		}
	}
	slices.SortFunc(out, byKey)
	return out
}

func byKey(a, b Object) int {
	switch {
	case lessKey(a.PK, b.PK):
		return -1
	case a.PK == b.PK:
		return 0
	}
	return 1
}

// first returns the match with the lowest key.
func (v *overlay) first(ref string, hints []hint, match func(Object) bool) (Object, bool) {
	if all := v.find(ref, hints, match); len(all) > 0 {
		return all[0], true
	}
	return Object{}, false
}

// Used implements [View].
func (v *overlay) Used(pk string) bool {
	_, over := v.touched[pk]
	return over || v.under.Used(pk)
}

// SameSecret implements [View].
func (v *overlay) SameSecret(pk, field string, secret domain.Secret) bool {
	if t, over := v.touched[pk]; over {
		if mine, set := t.secrets[field]; set {
			return mine.Equal(secret)
		}
	}
	return v.under.SameSecret(pk, field, secret)
}

// ownKey turns the second identifier of a target into its primary key. Any
// other id comes back as it is.
func (v *overlay) ownKey(id string) string {
	if _, ok := v.Get("target", id); ok {
		return id
	}
	if v.targets == nil {
		v.targets = map[string]string{}
		for _, o := range v.All("target") {
			v.targets[targetID(o)] = o.PK
		}
	}
	if own, ok := v.targets[id]; ok {
		return own
	}
	return id
}

// touch notes that the document names a thing. The fields are still those of
// the view, and not to be written.
func (v *overlay) touch(e *entry, o Object) *thing {
	if t, ok := v.touched[o.PK]; ok {
		return t
	}
	v.clock++
	t := &thing{Object: o, by: e, touchedAt: v.clock, secrets: map[string]domain.Secret{}}
	v.touched[o.PK] = t
	v.own(o.Model).add(o)
	if s, filled := v.shelves[o.Model]; filled {
		if _, there := v.known[o.PK]; !there {
			s.add(o)
		}
	}
	if v.targets != nil && isTarget(o) {
		v.targets[targetID(o)] = o.PK
	}
	return t
}

// put sets fields of a thing, which is new or there already.
func (v *overlay) put(e *entry, o Object, set map[string]any, secrets map[string]domain.Secret) *thing {
	var changed []string
	for name, secret := range secrets {
		if !v.SameSecret(o.PK, name, secret) {
			changed = append(changed, name)
		}
	}
	t := v.touch(e, o)
	t.Fields = maps.Clone(t.Fields)
	maps.Copy(t.Fields, set)
	for _, name := range changed {
		t.secrets[name] = secrets[name]
	}
	v.own(t.Model).note(t.Object)
	if s, filled := v.shelves[t.Model]; filled {
		s.note(t.Object)
	}
	return t
}

// remove ends a thing. What cannot be without it ends before it; other
// references to it are taken out.
func (v *overlay) remove(e *entry, o Object, cascadeOf string) {
	t := v.touch(e, o)
	if t.gone {
		return
	}
	t.gone, t.cascadeOf, t.by = true, cascadeOf, e // first, so that circles end
	kind, _ := catalog.Lookup(o.Model)
	for _, other := range catalog.All() {
		for _, f := range other.Fields() {
			if f.Type == catalog.Reference && kind.Match(f.Ref) {
				v.unlink(e, o, other, f)
			}
		}
	}
	v.clock++
	t.touchedAt = v.clock
}

// unlink deals with the things whose field f refers to o. A binding has no
// meaning without either of its ends.
func (v *overlay) unlink(e *entry, o Object, kind catalog.Kind, f catalog.Field) {
	key := keyValue(o)
	refers := func(other Object) bool {
		return slices.ContainsFunc(listOf(other.Fields[f.Name]), func(pk any) bool { return same(pk, key) })
	}
	var hints []hint
	if h, ok := hintOf(f.Name, key); ok {
		hints = append(hints, h)
	}
	for _, other := range v.find(kind.Model, hints, refers) {
		switch {
		case kind.Category == catalog.StageBinding || kind.Category == catalog.PolicyBinding || !f.Many && !f.Nullable:
			v.remove(e, other, o.PK)
		case f.Many:
			rest := slices.DeleteFunc(slices.Clone(listOf(other.Fields[f.Name])), func(pk any) bool { return same(pk, key) })
			v.put(e, other, map[string]any{f.Name: rest}, nil)
		default:
			v.put(e, other, map[string]any{f.Name: nil}, nil)
		}
	}
}

// changes compares what was with what is intended.
func (v *overlay) changes() []Change {
	things := slices.SortedFunc(maps.Values(v.touched), func(a, b *thing) int { return a.touchedAt - b.touchedAt })
	var out []Change
	for _, t := range things {
		if c, ok := v.change(t); ok {
			out = append(out, c)
		}
	}
	return out
}

func (v *overlay) change(t *thing) (Change, bool) {
	before, existed := v.under.Get(t.Model, t.PK)
	kind, _ := catalog.Lookup(t.Model)
	c := Change{
		Model: t.Model, PK: t.PK, Name: object.NameOf(kind, t.Fields), CascadeOf: t.cascadeOf,
		Entry: t.by.number, EntryID: t.by.id,
	}
	switch {
	case t.gone: // a thing that the document made itself was never there
		c.Action, c.Previous = Removed, before.Fields
		return c, existed
	case !existed:
		c.Action, c.Set = Created, maps.Clone(t.Fields)
	default:
		c.Action, c.Set, c.Previous = Updated, map[string]any{}, map[string]any{}
		for _, f := range kind.Fields() {
			if now, set := t.Fields[f.Name]; set && !sameField(f, before.Fields[f.Name], now) {
				c.Set[f.Name], c.Previous[f.Name] = now, before.Fields[f.Name]
			}
		}
	}
	for name, secret := range t.secrets {
		c.Set[name] = secret
	}
	if existed && len(c.Set) == 0 {
		c.Action = Unchanged
	}
	return c, true
}

// absorb takes over what another overlay on this one intends.
func (v *overlay) absorb(other *overlay) {
	for pk, t := range other.touched {
		if _, known := v.touched[pk]; known {
			v.own(t.Model).note(t.Object)
		} else {
			v.own(t.Model).add(t.Object)
		}
		v.touched[pk] = t
	}
	v.forget()
}
