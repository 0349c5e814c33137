package expr

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// eval runs a text in an environment and returns plain data.
func eval(t *testing.T, source string, env Env) (any, error) {
	t.Helper()
	p, err := Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	result, err := p.Eval(t.Context(), env)
	return ToGo(result.Value), err
}

func TestWritesReachTheHost(t *testing.T) {
	planned := NewDict()
	plan := object{"context": planned}
	context := NewDict()
	context.Set("flow_plan", plan)
	env := Env{Names: map[string]Value{"context": context, "request": object{"context": context}}}
	_, err := eval(t, `context["flow_plan"].context["email"] = "a@b.example"
request.context["seen"] = [1]
context["flow_plan"].marked = True
context["flow_plan"].context.setdefault("list", []).append(2)`, env)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{"planned": ToGo(planned), "seen": ToGo(must(context.Get("seen"))), "marked": ToGo(plan["marked"])}
	want := map[string]any{
		"planned": map[string]any{"email": "a@b.example", "list": []any{int64(2)}},
		"seen":    []any{int64(1)}, "marked": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func must(v Value, _ bool) Value { return v }

func TestHostFunctions(t *testing.T) {
	var messages []string
	names := map[string]Value{
		"ak_message": Builtin("ak_message", func(c *Call) (Value, error) {
			a, err := c.Bind("message")
			if err != nil {
				return nil, err
			}
			text, err := c.Text(a[0])
			messages = append(messages, text)
			return nil, err
		}),
		"ak_call_policy": Builtin("ak_call_policy", func(c *Call) (Value, error) {
			return nil, Raise("ValueError", "Policy '%s' not found.", c.Args[0].(Str))
		}),
		"broken": Builtin("broken", func(*Call) (Value, error) { return nil, fmt.Errorf("no answer: %w", errNoAnswer) }),
		"apply":  Builtin("apply", func(c *Call) (Value, error) { return c.Call(c.Args[0], c.Args[1:]...) }),
		"user":   object{"username": Str("ada")},
	}
	tests := map[string]struct {
		source string
		want   any
		err    string
	}{
		"a builtin is called":             {`return ak_message("one"), ak_message(message=2)`, []any{nil, nil}, ""},
		"its error can be handled":        {"try: ak_call_policy('x')\nexcept ValueError as e: return str(e)", "Policy 'x' not found.", ""},
		"its error has a place":           {"x = 1\nak_call_policy('x')", nil, "line 2, column 1: ValueError: Policy 'x' not found."},
		"a foreign error is an Exception": {"try: broken()\nexcept Exception as e: return str(e)", "no answer: none", ""},
		"a wrong argument":                {"ak_message(1, 2)", nil, "line 1, column 1: TypeError: ak_message() takes 1 positional argument but 2 were given"},
		"a function is called back":       {"return apply(lambda x: x + 1, 2)", int64(3), ""},
		"hasattr asks the host":           {`return hasattr(user, "backend"), hasattr(user, "username"), getattr(user, "pk", None)`, []any{false, true, nil}, ""},
		"a missing attribute":             {"return user.pk", nil, "line 1, column 8: AttributeError: 'Object' object has no attribute 'pk'"},
		"names may be assigned to":        {"user = user.username\nreturn user", "ada", ""},
		"innermost place":                 {"def f():\n  return 1 / 0\nf()", nil, "line 2, column 10: ZeroDivisionError: division by zero"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := eval(t, test.source, Env{Names: names})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if text := fmt.Sprint(err); err != nil && text != test.err || err == nil && test.err != "" {
				t.Errorf("got error %v, want %s", err, test.err)
			}
		})
	}
	if want := []string{"one", "2"}; !cmp.Equal(messages, want) {
		t.Errorf("got messages %v, want %v", messages, want)
	}
	if _, err := eval(t, "broken()", Env{Names: names}); !errors.Is(err, errNoAnswer) {
		t.Errorf("got %v, want the cause kept", err)
	}
}

var errNoAnswer = errors.New("none")

func TestResultNamesTheLineThatReturned(t *testing.T) {
	p, err := Compile("limit = 3\ncount = n + 1\nif count > limit:\n    return count - limit\nreturn False")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]struct {
		line  int
		names map[string]Value
	}{
		5: {4, map[string]Value{"count": Int(6), "limit": Int(3)}},
		1: {5, map[string]Value{}},
	} {
		result, err := p.Eval(t.Context(), Env{Names: map[string]Value{"n": Int(n)}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.names, result.Names()); result.Line != want.line || diff != "" {
			t.Errorf("got line %d, want %d; names (-want +got)\n%s", result.Line, want.line, diff)
		}
	}
}

func TestFallingOffGivesNone(t *testing.T) {
	p, err := Compile("x = 1")
	if err != nil {
		t.Fatal(err)
	}
	result, err := p.Eval(t.Context(), Env{})
	if err != nil || result.Value != None || result.Line != 0 || result.Steps == 0 {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestImports(t *testing.T) {
	missing := ExceptionClass("DoesNotExist")
	modules := map[string]map[string]Value{
		"authentik.core.models": {"USER_ATTRIBUTE_CHANGE_NAME": Str("goauthentik.io/user/can-change-name"), "DoesNotExist": missing,
			"find": Builtin("find", func(*Call) (Value, error) { return nil, missing.Raise("no such user") })},
	}
	tests := map[string]struct{ source, refused, failed string }{
		"of the host":             {"from authentik.core.models import USER_ATTRIBUTE_CHANGE_NAME as n\nreturn n", "", ""},
		"module of the host":      {"import authentik.core.models\nreturn authentik.core.models.USER_ATTRIBUTE_CHANGE_NAME", "", ""},
		"exception of the host":   {"from authentik.core.models import DoesNotExist, find\ntry: find()\nexcept DoesNotExist: return 1", "", ""},
		"unknown name":            {"x = 1\nfrom authentik.core.models import Foo", "line 2, column 35: SyntaxError: cannot import name 'Foo' from 'authentik.core.models'", "ImportError"},
		"unknown module":          {"import numpy as np", "line 1, column 8: SyntaxError: module 'numpy' is not available in expressions: available are re", "ModuleNotFoundError"},
		"known but not supplied":  {"import logging", "use ak_logger", "ModuleNotFoundError"},
		"handled":                 {"try:\n  import numpy\nexcept ImportError:\n  return 1", "module 'numpy'", ""},
		"name that is a module":   {"from urllib import parse\nreturn parse.quote('a b')", "", ""},
		"names of Django":         {"from django.utils.translation import gettext as _\nfrom django.utils.html import escape\nreturn escape(_('<a>'))", "", ""},
		"module below the module": {"import django.utils.html\nreturn django.utils.html.escape('&')", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := Compile(test.source)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(Host{Modules: modules}); (err != nil) != (test.refused != "") || err != nil && !strings.Contains(err.Error(), test.refused) {
				t.Errorf("got %v, want %s", err, test.refused)
			}
			_, err = p.Eval(t.Context(), Env{Modules: modules})
			if (err != nil) != (test.failed != "") || err != nil && !strings.Contains(err.Error(), test.failed) {
				t.Errorf("got %v, want %s", err, test.failed)
			}
		})
	}
	for source, want := range map[string]string{
		"x = 1\nimport os.path":   "line 2, column 8: SyntaxError: module 'os.path' is not available in expressions: expressions do not see the machine",
		"from re import nope":     "line 1, column 16: SyntaxError: cannot import name 'nope' from 're'",
		"import http.client":      "use requests",
		"from os import environ":  "pass values in",
		"import urllib.request":   "use requests",
		"import concurrent, json": "",
	} {
		_, err := Compile(source)
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", source, err, want)
		}
	}
}

func TestConversionGoesBothWays(t *testing.T) {
	large, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	data := map[string]any{
		"nil": nil, "bool": true, "int": int64(-5), "large": large, "float": 1.5, "text": "é", "bytes": []byte{0, 255},
		"list": []any{int64(1), "a", []any{}}, "map": map[string]any{"k": map[string]any{}}, "time": now,
	}
	got := ToGo(FromGo(data))
	if diff := cmp.Diff(any(data), got, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, test := range []struct{ in, want any }{
		{uint8(7), int64(7)}, {float32(0.5), 0.5}, {[]string{"a"}, []any{"a"}}, {map[string]int{"a": 1}, map[string]any{"a": int64(1)}},
		{"bad \xff", "bad \ufffd"}, {(*int)(nil), nil}, {[]int{1}, []any{int64(1)}},
	} {
		if diff := cmp.Diff(test.want, ToGo(FromGo(test.in))); diff != "" {
			t.Errorf("%v: (-want +got)\n%s", test.in, diff)
		}
	}
}

func TestEvaluationsAreDeterministic(t *testing.T) {
	source := `import random, uuid, time, datetime
return random.random(), random.sample(range(100), 5), str(uuid.uuid4()), time.time(), str(datetime.datetime.now()), {"b", "a", "c"}`
	env := Env{Now: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), Seed: 42}
	first, err := eval(t, source, env)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := eval(t, source, env)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("one seed, two answers:\n%s", diff)
	}
	env.Seed++
	if third, _ := eval(t, source, env); cmp.Equal(first, third) {
		t.Error("two seeds, one answer")
	}
}

