package policy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

// A trail is what an evaluation leaves behind beside its verdict: what it
// looked up and what it asks for.
type trail struct {
	caller    *evaluation // which called this one; nil for none
	asks      bool        // it is a policy, so it may ask for effects
	policy    string      // its name
	lookups   []execution.Lookup
	disguised []string // the looks of secrets, when they were asked for
	source    string   // of the expression
	clear     string   // what is no secret, when it was asked for
	effects   []execution.Effect
	asked     int   // questions to the outside
	read      int   // rows that answered them
	slices    int   // of queries
	calls     int   // of other policies, by this one and by those that it called
	fault     error // of a look-up in a place that cannot fail
}

// Limits of what one evaluation may look up and what is kept of it.
const (
	maxAsked   = 500 // questions
	maxCalled  = 50  // other policies, directly or not
	maxRead    = 5000
	maxLookups = 50  // recorded
	maxAnswer  = 300 // bytes of each text of a record
	maxListed  = 20  // rows that a text names
)

// evaluationKey is where the context of an evaluation has the evaluation: what
// can be imported is the same for all of them.
type evaluationKey struct{}

// running is the evaluation that a call belongs to; nil for none.
func running(c *expr.Call) *evaluation {
	e, _ := c.Context().Value(evaluationKey{}).(*evaluation)
	return e
}

// within returns a context that knows its evaluation.
func (e *evaluation) within(ctx context.Context) context.Context {
	return context.WithValue(ctx, evaluationKey{}, e)
}

// first is the evaluation that all others were called for.
func (e *evaluation) first() *evaluation {
	for e.caller != nil {
		e = e.caller
	}
	return e
}

// mayAsk counts a question.
func (e *evaluation) mayAsk() error {
	first := e.first()
	first.asked++
	if first.asked > maxAsked || first.read > maxRead {
		return expr.Raise("RuntimeError", "the expression looks too much up: ask for several users or groups at once, with name__in=[…]")
	}
	return nil
}

// fail ends the evaluation when it is over: no verdict rests on a look-up
// that failed.
func (e *evaluation) fail(err error) {
	if e.fault == nil {
		e.fault = err
	}
}

// look records a look-up.
func (e *evaluation) look(call, answer string) {
	if len(e.lookups) < maxLookups {
		e.lookups = append(e.lookups, execution.Lookup{Call: e.told(call, maxAnswer), Answer: e.told(answer, maxAnswer)})
	}
}

// lookAt records what a query found, unless it chose from what was there.
func (e *evaluation) lookAt(q *query, answer string) {
	if q.local == nil {
		e.look(q.call, answer)
	}
}

// foundRows names rows in a record: users by their keys, since the names of
// persons belong into the ledger as rarely as possible.
func foundRows(rows []row) string {
	if len(rows) == 0 {
		return "nothing"
	}
	names := make([]string, 0, maxListed+1)
	for i, r := range rows {
		if i == maxListed {
			names = append(names, fmt.Sprintf("and %d more", len(rows)-i))
			break
		}
		names = append(names, r.lookupName())
	}
	kind := strings.ToLower(rows[0].Type())
	if len(rows) > 1 {
		kind += "s"
	}
	return kind + " " + strings.Join(names, ", ")
}

// arguments are keyword arguments as records of look-ups show them.
func (e *evaluation) arguments(named []expr.Named) string {
	parts := make([]string, len(named))
	for i, n := range named {
		parts[i] = n.Name + "=" + e.argument(n.Name, n.Value)
	}
	return strings.Join(parts, ", ")
}

// values are arguments without names.
func (e *evaluation) values(args []expr.Value) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = e.argument("", a)
	}
	return strings.Join(parts, ", ")
}

// argument is a value in a record: literals as they would be written, users by
// their keys. Secrets are masked before quoting can hide them.
func (e *evaluation) argument(name string, v expr.Value) string {
	if execution.SecretKey(name) {
		return masked
	}
	switch v := v.(type) {
	case *person:
		return "user " + v.lookupName()
	case *query:
		return v.call
	}
	if shown, ok := e.shown(v); ok {
		return shown
	}
	return v.Type()
}

// said is data in a message.
func said(v any) string {
	if s, ok := v.(string); ok {
		return expr.Repr(expr.Str(s))
	}
	if v == nil {
		return "None"
	}
	return expr.Repr(expr.FromGo(v))
}

// operand is what a look-up compares with, as plain data: users and groups are
// their keys.
func operand(v expr.Value) (any, error) { return (&operands{}).plain(v, 0) }

// operands makes plain data, and not too much of it.
type operands struct{ parts int }

func (o *operands) plain(v expr.Value, depth int) (any, error) {
	const deepest, most = 32, 10_000
	if o.parts++; depth > deepest || o.parts > most {
		return nil, expr.Raise("ValueError", "the value is nested too deeply, or too large")
	}
	switch v := v.(type) {
	case *person:
		if !v.Exists() {
			return nil, nil
		}
		return int64(v.Key), nil
	case *group:
		return v.ID, nil
	case *query:
		items, err := v.Fetch()
		if err != nil {
			return nil, err
		}
		return o.list(items, depth)
	case *expr.List:
		return o.list(v.Items(), depth)
	case expr.Tuple:
		return o.list(v, depth)
	case *expr.Set:
		return o.list(v.Items(), depth)
	case *expr.Dict:
		return o.dict(v, depth)
	}
	switch v := expr.ToGo(v).(type) {
	case nil, bool, int64, float64, string, time.Time:
		return v, nil
	case expr.Texter:
		return v.Text(), nil
	case fmt.Stringer:
		return v.String(), nil
	}
	return nil, expr.Raise("TypeError", "%s is no plain data", expr.Repr(v))
}

func (o *operands) list(items []expr.Value, depth int) (any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		var err error
		if out[i], err = o.plain(item, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (o *operands) dict(d *expr.Dict, depth int) (any, error) {
	out := map[string]any{}
	for _, key := range d.Keys() {
		name, ok := key.(expr.Str)
		if !ok {
			return nil, expr.Raise("TypeError", "keys of plain data are texts, not %s", key.Type())
		}
		v, _ := d.Get(string(name))
		var err error
		if out[string(name)], err = o.plain(v, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}
