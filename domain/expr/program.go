// Package expr is the expression language as meaning: policies and prompts are
// programs in a subset of Python 3, compiled once and evaluated often. A
// program can reach what the caller passes in and nothing else: no clock, no
// randomness and no outside world, and its steps, memory, depth and time are
// bounded.
package expr

import (
	"context"
	"time"

	"github.com/flowledger/flowledger/domain/expr/syntax"
)

// A Program is a compiled expression. It may be evaluated by many at once.
type Program struct {
	scope   *scope
	body    action
	imports []Import
	reads   []*syntax.Name // of names that neither the program nor the language defines
	regexps regexps
}

// An Import is a name that a program imports from a module that is not built
// in, so the caller has to know it. Name is empty for the module itself.
type Import struct {
	Module, Name string
	Line, Column int
}

// An Env is everything that one evaluation can reach.
type Env struct {
	Names   map[string]Value            // predeclared names
	Find    func(name string) Value     // knows more predeclared names, and makes them when they are asked for; may be nil
	Modules map[string]map[string]Value // modules beside the built-in ones
	Now     time.Time                   // what the clock says
	Seed    uint64                      // of all randomness
	Limits  Limits
	Trace   func(Step) // is told each step; nil for nobody
}

// name returns what a predeclared name means; nil for none.
func (e *Env) name(id string) Value {
	if v := e.Names[id]; v != nil || e.Find == nil {
		return v
	}
	return e.Find(id)
}

// A Result is what an evaluation came to.
type Result struct {
	Value Value
	Line  int // of the return statement; 0 if the end was reached
	Steps int

	names []string
	frame *frame
	scope *scope
}

// Compile reads a text as the body of a function. Its error is an [*Error] of
// the kind SyntaxError. Imports from modules that are not built in are left to
// [Program.Check].
func Compile(source string) (*Program, error) {
	fn, err := syntax.Parse(source)
	if err != nil {
		return nil, syntaxError(err)
	}
	c := &compiler{program: &Program{}, names: fn.Names}
	c.program.scope = c.push(fn.Locals, false)
	body, err := c.block(fn.Body)
	if err != nil {
		return nil, syntaxError(err)
	}
	c.program.body = body
	return c.program, nil
}

func syntaxError(err error) error {
	e, ok := err.(*syntax.Error)
	if !ok {
		return err
	}
	return &Error{Kind: "SyntaxError", Message: e.Message, Line: e.Line, Column: e.Col, cause: e}
}

// Eval runs the program. Its error is an [*Error]; the result counts the steps
// even then.
func (p *Program) Eval(ctx context.Context, env Env) (Result, error) {
	r := newRun(ctx, p, &env)
	if err := r.check(); err != nil {
		return Result{Value: None}, err
	}
	f := &frame{r: r, vars: make([]Value, len(p.scope.names))}
	for i, name := range p.scope.names {
		f.vars[i] = env.name(name) // a name that is assigned to somewhere may be read before
	}
	_, err := p.body(f)
	result := Result{Value: None, Steps: r.steps}
	if err != nil {
		return result, failure(err)
	}
	if f.returned != nil {
		result.Value = f.result
		result.Line, result.names = f.returned.Line, f.returned.Names
		result.frame, result.scope = f, p.scope
	}
	return result, nil
}

// Names returns the names on the line that returned, with their values.
func (r Result) Names() map[string]Value {
	out := map[string]Value{}
	for _, name := range r.names {
		if slot, ok := r.scope.slots[name]; ok {
			if v := r.frame.vars[slot]; v != nil {
				out[name] = v
			}
		} else if v := r.frame.r.env.name(name); v != nil {
			out[name] = v
		}
	}
	return out
}
