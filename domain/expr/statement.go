package expr

import "github.com/flowledger/flowledger/domain/expr/syntax"

// block compiles statements in a row.
func (c *compiler) block(stmts []syntax.Stmt) (action, error) {
	actions, points := make([]action, len(stmts)), make([]*point, len(stmts))
	for i, s := range stmts {
		var err error
		if actions[i], err = c.statement(s); err != nil {
			return nil, err
		}
		if !compound(s) {
			points[i] = c.point(s.At())
		}
	}
	return func(f *frame) (signal, error) {
		for i, act := range actions {
			if err := f.r.step(); err != nil {
				return goOn, at(err, stmts[i].At())
			}
			s, err := act(f)
			if f.r.env.Trace != nil {
				f.tell(points[i])
			}
			if s != goOn || err != nil {
				return s, err
			}
		}
		return goOn, nil
	}, nil
}

// statement compiles one statement.
func (c *compiler) statement(s syntax.Stmt) (action, error) {
	switch s := s.(type) {
	case *syntax.Do:
		x, err := c.expression(s.X)
		return func(f *frame) (signal, error) {
			_, err := x(f)
			return goOn, err
		}, err
	case *syntax.Assign:
		return c.assignment(s)
	case *syntax.Update:
		return c.update(s)
	case *syntax.Return:
		return c.returned(s)
	case *syntax.Branch:
		return c.branch(s)
	case *syntax.While:
		return c.while(s)
	case *syntax.For:
		return c.forLoop(s)
	case *syntax.Try:
		return c.try(s)
	case *syntax.Raise:
		return c.raised(s)
	case *syntax.Assert:
		return c.asserted(s)
	case *syntax.Delete:
		return c.deleted(s)
	case *syntax.Break:
		return func(*frame) (signal, error) { return doBreak, nil }, nil
	case *syntax.Continue:
		return func(*frame) (signal, error) { return doContinue, nil }, nil
	case *syntax.Import:
		return c.imported(s)
	case *syntax.Def:
		return c.def(s)
	}
	return func(*frame) (signal, error) { return goOn, nil }, nil
}

func (c *compiler) assignment(s *syntax.Assign) (action, error) {
	value, err := c.expression(s.X)
	if err != nil {
		return nil, err
	}
	targets := make([]assign, len(s.Targets))
	for i, t := range s.Targets {
		if targets[i], err = c.target(t); err != nil {
			return nil, err
		}
	}
	return func(f *frame) (signal, error) {
		v, err := value(f)
		if err != nil {
			return goOn, err
		}
		for _, target := range targets {
			if err := target(f, v); err != nil {
				return goOn, err
			}
		}
		return goOn, nil
	}, nil
}

func (c *compiler) def(s *syntax.Def) (action, error) {
	make, err := c.function(s.Fn)
	if err != nil {
		return nil, err
	}
	target, err := c.target(&syntax.Name{Pos: s.Pos, ID: s.Fn.Name})
	return func(f *frame) (signal, error) {
		fn, err := make(f)
		if err != nil {
			return goOn, err
		}
		return goOn, target(f, fn)
	}, err
}

func (c *compiler) returned(s *syntax.Return) (action, error) {
	if s.X == nil {
		return func(f *frame) (signal, error) {
			f.result, f.returned = None, s
			return doReturn, nil
		}, nil
	}
	value, err := c.expression(s.X)
	return func(f *frame) (signal, error) {
		v, err := value(f)
		if err != nil {
			return goOn, err
		}
		f.result, f.returned = v, s
		return doReturn, nil
	}, err
}

func (c *compiler) branch(s *syntax.Branch) (action, error) {
	conds, err := c.expressions(s.Conds)
	if err != nil {
		return nil, err
	}
	bodies, points := make([]action, len(s.Bodies)), make([]*point, len(s.Conds))
	for i, body := range s.Bodies {
		points[i] = c.point(s.Conds[i].At())
		if bodies[i], err = c.block(body); err != nil {
			return nil, err
		}
	}
	other, err := c.block(s.Else)
	return func(f *frame) (signal, error) {
		for i, cond := range conds {
			if err := f.r.step(); err != nil {
				return goOn, at(err, s.Pos)
			}
			v, err := cond(f)
			if f.r.env.Trace != nil {
				f.tell(points[i])
			}
			if err != nil {
				return goOn, err
			}
			if Truth(v) {
				return bodies[i](f)
			}
		}
		return other(f)
	}, err
}

func (c *compiler) deleted(s *syntax.Delete) (action, error) {
	targets := make([]action, len(s.Targets))
	for i, t := range s.Targets {
		var err error
		if targets[i], err = c.unbind(t); err != nil {
			return nil, err
		}
	}
	return func(f *frame) (signal, error) {
		for _, unbind := range targets {
			if _, err := unbind(f); err != nil {
				return goOn, err
			}
		}
		return goOn, nil
	}, nil
}
