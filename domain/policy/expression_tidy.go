package policy

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

// maxEvent bounds the texts of one event or mail, in bytes.
const maxEvent = 32 << 10

// A tidy makes plain data of values for events (spec/flows.md 11.5), without
// secrets (11.4), and not too much of it.
type tidy struct {
	e    *evaluation
	left int  // bytes and items that there is room for
	open bool // keys that look secret are kept: what is said in a mail is meant to be read
}

// put cleans a value into a map. Requests of clients are left out, as the
// contract has it.
func (t *tidy) put(into map[string]any, key string, v expr.Value) {
	key = t.e.conceal(key)
	switch v.(type) {
	case *httpRequest:
		return
	case expr.Callable:
		return // a function says nothing
	}
	if t.left -= len(key) + 1; t.left <= 0 {
		into["truncated"] = true
		return
	}
	into[key] = t.clean(key, v, 0)
}

// clean makes data of a value that stands under a key.
func (t *tidy) clean(key string, v expr.Value, depth int) any {
	const deepest = 12
	t.left--
	if t.left <= 0 || depth > deepest {
		return "…"
	}
	switch v := v.(type) {
	case nil:
		return nil
	case expr.Bool:
		return bool(v)
	case *expr.Dict:
		return t.dict(v, depth)
	case policyRequest:
		return t.object(v, depth)
	case attributes:
		return t.object(v, depth)
	case *person:
		return map[string]any{"username": t.text("", v.Username), "pk": v.Key, "email": t.text("", v.Email)}
	case *group:
		return map[string]any{"app": "authentik_core", "model_name": "group", "pk": strings.ReplaceAll(v.ID, "-", ""), "name": t.text("", v.Name)}
	case *flowPlan:
		return map[string]any{"flow_pk": strings.ReplaceAll(v.e.q.Plan.Flow.ID, "-", "")}
	case *query:
		items, _ := v.Fetch()
		return t.list(key, items, depth)
	case *expr.List:
		return t.list(key, v.Items(), depth)
	case expr.Tuple:
		return t.list(key, v, depth)
	case *expr.Set:
		return t.list(key, v.Items(), depth)
	}
	if v == expr.None {
		return nil
	}
	return t.scalar(key, v)
}

func (t *tidy) scalar(key string, v expr.Value) any {
	if t.secret(key) {
		return masked
	}
	switch plain := expr.ToGo(v).(type) {
	case int64, float64:
		return plain
	case time.Time:
		return plain.UTC().Format("2006-01-02T15:04:05.999999Z")
	case []byte:
		if hidden := t.e.conceal(string(plain)); hidden != string(plain) {
			return hidden
		}
		return t.text(key, base64.StdEncoding.EncodeToString(plain))
	case string:
		if v.Type() == "UUID" {
			plain = strings.ReplaceAll(plain, "-", "")
		}
		return t.text(key, plain)
	}
	if texter, ok := v.(expr.Texter); ok {
		return t.text(key, texter.Text())
	}
	return t.text(key, expr.Repr(v))
}

func (t *tidy) secret(key string) bool { return !t.open && execution.SecretKey(key) }

// text is a text without secrets, as far as there is room for it.
func (t *tidy) text(key, s string) any {
	if t.secret(key) {
		return masked
	}
	s = t.e.conceal(s)
	if limit := max(min(t.left, 4<<10), 0); len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	t.left -= len(s)
	return s
}

func (t *tidy) dict(d *expr.Dict, depth int) any {
	out := map[string]any{}
	for _, key := range d.Keys() {
		name, ok := key.(expr.Str)
		if !ok {
			continue
		}
		v, _ := d.Get(string(name))
		if _, isRequest := v.(*httpRequest); isRequest {
			continue
		}
		if t.left -= len(name); t.left <= 0 {
			out["truncated"] = true
			break
		}
		out[t.e.conceal(string(name))] = t.clean(string(name), v, depth+1)
	}
	return out
}

// object is an object that is a map to the contract.
func (t *tidy) object(a expr.Attrs, depth int) any {
	d := expr.NewDict()
	for _, name := range []string{"user", "obj", "context", "debug", "pk", "name", "slug", "title", "designation", "passing", "messages"} {
		if v, ok := a.Attr(name); ok {
			d.Set(name, v)
		}
	}
	return t.dict(d, depth)
}

// list cleans items. What is false among them vanishes, as in the contract.
func (t *tidy) list(key string, items []expr.Value, depth int) any {
	out := []any{}
	for _, item := range items {
		if t.left <= 0 {
			break
		}
		if expr.Truth(item) {
			out = append(out, t.clean(key, item, depth+1))
		}
	}
	return out
}
