package expr

import "github.com/flowledger/flowledger/domain/expr/syntax"

func (c *compiler) while(s *syntax.While) (action, error) {
	cond, err := c.expression(s.Cond)
	if err != nil {
		return nil, err
	}
	point := c.point(s.Cond.At())
	body, other, err := c.blocks(s.Body, s.Else)
	return func(f *frame) (signal, error) {
		for {
			if err := f.r.step(); err != nil {
				return goOn, at(err, s.Pos)
			}
			v, err := cond(f)
			if f.r.env.Trace != nil {
				f.tell(point)
			}
			if err != nil {
				return goOn, err
			}
			if !Truth(v) {
				return other(f)
			}
			sig, err := body(f)
			if err != nil || sig == doReturn {
				return sig, err
			}
			if sig == doBreak {
				return goOn, nil
			}
		}
	}, err
}

func (c *compiler) blocks(a, b []syntax.Stmt) (action, action, error) {
	first, err := c.block(a)
	if err != nil {
		return nil, nil, err
	}
	second, err := c.block(b)
	return first, second, err
}

func (c *compiler) forLoop(s *syntax.For) (action, error) {
	source, err := c.expression(s.X)
	if err != nil {
		return nil, err
	}
	target, err := c.target(s.Target)
	if err != nil {
		return nil, err
	}
	point := c.point(s.At())
	body, other, err := c.blocks(s.Body, s.Else)
	return func(f *frame) (signal, error) {
		v, err := source(f)
		if err != nil {
			return goOn, err
		}
		next, err := f.r.iterate(v)
		if err != nil {
			return goOn, at(err, s.X.At())
		}
		for {
			v, ok, err := next()
			if err != nil {
				return goOn, at(err, s.X.At())
			}
			if !ok {
				return other(f)
			}
			if err := target(f, v); err != nil {
				return goOn, err
			}
			if f.r.env.Trace != nil {
				f.tell(point)
			}
			sig, err := body(f)
			if err != nil || sig == doReturn {
				return sig, err
			}
			if sig == doBreak {
				return goOn, nil
			}
		}
	}, err
}
