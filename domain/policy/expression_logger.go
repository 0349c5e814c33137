package policy

import (
	"strings"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

// A logger keeps log lines with the evaluation. Values of secret names are
// masked.
type logger struct {
	e     *evaluation
	bound string // what every line says, too
}

// levels are the methods of a logger.
var levels = map[string]string{
	"debug": "debug", "info": "info", "warning": "warning", "warn": "warning", "error": "error", "exception": "exception",
	"critical": "critical",
}

// Type implements [expr.Value].
func (*logger) Type() string { return "BoundLogger" }

// Attr implements [expr.Attrs].
func (l *logger) Attr(name string) (expr.Value, bool) {
	if name == "bind" || name == "new" {
		return expr.Builtin(name, l.bind), true
	}
	level, ok := levels[name]
	if !ok {
		return nil, false
	}
	return expr.Builtin(name, func(c *expr.Call) (expr.Value, error) { return expr.None, l.log(level, c) }), true
}

// bind makes a logger whose lines all say some more.
func (l *logger) bind(c *expr.Call) (expr.Value, error) {
	if len(c.Args) > 0 {
		return nil, expr.Raise("TypeError", "bind() takes values by name")
	}
	more, err := pairs(c)
	return &logger{e: l.e, bound: cut(l.bound + more)}, err
}

func (l *logger) log(level string, c *expr.Call) error {
	var b strings.Builder
	b.WriteString(level)
	for _, a := range c.Args {
		said, err := c.Text(a)
		if err != nil {
			return err
		}
		if err := c.Grow(len(said)); err != nil {
			return err
		}
		b.WriteString(" " + said)
	}
	more, err := pairs(c)
	if err == nil && len(l.e.log) < maxLog {
		l.e.log = append(l.e.log, l.e.told(b.String()+l.bound+more, maxText))
	}
	return err
}

// pairs are keyword arguments in a log line.
func pairs(c *expr.Call) (string, error) {
	var b strings.Builder
	for _, n := range c.Named {
		said, err := c.Text(n.Value)
		if err == nil {
			err = c.Grow(len(said))
		}
		if err != nil {
			return "", err
		}
		if execution.SecretKey(n.Name) {
			said = masked
		}
		b.WriteString(" " + n.Name + "=" + said)
	}
	return b.String(), nil
}
