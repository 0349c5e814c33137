package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

// written notes what the expression wrote into the plan. Only a policy that
// came to a verdict has written anything.
func (e *evaluation) written() (err error) {
	if e.q.Plan == nil || e.plan == nil {
		return nil
	}
	before := len(e.q.Plan.Writes)
	defer func() {
		if err != nil {
			e.q.Plan.Writes = e.q.Plan.Writes[:before]
		}
	}()
	for _, to := range e.redirect {
		e.q.Plan.Writes = append(e.q.Plan.Writes, Write{Redirect: to})
	}
	seen := map[string]bool{}
	for _, key := range e.plan.Keys() {
		name, ok := key.(expr.Str)
		if !ok {
			continue
		}
		seen[string(name)] = true
		v, _ := e.plan.Get(string(name))
		if string(name) == execution.KeyPendingUser {
			e.subject(v)
			continue
		}
		before, was := e.q.Context[string(name)]
		if was && unchanged(v, before) {
			continue
		}
		if after := grouped(expr.ToGo(v)); !was || !reflect.DeepEqual(after, expr.ToGo(fromPlain(before))) {
			if _, err := json.Marshal(after); err != nil {
				return fmt.Errorf("the value of %q in the context cannot be kept", string(name))
			}
			after, shows := e.hide(kept(before, after), before)
			if shows || !was && e.repeats(string(name)) || string(name) == execution.KeyRedirect && e.repeats(text(v)) {
				return errShows
			}
			e.q.Plan.Writes = append(e.q.Plan.Writes, Write{Key: string(name), Value: after})
		}
	}
	for key := range e.q.Context {
		if !seen[key] {
			e.q.Plan.Writes = append(e.q.Plan.Writes, Write{Key: key, Remove: true})
		}
	}
	return nil
}

// grouped replaces groups, which are no data, by what a stage finds them by.
func grouped(v any) any {
	switch v := v.(type) {
	case *group:
		return map[string]any{"pk": v.ID, "name": v.Name}
	case []any:
		for i := range v {
			v[i] = grouped(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = grouped(v[key])
		}
	}
	return v
}

// errShows is what becomes of a secret where it cannot be sealed.
var errShows = errors.New("a password or a code cannot be part of a URL, or the name of something in the context")

// hide makes secrets of the texts that repeat one, so that they are sealed
// wherever they stand. It tells, too, whether a new key repeats one.
func (e *evaluation) hide(v, before any) (hidden any, shows bool) {
	switch v := v.(type) {
	case string:
		if e.repeats(v) {
			return domain.NewSecret(v), false
		}
	case []byte:
		if e.repeats(string(v)) {
			return domain.NewSecret(string(v)), false
		}
	case []any:
		for i := range v {
			item, keys := e.hide(v[i], nil)
			v[i], shows = item, shows || keys
		}
	case map[string]any:
		known, _ := before.(map[string]any)
		for key := range v {
			was, ok := known[key]
			item, keys := e.hide(v[key], was)
			v[key], shows = item, shows || keys || !ok && e.repeats(key)
		}
	}
	return v, shows
}

// subject notes a pending user that the expression set.
func (e *evaluation) subject(v expr.Value) {
	p, ok := v.(*person)
	if !ok || p == e.pending || !p.Exists() {
		return
	}
	if e.pending != nil && e.pending.ID == p.ID {
		return
	}
	who := p.Person
	e.q.Plan.Writes = append(e.q.Plan.Writes, Write{Subject: &who})
}

// fromPlain makes a value of what a context holds. Secrets become texts:
// expressions work with what was typed.
func fromPlain(v any) expr.Value {
	switch v := v.(type) {
	case domain.Secret:
		return expr.FromGo(v.Reveal())
	case execution.Context:
		return fromMap(v)
	case map[string]any:
		return fromMap(v)
	case []any:
		items := make([]expr.Value, len(v))
		for i, item := range v {
			items[i] = fromPlain(item)
		}
		return expr.NewList(items...)
	}
	return expr.FromGo(v)
}

func fromMap(m map[string]any) *expr.Dict {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	d := expr.NewDict()
	d.Reserve(len(m) + 1) // for the pending user
	for _, key := range keys {
		d.Set(key, fromPlain(m[key]))
	}
	return d
}

// unchanged tells whether a value is still what [fromPlain] made of this. It
// may say no of something that is.
func unchanged(v expr.Value, before any) bool {
	switch b := before.(type) {
	case nil:
		return v == expr.None
	case bool:
		return v == expr.Bool(b)
	case string:
		return v == expr.Str(b)
	case int:
		return v == expr.Int(b)
	case int64:
		return v == expr.Int(b)
	case float64:
		return v == expr.Float(b)
	case domain.Secret:
		return v == expr.Str(b.Reveal())
	case execution.Context:
		return unchanged(v, map[string]any(b))
	case map[string]any:
		d, ok := v.(*expr.Dict)
		if !ok || d.Len() != len(b) {
			return false
		}
		for key, item := range b {
			if now, ok := d.Get(key); !ok || !unchanged(now, item) {
				return false
			}
		}
		return true
	case []any:
		l, ok := v.(*expr.List)
		if !ok || len(l.Items()) != len(b) {
			return false
		}
		for i, item := range l.Items() {
			if !unchanged(item, b[i]) {
				return false
			}
		}
		return true
	}
	return false
}
