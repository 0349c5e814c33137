package expr

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A hostile program, and the kind of error that has to end it.
type hostile struct{ source, kind string }

var hostilePrograms = map[string]hostile{
	"endless loop":              {"while True: pass", StepLimit},
	"endless loop of work":      {"x = 0\nwhile True: x += 1", StepLimit},
	"handled endless loop":      {"while True:\n  try:\n    while True: pass\n  except: pass", StepLimit},
	"finally after a limit":     {"try:\n  while True: pass\nfinally:\n  while True: pass", StepLimit},
	"large range as list":       {"return list(range(10**9))", MemoryLimit},
	"large range summed":        {"return sum(range(10**9))", StepLimit},
	"large comprehension":       {"return [0 for i in range(10**9)]", MemoryLimit},
	"large set":                 {"return {i for i in range(10**9)}", MemoryLimit},
	"nested generators":         {"return any(False for a in range(10**5) for b in range(10**5))", StepLimit},
	"search in range of floats": {"return 0.5 in range(10**9)", StepLimit},
	"recursion":                 {"def f(): return f()\nreturn f()", DepthLimit},
	"mutual recursion":          {"f = lambda: g()\ng = lambda: f()\nreturn f()", DepthLimit},
	"handled recursion":         {"def f():\n  try: f()\n  except: f()\nf()", DepthLimit},
	"recursion through sorted":  {"def f(x): return sorted([1, 2], key=f)\nf(1)", DepthLimit},
	"recursion through sub":     {"import re\ndef f(m): return re.sub('a', f, 'a')\nf(1)", DepthLimit},
	"huge text":                 {"return 'x' * 10**9", MemoryLimit},
	"huge text by doubling":     {"x = 'x'\nwhile True: x += x", MemoryLimit},
	"huge text by replace":      {"return ('a' * 10**6).replace('a', 'b' * 10**6)", MemoryLimit},
	"huge text by join":         {"return ('a' * 10**6).join(['b'] * 10**4)", MemoryLimit},
	"huge text by width":        {"return f'{1:>{10**7}}'", MemoryLimit},
	"huge width":                {"return '{:99999999999}'.format(1)", "ValueError"},
	"huge text by percent":      {"return '%16000000d' % 1", MemoryLimit},
	"huge text by center":       {"return 'a'.center(10**10)", MemoryLimit},
	"huge text by tabs":         {"return ('\\t' * 10**6).expandtabs(10**6)", MemoryLimit},
	"huge text by translate":    {"return ('a' * 10**6).translate({97: 'b' * 10**4})", MemoryLimit},
	"huge bytes":                {"return bytes(10**10)", MemoryLimit},
	"huge list":                 {"return [0] * 10**9", MemoryLimit},
	"huge list by doubling":     {"x = [1]\nwhile True: x += x", MemoryLimit},
	"list extended by itself":   {"x = [1]\nfor i in x: x.append(i)", StepLimit},
	"huge power":                {"return 10**10**10", MemoryLimit},
	"huge power of negatives":   {"return (-7)**(10**8)", MemoryLimit},
	"huge shift":                {"return 1 << 10**12", MemoryLimit},
	"huge factorial":            {"import math\nreturn math.factorial(10**8)", MemoryLimit},
	"growing integer":           {"x = 3\nwhile True: x = x * x", MemoryLimit},
	"slow modular power":        {"while True: pow(3, 2**60000, 2**60000 - 1)", StepLimit},
	"many large products":       {"x = 1 << 30000\nwhile True: x * x", StepLimit},
	"many large quotients":      {"x = 1 << 60000\ny = (1 << 30000) - 1\nwhile True: x // y", StepLimit},
	"many large decimals":       {"x = 10**4000\nwhile True: str(x)", MemoryLimit},
	"many searches":             {"x = 'a' * 10**6\nwhile True: 'b' in x", StepLimit},
	"many copies":               {"x = list(range(1000))\nwhile True: x[:]", MemoryLimit},
	"many deletions":            {"x = [0] * 10**5\nwhile x: del x[0]", StepLimit},
	"many insertions":           {"x = []\nwhile True: x.insert(0, 1)", StepLimit},
	"many removals":             {"d = dict.fromkeys(range(50000))\nwhile True:\n  d.popitem()\n  d[1] = 2", MemoryLimit},
	"catastrophic pattern":      {"import re\nwhile True: re.match('(a+)+$', 'a' * 5000 + 'b')", StepLimit},
	"huge pattern":              {"import re\nreturn re.compile('((a{900}){900}){900}')", "error"},
	"long pattern":              {"import re\nreturn re.compile('a' * 10**6)", "error"},
	"many look-aheads":          {"import re\nwhile True: re.match('^' + '(?=.*a)' * 500 + 'a', 'b' * 5000 + 'a')", StepLimit},
	"huge look-ahead":           {"import re\nreturn re.compile('^(?=((a{900}){900}){900})')", "error"},
	"endless look-ahead":        {"import re\nreturn re.compile('^(?=' + '(' * 4000)", "error"},
	"nested look-aheads":        {"import re\nreturn re.compile('^(?=(?=a)b)')", "error"},
	"many views as sets":        {"d = dict.fromkeys(range(10**4))\nwhile True: d.keys() & d.keys()", MemoryLimit},
	"list doubled in place":     {"x = [1]\nwhile True: x *= 2", MemoryLimit},
	"least common multiple":     {"import math\nreturn math.lcm(*range(1, 10**5))", StepLimit},
	"many permutations":         {"import math\nreturn math.perm(10**9, 10**8)", MemoryLimit},
	"wide hexadecimal":          {"return (b'x' * 10**6).hex('y' * 10**5)", MemoryLimit},
	"long seed":                 {"import random\nwhile True: random.seed('x' * 10**6)", MemoryLimit},
	"many patterns":             {"import re\nfor i in range(10**9): re.compile('[a-z]{50}' + str(i))", MemoryLimit},
	"many matches":              {"import re\nreturn re.findall('', 'a' * 10**6)", MemoryLimit},
	"deep data":                 {"x = []\nfor i in range(10**4): x = [x]\nreturn repr(x)", DepthLimit},
	"deep equality":             {"x = []\ny = []\nfor i in range(10**4):\n  x = [x]\n  y = [y]\nreturn x == y", DepthLimit},
	"deep key":                  {"x = ()\nfor i in range(10**4): x = (x,)\nreturn {x: 1}", DepthLimit},
	"deep JSON":                 {"import json\nreturn json.loads('[' * 10**5)", DepthLimit},
	"circular JSON":             {"import json\nx = []\nx.append(x)\nreturn json.dumps(x)", DepthLimit},
	"exponential data":          {"x = [1]\nfor i in range(40): x = [x, x]\nreturn repr(x)", StepLimit},
	"exponential equality":      {"x = [1]\ny = [1]\nfor i in range(40):\n  x = [x, x]\n  y = [y, y]\nreturn x == y", StepLimit},
	"exponential key":           {"x = (1,)\nfor i in range(40): x = (x, x)\nreturn {x: 1}", MemoryLimit},
	"class of an object":        {"return ().__class__", "SyntaxError"},
	"bases of a class":          {"return type(()).__bases__[0].__subclasses__()", "SyntaxError"},
	"globals of a function":     {"def f(): pass\nreturn f.__globals__", "SyntaxError"},
	"class by getattr":          {"return getattr((), '__' + 'class__')", "AttributeError"},
	"class by format":           {"return '{0.__class__}'.format(1)", "AttributeError"},
	"import function":           {"return __import__('os')", "SyntaxError"},
	"evaluated text":            {"return eval('1')", "NameError"},
	"opened file":               {"return open('/etc/passwd')", "NameError"},
	"foreign module":            {"import os", "SyntaxError"},
	"wide groups":               {"while True: f'{1:01000000,}'", MemoryLimit},
	"many named arguments":      {"def f(**k): pass\nd = {str(i): i for i in range(3000)}\nwhile True: f(**d)", StepLimit},
	"many alternatives":         {"while True: " + strings.Repeat("0 or ", 10000) + "0", StepLimit},
	"many fragments":            {"a = ''\nwhile True: f'" + strings.Repeat("{a}", 10000) + "'", StepLimit},
	"many equal keys":           {"while True: {" + strings.Repeat("1:1,", 10000) + "}", StepLimit},
	"many arguments":            {"def f(*a): pass\nwhile True: f(" + strings.Repeat("1,", 10000) + ")", MemoryLimit},
	"many conditions":           {"while True:\n if 0: pass\n" + strings.Repeat(" elif 0: pass\n", 4000), StepLimit},
	"many empty fields":         {"return ('{0}' * 10**6).format('')", StepLimit},
	"many percent signs":        {"return '%%' * 10**6 % ()", StepLimit},
	"many imports":              {"while True: import django", StepLimit},
	"many long keys":            {"d = {}\nk = 'x' * 10**6\nwhile True: d.get(k)", StepLimit},
	"many fractions":            {"a = 1 << 60000\nb = a - 1\nwhile True: a / b", StepLimit},
	"wide strip":                {"a = 'é' * 10**5\nwhile True: a.strip('ü' * 10**5)", StepLimit},
	"wide indent":               {"import json\nreturn json.dumps([[[[1]]]], indent='x' * 3000000)", MemoryLimit},
	"huge hexadecimal":          {"return int('f' * 10**6, 16)", MemoryLimit},
	"many copies of a module":   {"while True: import urllib.parse", StepLimit},
	"many searches of values":   {"d = dict.fromkeys(range(10**4))\nwhile True: -1 in d.values()", StepLimit},
	"choices beyond counting":   {"import random\nreturn random.choices([1], k=2**60)", MemoryLimit},
	"many long numbers read":    {"x = '9' * 4000\nwhile True: int(x)", StepLimit},
	"escapes of JSON":           {"import json\nreturn json.dumps('é' * 10**6)", MemoryLimit},
	"much to hash":              {"import hashlib\nh = hashlib.sha256()\nx = b'a' * 10**6\nwhile True: h.update(x)", MemoryLimit},
	"searches from each letter": {"import re\nreturn re.sub('(a*)b|a', 'x', 'a' * 50000)", StepLimit},
	"splits at each letter":     {"import re\nreturn re.split('a*?(a*)b|a', 'a' * 10**6)", StepLimit},
	"sleep":                     {"import time\ntime.sleep(10)", "RuntimeError"},
	"hosts of a large network":  {"import ipaddress\nreturn list(ipaddress.ip_network('::/0').hosts())", MemoryLimit},
	"all of zip":                {"return list(zip(range(10**9), range(10**9)))", MemoryLimit},
	"random bits":               {"import random\nreturn random.choices([1], k=10**9)", MemoryLimit},
	"unpacking a range":         {"a, *b = range(10**9)", MemoryLimit},
	"arguments from a range":    {"return max(*range(10**9))", MemoryLimit},
}

