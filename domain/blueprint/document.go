package blueprint

import (
	"bytes"
	"errors"
	"fmt"
)

// A Document is a blueprint whose structure is sound. Its tags are parsed and
// not resolved.
type Document struct {
	File   string
	Name   string            // of the metadata; empty without any
	Labels map[string]string // of the metadata

	legacy  bool           // of the time before blueprints: a JSON bundle, or what is to be read like one
	lenient bool           // faults of hand-made files are put right
	prompts map[int]string // names of prompt fields that have none, by the number of the entry
	context *mapping
	entries []entry
}

// Len returns the number of entries.
func (d *Document) Len() int { return len(d.entries) }

// An entry is one wished-for object as it is written.
type entry struct {
	number      int // from 1
	line        int
	id          string
	model       any // string or *tag
	identifiers *mapping
	attrs       *mapping
	state       any // string or *tag
	conditions  []any
	permissions []*mapping
}

// Parse reads a blueprint, or a legacy flow export, and checks its structure
// (spec/blueprints.md 1). The file's name is for errors only. The error is an
// [*Error].
func Parse(file string, text []byte) (*Document, error) {
	d := &Document{File: file, legacy: bytes.HasPrefix(bytes.TrimSpace(text), []byte("{"))}
	if err := d.parse(text); err != nil {
		err.File = file
		return nil, err
	}
	return d, nil
}

func (d *Document) parse(text []byte) *Error {
	if len(text) > MaxText {
		return &Error{Message: fmt.Sprintf("the document has more than %d bytes", MaxText)}
	}
	value, err := load(text)
	if err != nil {
		return err
	}
	root, ok := value.(*mapping)
	if !ok {
		return &Error{Line: 1, Message: "a blueprint is a mapping with version and entries"}
	}
	if version, given := root.get("version"); given && version != int64(1) {
		return &Error{Line: root.line("version"), Message: "Invalid blueprint version"}
	}
	if err := d.metadata(root); err != nil {
		return err
	}
	if v, given := root.get("context"); given {
		if d.context, ok = v.(*mapping); !ok {
			return wrong(root, "context", "a mapping")
		}
	}
	if v, given := root.get("entries"); given {
		return d.sections(root, v)
	}
	return nil
}

// wrong refuses the type of a key's value.
func wrong(m *mapping, key, want string) *Error {
	return &Error{Line: m.line(key), Field: key, Message: fmt.Sprintf("wrong type for %q, it should be %s", key, want)}
}

func (d *Document) metadata(root *mapping) *Error {
	v, _ := root.get("metadata")
	if v == nil {
		return nil
	}
	meta, ok := v.(*mapping)
	if !ok {
		return wrong(root, "metadata", "a mapping")
	}
	name, given := meta.get("name")
	if d.Name, ok = name.(string); !ok {
		if !given {
			return &Error{Line: root.line("metadata"), Field: "name", Message: `missing value for "metadata.name"`}
		}
		return wrong(meta, "name", "a text")
	}
	v, given = meta.get("labels")
	if !given {
		return nil
	}
	labels, ok := v.(*mapping)
	if !ok {
		return wrong(meta, "labels", "a mapping")
	}
	d.Labels = map[string]string{}
	for _, key := range labels.keys {
		if d.Labels[key], ok = labels.values[key].(string); !ok {
			return wrong(labels, key, "a text in quotes")
		}
	}
	return nil
}

// sections reads the entries: a list, or lists under names without a meaning.
func (d *Document) sections(root *mapping, v any) *Error {
	sections, ok := v.(*mapping)
	if !ok {
		sections = newMapping()
		sections.set("entries", v)
		sections.lines = root.lines
	}
	for _, name := range sections.keys {
		list, ok := sections.values[name].([]any)
		if !ok {
			return wrong(sections, name, "a list of entries")
		}
		if len(d.entries)+len(list) > MaxEntries {
			return &Error{Line: sections.line(name), Message: fmt.Sprintf("the document has more than %d entries", MaxEntries)}
		}
		for _, item := range list {
			e := entry{number: len(d.entries) + 1, state: "present"}
			if err := e.read(item); err != nil {
				err.Entry, err.EntryID = e.number, e.id
				err.Model, _ = e.model.(string)
				if err.Line == 0 {
					err.Line = e.line
				}
				return err
			}
			d.entries = append(d.entries, e)
		}
	}
	return nil
}

// read takes an entry from its mapping.
func (e *entry) read(v any) *Error {
	m, ok := v.(*mapping)
	if !ok {
		return &Error{Message: "an entry is a mapping with a model"}
	}
	for _, line := range m.lines {
		if e.line == 0 || line < e.line {
			e.line = line
		}
	}
	e.model, _ = m.get("model")
	if v, given := m.get("id"); given && v != nil {
		if e.id, ok = v.(string); !ok {
			return wrong(m, "id", "a text")
		}
	}
	if err := wantText(m, "model", true); err != nil {
		return err
	}
	if v, given := m.get("state"); given {
		if e.state = v; !isTag(v) && !knownState(v) {
			return &Error{Line: m.line("state"), Field: "state", Message: fmt.Sprintf("%s is not a valid state", pyRepr(v))}
		}
	}
	e.identifiers, e.attrs = newMapping(), newMapping()
	if v, given := m.get("identifiers"); given {
		if e.identifiers, ok = v.(*mapping); !ok {
			return wrong(m, "identifiers", "a mapping")
		}
	}
	if v, given := m.get("attrs"); given && v != nil {
		if e.attrs, ok = v.(*mapping); !ok {
			return wrong(m, "attrs", "a mapping")
		}
	}
	if v, given := m.get("conditions"); given {
		if e.conditions, ok = v.([]any); !ok {
			return wrong(m, "conditions", "a list")
		}
	}
	return e.readPermissions(m)
}

func (e *entry) readPermissions(m *mapping) *Error {
	v, given := m.get("permissions")
	if !given {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		return wrong(m, "permissions", "a list")
	}
	for _, item := range list {
		p, ok := item.(*mapping)
		if !ok {
			return wrong(m, "permissions", "a list of mappings")
		}
		if err := wantText(p, "permission", true); err != nil {
			return err
		}
		if err := wantText(p, "role", false); err != nil {
			return err
		}
		if user, _ := p.get("user"); user != nil && !isTag(user) {
			if _, ok := user.(int64); !ok {
				return wrong(p, "user", "an integer")
			}
		}
		e.permissions = append(e.permissions, p)
	}
	return nil
}

// wantText refuses what is neither a text nor a tag.
func wantText(m *mapping, key string, required bool) *Error {
	v, given := m.get(key)
	switch _, isText := v.(string); {
	case isText || isTag(v):
		return nil
	case !given && required:
		return &Error{Field: key, Message: fmt.Sprintf("missing value for %q", key)}
	case v == nil && !required:
		return nil
	}
	return wrong(m, key, "a text")
}

func isTag(v any) bool {
	_, ok := v.(*tag)
	return ok
}

// asError completes what went wrong in an entry with its place.
func (d *Document) asError(e *entry, model string, err error) *Error {
	out := &Error{File: d.File, Line: e.line, Entry: e.number, EntryID: e.id, Model: model, Message: err.Error()}
	if f, ok := errors.AsType[*fault](err); ok && f.field != "" {
		out.Field = f.field
		for _, m := range []*mapping{e.attrs, e.identifiers} {
			if line := m.line(f.field); line > 0 {
				out.Line = line
			}
		}
	}
	return out
}
