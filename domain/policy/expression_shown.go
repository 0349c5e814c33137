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

// maxShown bounds the text of one value that holds others.
const maxShown = 300

// shown is a value as people read it; false for what is not worth telling: a
// function, an object, and the maps that hold everything.
func (e *evaluation) shown(v expr.Value) (string, bool) {
	switch v := v.(type) {
	case expr.Bool, expr.Int, expr.Float:
		return expr.Repr(v), true
	case expr.Str:
		text := cut(e.conceal(string(v)))
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
		return "<User: " + cut(e.conceal(v.Text())) + ">", true
	}
	text := e.conceal(expr.Repr(e.withoutSecrets(v, 0)))
	if strings.HasPrefix(text, "<") {
		return "", false
	}
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text, true
}

// withoutSecrets copies a value with its secrets masked: those of the context,
// before quoting hides them, and what stands under names of secrets.
func (e *evaluation) withoutSecrets(v expr.Value, depth int) expr.Value {
	const deepest = 8
	if depth > deepest {
		return expr.Str("…")
	}
	items := func(of []expr.Value) []expr.Value {
		out := make([]expr.Value, len(of))
		for i, item := range of {
			out[i] = e.withoutSecrets(item, depth+1)
		}
		return out
	}
	switch v := v.(type) {
	case expr.Str:
		return expr.Str(e.conceal(string(v)))
	case expr.Bytes:
		return expr.Bytes(e.conceal(string(v)))
	case *expr.Dict:
		out := expr.NewDict()
		for _, key := range v.Keys() {
			name, isText := key.(expr.Str)
			if !isText {
				continue
			}
			item, _ := v.Get(string(name))
			if item = e.withoutSecrets(item, depth+1); execution.SecretKey(string(name)) {
				item = expr.Str(masked)
			}
			out.Set(string(name), item)
		}
		return out
	case *expr.List:
		return expr.NewList(items(v.Items())...)
	case expr.Tuple:
		return expr.Tuple(items(v))
	case *expr.Set:
		return expr.NewList(items(v.Items())...)
	case *query:
		if !v.known() {
			return expr.Str("<QuerySet>")
		}
	}
	return v
}