func runHostile(ctx context.Context, source string) error {
	p, err := Compile(source)
	if err == nil {
		_, err = p.Eval(ctx, Env{})
	}
	return err
}

// checkSoon reports an error unless one of five tries ends in 100 ms: the
// machine may be busy with something else.
func checkSoon(t *testing.T, try func()) {
	t.Helper()
	var took time.Duration
	for range 5 {
		start := time.Now()
		try()
		if took = time.Since(start); took <= 100*time.Millisecond*slowdown {
			return
		}
	}
	t.Errorf("took %v, want at most 100ms", took)
}

func TestHostileProgramsEndSoon(t *testing.T) {
	for name, h := range hostilePrograms {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := runHostile(t.Context(), h.source)
			runtime.ReadMemStats(&after)
			e, ok := err.(*Error)
			if !ok || e.Kind != h.kind {
				t.Errorf("got %v, want %s", err, h.kind)
			}
			checkSoon(t, func() { _ = runHostile(t.Context(), h.source) })
			if used := after.TotalAlloc - before.TotalAlloc; used > 20<<20*slowdown {
				t.Errorf("allocated %d bytes in all, want at most 20 MB, garbage included", used)
			}
			if heap := int64(after.HeapSys) - int64(before.HeapSys); heap > 24<<20*slowdown {
				t.Errorf("the heap grew by %d bytes, want at most 24 MB", heap)
			}
		})
	}
}