// What authentik adds to Python, and what Python 3.12 added to 3.11.
func TestOwnAnswers(t *testing.T) {
	names := map[string]Value{"ak_client_ip": IPAddress(netip.MustParseAddr("::ffff:10.1.2.3"))}
	tests := map[string]any{
		`return regex_match("foo", "o+$"), regex_match("foo", "bar"), regex_replace("foo", "o", "a")`: []any{true, false, "faa"},
		`return list_flatten([1, 2]), list_flatten([]), list_flatten("x")`:                            []any{int64(1), nil, "x"},
		`return slugify(" Héllo, Wörld! -- x_y ")`:                                                    "hello-world-x_y",
		`return ak_client_ip in ip_network("10.0.0.0/8"), str(ak_client_ip)`:                          []any{true, "10.1.2.3"},
		`return f"{"a" + f"{'b'}"}", f'{', '.join(['x', 'y'])}'`:                                      []any{"ab", "x, y"},
		"return f'{\n1 +\n1}'": "2",
		`from django.core.validators import URLValidator
from django.core.exceptions import ValidationError
out = []
for url in ["https://authentik.company", "http://localhost:9000/x?y", "https://[::1]/", "x", "https://", "javascript:alert(1)", "https://a b.c", "https://-a.example", None]:
    try:
        URLValidator()(url)
        out.append("valid")
    except ValidationError as e:
        out.append(str(e))
return out[:3], set(out[3:])`: []any{[]any{"valid", "valid", "valid"}, []any{"['Enter a valid URL.']"}},
		`from django.utils.html import escape as esc
return esc("<a href='x'>&\"")`: "&lt;a href=&#x27;x&#x27;&gt;&amp;&quot;",
		"import re\ntry: re.match('^(?=a)a|b', 'b')\nexcept re.error as e: return str(e)": "look-ahead in one of several alternatives is not available in regular expressions here: " +
			"put the alternatives behind it in brackets, (?:a|b), or use two expressions",
		"import re\ntry: re.search('(?=x)', 'x')\nexcept re.error as e: return str(e)":                       "look-ahead other than behind a ^ at the very beginning is not available in regular expressions here: use two expressions, or methods of the text",
		"import re\ntry: re.search(r'(a)\\1', 'x')\nexcept re.error as e: return 'back-reference' in str(e)": true,
	}
	for source, want := range tests {
		got, err := eval(t, source, Env{Names: names})
		if err != nil {
			t.Errorf("%s: %v", source, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", source, diff)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, seed := range []string{
		`^(?=.*[A-Z])(?!x(y)|[)])(?P<a>b)\\Z`, `\A(?=(a)(b))`, `[^\W\d_]+|[\s\S]`, `(?i)a{,3}(?#c)[]-a]`, `^(?=[^]]`, `(a)|(b)*?$`, `\d\D\w\W\s\S\b\B\u00e9\x41`,
	} {
		f.Add(seed, "a Bb)\n", 0)
		f.Add(seed, "", flagIgnoreCase|flagVerbose|flagMultiline)
	}
	f.Fuzz(func(t *testing.T, pattern, text string, flags int) {
		p, err := Compile("import re\np = re.compile(pattern, flags)\nm = p.search(text)\nm and (m.groups(), m.groupdict(), m.lastindex, m.span())\n" +
			"return p.findall(text), p.sub(r'<\\g<0>>', text), p.split(text), p.match(text), p.fullmatch(text)")
		if err != nil {
			t.Fatal(err)
		}
		env := Env{Names: map[string]Value{"pattern": FromGo(pattern), "text": FromGo(text), "flags": Int(flags)}}
		if _, err := p.Eval(t.Context(), env); err != nil {
			placed(t, err)
		}
	})
}

// placed requires that an error says where.
func placed(t *testing.T, err error) {
	t.Helper()
	if e, ok := err.(*Error); !ok || e.Line < 1 || e.Column < 1 {
		t.Errorf("got error %v without its place", err)
	}
}

func FuzzEval(f *testing.F) {
	for _, seed := range []string{
		passwordExpression, "return f'{1:>{5}}' + '%5.2f' % 3 + '{0!r:>{1}}'.format('a', 9)", "import re\nreturn re.sub(r'(\\w)', r'\\1\\g<1>', 'ab')",
		"from datetime import *\n", "from datetime import datetime, timedelta\nreturn str(datetime.now() - timedelta(1))[1:] * 2", "d = {(1,): [2]}\ndel d[(1,)]\nreturn sorted(d) or 7 // 2 ** 70 % 3",
		"def f(*a, b=1, **c): return a, b, c\nreturn f(*[1], **{'d': 2})", "import json\nreturn json.dumps(json.loads('{\"a\": [1e5, null]}'), indent=1)",
		"try:\n  [].pop()\nexcept IndexError as e:\n  raise ValueError(e) from e\nfinally:\n  x = [i for i in range(9) if i % 2][::-2]", "import ipaddress\nreturn ipaddress.ip_network('10.0.0.0/30').hosts()",
		"from urllib.parse import *", "import urllib.parse, base64, hashlib, uuid, math, time\nreturn math.factorial(9), uuid.uuid4(), base64.b64decode('aGk='), urllib.parse.parse_qs('a=1')",
	} {
		f.Add(seed)
	}
	for _, h := range hostilePrograms {
		f.Add(h.source)
	}
	raw, err := os.ReadFile("testdata/programs.txt")
	if err != nil {
		f.Fatal(err)
	}
	for program := range strings.SplitSeq(string(raw), "---\n") {
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p, err := Compile(source)
		if err != nil {
			placed(t, err)
			return
		}
		_ = p.Check(Host{Names: map[string]bool{"request": true}})
		env := passwordEnv()
		env.Limits = Limits{Steps: 20000, Memory: 1 << 20}
		steps := 0
		env.Trace = func(s Step) {
			if steps++; steps < 100 {
				for _, v := range s.Names() {
					Repr(v)
				}
			}
		}
		start := time.Now()
		result, err := p.Eval(t.Context(), env)
		if took := time.Since(start); took > 2*time.Second*slowdown {
			t.Errorf("took %v", took)
		}
		if err != nil {
			placed(t, err)
		}
		ToGo(result.Value)
		Repr(result.Value)
		result.Names()
	})
}
