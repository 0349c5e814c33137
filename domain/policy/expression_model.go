package policy

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/expr"
	"github.com/flowledger/flowledger/domain/user"
)

// A model is a class of what expressions can look up.
type model struct {
	name   string
	fields map[string]fieldKind
	alias  map[string]string
	// pushes lists by field the operators that the directory knows. What it
	// does not is compared here, among the rows that it returns.
	pushes  map[string]string
	find    func(ctx context.Context, e *evaluation, by map[string]any, limit int) ([]row, int, error)
	missing *expr.Class
	several *expr.Class
}

// A row is an object of a model.
type row interface {
	expr.Value
	expr.Attrs
	field(name string) any // as plain data; []row for a relation
	lookupName() string    // in records of look-ups
}

const (
	texts  = "exact in contains startswith endswith"
	folded = texts + " iexact icontains istartswith iendswith"
	orders = "gt gte lt lte"
)

var userModel = &model{
	name: "User",
	fields: map[string]fieldKind{
		"pk": numberField, "username": textField, "name": textField, "email": textField, "type": textField, "path": textField,
		"uuid": textField, "is_active": truthField, "is_superuser": truthField, "attributes": documentField, "groups": groupsField,
		"date_joined": momentField, "last_login": momentField, "password_change_date": momentField,
	},
	alias: map[string]string{"id": "pk", "ak_groups": "groups"},
	pushes: map[string]string{
		"pk": "exact in " + orders, "username": folded, "email": folded, "name": texts, "type": texts, "path": texts, "uuid": "exact in",
		"is_active": "exact", "is_superuser": "exact", "groups__name": "exact in", "groups__pk": "exact in",
		"date_joined": orders, "last_login": orders, "password_change_date": orders,
	},
	find: func(ctx context.Context, e *evaluation, by map[string]any, limit int) ([]row, int, error) {
		found, total, err := e.q.Env.Directory.Users(ctx, by, limit)
		rows := make([]row, len(found))
		for i, p := range found {
			rows[i] = &person{Person: p, e: e}
		}
		return rows, total, err
	},
	missing: expr.ObjectDoesNotExist.Derive("DoesNotExist"),
	several: expr.MultipleObjectsReturned.Derive("MultipleObjectsReturned"),
}

var groupModel = &model{
	name: "Group",
	fields: map[string]fieldKind{
		"pk": textField, "name": textField, "is_superuser": truthField, "attributes": documentField,
		"parents": keysField, "children": keysField, "users": keysField,
	},
	alias: map[string]string{"group_uuid": "pk", "id": "pk"},
	pushes: map[string]string{
		"pk": "exact in", "name": folded, "is_superuser": "exact", "parents": "exact in", "children": "exact in", "users": "exact in",
	},
	find: func(ctx context.Context, e *evaluation, by map[string]any, limit int) ([]row, int, error) {
		found, total, err := e.q.Env.Directory.Groups(ctx, by, limit)
		return groupRows(e, found), total, err
	},
	missing: expr.ObjectDoesNotExist.Derive("DoesNotExist"),
	several: expr.MultipleObjectsReturned.Derive("MultipleObjectsReturned"),
}

func groupRows(e *evaluation, of []user.Group) []row {
	rows := make([]row, len(of))
	for i, g := range of {
		rows[i] = &group{Group: g, e: e}
	}
	return rows
}

// choices lists the fields that can be looked up.
func (m *model) choices() string {
	return strings.Join(slices.Sorted(maps.Keys(m.fields)), ", ")
}

// Type implements [expr.Value].
func (*model) Type() string { return "ModelBase" }

// Text implements [expr.Texter].
func (m *model) Text() string { return "<class 'authentik.core.models." + m.name + "'>" }

// Contains implements [expr.Container]: it is what isinstance asks.
func (m *model) Contains(v expr.Value) (bool, error) { return v.Type() == m.name, nil }

// Attr implements [expr.Attrs].
func (m *model) Attr(name string) (expr.Value, bool) {
	switch name {
	case "objects":
		return manager{m}, true
	case "DoesNotExist":
		return m.missing, true
	case "MultipleObjectsReturned":
		return m.several, true
	}
	return nil, false
}

// Call implements [expr.Callable].
func (m *model) Call(*expr.Call) (expr.Value, error) {
	return nil, expr.Raise("TypeError", "expressions cannot make objects of the class %s; a user write stage can make users", m.name)
}

// A manager is the objects of a model: what queries begin with.
type manager struct{ m *model }

// Type implements [expr.Value].
func (manager) Type() string { return "Manager" }

// Attr implements [expr.Attrs].
func (o manager) Attr(name string) (expr.Value, bool) {
	if _, ok := queryMethods[name]; !ok && !changes[name] {
		return nil, false
	}
	return expr.Builtin(name, func(c *expr.Call) (expr.Value, error) {
		e := running(c)
		if e == nil {
			return nil, expr.Raise("RuntimeError", "%s.objects is for policies and prompts", o.m.name)
		}
		return (&query{e: e, m: o.m, call: o.m.name + ".objects"}).method(name, c)
	}), true
}