func TestHostileTextsAreRefusedSoon(t *testing.T) {
	texts := map[string]string{
		"long text":       "return 1" + strings.Repeat(" ", 70000),
		"many brackets":   "return " + strings.Repeat("(", 30000),
		"many lists":      "return " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + strings.Repeat("[0]", 20000),
		"many braces":     "return " + strings.Repeat("{", 60) + "1",
		"many nots":       "return " + strings.Repeat("not ", 15000) + "1",
		"many minuses":    "return " + strings.Repeat("-", 60000) + "1",
		"many powers":     "return 1" + strings.Repeat("**1", 20000),
		"many sums":       "return 1" + strings.Repeat("+1", 30000),
		"many attributes": "return a" + strings.Repeat(".a", 30000),
		"many calls":      "return a" + strings.Repeat("()", 30000),
		"many lambdas":    "return " + strings.Repeat("lambda:", 9000) + "1",
		"many ifs":        "return " + strings.Repeat("1 if 1 else ", 5000) + "1",
		"many blocks":     deepBlocks(90),
		"many f-strings":  "return " + strings.Repeat("f'{", 5000),
		"many specs":      "return f'{1" + strings.Repeat(":{1", 5000),
		"many digits":     "return " + strings.Repeat("9", 60000),
		"many loops":      "return [1 " + strings.Repeat("for x in y ", 5000) + "]",
		"many targets":    strings.Repeat("x = ", 15000) + "1",
	}
	for name, source := range texts {
		t.Run(name, func(t *testing.T) {
			_, err := Compile(source)
			if e, ok := err.(*Error); !ok || e.Kind != "SyntaxError" || e.Line == 0 {
				t.Errorf("got %v, want a SyntaxError with its place", err)
			}
			checkSoon(t, func() { _, _ = Compile(source) })
		})
	}
}

func deepBlocks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "if 1:\n")
	}
	return b.String() + strings.Repeat(" ", n) + "pass"
}

func TestDeadlineEndsTheProgram(t *testing.T) {
	p, err := Compile("try:\n  while True: pass\nexcept:\n  return 1")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = p.Eval(ctx, Env{Limits: Limits{Steps: 1 << 40}})
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != Deadline || !e.Limit() || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the deadline", err)
	}
}
