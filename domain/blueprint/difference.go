package blueprint

import (
	"fmt"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// A Difference tells people what becomes of a thing that a blueprint touches:
// of what is new the fields that are not as by default, of what is updated the
// fields that change. Other things are called by their names, and secrets are
// not shown.
type Difference struct {
	Action Action
	Model  string
	Title  string
	Lines  []string
}

// String is the difference without its lines.
func (d Difference) String() string { return fmt.Sprintf("%-9s %s %s", d.Action, d.Model, d.Title) }

// Differences tells of changes. The view is that of before or after: it is
// asked for the names of what the changes refer to.
func Differences(view View, changes []Change) []Difference {
	w := teller{view: view, changed: map[string]Change{}}
	for _, c := range changes {
		w.changed[c.PK] = c
	}
	out := make([]Difference, 0, len(changes))
	for _, c := range changes {
		o := w.thing(c.Model, c.PK)
		out = append(out, Difference{Action: c.Action, Model: c.Model, Title: w.title(o, 0), Lines: w.lines(c)})
	}
	return out
}

// A teller puts things into words.
type teller struct {
	view    View
	changed map[string]Change
}

// thing is what a primary key leads to, as far as it is known: from the view,
// or from the changes themselves.
func (w *teller) thing(ref, pk string) Object {
	o, ok := w.view.Get(ref, pk)
	c, changed := w.changed[pk]
	switch {
	case ok && !changed:
		return o
	case !changed:
		return Object{PK: pk}
	case ok:
		return Object{Model: o.Model, PK: pk, Fields: mapsOver(mapsOver(map[string]any{}, o.Fields), c.Set)}
	case c.Action == Removed:
		return Object{Model: c.Model, PK: pk, Fields: c.Previous}
	}
	return Object{Model: c.Model, PK: pk, Fields: c.Set}
}

// maxTitles is how deep titles are made of titles: a binding's of those of its
// target and what it places there.
const maxTitles = 2

// title is what a thing is called.
func (w *teller) title(o Object, depth int) string {
	kind, _ := catalog.Lookup(o.Model)
	if name := naturalName(kind, o); name != "" {
		return quoted(name)
	}
	if name := object.NameOf(kind, o.Fields); name != "" {
		return quoted(name)
	}
	var parts []string
	for _, name := range []string{"target", "order", "stage", "policy", "group", "user"} {
		v := o.Fields[name]
		f, _ := kind.Field(name)
		switch {
		case v == nil || depth > maxTitles:
		case f.Type == catalog.Reference:
			parts = append(parts, w.title(w.thing(f.Ref, keyString(v)), depth+1))
		default:
			parts = append(parts, flow(v))
		}
	}
	if len(parts) == 0 {
		return quoted(o.PK)
	}
	return strings.Join(parts, " / ")
}

// mask stands for every secret.
const mask = "********"

// lines tells what becomes of the fields.
func (w *teller) lines(c Change) []string {
	if c.Action != Created && c.Action != Updated {
		return nil
	}
	kind, _ := catalog.Lookup(c.Model)
	standard := kind.Defaults()
	var out []string
	for _, f := range kind.Fields() {
		now, set := c.Set[f.Name]
		before := c.Previous[f.Name]
		_, secret := now.(domain.Secret)
		switch {
		case !set:
		case secret:
			out = append(out, f.Name+": "+mask)
		case c.Action == Created && same(now, standard[f.Name]):
		case c.Action == Created:
			out = append(out, w.value(f, now)...)
		default:
			out = append(out, w.both(f, before, now)...)
		}
	}
	return out
}

// value shows a field.
func (w *teller) value(f catalog.Field, v any) []string {
	text, isText := v.(string)
	if !isText || !strings.Contains(text, "\n") {
		return []string{f.Name + ": " + w.flat(f, v)}
	}
	out := []string{f.Name + ":"}
	for line := range strings.SplitSeq(text, "\n") {
		out = append(out, "  "+visible(line))
	}
	return out
}

// both shows a field as it was and as it is: texts of several lines line by
// line.
func (w *teller) both(f catalog.Field, before, now any) []string {
	a, isText := before.(string)
	b, bothTexts := now.(string)
	if !isText || !bothTexts || !strings.Contains(a+b, "\n") {
		return []string{f.Name + ": " + w.flat(f, before) + " → " + w.flat(f, now)}
	}
	out := []string{f.Name + ":"}
	for _, line := range lineDiff(a, b) {
		out = append(out, "  "+visible(line))
	}
	return out
}

// maxShown is how much of a value on one line is shown.
const maxShown = 200

// flat shows a value on one line.
func (w *teller) flat(f catalog.Field, v any) string {
	if f.Type == catalog.Reference && v != nil {
		var names []string
		for _, key := range listOf(v) {
			names = append(names, w.title(w.thing(f.Ref, keyString(key)), 1))
		}
		if f.Many {
			return "[" + strings.Join(names, ", ") + "]"
		}
		return strings.Join(names, ", ")
	}
	text := []rune(flow(v))
	if len(text) > maxShown {
		return string(text[:maxShown]) + "…"
	}
	return string(text)
}

// visible shows a line to a terminal without obeying it.
func visible(line string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && escaped(r) {
			return '\ufffd'
		}
		return r
	}, line)
}
