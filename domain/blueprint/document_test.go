package blueprint_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/blueprint"
)

func TestParse(t *testing.T) {
	d, err := blueprint.Parse("f.yaml", []byte(`---
version: 1
metadata: {name: N, labels: {blueprints.goauthentik.io/instantiate: "False", other: x}}
entries:
  one: [{model: a.b, identifiers: {c: d}, attrs: null, id: null}]
  two: [{attrs: {}, model: !Format [a.b]}]
unknown: ignored
`))
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "N" || d.Len() != 2 || d.Labels["other"] != "x" {
		t.Errorf("parsed %+v", d)
	}
	for _, text := range []string{"{}", "version: 1", `{"version": 1, "entries": []}`, "metadata:\nentries: {}"} {
		if _, err := blueprint.Parse("f", []byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	entry := func(fields string) string { return "version: 1\nentries:\n- {id: x, model: a.b}\n- {" + fields + "}\n" }
	tests := map[string]struct{ text, want string }{
		"another version":        {"version: 3", "f.yaml:1: Invalid blueprint version"},
		"a version as text":      {`version: "1"`, "f.yaml:1: Invalid blueprint version"},
		"nothing":                {"", "f.yaml:1: a blueprint is a mapping with version and entries"},
		"a list":                 {"[]", "f.yaml:1: a blueprint is a mapping with version and entries"},
		"no YAML":                {"a: [", "f.yaml:1: did not find expected node content"},
		"two documents":          {"version: 1\n---\nversion: 1", "f.yaml:2: expected a single document in the stream"},
		"an empty context":       {"context:", `f.yaml:1: wrong type for "context", it should be a mapping`},
		"no name":                {"metadata: {}", `f.yaml:1: missing value for "metadata.name"`},
		"a name of another kind": {"metadata: {name: 5}", `f.yaml:1: wrong type for "name", it should be a text`},
		"a label without quotes": {"metadata:\n  name: x\n  labels:\n    a: false", `f.yaml:4: wrong type for "a", it should be a text in quotes`},
		"entries as text":        {"entries: x", `f.yaml:1: wrong type for "entries", it should be a list of entries`},
		"an entry as text":       {"entries: [x]", "f.yaml: entry 1: an entry is a mapping with a model"},
		"a tag as an entry":      {"entries: [!Context x]", "f.yaml: entry 1: an entry is a mapping with a model"},
		"a number as id":         {entry("model: a.b, id: 3"), `f.yaml:4: entry 2 (model a.b), field id: wrong type for "id", it should be a text`},
		"a tag as id":            {entry("id: !Context x"), `f.yaml:4: entry 2, field id: wrong type for "id", it should be a text`},
		"no model":               {entry("id: y"), `f.yaml:4: entry 2 (id "y"), field model: missing value for "model"`},
		"empty identifiers":      {entry("model: a.b, identifiers: "), `f.yaml:4: entry 2 (model a.b), field identifiers: wrong type for "identifiers", it should be a mapping`},
		"a list as attrs":        {entry("model: a.b, attrs: []"), `f.yaml:4: entry 2 (model a.b), field attrs: wrong type for "attrs", it should be a mapping`},
		"an unknown state":       {entry("model: a.b, state: gone"), `f.yaml:4: entry 2 (model a.b), field state: 'gone' is not a valid state`},
		"conditions":             {entry("model: a.b, conditions: true"), `f.yaml:4: entry 2 (model a.b), field conditions: wrong type for "conditions", it should be a list`},
		"a permission":           {entry("model: a.b, permissions: [{user: 1}]"), `f.yaml:4: entry 2 (model a.b), field permission: missing value for "permission"`},
		"a permission's user":    {entry("model: a.b, permissions: [{permission: x, user: y}]"), `f.yaml:4: entry 2 (model a.b), field user: wrong type for "user", it should be an integer`},
		"a tag's form":           {"entries: !KeyOf [x]", "f.yaml:1:10: the tag !KeyOf does not take this form"},
		"a tag's literal":        {"context: {a: !Format [!Context x]}", "f.yaml:1:14: the tag !Format needs a text as element 1"},
		"a negative index":       {"context: {a: !Index -1}", "f.yaml:1:14: the tag !Index needs a number that is not negative"},
		"a pair":                 {"context: {a: !Find [x.y, z]}", "f.yaml:1:14: the tag !Find takes pairs of a field and a value after the model"},
		"a tag that lies":        {"context: {a: !!int x}", `f.yaml:1:14: "x" does not fit its tag !!int`},
		"a key that is a list":   {"context: {[a]: b}", "f.yaml:1:11: a key must be a scalar without a tag"},
		"a merge of text":        {"context: {<<: b}", "f.yaml:1:15: expected a mapping or list of mappings for merging"},
		"an anchor in itself":    {"context: &a {b: *a}", "f.yaml:1:10: an anchor contains itself"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := blueprint.Parse("f.yaml", []byte(tt.text))
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if _, ok := errors.AsType[*blueprint.Error](err); !ok {
				t.Errorf("the error is a %T", err)
			}
		})
	}
}

func TestScalars(t *testing.T) {
	tests := map[string]any{
		"yes": true, "On": true, "no": false, "OFF": false, "y": "y", "n": "n", "~": nil, "Null": nil, "": nil, "nULL": "nULL",
		"0777": int64(511), "012": int64(10), "08": "08", "0x1f": int64(31), "0b11": int64(3), "1_000": int64(1000), "-5": int64(-5), "+5": int64(5), "0": int64(0),
		"1:30": int64(90), "1:30.5": 90.5, "1e3": "1e3", "1.5e+3": 1500.0, "1.": 1.0, ".5": 0.5, "-.5": "-.5", "1.5": 1.5,
		"99999999999999999999": 1e20, "0o17": "0o17", "+": "+", ".": ".", "1.2.3": "1.2.3",
		"2028-12-31": "2028-12-31", "2028-13-31": "2028-13-31", "2028-1-1": "2028-1-1",
		"2028-12-31 10:00:00": "2028-12-31T10:00:00", "2028-12-31T10:00:00+02:00": "2028-12-31T10:00:00+02:00",
		`"5"`: "5", `'yes'`: "yes", "!!str 5": "5", `!!int "5"`: int64(5), "!!float 5": 5.0, `!!bool "on"`: true, "text": "text",
		"!!null x": nil,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := value(t, text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMappings(t *testing.T) {
	tests := map[string]any{
		"{a: 1, a: 2}":                           map[string]any{"a": int64(2)},
		"{1: a, true: b, null: c, 1.5: d}":       map[string]any{"1": "a", "true": "b", "null": "c", "1.5": "d"},
		"[&x {a: 1, b: 2}, {<<: *x, b: 3}, *x]":  []any{map[string]any{"a": int64(1), "b": int64(2)}, map[string]any{"a": int64(1), "b": int64(3)}, map[string]any{"a": int64(1), "b": int64(2)}},
		"[&x {a: 1}, &y {a: 2}, {<<: [*x, *y]}]": []any{map[string]any{"a": int64(1)}, map[string]any{"a": int64(2)}, map[string]any{"a": int64(1)}},
		"[&x !Context foo, *x]":                  []any{"bar", "bar"},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := value(t, text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
		})
	}
}

// hostile texts must be refused, quickly and in words.
func hostile() map[string]string {
	var bomb, chain, merge strings.Builder
	bomb.WriteString("context:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	chain.WriteString("context:\n  c0: [!Context v]\n")
	merge.WriteString("context:\n  m0: &m0 {a: [1]}\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&bomb, "  a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10))
		fmt.Fprintf(&chain, "  c%d: !Format [%%s%%s, !Context c%d, !Context c%d]\n", i, i-1, i-1)
		fmt.Fprintf(&merge, "  m%d: &m%d {k%d: *m%d, l%d: *m%d}\n", i, i, i, i-1, i, i-1)
	}
	out := "entries: [{model: authentik_core.group, identifiers: {name: g}, attrs: {attributes: {v: %s}}}]\n"
	seq := "[" + strings.Repeat("1, ", 100) + "1]"
	return map[string]string{
		"aliases of aliases":   bomb.String(),
		"mappings of mappings": merge.String(),
		"tags of tags":         chain.String() + fmt.Sprintf(out, "!Context c29"),
		"a tag of itself":      "context: {a: !If [true, [!Context a, !Context a]]}\n" + fmt.Sprintf(out, "!Context a"),
		"enumerations of all":  fmt.Sprintf("context: {s: %s}\n", seq) + fmt.Sprintf(out, strings.Repeat("!Enumerate [!Context s, SEQ, ", 5)+"1"+strings.Repeat("]", 5)),
		"deep lists":           strings.Repeat("[", 5000),
		"deep closed lists":    "context: {a: " + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "}",
		"deep JSON":            fmt.Sprintf(out, "!ParseJSON '"+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+"'"),
		"a huge text":          "context: {a: " + strings.Repeat("x", blueprint.MaxText) + "}",
		"too many entries":     "entries: [" + strings.Repeat("{model: a.b},", blueprint.MaxEntries+1) + "]",
		"a huge choice":        "entries: [{model: authentik_flows.flow, identifiers: {slug: a}, attrs: {designation: " + strings.Repeat("x", 100_000) + "}}]",
		"a wide format":        fmt.Sprintf(out, "!Format ['%*d', 99999999, 1]"),
	}
}

func TestHostileTextsAreRefused(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			_, err := newWorld().try(text, newWorld().env())
			if err == nil {
				t.Fatal("no error")
			}
			if len(err.Error()) > 5000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func FuzzResolve(f *testing.F) {
	for _, file := range blueprint.Defaults() {
		f.Add(file.Text)
	}
	f.Add([]byte(login))
	for _, text := range hostile() {
		if len(text) < 10_000 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		w := newWorld()
		result, err := w.try(string(text), w.env())
		if err != nil {
			if _, ok := errors.AsType[*blueprint.Error](err); !ok || result.Changes != nil {
				t.Fatalf("error %v with %d changes", err, len(result.Changes))
			}
			return
		}
		w.apply(result.Changes)
		_, _ = w.try(string(text), w.env()) // it may fail, on what it made itself
	})
}
