package blueprint

import (
	"fmt"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// write makes the text of what is in order.
func (x *exporter) write() []byte {
	body := &sheet{}
	for _, p := range x.order {
		for _, f := range p.kind.Fields() {
			for _, to := range x.referred(p, f) {
				to.named = true
			}
		}
	}
	for _, p := range x.order {
		x.first(body, p)
	}
	for _, p := range x.order {
		if len(p.later) > 0 {
			body.comment(1, "Things refer to each other in a circle here, so what leads back comes last.")
			x.entry(body, p, "", p.later)
		}
	}
	head := &sheet{}
	head.comment(0, "The flow "+x.root.name+" with everything that it refers to.")
	for _, text := range x.missing {
		head.comment(0, text)
	}
	head.line(0, "version: 1")
	head.line(0, "metadata:")
	head.pair(1, "name", "Flow "+x.root.name)
	head.line(1, "labels:")
	head.pair(2, "blueprints.goauthentik.io/generated", "true")
	head.line(0, "entries:")
	return append(head.Bytes(), body.Bytes()...)
}

// first writes the entry that makes a part.
func (x *exporter) first(s *sheet, p *part) {
	for _, text := range p.remarks {
		s.comment(1, text)
	}
	if p.Model == object.GroupModel {
		s.comment(1, "Only the name: who is in a group, and what it may do, is no matter of the flow.")
	}
	id := ""
	if p.named || len(x.secrets(p)) > 0 {
		id = p.id
	}
	x.entry(s, p, id, p.attributes())
}

// entry writes an entry that sets some fields of a part.
func (x *exporter) entry(s *sheet, p *part, id string, names []string) {
	s.line(1, "- model: "+p.Model)
	if id != "" {
		s.line(2, "id: "+id)
	}
	if p.Model == object.GroupModel {
		s.line(2, "state: created")
	}
	s.line(2, "identifiers:")
	for _, name := range p.identifiers() {
		x.field(s, p, name)
	}
	if len(names) == 0 {
		return
	}
	s.line(2, "attrs:")
	for _, name := range names {
		x.field(s, p, name)
	}
}

// secrets lists the secret fields of a part that are set, or have to be.
func (x *exporter) secrets(p *part) []string {
	var out []string
	for _, f := range p.kind.Fields() {
		if f.Secret && (f.Required || !x.view.SameSecret(p.PK, f.Name, domain.NewSecret(""))) {
			out = append(out, f.Name)
		}
	}
	return out
}

// field writes one field of a part.
func (x *exporter) field(s *sheet, p *part, name string) {
	f, known := p.kind.Field(name)
	v := p.Fields[name]
	switch {
	case !known: // pk, of a kind without natural keys
		s.pair(3, name, keyValue(p.Object))
	case f.Secret:
		x.secret(s, p, f)
	case f.Type != catalog.Reference:
		s.pair(3, name, v)
	case f.Many:
		list := []any{}
		for _, key := range listOf(v) {
			if ref := x.reference(s, f, key); ref != nil {
				list = append(list, ref)
			}
		}
		s.pair(3, name, list)
	case v == nil:
		s.pair(3, name, nil)
	default:
		s.pair(3, name, x.reference(s, f, v))
	}
}

// secret writes where the value of a secret field is to come from.
func (x *exporter) secret(s *sheet, p *part, f catalog.Field) {
	if !slices.Contains(x.secrets(p), f.Name) {
		return
	}
	key := p.id + "." + f.Name
	s.comment(3, f.Name+" is secret and not in this file: give it as "+key+" in the context of the import.")
	s.pair(3, f.Name, contextRef(key))
	x.missing = append(x.missing, fmt.Sprintf("Not in this file is the secret %s of the %s %s. Where that does not exist yet, the context of the import has to have %s.",
		f.Name, p.kind.Name, quoted(p.name), key))
}

// reference is how the file refers to a thing, or nil if there is none.
func (x *exporter) reference(s *sheet, f catalog.Field, key any) any {
	pk := keyString(key)
	if to, ok := x.parts[pk]; ok && f.Ref != string(catalog.User) {
		return keyOfRef(to.id)
	}
	o, ok := x.view.Get(f.Ref, pk)
	if !ok {
		s.comment(3, f.Name+" referred to something that is not there any more.")
		return nil
	}
	kind, _ := catalog.Lookup(o.Model)
	name := naturalName(kind, o)
	if name == "" {
		s.comment(3, f.Name+" refers to a "+kind.Name+", which is known only by its primary key.")
		return keyValue(o)
	}
	text := fmt.Sprintf("Not in this file is the %s %s. It has to be there before the import.", kind.Name, quoted(name))
	if !slices.Contains(x.missing, text) {
		x.missing = append(x.missing, text)
	}
	return findRef{model: o.Model, field: kind.Natural[0][0], value: name}
}
