package policy

import (
	"github.com/flowledger/flowledger/domain/expr"
	"github.com/flowledger/flowledger/domain/user"
)

// group is a group as expressions see one.
type group struct {
	user.Group
	e *evaluation
}

// Type implements [expr.Value].
func (*group) Type() string { return "Group" }

// Text implements [expr.Texter].
func (g *group) Text() string { return g.Name }

// Equal implements [expr.Equaler].
func (g *group) Equal(other expr.Value) bool {
	o, ok := other.(*group)
	return ok && o.ID == g.ID
}

func (g *group) lookupName() string { return g.Name }

// field implements [row].
func (g *group) field(name string) any {
	switch name {
	case "pk":
		return g.ID
	case "name":
		return g.Name
	case "is_superuser":
		return g.Superuser
	case "attributes":
		return anyMap(g.Attributes)
	}
	return nil
}

// Attr implements [expr.Attrs].
func (g *group) Attr(name string) (expr.Value, bool) {
	switch name {
	case "pk", "group_uuid":
		return expr.Str(g.ID), true
	case "attributes":
		return fromPlain(anyMap(g.Attributes)), true
	case "parents":
		return g.related(groupModel, "children"), true
	case "children":
		return g.related(groupModel, "parents"), true
	case "users":
		return g.related(userModel, "groups"), true
	case "is_member":
		return expr.Builtin(name, func(c *expr.Call) (expr.Value, error) {
			args, err := c.Bind("user")
			if err != nil {
				return nil, err
			}
			p, ok := args[0].(*person)
			return expr.Bool(ok && p.Member(g.ID)), nil
		}), true
	}
	if kind, ok := groupModel.fields[name]; ok && kind != keysField {
		return expr.FromGo(g.field(name)), true
	}
	if changes[name] {
		return expr.Builtin(name, func(*expr.Call) (expr.Value, error) { return nil, unchangeable(name) }), true
	}
	return nil, false
}

// related is a query for what stands in a relation to the group.
func (g *group) related(m *model, relation string) expr.Value {
	c, err := m.condition(relation, g.ID)
	if err != nil {
		panic(err) // the relations are our own
	}
	return &query{e: g.e, m: m, given: []condition{c}, call: "group " + g.Name + "." + m.name + "s"}
}
