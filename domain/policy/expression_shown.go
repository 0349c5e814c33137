package policy

import (
	"strings"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

// names are the values on the line that decided. Secrets among them show as
// asterisks.
func (e *evaluation) names(values map[string]expr.Value) map[string]string {
	out := map[string]string{}
	for name, v := range values {
		if execution.SecretKey(name) {
			out[name] = masked
		} else if shown, ok := e.shown(v); ok {
			out[name] = shown
		}
	}
	return out
}

// masked stands for a secret (spec/flows.md 11.4).
const masked = "********************"

// Limits of what is told of one value that holds others.
const (
	maxShown = 300 // bytes
	maxParts = 300
)

// shown is a value as people read it; false for what is not worth telling: a
// function, an object, and the maps that hold everything.
func (e *evaluation) shown(v expr.Value) (string, bool) {
	switch v := v.(type) {
	case expr.Bool, expr.Int, expr.Float:
		return expr.Repr(v), true
	case expr.Str:
		text := e.told(string(v), maxText)
		if text == masked {
			return masked, true
		}
		return expr.Repr(expr.Str(text)), true
	case *expr.Dict:
		if v == e.plan || v == e.context {
			return "", false
		}
	case *query:
		if !v.known() {
			return "", false // telling of it must not look it up
		}
	case *flowPlan, *httpRequest, attributes:
		return "", false
	case *person:
		return "<User: " + e.told(v.Text(), maxText) + ">", true
	}
	text := e.told(e.repr(v), maxShown)
	return text, !strings.HasPrefix(text, "<")
}

// returned is the value of an expression as it is recorded.
func (e *evaluation) returned(v expr.Value) string {
	switch v := v.(type) {
	case expr.Bool, expr.Int, expr.Float:
		return expr.Repr(v)
	case expr.Str:
		return e.told(string(v), maxText)
	case expr.Texter:
		return e.told(v.Text(), maxText)
	}
	if v == expr.None {
		return "None"
	}
	return e.told(e.repr(v), maxText)
}

// repr is a value as repr() writes it, without its secrets.
func (e *evaluation) repr(v expr.Value) string {
	m := masking{e: e, left: maxParts}
	return expr.Repr(m.value(v, 0))
}

// A masking copies a value with its secrets masked: those of the context,
// before quoting hides them, and what stands under names of secrets. A value
// can hold others many times over, so only some of its parts are copied.
type masking struct {
	e    *evaluation
	left int
}

func (m *masking) value(v expr.Value, depth int) expr.Value {
	const deepest = 8
	if m.left--; depth > deepest || m.left < 0 {
		return expr.Str("…")
	}
	switch v := v.(type) {
	case expr.Str:
		return expr.Str(m.e.told(string(v), maxText))
	case expr.Bytes:
		return expr.Bytes(m.e.told(string(v), maxText))
	case *expr.Dict:
		return m.dict(v, depth)
	case *expr.List:
		return expr.NewList(m.items(v.Items(), depth)...)
	case expr.Tuple:
		return expr.Tuple(m.items(v, depth))
	case *expr.Set:
		return expr.NewList(m.items(v.Items(), depth)...)
	case *query:
		if !v.known() {
			return expr.Str("<QuerySet>")
		}
	}
	return v
}

func (m *masking) items(of []expr.Value, depth int) []expr.Value {
	var out []expr.Value
	for _, item := range of {
		out = append(out, m.value(item, depth+1))
		if m.left < 0 {
			break
		}
	}
	return out
}

func (m *masking) dict(d *expr.Dict, depth int) expr.Value {
	out := expr.NewDict()
	for key, item := range d.All() {
		name, isText := key.(expr.Str)
		if !isText {
			name = expr.Str(text(key))
		}
		if execution.SecretKey(string(name)) {
			item = expr.Str(masked)
		}
		if out.Set(string(name), m.value(item, depth+1)); m.left < 0 {
			break
		}
	}
	return out
}
