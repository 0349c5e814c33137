package policy

import (
	"strings"

	"github.com/flowledger/flowledger/domain/expr"
	"github.com/flowledger/flowledger/domain/user"
)

// attributes is an object that has attributes and nothing else.
type attributes struct {
	name   string
	fields map[string]expr.Value
}

// Type implements [expr.Value].
func (a attributes) Type() string { return a.name }

// Attr implements [expr.Attrs].
func (a attributes) Attr(name string) (expr.Value, bool) {
	v, ok := a.fields[name]
	return v, ok
}

// person is a user as expressions see one.
type person struct {
	user.Person
	backend string
	e       *evaluation
}

// Type implements [expr.Value].
func (*person) Type() string { return "User" }

// Text implements [expr.Texter].
func (p *person) Text() string { return p.Username }

// Equal implements [expr.Equaler].
func (p *person) Equal(other expr.Value) bool {
	o, ok := other.(*person)
	return ok && o.ID == p.ID && o.Username == p.Username
}

// Attr implements [expr.Attrs]. There is a backend only where something proved
// the user in this execution, which policies ask for with hasattr.
func (p *person) Attr(name string) (expr.Value, bool) {
	switch name {
	case "backend":
		return expr.Str(p.backend), p.backend != ""
	case "pk", "id":
		if !p.Exists() {
			return expr.None, true
		}
		return expr.Int(p.Key), true
	case "uuid":
		return expr.Str(p.ID), true
	case "username":
		return expr.Str(p.Username), true
	case "name":
		return expr.Str(p.Name), true
	case "email":
		return expr.Str(p.Email), true
	case "type":
		return expr.Str(p.Person.Type), true
	case "path":
		return expr.Str(p.Path), true
	case "attributes":
		return expr.FromGo(plain(p.Attributes)), true
	}
	return p.more(name)
}

func (p *person) more(name string) (expr.Value, bool) {
	known := p.Username != "" // also somebody who does not exist, as in the contract
	switch name {
	case "is_active":
		return expr.Bool(p.Active), true
	case "is_superuser":
		return expr.Bool(p.Superuser), true
	case "is_authenticated":
		return expr.Bool(known), true
	case "is_anonymous":
		return expr.Bool(!known), true
	case "groups", "ak_groups":
		return &groups{p.Groups}, true
	case "all_groups":
		return expr.Builtin(name, func(*expr.Call) (expr.Value, error) { return &groups{p.Groups}, nil }), true
	case "group_attributes":
		return expr.Builtin(name, func(*expr.Call) (expr.Value, error) { return expr.FromGo(plain(p.merged())), nil }), true
	case "has_usable_password":
		return expr.Builtin(name, func(*expr.Call) (expr.Value, error) { return expr.Bool(p.Usable), nil }), true
	}
	return nil, false
}

func (p *person) merged() map[string]any {
	if p.GroupAttributes != nil {
		return p.GroupAttributes
	}
	if p.Attributes != nil {
		return p.Attributes
	}
	return map[string]any{}
}

// groups are a user's groups, to be filtered and counted.
type groups struct{ all []user.Group }

// Type implements [expr.Value].
func (*groups) Type() string { return "QuerySet" }

// Items implements [expr.Iterable].
func (g *groups) Items() []expr.Value {
	items := make([]expr.Value, len(g.all))
	for i, one := range g.all {
		items[i] = attributes{"Group", map[string]expr.Value{"pk": expr.Str(one.ID), "name": expr.Str(one.Name)}}
	}
	return items
}

// Len implements [expr.Lengther].
func (g *groups) Len() int { return len(g.all) }

// Attr implements [expr.Attrs].
func (g *groups) Attr(name string) (expr.Value, bool) {
	var fn func(c *expr.Call) (expr.Value, error)
	switch name {
	case "all":
		fn = func(*expr.Call) (expr.Value, error) { return g, nil }
	case "exists":
		fn = func(*expr.Call) (expr.Value, error) { return expr.Bool(len(g.all) > 0), nil }
	case "count":
		fn = func(*expr.Call) (expr.Value, error) { return expr.Int(len(g.all)), nil }
	case "first":
		fn = func(*expr.Call) (expr.Value, error) {
			if len(g.all) == 0 {
				return expr.None, nil
			}
			return g.Items()[0], nil
		}
	case "filter":
		fn = func(c *expr.Call) (expr.Value, error) { return g.filter(c.Named) }
	default:
		return nil, false
	}
	return expr.Builtin(name, fn), true
}

// filter keeps the groups that meet all conditions.
func (g *groups) filter(conditions []expr.Named) (expr.Value, error) {
	kept := &groups{}
	for _, one := range g.all {
		ok := true
		for _, c := range conditions {
			meets, err := meetsGroup(one, c)
			if err != nil {
				return nil, err
			}
			ok = ok && meets
		}
		if ok {
			kept.all = append(kept.all, one)
		}
	}
	return kept, nil
}

func meetsGroup(g user.Group, c expr.Named) (bool, error) {
	value := text(c.Value)
	switch c.Name {
	case "name":
		return g.Name == value, nil
	case "name__iexact":
		return strings.EqualFold(g.Name, value), nil
	case "name__startswith":
		return strings.HasPrefix(g.Name, value), nil
	case "name__contains":
		return strings.Contains(g.Name, value), nil
	case "name__in":
		items, ok := c.Value.(expr.Iterable)
		if !ok {
			return false, expr.Raise("TypeError", "name__in wants a list")
		}
		for _, item := range items.Items() {
			if g.Name == text(item) {
				return true, nil
			}
		}
		return false, nil
	case "pk", "group_uuid":
		return g.ID == value, nil
	}
	return false, expr.Raise("FieldError", "Cannot resolve keyword '%s' into field. Choices are: name, pk", c.Name)
}

// flowPlan is the plan as expressions see it.
type flowPlan struct{ e *evaluation }

// Type implements [expr.Value].
func (*flowPlan) Type() string { return "FlowPlan" }

// Attr implements [expr.Attrs].
func (f *flowPlan) Attr(name string) (expr.Value, bool) {
	switch name {
	case "context":
		return f.e.plan, true
	case "flow_pk":
		return expr.Str(strings.ReplaceAll(f.e.q.Plan.Flow.ID, "-", "")), true
	case "redirect":
		return expr.Builtin(name, func(c *expr.Call) (expr.Value, error) {
			args, err := c.Bind("destination")
			if err != nil {
				return nil, err
			}
			f.e.redirect = append(f.e.redirect, text(args[0]))
			return expr.None, nil
		}), true
	}
	return nil, false
}
