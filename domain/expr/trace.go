package expr

import "github.com/flowledger/flowledger/domain/expr/syntax"

// A Step is one simple statement, one condition or one round of a for loop,
// just done. It holds while the trace is told of it, and not longer.
type Step struct {
	Line int

	frame  *frame
	places []place
}

// A point is a place in a program that a trace may be told of.
type point struct {
	line   int
	places []place
}

// A place is where the value of a name stands.
type place struct {
	name        string
	depth, slot int
	local       bool // otherwise it is the host's, if it is anybody's
}

// point notes where the names of a statement or a condition stand. The body of
// a lambda is neither: it is told of with the line that it stands in.
func (c *compiler) point(at syntax.Pos) *point {
	names, known := c.names[at]
	if !known {
		return nil
	}
	p := &point{line: at.Line, places: make([]place, len(names))}
	for i, name := range names {
		p.places[i].name = name
		p.places[i].depth, p.places[i].slot, p.places[i].local = c.resolve(name)
	}
	return p
}

// compound tells whether a statement has others inside: the trace is told of
// those, and of its conditions.
func compound(s syntax.Stmt) bool {
	switch s.(type) {
	case *syntax.Branch, *syntax.While, *syntax.For, *syntax.Try, *syntax.Def:
		return true
	}
	return false
}

func (f *frame) tell(p *point) {
	if p != nil {
		f.r.env.Trace(Step{p.line, f, p.places})
	}
}

// Names returns the values, at this moment, of the names in the statement.
// What is not bound yet, and what the language itself defines, is left out.
func (s Step) Names() map[string]Value {
	out := make(map[string]Value, len(s.places))
	for _, p := range s.places {
		var v Value
		if p.local {
			v = s.frame.outer(p.depth).vars[p.slot]
		} else {
			v = s.frame.r.env.name(p.name)
		}
		if v != nil {
			out[p.name] = v
		}
	}
	return out
}
