package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/expr"
)

// A condition is one of Django's look-ups: field__operator=value.
type condition struct {
	key   string // as it was written
	field string
	path  []string   // keys inside of a document
	inner *condition // on what a relation leads to
	op    string
	value any
}

// fieldKind is what a field holds, which decides how it can be compared.
type fieldKind int

const (
	textField fieldKind = iota
	numberField
	truthField
	momentField
	documentField
	groupsField // leads to groups
	keysField   // leads to things of which only the keys can be asked for
)

var (
	equality  = []string{"exact", "in", "isnull"}
	ordering  = append([]string{"gt", "gte", "lt", "lte"}, equality...)
	substring = append([]string{"iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"}, ordering...)
)

// operators are how fields of each kind can be compared.
var operators = map[fieldKind][]string{
	textField: substring, numberField: ordering, momentField: ordering, truthField: equality, documentField: substring,
	keysField: {"exact", "in"},
}

// condition reads a look-up; what it cannot mean is a FieldError that says
// what can.
func (m *model) condition(name string, value any) (condition, error) {
	parts := strings.Split(name, "__")
	field := parts[0]
	if other, ok := m.alias[field]; ok {
		field = other
	}
	c := condition{key: name, field: field, op: "exact", value: value}
	kind, ok := m.fields[field]
	if !ok {
		return c, expr.FieldError.Raise("Cannot resolve keyword '%s' into field. Choices are: %s", parts[0], m.choices())
	}
	rest := parts[1:]
	if kind == groupsField {
		return c.through(groupModel, rest)
	}
	if kind == keysField && len(rest) > 0 && (rest[0] == "pk" || rest[0] == "id") {
		rest = rest[1:]
	}
	if n := len(rest); n > 0 && slices.Contains(substring, rest[n-1]) {
		c.op, rest = rest[n-1], rest[:n-1]
	}
	if kind == documentField {
		c.path, rest = rest, nil
	}
	if len(rest) > 0 || !slices.Contains(operators[kind], c.op) {
		wrong := c.op
		if len(rest) > 0 {
			wrong = strings.Join(rest, "__")
		}
		return c, expr.FieldError.Raise("Unsupported lookup '%s' for field '%s'. Choices are: %s",
			wrong, parts[0], strings.Join(operators[kind], ", "))
	}
	return c.valued(kind)
}

// through makes a condition on what a relation leads to.
func (c condition) through(to *model, rest []string) (condition, error) {
	if len(rest) == 0 || len(rest) == 1 && slices.Contains(equality, rest[0]) {
		rest = append([]string{"pk"}, rest...)
	}
	inner, err := to.condition(strings.Join(rest, "__"), c.value)
	c.inner, c.op, c.value = &inner, inner.op, inner.value
	return c, err
}

// valued checks what a field is compared with, and gives it the field's type.
func (c condition) valued(kind fieldKind) (condition, error) {
	if c.value == nil && (c.op == "exact" || c.op == "iexact") {
		c.op, c.value = "isnull", true
		return c, nil
	}
	if c.op == "isnull" {
		if _, ok := c.value.(bool); !ok {
			return c, expr.Raise("ValueError", "The QuerySet value for an isnull lookup must be True or False.")
		}
		return c, nil
	}
	if c.op != "in" {
		var err error
		c.value, err = c.typed(kind, c.value)
		return c, err
	}
	items, ok := c.value.([]any)
	if !ok {
		return c, expr.Raise("TypeError", "%s wants a list", c.key)
	}
	if len(items) > maxRows {
		return c, expr.Raise("ValueError", "%s compares with more than %d values", c.key, maxRows)
	}
	typed := make([]any, len(items))
	for i, item := range items {
		var err error
		if typed[i], err = c.typed(kind, item); err != nil {
			return c, err
		}
	}
	c.value = typed
	return c, nil
}

// typed is a value as a field of a kind has it.
func (c condition) typed(kind fieldKind, v any) (any, error) {
	switch kind {
	case textField, keysField:
		return written(v), nil
	case numberField:
		if n, ok := number(v); ok {
			return n, nil
		}
		return nil, expr.Raise("ValueError", "Field '%s' expected a number but got %s.", c.field, said(v))
	case truthField:
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, expr.Raise("ValueError", "Field '%s' expected True or False but got %s.", c.field, said(v))
	case momentField:
		if t, ok := v.(time.Time); ok {
			return t, nil
		}
		return nil, expr.Raise("ValueError", "Field '%s' expected a datetime but got %s.", c.field, said(v))
	}
	return v, nil
}

// meets tells whether a row meets the condition.
func (c condition) meets(r row) bool {
	have := r.field(c.field)
	if c.inner != nil {
		to, _ := have.([]row)
		return slices.ContainsFunc(to, c.inner.meets)
	}
	for _, key := range c.path {
		m, _ := have.(map[string]any)
		have = m[key]
	}
	switch c.op {
	case "isnull":
		return (have == nil) == c.value
	case "in":
		items, _ := c.value.([]any)
		return slices.ContainsFunc(items, func(item any) bool { return sameData(have, item) })
	}
	return have != nil && compared(c.op, have, c.value)
}

// pushed is the condition as the directory takes it; false if it does not.
func (c condition) pushed(m *model) (key string, value any, ok bool) {
	field, op := c.field, c.op
	switch {
	case c.inner != nil:
		field += "__" + c.inner.field
	case len(c.path) > 0:
		switch c.value.(type) {
		case string, bool, int64:
		default:
			return "", nil, false
		}
		field += "__" + strings.Join(c.path, "__")
		return field, c.value, op == "exact"
	}
	if !slices.Contains(strings.Fields(m.pushes[field]), op) {
		return "", nil, false
	}
	if op != "exact" {
		field += "__" + op
	}
	return field, c.value, true
}
