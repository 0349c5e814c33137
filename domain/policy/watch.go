package policy

import "github.com/flowledger/flowledger/domain/expr"

// A Watch collects what expressions do, for somebody who tries a policy out.
type Watch struct {
	Steps []Step
	Cut   bool // there were more
}

// A Step is one statement, condition or round of a loop, with the values
// that its names had after it. Secrets are masked.
type Step struct {
	Depth  int // of policies that called this one
	Line   int
	Source string // text of the line
	Names  map[string]string
}

// maxSteps bounds what a watch keeps.
const maxSteps = 500

// trace is told of the steps of an expression; nil when nobody watches.
func (e *evaluation) trace(source string) func(expr.Step) {
	w := e.q.Watch
	if w == nil {
		return nil
	}
	return func(s expr.Step) {
		if len(w.Steps) >= maxSteps {
			w.Cut = true
			return
		}
		w.Steps = append(w.Steps, Step{
			Depth: e.q.Depth, Line: s.Line, Source: lineOf(source, s.Line), Names: e.names(s.Names()),
		})
	}
}
