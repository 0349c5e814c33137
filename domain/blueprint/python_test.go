package blueprint

import (
	"math"
	"testing"
)

func TestPythonRepr(t *testing.T) {
	m := newMapping()
	m.set("b", []any{int64(1), nil})
	m.set("a'", "x\n")
	date, _ := parseStamp("2028-12-31")
	moment, _ := parseStamp("2028-12-31 10:00:00.5 -01:30")
	tests := []struct {
		v    any
		want string
	}{
		{nil, "None"}, {true, "True"}, {false, "False"}, {int64(-5), "-5"}, {5, "5"},
		{1.0, "1.0"}, {0.5, "0.5"}, {1e16, "1e+16"}, {1e-5, "1e-05"}, {123456.75, "123456.75"},
		{math.Inf(1), "inf"}, {math.Inf(-1), "-inf"}, {math.NaN(), "nan"},
		{"it's", `"it's"`}, {`both ' and "`, `'both \' and "'`}, {`back\slash`, `'back\\slash'`},
		{m, `{'b': [1, None], "a'": 'x\n'}`}, {[]any{}, "[]"}, {newMapping(), "{}"},
		{map[string]any{"k": []string{"v"}}, "{'k': ['v']}"},
		{date, "2028-12-31"}, {moment, "2028-12-31 10:00:00.5-01:30"},
		{&tag{name: "Context"}, "<!Context>"},
	}
	for _, tt := range tests {
		if got := pyRepr(tt.v); got != tt.want {
			t.Errorf("repr of %#v is %s, want %s", tt.v, got, tt.want)
		}
	}
	if got := pyString("it's"); got != "it's" {
		t.Errorf("str is %s", got)
	}
}

func TestPythonEqual(t *testing.T) {
	one, other := newMapping(), newMapping()
	one.set("a", int64(1))
	one.set("b", []any{"x"})
	other.set("b", []any{"x"})
	other.set("a", true)
	less := newMapping()
	less.set("a", int64(1))
	date, _ := parseStamp("2028-12-31")
	same, _ := parseStamp("2028-12-31 00:00:00")
	tests := []struct {
		v, w any
		want bool
	}{
		{int64(1), 1.0, true}, {int64(1), true, true}, {int64(0), false, true}, {int64(2), true, false},
		{"1", int64(1), false}, {nil, nil, true}, {nil, false, false}, {"a", "a", true},
		{[]any{int64(1)}, []any{true}, true}, {[]any{int64(1)}, []any{}, false}, {[]any{}, nil, false}, {[]any{"a"}, []any{"b"}, false},
		{one, other, true}, {one, less, false}, {less, one, false}, {one, "x", false},
		{date, same, true}, {date, "2028-12-31", false},
	}
	for _, tt := range tests {
		if got := pyEqual(tt.v, tt.w); got != tt.want {
			t.Errorf("%s == %s is %t", pyRepr(tt.v), pyRepr(tt.w), got)
		}
	}
}

func TestTruth(t *testing.T) {
	m := newMapping()
	for _, v := range []any{nil, false, int64(0), 0.0, "", []any{}, m} {
		if truth(v) {
			t.Errorf("%s is true", pyRepr(v))
		}
	}
	m = newMapping()
	m.set("a", nil)
	for _, v := range []any{true, int64(-1), 0.1, "0", []any{nil}, m, stamp{}} {
		if !truth(v) {
			t.Errorf("%s is false", pyRepr(v))
		}
	}
}

func TestDeepMerge(t *testing.T) {
	of := func(v map[string]any) any { return valueOf(v) }
	tests := []struct{ base, over, want any }{
		{of(map[string]any{"a": 1, "b": map[string]any{"c": 1}}), of(map[string]any{"b": map[string]any{"d": 2}}), "{'a': 1, 'b': {'c': 1, 'd': 2}}"},
		{of(map[string]any{"l": []any{1}}), of(map[string]any{"l": []any{2}}), "{'l': [1, 2]}"},
		{of(map[string]any{"l": []any{1}}), of(map[string]any{"l": "x"}), "{'l': 'x'}"},
		{of(map[string]any{"m": 1}), of(map[string]any{"m": map[string]any{}}), "{'m': {}}"},
		{[]any{}, nil, "None"},
	}
	for _, tt := range tests {
		before := pyRepr(tt.base)
		got, err := (&budget{}).deepMerge(tt.base, tt.over)
		if err != nil || pyRepr(got) != tt.want {
			t.Errorf("%s with %s is %s, %v, want %s", before, pyRepr(tt.over), pyRepr(got), err, tt.want)
		}
		if pyRepr(tt.base) != before {
			t.Errorf("%s became %s", before, pyRepr(tt.base))
		}
	}
}
