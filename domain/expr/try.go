package expr

import "github.com/flowledger/flowledger/domain/expr/syntax"

// A handler is an except clause; kind is nil for a bare one.
type handler struct {
	kind code
	bind assign // of the name after as; or nil
	body action
	pos  syntax.Pos
}

func (c *compiler) try(s *syntax.Try) (action, error) {
	body, other, err := c.blocks(s.Body, s.Else)
	if err != nil {
		return nil, err
	}
	handlers := make([]handler, len(s.Handlers))
	for i, h := range s.Handlers {
		if handlers[i], err = c.handler(h); err != nil {
			return nil, err
		}
	}
	final, err := c.block(s.Finally)
	return func(f *frame) (signal, error) {
		sig, err := body(f)
		switch {
		case err != nil:
			sig, err = f.handle(failure(err), handlers)
		case sig == goOn:
			sig, err = other(f)
		}
		if err != nil && failure(err).Limit() {
			return goOn, err // no program goes on after a limit
		}
		result, returned := f.result, f.returned
		last, failed := final(f)
		if last != goOn || failed != nil {
			return last, failed
		}
		f.result, f.returned = result, returned
		return sig, err
	}, err
}

func (c *compiler) handler(h syntax.Handler) (handler, error) {
	out := handler{pos: h.Pos}
	var err error
	if h.Type != nil {
		if out.kind, err = c.expression(h.Type); err != nil {
			return out, err
		}
	}
	if h.As != "" {
		if out.bind, err = c.target(&syntax.Name{Pos: h.Pos, ID: h.As}); err != nil {
			return out, err
		}
	}
	out.body, err = c.block(h.Body)
	return out, err
}

// handle runs the first handler for e, if there is one.
func (f *frame) handle(e *Error, handlers []handler) (signal, error) {
	if e.Limit() {
		return goOn, e
	}
	for _, h := range handlers {
		if err := f.r.step(); err != nil {
			return goOn, at(err, h.pos)
		}
		if h.kind != nil {
			kind, err := h.kind(f)
			if err != nil {
				return goOn, err
			}
			ok, err := e.exception.matches(kind)
			if err != nil {
				return goOn, at(err, h.pos)
			}
			if !ok {
				continue
			}
		}
		return f.runHandler(e, h)
	}
	return goOn, e
}

func (f *frame) runHandler(e *Error, h handler) (signal, error) {
	if h.bind != nil {
		if err := h.bind(f, e.exception); err != nil {
			return goOn, err
		}
	}
	f.handling = append(f.handling, e)
	sig, err := h.body(f)
	f.handling = f.handling[:len(f.handling)-1]
	if h.bind != nil {
		_ = h.bind(f, nil) // the name ends with the clause
	}
	return sig, err
}

func (c *compiler) raised(s *syntax.Raise) (action, error) {
	if s.X == nil {
		return func(f *frame) (signal, error) {
			if n := len(f.handling); n > 0 {
				return goOn, f.handling[n-1]
			}
			return goOn, at(runtimeError.errorf("No active exception to reraise"), s.Pos)
		}, nil
	}
	x, err := c.expression(s.X)
	var cause code
	if err == nil && s.Cause != nil {
		cause, err = c.expression(s.Cause)
	}
	return func(f *frame) (signal, error) {
		v, err := x(f)
		if err != nil {
			return goOn, err
		}
		if cause != nil { // it has to be one, and is not kept
			why, err := cause(f)
			if err != nil {
				return goOn, err
			}
			if why != None && !classOf(why).isA(baseException) && !isException(why) {
				return goOn, at(typeError.errorf("exception causes must derive from BaseException"), s.Pos)
			}
		}
		return goOn, at(f.r.raise(v), s.Pos)
	}, err
}

func (c *compiler) asserted(s *syntax.Assert) (action, error) {
	x, err := c.expression(s.X)
	if err != nil {
		return nil, err
	}
	message := func(*frame) (Value, error) { return nil, nil }
	if s.Message != nil {
		if message, err = c.expression(s.Message); err != nil {
			return nil, err
		}
	}
	return func(f *frame) (signal, error) {
		v, err := x(f)
		if err != nil || Truth(v) {
			return goOn, err
		}
		text, err := message(f)
		if err != nil {
			return goOn, err
		}
		var args []Value
		if text != nil {
			args = []Value{text}
		}
		e, err := f.r.call(assertionError, args, nil)
		if err != nil {
			return goOn, err
		}
		return goOn, at(f.r.raise(e), s.Pos)
	}, nil
}

// isException tells whether v is a class of exceptions.
func isException(v Value) bool {
	k, ok := v.(*Class)
	return ok && k.isA(baseException)
}
