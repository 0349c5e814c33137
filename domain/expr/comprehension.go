package expr

import "github.com/flowledger/flowledger/domain/expr/syntax"

// A clause is for target in x if conds of a comprehension.
type clause struct {
	target assign
	x      code // of the first clause: evaluated outside
	conds  []code
}

func (c *compiler) comprehension(x *syntax.Comprehension) (code, error) {
	outermost, err := c.expression(x.Clauses[0].X)
	if err != nil {
		return nil, err
	}
	scope := c.push(x.Locals, true)
	defer c.pop()
	clauses := make([]clause, len(x.Clauses))
	for i, from := range x.Clauses {
		if clauses[i], err = c.clause(from, i == 0); err != nil {
			return nil, err
		}
	}
	key, err := c.expression(x.Item)
	if err != nil {
		return nil, err
	}
	var value code
	if x.Value != nil {
		if value, err = c.expression(x.Value); err != nil {
			return nil, err
		}
	}
	slots := len(scope.names)
	return func(f *frame) (Value, error) {
		if err := f.r.grow(64 + 16*slots); err != nil {
			return nil, err
		}
		source, err := outermost(f)
		if err != nil {
			return nil, err
		}
		first, err := f.r.iterate(source)
		if err != nil {
			return nil, at(err, x.Pos)
		}
		inner := &frame{r: f.r, vars: make([]Value, slots), up: f}
		rounds := (&rounds{inner, clauses, []next{first}}).next
		v, err := inner.gather(x.Open, rounds, key, value)
		if err != nil {
			return nil, at(err, x.Pos)
		}
		return v, nil
	}, nil
}

func (c *compiler) clause(from syntax.Clause, first bool) (clause, error) {
	var out clause
	var err error
	if out.target, err = c.target(from.Target); err != nil {
		return out, err
	}
	if !first {
		if out.x, err = c.expression(from.X); err != nil {
			return out, err
		}
	}
	out.conds, err = c.expressions(from.Conds)
	return out, err
}

// rounds goes through the rounds of nested loops.
type rounds struct {
	f       *frame
	clauses []clause
	stack   []next // of the loops under way
}

// next binds the targets for the next round; it reports whether there is one.
func (g *rounds) next() (bool, error) {
	for len(g.stack) > 0 {
		level := len(g.stack) - 1
		v, ok, err := g.stack[level]()
		if err != nil {
			return false, err
		}
		if !ok {
			g.stack = g.stack[:level]
			continue
		}
		holds, err := g.bind(&g.clauses[level], v)
		if err != nil {
			return false, err
		}
		switch {
		case !holds:
		case level == len(g.clauses)-1:
			return true, nil
		default:
			source, err := g.clauses[level+1].x(g.f)
			if err != nil {
				return false, err
			}
			inner, err := g.f.r.iterate(source)
			if err != nil {
				return false, err
			}
			g.stack = append(g.stack, inner)
		}
	}
	return false, nil
}

func (g *rounds) bind(c *clause, v Value) (bool, error) {
	if err := c.target(g.f, v); err != nil {
		return false, err
	}
	for _, cond := range c.conds {
		if v, err := cond(g.f); err != nil || !Truth(v) {
			return false, err
		}
	}
	return true, nil
}

// gather makes the value of a comprehension.
func (f *frame) gather(open byte, rounds func() (bool, error), key, value code) (Value, error) {
	items := func() (Value, bool, error) {
		ok, err := rounds()
		if !ok || err != nil {
			return nil, false, err
		}
		v, err := key(f)
		return v, err == nil, err
	}
	switch open {
	case '(':
		return &iterator{"generator", items}, nil
	case '[':
		list, err := f.r.collect(&iterator{"generator", items})
		return &List{list}, err
	case '{':
		return f.r.setOf(&iterator{"generator", items}, false)
	}
	d := NewDict()
	for {
		k, ok, err := items()
		if !ok || err != nil {
			return d, err
		}
		v, err := value(f)
		if err != nil {
			return nil, err
		}
		if err := f.r.put(d, k, v); err != nil {
			return nil, err
		}
	}
}
