package policy

import (
	"strconv"
	"strings"

	"github.com/flowledger/flowledger/domain/expr"
)

// queryMethods are what queries can be asked and made into.
var queryMethods = map[string]func(q *query, c *expr.Call) (expr.Value, error){
	"all":              func(q *query, c *expr.Call) (expr.Value, error) { return q.with("all()"), bare(c) },
	"distinct":         func(q *query, _ *expr.Call) (expr.Value, error) { return q, nil },
	"select_related":   func(q *query, _ *expr.Call) (expr.Value, error) { return q, nil },
	"prefetch_related": func(q *query, _ *expr.Call) (expr.Value, error) { return q, nil },
	"iterator":         func(q *query, _ *expr.Call) (expr.Value, error) { return q, nil },
	"none":             func(q *query, c *expr.Call) (expr.Value, error) { return expr.NewList(), bare(c) },
	"filter":           (*query).filter,
	"exclude":          (*query).exclude,
	"get":              (*query).get,
	"order_by":         (*query).orderBy,
	"exists":           (*query).exists,
	"count":            (*query).counted,
	"first":            (*query).first,
	"last":             (*query).last,
	"values_list":      (*query).valuesList,
	"values":           (*query).values,
}

// changes are methods by which the original program writes. They exist only
// to say what to do instead.
var changes = map[string]bool{
	"create": true, "get_or_create": true, "update_or_create": true, "bulk_create": true, "update": true, "delete": true,
	"add": true, "remove": true, "set": true, "clear": true, "save": true, "set_password": true, "set_unusable_password": true,
}

func unchangeable(name string) error {
	return expr.Raise("RuntimeError", "%s() would change users or groups, which expressions cannot; a user write stage can", name)
}

// Attr implements [expr.Attrs].
func (q *query) Attr(name string) (expr.Value, bool) {
	if _, ok := queryMethods[name]; !ok && !changes[name] {
		return nil, false
	}
	return expr.Builtin(name, func(c *expr.Call) (expr.Value, error) { return q.method(name, c) }), true
}

func (q *query) method(name string, c *expr.Call) (expr.Value, error) {
	fn, ok := queryMethods[name]
	if !ok {
		return nil, unchangeable(name)
	}
	// What is made of a query repeats all that it was made of.
	if err := c.Grow(400 + len(q.call) + 80*(len(q.given)+len(q.without))); err != nil {
		return nil, err
	}
	return fn(q, c)
}

func bare(c *expr.Call) error {
	_, err := c.Bind()
	return err
}

// conditions reads the arguments of a call.
func (q *query) conditions(c *expr.Call) ([]condition, error) {
	if len(c.Args) > 0 {
		return nil, expr.Raise("TypeError", "%s() takes conditions like name=value, and no Q objects", c.Name)
	}
	if q.sliced {
		return nil, expr.Raise("TypeError", "Cannot filter a query once a slice has been taken.")
	}
	out := make([]condition, len(c.Named))
	for i, n := range c.Named {
		value, err := operand(n.Value)
		if err != nil {
			return nil, err
		}
		if out[i], err = q.m.condition(n.Name, value); err != nil {
			return nil, err
		}
	}
	return out, c.Grow(200 * len(out))
}

func (q *query) filter(c *expr.Call) (expr.Value, error) {
	given, err := q.conditions(c)
	if err != nil {
		return nil, err
	}
	out := q.with("filter(" + q.e.arguments(c.Named) + ")")
	out.given = append(out.given, given...)
	return out, out.comparable()
}

// comparable refuses what neither the directory nor this program can compare:
// relations of groups are known to the directory only.
func (q *query) comparable() error {
	_, rest, _ := q.whole()
	if q.local != nil {
		rest = q.given
	}
	for _, left := range q.without {
		rest = append(rest, left...)
	}
	for _, c := range rest {
		if q.m.fields[c.field] == keysField {
			return expr.FieldError.Raise("Unsupported lookup for field '%s' here: only Group.objects.filter() has it, and once", c.field)
		}
	}
	return nil
}

func (q *query) exclude(c *expr.Call) (expr.Value, error) {
	left, err := q.conditions(c)
	if err != nil {
		return nil, err
	}
	out := q.with("exclude(" + q.e.arguments(c.Named) + ")")
	if len(left) > 0 {
		out.without = append(out.without, left)
	}
	return out, out.comparable()
}

func (q *query) get(c *expr.Call) (expr.Value, error) {
	v, err := q.filter(c)
	if err != nil {
		return nil, err
	}
	one := v.(*query)
	one.call = q.call + ".get(" + q.e.arguments(c.Named) + ")"
	rows, err := one.load(2)
	if err != nil {
		return nil, err
	}
	q.e.lookAt(one, foundRows(rows))
	switch len(rows) {
	case 0:
		return nil, q.m.missing.Raise("%s matching query does not exist.", q.m.name)
	case 1:
		return rows[0], nil
	}
	return nil, q.m.several.Raise("get() returned more than one %s -- it returned more than 1!", q.m.name)
}

