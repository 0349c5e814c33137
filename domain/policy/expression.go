package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/expr"
)

func init() {
	register(kind{
		Model: "authentik_policies_expression.expressionpolicy", Path: "expression", Name: "Expression Policy",
		Form:   "ak-policy-expression-form",
		About:  "Evaluates an expression, the body of a function in a subset of Python.",
		Config: func() Policy { return &Expression{} },
	})
}

// Expression evaluates an expression (spec/flows.md 8.13).
type Expression struct {
	Named
	Source string `json:"expression" catalog:"required"`
}

// Validate implements [catalog.Validator]: what cannot be read is refused when
// it is saved.
func (p *Expression) Validate() catalog.Problems {
	var problems catalog.Problems
	program, err := compiled(p.Source)
	if err == nil {
		err = program.Check(host())
	}
	if err != nil {
		problems.Add("expression", "Expression Syntax Error: %s", err)
	}
	return problems
}

// Passes implements [Policy].
func (p *Expression) Passes(ctx context.Context, q Request) (Verdict, error) {
	v, _, err := p.pass(ctx, q)
	return v, err
}

// pass judges, and tells the value that was returned, too.
func (p *Expression) pass(ctx context.Context, q Request) (Verdict, expr.Value, error) {
	e := newEvaluation(ctx, q)
	e.asks, e.policy = true, p.Name
	result, err := e.run(p.Source)
	v := Verdict{Facts: map[string]any{}}
	if err == nil && result.Value == expr.None && len(e.log) < maxLog {
		e.log = append(e.log, "warning Expression policy returned None")
	}
	v.Detail.Log, v.Detail.Lookups = e.log, e.lookups
	if err != nil {
		if fault, ok := errors.AsType[*expr.Error](err); ok {
			v.Facts["line"], v.Facts["column"] = fault.Line, fault.Column
			v.Detail.Source = lineOf(p.Source, fault.Line)
			concealed := *fault
			concealed.Message = e.told(fault.Message, maxText)
			err = raised{&concealed}
		}
		return v, expr.None, err
	}
	v.Passing, v.Messages, v.Effects = expr.Truth(result.Value), e.messages, e.effects
	v.Facts["line"] = result.Line
	v.Detail.Raw, v.Detail.Source = e.returned(result.Value), lineOf(p.Source, result.Line)
	v.Detail.Names = e.names(result.Names())
	return v, result.Value, e.written()
}

// Express evaluates an expression that is not a policy, as the fields of
// prompts have them, to a JSON value.
func Express(ctx context.Context, source string, q Request) (any, error) {
	result, err := newEvaluation(ctx, q).run(source)
	if err != nil {
		return nil, err
	}
	return texted(expr.ToGo(result.Value)), nil
}

// texted replaces objects by their texts.
func texted(v any) any {
	switch v := v.(type) {
	case expr.Value:
		if t, ok := v.(expr.Texter); ok {
			return t.Text()
		}
		return expr.Repr(v)
	case []any:
		for i := range v {
			v[i] = texted(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = texted(v[key])
		}
	}
	return v
}

// A raised error is an exception of the expression. Its sentence is the text
// of the exception, which the contract shows to the client.
type raised struct{ fault *expr.Error }

// Error implements error. It says where, too.
func (r raised) Error() string { return r.fault.Error() }

// Sentence is what the client is told.
func (r raised) Sentence() string {
	switch r.fault.Kind {
	case expr.StepLimit, expr.MemoryLimit, expr.DepthLimit:
		return "The policy used too many resources."
	case expr.Deadline:
		return "The policy took too long."
	}
	return r.fault.Message
}

// Unwrap returns the error with its place.
func (r raised) Unwrap() error { return r.fault }

// programs keeps what was compiled, by its source. It is emptied when it is
// full: compiling is cheap enough for that.
var programs struct {
	sync.Mutex
	bySource map[string]*expr.Program // guarded by the mutex
}

const maxPrograms = 1000

func compiled(source string) (*expr.Program, error) {
	programs.Lock()
	defer programs.Unlock()
	if p, ok := programs.bySource[source]; ok {
		return p, nil
	}
	p, err := expr.Compile(source)
	if err != nil {
		return nil, err
	}
	if programs.bySource == nil || len(programs.bySource) >= maxPrograms {
		programs.bySource = map[string]*expr.Program{}
	}
	programs.bySource[source] = p
	return p, nil
}

// lineOf returns a line of a source, for those who read why.
func lineOf(source string, line int) string {
	lines := strings.Split(source, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return cut(strings.TrimSpace(lines[line-1]))
}

// text is a value as people read it.
func text(v expr.Value) string {
	if t, ok := v.(expr.Texter); ok {
		return t.Text()
	}
	return fmt.Sprint(expr.ToGo(v))
}
