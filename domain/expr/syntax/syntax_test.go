package syntax

import (
	"strings"
	"testing"
)

// The place and a part of the message of every refusal.
func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		source string
		pos    Pos
		want   string
	}{
		"with":                   {"x = 1\nwith a as b:\n  pass", Pos{2, 1}, "use try … finally"},
		"class":                  {"class A:\n  pass", Pos{1, 1}, "use a dict"},
		"async":                  {"async def f(): pass", Pos{1, 1}, "leave it out"},
		"await":                  {"x = await f()", Pos{1, 5}, "leave it out"},
		"yield":                  {"def f():\n  yield 1", Pos{2, 3}, "append to a list"},
		"yield assigned":         {"x = yield", Pos{1, 5}, "append to a list"},
		"yield in brackets":      {"x = (yield 1)", Pos{1, 6}, "append to a list"},
		"decorator":              {"@cache\ndef f(): pass", Pos{1, 1}, "decorators"},
		"global":                 {"global x", Pos{1, 1}, "nonlocal"},
		"match":                  {"match x:\n  case 1: pass", Pos{1, 1}, "if … elif"},
		"except star":            {"try:\n  pass\nexcept* E:\n  pass", Pos{3, 7}, "use except"},
		"matrix product":         {"return a @ b", Pos{1, 10}, "matrix"},
		"matrix update":          {"a @= b", Pos{1, 3}, "matrix"},
		"ellipsis":               {"return ...", Pos{1, 8}, "use pass"},
		"complex":                {"return 1j", Pos{1, 8}, "complex"},
		"named letter":           {`return "\N{BULLET}"`, Pos{1, 9}, "not available"},
		"star import":            {"from re import *", Pos{1, 16}, "list the names"},
		"relative import":        {"from . import x", Pos{1, 6}, "relative"},
		"class attribute":        {"return x.__class__", Pos{1, 10}, "isinstance"},
		"import function":        {"return __import__('os')", Pos{1, 8}, "import statement"},
		"dunder parameter":       {"def f(__class__): pass", Pos{1, 7}, "not available"},
		"nothing":                {"", Pos{1, 1}, "empty"},
		"only a comment":         {"# hello\n", Pos{2, 1}, "empty"},
		"operator":               {"/", Pos{1, 1}, "invalid syntax"},
		"semicolon":              {";", Pos{1, 1}, "invalid syntax"},
		"words":                  {"something invalid dunno", Pos{1, 11}, "invalid syntax"},
		"unclosed bracket":       {"return (1,\n 2", Pos{1, 8}, "'(' was never closed"},
		"wrong bracket":          {"return (1]", Pos{1, 10}, "does not match"},
		"unopened bracket":       {"return 1)", Pos{1, 9}, "unmatched"},
		"unclosed string":        {"return 'a", Pos{1, 8}, "unterminated string"},
		"unclosed long string":   {"x = 1\nreturn '''a\n\n", Pos{2, 8}, "unterminated triple-quoted"},
		"missing colon":          {"if x\n  pass", Pos{1, 5}, "expected ':'"},
		"missing block":          {"if x:\npass", Pos{2, 1}, "expected an indented block after 'if' statement on line 1"},
		"unexpected indent":      {"x = 1\n  y = 2", Pos{2, 3}, "unexpected indent"},
		"wrong unindent":         {"if x:\n    y\n  z", Pos{3, 3}, "unindent"},
		"tabs and blanks":        {"if x:\n\ty\n        z", Pos{3, 9}, "tabs"},
		"break outside":          {"break", Pos{1, 1}, "outside loop"},
		"continue in def":        {"for x in y:\n  def f():\n    continue", Pos{3, 5}, "not properly in loop"},
		"assign to literal":      {"1 = x", Pos{1, 1}, "cannot assign to literal"},
		"assign to call":         {"f() = 1", Pos{1, 1}, "cannot assign to function call"},
		"assign to None":         {"None = 1", Pos{1, 1}, "cannot assign to None"},
		"two stars":              {"*a, *b = x", Pos{1, 1}, "multiple starred"},
		"update of tuple":        {"a, b += 1", Pos{1, 1}, "illegal expression for augmented"},
		"delete call":            {"del f()", Pos{1, 5}, "cannot delete"},
		"positional after named": {"f(a=1, 2)", Pos{1, 8}, "positional argument follows"},
		"repeated argument":      {"f(a=1, a=2)", Pos{1, 8}, "repeated"},
		"bare generator":         {"f(x for x in y, 1)", Pos{1, 3}, "parenthesized"},
		"default before none":    {"def f(a=1, b): pass", Pos{1, 12}, "non-default"},
		"duplicate parameter":    {"lambda a, a: 1", Pos{1, 11}, "duplicate"},
		"nonlocal unbound":       {"def f():\n  nonlocal x", Pos{2, 3}, "no binding for nonlocal"},
		"bare except first":      {"try:\n  x\nexcept:\n  y\nexcept E:\n  z", Pos{3, 1}, "must be last"},
		"try alone":              {"try:\n  x\nz", Pos{3, 1}, "'except' or 'finally'"},
		"missing else":           {"return 1 if x", Pos{1, 8}, "expected 'else'"},
		"leading zero":           {"return 012", Pos{1, 8}, "leading zeros"},
		"number and letters":     {"return 1abc", Pos{1, 8}, "invalid number"},
		"mixed bytes":            {"return 'a' b'b'", Pos{1, 12}, "cannot mix"},
		"bytes beyond ASCII":     {"return b'é'", Pos{1, 10}, "ASCII"},
		"half a pair":            {`return "\ud800"`, Pos{1, 9}, "not a character"},
		"question mark":          {"return x ? 1", Pos{1, 10}, "invalid character '?'"},
		"f-string unclosed":      {"return f'{x'", Pos{1, 12}, "unterminated"},
		"f-string single brace":  {"return f'}'", Pos{1, 10}, "single '}'"},
		"f-string empty":         {"return f'{}'", Pos{1, 10}, "valid expression required"},
		"f-string conversion":    {"return f'{x!z}'", Pos{1, 12}, "conversion"},
		"f-string second line":   {"x = 1\nreturn f'a{x +}'", Pos{2, 15}, "invalid syntax"},
		"columns count letters":  {"return 'é☃' ?", Pos{1, 13}, "invalid character"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(test.source)
			e, ok := err.(*Error)
			if !ok {
				t.Fatalf("got %v, want an error with its place", err)
			}
			if e.Pos != test.pos || !strings.Contains(e.Message, test.want) {
				t.Errorf("got %v, want %v with %q", e, test.pos, test.want)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	for _, source := range []string{
		"False", "return", "pass;", "x: int", "x: dict[str, int] = {}", "\ufeffreturn 1", "return 1\r\nx = 2\r",
		"    return 1\n    # deeper\n", "\n\n  if x:\n    y\n  else:\n    z\n", "if x: y; z",
		"return f'{f'{x}'}'", `return f"{d["a"]}"`, "return f'{x:{y}}' f'{{' '}}'", "return f'{\nx\n}'",
		"return (yes\n  # comment\n  and no)", "f(*a, *b, **c, d=1)", "f(x for x in y)", "def f(a, /, b, *, c): pass",
		"return [x for x in (1, 2) if x if not x]", "x = *a, b", "return {**a, 'b': 1}", "a[1:2, ::3]", "return not-1",
		"match = 1\ntype = match", "print(match)", "return 1if x else 2", "lambda: (yes)", "return x.__name__",
	} {
		if _, err := Parse(source); err != nil {
			t.Errorf("%q: %v", source, err)
		}
	}
}

func TestReturnKnowsTheNamesItReads(t *testing.T) {
	fn, err := Parse("x = a\nreturn b.c(d) and x or [d for e in f'{g}']")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(fn.Body[1].(*Return).Names, " ")
	if want := "b d x e g"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"return f'{x!r:>{y}}' if a is not b else [*c]", "try:\n  x\nexcept (A, B) as e:\n  raise\nfinally:\n  pass",
		"def f(a, *b, c=1, **d) -> int:\n\treturn {**d, 'a': (yield)}", "x = '''a\n\\\n''' rb'\\x00'; del a[1:2], b",
		"for i, (a, *b) in x: continue\nelse: nonlocal y", "from a.b import (c as d,)\nimport e.f", "0x_f 1e5 .5 1__0 0o9",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		_, err := Parse(source)
		if e, ok := err.(*Error); err != nil && (!ok || e.Line < 1 || e.Col < 1) {
			t.Errorf("got error %v without its place", err)
		}
	})
}
