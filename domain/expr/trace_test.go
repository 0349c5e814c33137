package expr

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// traced runs a text and returns a line for each step.
func traced(t *testing.T, source string, names map[string]Value) []string {
	t.Helper()
	p, err := Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	_, _ = p.Eval(t.Context(), Env{Names: names, Trace: func(s Step) {
		values := s.Names()
		text := fmt.Sprint(s.Line)
		for _, name := range slices.Sorted(maps.Keys(values)) {
			text += fmt.Sprintf(" %s=%v", name, ToGo(values[name]))
		}
		steps = append(steps, text)
	}})
	return steps
}

func TestTraceTellsEachStep(t *testing.T) {
	tests := map[string]struct {
		source string
		want   []string
	}{
		"values are those after the statement": {"x = n + 1\nx += 1\nreturn x", []string{"1 n=3 x=4", "2 x=5", "3 x=5"}},
		"only what ran is told":                {"if n > 5:\n  return 1\nelif n:\n  y = 2\nelse:\n  y = 3\nreturn y", []string{"1 n=3", "3 n=3", "4 y=2", "7 y=2"}},
		"each round of a loop":                 {"for i in [n, 7]:\n  pass\nwhile i < 8:\n  i += 1", []string{"1 i=3 n=3", "2", "1 i=7 n=3", "2", "3 i=7", "4 i=8", "3 i=8"}},
		"inside functions, and around":         {"k = 1\ndef f(a):\n  return a + k\nreturn f(2)", []string{"1 k=1", "3 a=2 k=1", "4 f=<nil>"}},
		"a step that fails is told, too":       {"x = n\nx = x / 0\nreturn 1", []string{"1 n=3 x=3", "2 x=3"}},
		"a failing condition":                  {"if n / 0:\n  pass", []string{"1 n=3"}},
		"what is handled":                      {"try:\n  x = 1 / 0\nexcept ZeroDivisionError as e:\n  y = str(e)\nreturn y", []string{"2", "4 e=ZeroDivisionError y=division by zero", "5 y=division by zero"}},
		"a lambda is part of its line":         {"x = sorted([2, 1],\n  key=lambda v: -v)\nreturn x", []string{"1 x=[2 1]", "3 x=[2 1]"}},
		"names of comprehensions are not kept": {"return [i for i in (n,) if len(str(i))]", []string{"1 n=3"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := traced(t, test.source, map[string]Value{"n": Int(3)})
			for i, line := range got {
				got[i] = strings.ReplaceAll(line, "f=<function f>", "f=<nil>")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestCheckRefusesUndefinedNames(t *testing.T) {
	host := Host{
		Names:  map[string]bool{"request": true, "context": true, "ak_message": true},
		Advice: map[string]string{"ak_create_jwt": "this server has no providers"},
	}
	tests := map[string]struct{ source, want string }{
		"known names":                {"x = request\ndef f(a, *b, **c):\n  return a, b, c, x\nreturn f(context), len, ValueError, [i for i in x]", ""},
		"a name assigned later":      {"def f():\n  return y\ny = 1\nreturn f()", ""},
		"a walrus in brackets":       {"return [z := 1], z", ""},
		"bound by import and except": {"import re as r\ntry: r\nexcept ValueError as e: return e", ""},
		"a name of nobody":           {"x = 1\nif x:\n  return thing", "line 3, column 10: SyntaxError: name 'thing' is not defined: assign to it first; what is given is in context"},
		"a slip":                     {"return reqest.user", "name 'reqest' is not defined: did you mean 'request'?"},
		"inside a function":          {"f = lambda a: a + b2b2b2\nreturn f(1)", "line 1, column 19: SyntaxError: name 'b2b2b2'"},
		"inside an f-string":         {"return f'{nothing}'", "line 1, column 11: SyntaxError: name 'nothing'"},
		"the host's advice":          {"return ak_create_jwt(1)", "'ak_create_jwt' is not available in expressions: this server has no providers"},
		"files":                      {"open('/etc/passwd')", "line 1, column 1: SyntaxError: 'open' is not available in expressions: expressions do not see files"},
		"evaluation":                 {"x = eval('1')", "write the expression itself"},
		"a forgotten import":         {"return json.dumps(1)", "name 'json' is not defined: add import json"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := Compile(test.source)
			if err != nil {
				t.Fatal(err)
			}
			err = p.Check(host)
			if (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