func (q *query) orderBy(c *expr.Call) (expr.Value, error) {
	out := q.with("order_by(" + q.e.values(c.Args) + ")")
	out.order = nil
	for _, a := range c.Args {
		name := text(a)
		field, minus := strings.CutPrefix(name, "-")
		if other, ok := q.m.alias[field]; ok {
			field = other
		}
		switch kind, ok := q.m.fields[field]; {
		case !ok:
			return nil, expr.FieldError.Raise("Cannot resolve keyword '%s' into field. Choices are: %s", name, q.m.choices())
		case kind == documentField || kind == groupsField || kind == keysField:
			return nil, expr.FieldError.Raise("Nothing can be put in order by '%s'", name)
		}
		if minus {
			field = "-" + field
		}
		out.order = append(out.order, field)
	}
	return out, nil
}

func (q *query) exists(c *expr.Call) (expr.Value, error) {
	if err := bare(c); err != nil {
		return nil, err
	}
	var n int
	rows, err := q.load(1)
	n = len(rows)
	q.e.lookAt(q.with("exists()"), strconv.FormatBool(n > 0))
	return expr.Bool(n > 0), err
}

func (q *query) counted(c *expr.Call) (expr.Value, error) {
	if err := bare(c); err != nil {
		return nil, err
	}
	n, err := q.count()
	if err == nil {
		q.e.lookAt(q.with("count()"), strconv.Itoa(n))
	}
	return expr.Int(n), err
}

func (q *query) first(c *expr.Call) (expr.Value, error) {
	if err := bare(c); err != nil {
		return nil, err
	}
	rows, err := q.load(1)
	if err != nil {
		return nil, err
	}
	q.e.lookAt(q.with("first()"), foundRows(rows))
	if len(rows) == 0 {
		return expr.None, nil
	}
	return rows[0], nil
}

func (q *query) last(c *expr.Call) (expr.Value, error) {
	if err := bare(c); err != nil {
		return nil, err
	}
	rows, err := q.load(0)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		q.e.lookAt(q.with("last()"), foundRows(nil))
		return expr.None, nil
	}
	q.e.lookAt(q.with("last()"), foundRows(rows[len(rows)-1:]))
	return rows[len(rows)-1], nil
}

// valuesList returns fields instead of objects.
func (q *query) valuesList(c *expr.Call) (expr.Value, error) {
	flat := false
	for _, n := range c.Named {
		if n.Name != "flat" {
			return nil, expr.Raise("TypeError", "values_list() got an unexpected keyword argument '%s'", n.Name)
		}
		flat = expr.Truth(n.Value)
	}
	if flat && len(c.Args) != 1 {
		return nil, expr.Raise("TypeError", "'flat' is not valid when values_list is called with more than one field.")
	}
	return q.picked(c, func(values []expr.Value, _ []string) expr.Value {
		if flat {
			return values[0]
		}
		return expr.Tuple(values)
	})
}

func (q *query) values(c *expr.Call) (expr.Value, error) {
	return q.picked(c, func(values []expr.Value, names []string) expr.Value {
		d := expr.NewDict()
		for i, name := range names {
			d.Set(name, values[i])
		}
		return d
	})
}

// picked makes a list of what the rows have in some fields.
func (q *query) picked(c *expr.Call, shape func([]expr.Value, []string) expr.Value) (expr.Value, error) {
	if len(c.Args) == 0 {
		return nil, expr.Raise("TypeError", "%s() wants the names of fields", c.Name)
	}
	names := make([]string, len(c.Args))
	for i, a := range c.Args {
		names[i] = text(a)
		if kind, ok := q.m.fields[q.m.field(names[i])]; !ok || kind == groupsField || kind == keysField {
			return nil, expr.FieldError.Raise("Cannot resolve keyword '%s' into field. Choices are: %s", names[i], q.m.choices())
		}
	}
	rows, err := q.Fetch()
	if err != nil {
		return nil, err
	}
	if err := c.Grow(len(rows) * (64 + 48*len(names))); err != nil {
		return nil, err
	}
	out := make([]expr.Value, len(rows))
	for i, r := range rows {
		values := make([]expr.Value, len(names))
		for j, name := range names {
			values[j], _ = r.(row).Attr(name)
		}
		out[i] = shape(values, names)
	}
	return expr.NewList(out...), nil
}

// field is a name without aliases.
func (m *model) field(name string) string {
	if other, ok := m.alias[name]; ok {
		return other
	}
	return name
}
