package expr

import (
	"github.com/flowledger/flowledger/domain/expr/syntax"
)

// A Host is what there is for programs beside the language.
type Host struct {
	Modules map[string]map[string]Value
	Names   map[string]bool   // predeclared, always or at times; nil if nobody knows them
	Advice  map[string]string // what to write instead of names that are not there
}

// Imports returns what the program imports from modules that are not built in.
func (p *Program) Imports() []Import { return p.imports }

// Check refuses, as [Compile] does, the imports and the names that neither the
// program, the language nor the host has.
func (p *Program) Check(h Host) error {
	for _, i := range p.imports {
		message := ""
		if m, ok := h.Modules[i.Module]; !ok {
			message = "module '" + i.Module + "' is not available in expressions: " + advice(i.Module)
		} else if _, ok := m[i.Name]; !ok && i.Name != "" {
			message = "cannot import name '" + i.Name + "' from '" + i.Module + "'"
		}
		if message != "" {
			return &Error{Kind: "SyntaxError", Message: message, Line: i.Line, Column: i.Column}
		}
	}
	for _, n := range p.reads {
		if h.Names != nil && !h.Names[n.ID] {
			return undefined(n, h)
		}
	}
	return nil
}

// undefined says what to write instead of a name.
func undefined(n *syntax.Name, h Host) error {
	message := "name '" + n.ID + "' is not defined"
	switch near := nearest(n.ID, h.Names); {
	case h.Advice[n.ID] != "":
		message = "'" + n.ID + "' is not available in expressions: " + h.Advice[n.ID]
	case insteadOf[n.ID] != "":
		message = "'" + n.ID + "' is not available in expressions: " + insteadOf[n.ID]
	case near != "":
		message += ": did you mean '" + near + "'?"
	case modules[n.ID] != nil:
		message += ": add import " + n.ID
	default:
		message += ": assign to it first; what is given is in context"
	}
	return &Error{Kind: "SyntaxError", Message: message, Line: n.Line, Column: n.Col}
}

// insteadOf is what to write instead of the builtins of Python that the
// language leaves out.
var insteadOf = map[string]string{
	"open":         "expressions do not see files; pass values in through the context",
	"input":        "nobody is asked while a policy runs; use a prompt stage and context[\"prompt_data\"]",
	"eval":         "write the expression itself, or use json.loads for data",
	"exec":         "write the statements themselves, or use ak_call_policy",
	"compile":      "write the statements themselves; for patterns use re.compile",
	"globals":      "name the variable, or use a dict",
	"locals":       "name the variable, or use a dict",
	"vars":         "use getattr(x, name, default)",
	"dir":          "use hasattr(x, name)",
	"delattr":      "set the attribute to None",
	"id":           "compare with is, or with ==",
	"super":        "there are no classes; use def",
	"property":     "there are no classes; use def",
	"classmethod":  "there are no classes; use def",
	"staticmethod": "there are no classes; use def",
	"complex":      "use float",
	"bytearray":    "use bytes",
	"memoryview":   "use bytes and slices",
	"slice":        "write x[a:b]",
	"breakpoint":   "use ak_logger, and the test of the policy shows the trace",
	"help":         "use the test of the policy, which shows the trace",
	"exit":         "use return",
	"quit":         "use return",
	"true":         "write True",
	"false":        "write False",
	"null":         "write None",
	"self":         "an expression is the body of a function; the user is request.user",
}

// nearest finds a name that is one letter away, or two for a long one.
func nearest(id string, known map[string]bool) string {
	best, least := "", 2+len(id)/6
	consider := func(name string) {
		if n := distance(id, name); n < least || n == least && name < best && best != "" {
			best, least = name, n
		}
	}
	for name := range known {
		consider(name)
	}
	for name := range builtins {
		consider(name)
	}
	return best
}

// distance counts the letters to change, add and leave out between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
