package expr

import (
	"github.com/flowledger/flowledger/domain/expr/syntax"
)

// The tree is compiled to closures: code for an expression, action for a
// statement.
type (
	code   func(f *frame) (Value, error)
	action func(f *frame) (signal, error)
)

// A signal says how a statement ended.
type signal uint8

const (
	goOn signal = iota
	doBreak
	doContinue
	doReturn
)

// A frame is one call of a function, or one run of a comprehension.
type frame struct {
	r        *run
	vars     []Value // by slot; nil while unbound
	up       *frame  // of the code around
	result   Value
	returned *syntax.Return
	handling []*Error // what the except clauses around handle
}

// outer returns the frame depth levels out.
func (f *frame) outer(depth int) *frame {
	for ; depth > 0; depth-- {
		f = f.up
	}
	return f
}

// A compiler turns a tree into closures.
type compiler struct {
	program *Program
	scope   *scope
	names   map[syntax.Pos][]string // in each statement and condition
}

// A scope maps the names of a frame to slots.
type scope struct {
	outer         *scope
	names         []string
	slots         map[string]int
	comprehension bool
}

func (c *compiler) push(names []string, comprehension bool) *scope {
	s := &scope{outer: c.scope, names: names, slots: make(map[string]int, len(names)), comprehension: comprehension}
	for i, name := range names {
		s.slots[name] = i
	}
	c.scope = s
	return s
}

func (c *compiler) pop() { c.scope = c.scope.outer }

// resolve finds the frame and the slot of a name; ok is false if no code
// around binds it.
func (c *compiler) resolve(id string) (depth, slot int, ok bool) {
	for s := c.scope; s != nil; s = s.outer {
		if slot, ok := s.slots[id]; ok {
			return depth, slot, true
		}
		depth++
	}
	return 0, 0, false
}

// read compiles reading a name.
func (c *compiler) read(n *syntax.Name) code {
	depth, slot, ok := c.resolve(n.ID)
	switch {
	case !ok:
		return c.predeclared(n)
	case depth == 0:
		return func(f *frame) (Value, error) {
			if v := f.vars[slot]; v != nil {
				return v, nil
			}
			return nil, at(unboundLocalError.errorf("cannot access local variable '%s' where it is not associated with a value", n.ID), n.Pos)
		}
	}
	return func(f *frame) (Value, error) {
		if v := f.outer(depth).vars[slot]; v != nil {
			return v, nil
		}
		return nil, at(nameError.errorf("cannot access free variable '%s' where it is not associated with a value in enclosing scope", n.ID), n.Pos)
	}
}

// predeclared compiles reading a name of the host or of the language.
func (c *compiler) predeclared(n *syntax.Name) code {
	own := builtins[n.ID]
	if own == nil {
		c.program.reads = append(c.program.reads, n)
	}
	return func(f *frame) (Value, error) {
		if v := f.r.env.name(n.ID); v != nil {
			return v, nil
		}
		if own != nil {
			return own, nil
		}
		return nil, at(nameError.errorf("name '%s' is not defined", n.ID), n.Pos)
	}
}

// expressions compiles several expressions.
func (c *compiler) expressions(xs []syntax.Expr) ([]code, error) {
	out := make([]code, len(xs))
	for i, x := range xs {
		var err error
		if out[i], err = c.expression(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// expression compiles one expression.
func (c *compiler) expression(x syntax.Expr) (code, error) {
	switch x := x.(type) {
	case *syntax.Name:
		return c.read(x), nil
	case *syntax.Const:
		v := FromGo(x.Value)
		return func(*frame) (Value, error) { return v, nil }, nil
	case *syntax.Format:
		return c.format(x)
	case *syntax.Sequence:
		return c.sequence(x)
	case *syntax.Dict:
		return c.dict(x)
	case *syntax.Unary:
		return c.unary(x)
	case *syntax.Binary:
		return c.binary(x)
	case *syntax.Bool:
		return c.boolean(x)
	case *syntax.Compare:
		return c.compare(x)
	case *syntax.If:
		return c.conditional(x)
	case *syntax.Lambda:
		return c.function(x.Fn)
	case *syntax.Call:
		return c.call(x)
	case *syntax.Attribute:
		return c.attribute(x)
	case *syntax.Subscript:
		return c.subscript(x)
	case *syntax.Slice:
		return c.slice(x)
	case *syntax.Comprehension:
		return c.comprehension(x)
	case *syntax.Walrus:
		return c.walrus(x)
	}
	return nil, &syntax.Error{Pos: x.At(), Message: "can't use starred expression here"}
}
