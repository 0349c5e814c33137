package blueprint

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// An Exported is a flow as a blueprint.
type Exported struct {
	Text  []byte
	Count int // of the things in it
}

// Export writes the flow with the primary key as a blueprint that an empty
// instance can import (spec/product.md 3, row 15): the flow and everything that
// it refers to, directly or through others, under natural keys. The same things
// give the same text, whatever their primary keys are.
//
// Flows that stages lead to are in it with all that is theirs. Of groups there
// is the name, for who is in them is no matter of the flow; users are only
// named. Secrets are asked for in the context of the import.
func Export(view View, flow string) (Exported, error) {
	root, ok := view.Get(object.FlowModel, flow)
	if !ok {
		return Exported{}, domain.Errorf(domain.NotFound, "There is no such flow.")
	}
	x := &exporter{view: view, parts: map[string]*part{}, names: map[string]bool{}}
	x.gather(root)
	for _, p := range x.sorted() {
		x.settle(p)
	}
	return Exported{Text: x.write(), Count: len(x.order)}, nil
}

// An exporter writes one flow.
type exporter struct {
	view    View
	root    *part
	parts   map[string]*part // by primary key
	order   []*part          // in which the file has them
	names   map[string]bool  // ids of entries that are taken
	missing []string         // what the file cannot have, for its head
}

// A part is a thing that becomes an entry.
type part struct {
	Object
	kind    catalog.Kind
	rank    int
	name    string // that it is ordered by
	id      string // of its entry
	named   bool   // others refer to the entry
	state   int
	more    []string // fields that identify it beside the usual ones
	remarks []string
	later   []string // fields whose values come after it in the file
}

// The states of a part on its way into the file.
const (
	waiting = iota
	underWay
	placed
)

// ranks is the order of the file. What bindings place comes before them.
var ranks = []catalog.Category{
	catalog.Flow, catalog.Group, catalog.Prompt, catalog.Policy, catalog.Stage, catalog.StageBinding, catalog.PolicyBinding,
}

// having lists the things of a model that have a text in a field.
func (x *exporter) having(model, field, text string) []Object {
	if finder, ok := x.view.(Finder); ok {
		if found, ok := finder.Having(model, field, text); ok {
			return found
		}
	}
	var out []Object
	for _, o := range x.view.All(model) {
		if o.Fields[field] == text {
			out = append(out, o)
		}
	}
	return out
}

// gather collects the root and all that can be reached from it.
func (x *exporter) gather(root Object) {
	x.root = x.add(root)
	for queue := []*part{x.root}; len(queue) > 0; queue = queue[1:] {
		for _, o := range x.reached(queue[0]) {
			if p := x.add(o); p != nil {
				queue = append(queue, p)
			}
		}
	}
}

// add makes a part of a thing. It returns nil for what is no part of a flow,
// and for what is one already.
func (x *exporter) add(o Object) *part {
	kind, ok := catalog.Lookup(o.Model)
	rank := slices.Index(ranks, kind.Category)
	if _, there := x.parts[o.PK]; !ok || there || rank < 0 {
		return nil
	}
	o.Fields = mapsOver(defaults(kind), o.Fields)
	p := &part{Object: o, kind: kind, rank: rank, name: naturalName(kind, o)}
	x.parts[o.PK] = p
	return p
}

// mapsOver is base with over on top. Things that were made before their kind
// got a field do not have it.
func mapsOver(base, over map[string]any) map[string]any {
	maps.Copy(base, over)
	return base
}

// naturalName is the text that a thing is known by, or empty.
func naturalName(kind catalog.Kind, o Object) string {
	if len(kind.Natural) > 0 && len(kind.Natural[0]) == 1 {
		text, _ := o.Fields[kind.Natural[0][0]].(string)
		return text
	}
	return ""
}

