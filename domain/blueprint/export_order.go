package blueprint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// settle gives a part its place in the file, behind everything that it refers
// to. Where things refer to each other in a circle, one of them gets the
// reference later, by an entry of its own at the end of the file.
func (x *exporter) settle(p *part) {
	if p.state != waiting {
		return
	}
	p.state = underWay
	for _, f := range p.kind.Fields() {
		for _, to := range x.referred(p, f) {
			x.settle(to)
			if to.state == underWay && !slices.Contains(p.later, f.Name) {
				p.later = append(p.later, f.Name)
			}
		}
	}
	p.postpone()
	p.state = placed
	if x.redundant(p) {
		delete(x.parts, p.PK)
		return
	}
	x.order = append(x.order, p)
	p.id = x.newName(p)
}

// postpone leaves for later what makes no sense without what comes later, such
// as what to do with a stage that is not known yet.
func (p *part) postpone() {
	for len(p.later) > 0 {
		fields := defaults(p.kind)
		for _, f := range p.kind.Fields() {
			if v, there := p.Fields[f.Name]; there && !slices.Contains(p.later, f.Name) {
				fields[f.Name] = v
			}
		}
		known := len(p.later)
		for name := range p.kind.Validate(fields) {
			f, isField := p.kind.Field(name)
			if isField && !f.Required && !slices.Contains(p.later, name) && !slices.Contains(p.identifiers(), name) {
				p.later = append(p.later, name)
			}
		}
		if len(p.later) == known {
			break
		}
	}
	place := func(name string) int {
		return slices.IndexFunc(p.kind.Fields(), func(f catalog.Field) bool { return f.Name == name })
	}
	slices.SortFunc(p.later, func(a, b string) int { return place(a) - place(b) })
}

// referred lists the parts that a field refers to. Groups have only a name.
func (x *exporter) referred(p *part, f catalog.Field) []*part {
	if f.Type != catalog.Reference || p.kind.Category == catalog.Group {
		return nil
	}
	var out []*part
	for _, key := range listOf(p.Fields[f.Name]) {
		if to, ok := x.parts[keyString(key)]; ok && f.Ref != string(catalog.User) {
			out = append(out, to)
		}
	}
	return out
}

// redundant looks for a binding of the same group or user with the same order
// on the same target, which nothing forbids. Those that differ in how they act
// are identified by that, too. Of those that do not, one says it all.
func (x *exporter) redundant(p *part) bool {
	if p.kind.Category != catalog.PolicyBinding || p.Fields["policy"] != nil {
		return false
	}
	for _, q := range x.order {
		if q.Model != p.Model {
			continue
		}
		like := func(name string) bool { return same(q.Fields[name], p.Fields[name]) }
		if !like("target") || !like("order") || !like("group") || !like("user") || q.Fields["policy"] != nil {
			continue
		}
		if !slices.ContainsFunc(conductFields, func(name string) bool { return !like(name) }) {
			q.remarks = append(q.remarks, "The same binding is there once more, which makes no difference.")
			return true
		}
		q.more, p.more = conductFields, conductFields
	}
	return false
}

// prefixes begin the ids of entries.
var prefixes = map[catalog.Category]string{catalog.StageBinding: "binding", catalog.PolicyBinding: "policy-binding"}

// newName makes an id for a part's entry that can be read, and is unique.
func (x *exporter) newName(p *part) string {
	prefix := prefixes[p.kind.Category]
	if prefix == "" {
		prefix = string(p.kind.Category)
	}
	about := p.name
	if p.kind.Category == catalog.StageBinding {
		flow, stage := x.parts[keyString(p.Fields["target"])], x.parts[keyString(p.Fields["stage"])]
		if flow != nil && stage != nil {
			about = flow.name + "-" + stage.name
		}
	}
	id := prefix + "-" + plainWord(about)
	for n := 2; x.names[id]; n++ {
		id = fmt.Sprintf("%s-%s-%d", prefix, plainWord(about), n)
	}
	x.names[id] = true
	return id
}

// maxWord bounds what of a name gets into an id.
const maxWord = 80

// plainWord is what is left of a name in lower case letters and digits.
func plainWord(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9')
	})
	word := strings.Join(words, "-")
	if word == "" {
		return "x"
	}
	return strings.TrimRight(word[:min(len(word), maxWord)], "-")
}

// identifiers lists the fields that find a part on another instance.
func (p *part) identifiers() []string {
	if p.kind.Category != catalog.PolicyBinding {
		if len(p.kind.Natural) > 0 {
			return p.kind.Natural[0]
		}
		return []string{"pk"}
	}
	// A user who is not there leaves a null, which must not find the bindings
	// that have no user for another reason.
	names := []string{"target", "policy", "order"}
	switch {
	case p.Fields["group"] != nil:
		names = []string{"target", "group", "order"}
	case p.Fields["user"] != nil:
		names = []string{"target", "policy", "group", "user", "order"}
	}
	return slices.Concat(names, p.more)
}

// attributes lists the other fields of a part, in the order of its kind.
func (p *part) attributes() []string {
	if p.Model == object.GroupModel {
		return nil
	}
	var names []string
	for _, f := range p.kind.Fields() {
		if !slices.Contains(p.identifiers(), f.Name) && !slices.Contains(p.later, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}
