package policy

import (
	"strings"

	"github.com/flowledger/flowledger/domain/expr"
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

// flowPlan is the plan as expressions see it.
type flowPlan struct{ e *evaluation }

// Type implements [expr.Value].
func (*flowPlan) Type() string { return "FlowPlan" }

// Attr implements [expr.Attrs].
func (f *flowPlan) Attr(name string) (expr.Value, bool) {
	switch name {
	case "context":
		f.e.known() // which makes the plan's context
		return f.e.plan, true
	case "flow_pk":
		return expr.Str(strings.ReplaceAll(f.e.q.Plan.Flow.ID, "-", "")), true
	case "redirect":
		return expr.Builtin(name, func(c *expr.Call) (expr.Value, error) {
			args, err := c.Bind("destination")
			if err != nil {
				return nil, err
			}
			to := text(args[0])
			if f.e.repeats(to) {
				return nil, expr.Raise("ValueError", "%s", errShows)
			}
			f.e.redirect = append(f.e.redirect, to)
			return expr.None, c.Grow(len(to) + 100)
		}), true
	}
	return nil, false
}