// reached lists what a part leads to: what is bound to it, what its fields
// refer to, and the policies that its expressions call.
func (x *exporter) reached(p *part) []Object {
	if p.kind.Category == catalog.Group {
		return nil
	}
	var out []Object
	if p.kind.Category == catalog.Flow {
		out = x.having(object.StageBindingModel, "target", p.PK)
	}
	if p.kind.Match("target") {
		out = slices.Concat(out, x.having(object.PolicyBindingModel, "target", p.PK))
	}
	for _, f := range p.kind.Fields() {
		v := p.Fields[f.Name]
		if f.Type == catalog.Reference {
			for _, key := range listOf(v) {
				if o, ok := x.view.Get(f.Ref, keyString(key)); ok {
					out = append(out, o)
				}
			}
		}
		if text, ok := v.(string); ok {
			out = append(out, x.called(text)...)
		}
	}
	return out
}

// calls finds the policies that an expression calls by a name in quotes.
var calls = regexp.MustCompile(`\bak_call_policy\(\s*(?:name\s*=\s*)?(?:"([^"\\\n]+)"|'([^'\\\n]+)')`)

func (x *exporter) called(text string) []Object {
	var out []Object
	for _, m := range calls.FindAllStringSubmatch(text, -1) {
		for _, kind := range kindsOf(string(catalog.Policy)) {
			out = append(out, x.having(kind.Model, "name", cmp.Or(m[1], m[2]))...)
		}
	}
	return out
}

// sorted lists all parts in an order that does not depend on primary keys: by
// category, by flow, and by name.
func (x *exporter) sorted() []*part {
	for _, p := range x.parts {
		if p.kind.Category == catalog.StageBinding {
			p.name = rankOf(p.Fields["order"]) + " " + x.nameOf(p.Fields["stage"])
		}
	}
	for _, p := range x.parts {
		if p.kind.Category == catalog.PolicyBinding {
			p.name = x.place(p.Fields["target"]) + " " + rankOf(p.Fields["order"]) + " " + x.bindee(p)
		}
	}
	return slices.SortedFunc(maps.Values(x.parts), func(a, b *part) int {
		return cmp.Or(
			cmp.Compare(a.rank, b.rank), cmp.Compare(x.flowOf(a), x.flowOf(b)), cmp.Compare(a.name, b.name),
			cmp.Compare(fmt.Sprint(conduct(a)), fmt.Sprint(conduct(b))), cmp.Compare(a.PK, b.PK),
		)
	})
}

// rankOf writes an order, which is an integer of 32 bits, so that texts are
// ordered as the numbers are.
func rankOf(order any) string {
	n, _ := number(order)
	return fmt.Sprintf("%010.0f", n+1<<31)
}

// flowOf orders what belongs to a flow by the flow, the exported one first.
func (x *exporter) flowOf(p *part) string {
	for p.kind.Category == catalog.StageBinding || p.kind.Category == catalog.PolicyBinding {
		target, ok := x.parts[keyString(p.Fields["target"])]
		if !ok {
			return ""
		}
		p = target
	}
	if p.kind.Category != catalog.Flow || p == x.root {
		return ""
	}
	return p.name
}

// nameOf is the name of another part.
func (x *exporter) nameOf(key any) string {
	if p, ok := x.parts[keyString(key)]; ok {
		return p.name
	}
	return ""
}

// place orders policy bindings by their target: flows come before bindings.
func (x *exporter) place(target any) string {
	if p, ok := x.parts[keyString(target)]; ok {
		return fmt.Sprint(p.rank, " ", p.name)
	}
	return ""
}

// bindee is what a policy binding places on its target.
func (x *exporter) bindee(p *part) string {
	for _, name := range []string{"policy", "group", "user"} {
		if v := p.Fields[name]; v != nil {
			if name != "user" {
				return name + " " + x.nameOf(v)
			}
			u, _ := x.view.Get(string(catalog.User), keyString(v))
			return fmt.Sprint(name, " ", u.Fields["username"])
		}
	}
	return ""
}

// conduct is how a policy binding acts, which tells bindings of the same group
// or user apart.
func conduct(p *part) []any {
	var out []any
	for _, name := range conductFields {
		out = append(out, p.Fields[name])
	}
	return out
}

var conductFields = []string{"negate", "enabled", "timeout", "failure_result"}
