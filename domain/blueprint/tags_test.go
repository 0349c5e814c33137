package blueprint_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// value imports a group one of whose attributes is the tag, and returns it.
func value(t *testing.T, tag string) (any, error) {
	t.Helper()
	w := newWorld()
	w.imported(t, "entries: [{model: authentik_flows.flow, identifiers: {slug: login, pk: 5d0f3a3e-6a9b-4f3a-9d61-3f1d0f4b0c11}, attrs: {name: Log in, title: T, designation: authentication}}]")
	text := `
version: 1
context:
  foo: bar
  foo.dotted: direct
  list: [ab, c]
  map: {k1: v1, k2: 2}
  nested: {deep: [{x: 7}]}
  alias: !Context foo
  loop: !Context loop
  holds: [!Context foo]
  no: false
entries:
  - model: authentik_core.group
    id: other
    identifiers: {name: other}
  - model: authentik_core.user
    id: person
    identifiers: {username: person}
    attrs: {name: Person}
  - model: authentik_core.group
    identifiers: {name: out}
    attrs:
      attributes:
        v: ` + strings.ReplaceAll(tag, "\n", "\n        ")
	env := w.env()
	env.Getenv = func(name string) (string, bool) {
		v, ok := map[string]string{"HOME": "/home", "EMPTY": ""}[name]
		return v, ok
	}
	env.ReadFile = func(path string) ([]byte, error) {
		if path == "/there" {
			return []byte("  content\n"), nil
		}
		return nil, errNotThere
	}
	env.Context = map[string]any{"given": map[string]any{"b": 1, "a": []any{true}}}
	result, err := w.try(text, env)
	if err != nil {
		return nil, err
	}
	w.apply(result.Changes)
	return w.named(t, "authentik_core.group", "out").Fields["attributes"].(map[string]any)["v"], nil
}

type errText string

func (e errText) Error() string { return string(e) }

const errNotThere = errText("not there")

func TestTagValues(t *testing.T) {
	login := "5d0f3a3e-6a9b-4f3a-9d61-3f1d0f4b0c11"
	tests := map[string]any{
		`!Context foo`:                                         "bar",
		`!Context foo.dotted`:                                  "direct",
		`!Context nested.deep.0.x`:                             int64(7),
		`!Context nested.deep.1.x`:                             nil,
		`!Context [nested.deep.1, !Context foo]`:               "bar",
		`!Context alias`:                                       "bar",
		`!Context missing`:                                     nil,
		`!Context [missing, 5]`:                                int64(5),
		`!Context given`:                                       map[string]any{"a": []any{true}, "b": int64(1)},
		`!Context goauthentik.io/enterprise/licensed`:          false,
		`!AtIndex [!Context goauthentik.io/rbac/models, flow]`: "authentik_flows",

		`!Env HOME`:               "/home",
		`!Env EMPTY`:              nil,
		`!Env [EMPTY, true]`:      true,
		`!Env NONE, default`:      nil,
		`!File /there`:            "content",
		`!File [/gone, fallback]`: "fallback",

		`!Format [foo-%s-%s, !Context foo, qux]`:                     "foo-bar-qux",
		`!Format ["%d|%5d|%-3d|%05d|%+d|%x|%%", 1, 2, 3, 4, 5, 255]`: "1|    2|3  |00004|+5|ff|%",
		`!Format ["%s %s %s %r", null, true, 1.0, a]`:                "None True 1.0 'a'",
		`!Format ["%s", [1, a, {b: null}]]`:                          "[1, 'a', {'b': None}]",
		`!Format ["%.2f %e %g %c", 1.005, 12345.678, 0.5, x]`:        "1.00 1.234568e+04 0.5 x",
		`!Format [plain]`: "plain",

		`!If [true, {a: {b: !Context foo}}, null]`:         map[string]any{"a": map[string]any{"b": "bar"}},
		`!If [!Context no, !KeyOf nobody, [!Context foo]]`: []any{"bar"},
		`!If [!Context list]`:                              true,

		`!Condition [AND, !Context foo, 1]`:          true,
		`!Condition [nand, !Context foo, 1]`:         false,
		`!Condition [OR, null, 0, ""]`:               false,
		`!Condition [NOR, null, 0, ""]`:              true,
		`!Condition [XOR, 1, 1, 1]`:                  true,
		`!Condition [XNOR, 1, 1, 1]`:                 false,
		`!Condition [EQ, 1, true, 1.0]`:              true,
		`!Condition [NEQ, [1, {a: 2}], [1, {a: 2}]]`: false,
		`!Condition [NEQ, 1, "1"]`:                   true,
		`!Condition [EQ, 5]`:                         true,

		`!Enumerate [!Context map, MAP, [!Format [p-%s, !Index 0], !Value 0]]`:                                          map[string]any{"p-k1": "v1", "p-k2": int64(2)},
		`!Enumerate [!Context map, seq, !Format ["%s=%s", !Index 0, !Value 0]]`:                                         []any{"k1=v1", "k2=2"},
		`!Enumerate [abc, SEQ, [!Index 0, !Value 0]]`:                                                                   []any{[]any{int64(0), "a"}, []any{int64(1), "b"}, []any{int64(2), "c"}},
		`!Enumerate [!Context list, MAP, [!Value 0, !Enumerate [!Value 1, SEQ, !Format ["%s%d", !Value 0, !Index 1]]]]`: map[string]any{"ab": []any{"a0", "b0"}, "c": []any{"c1"}},
		`!Enumerate [[1, 2], MAP, {k: [!Value 0]}]`:                                                                     map[string]any{"k": []any{int64(1), int64(2)}},

		`!AtIndex [!Context list, -1]`:                "c",
		`!AtIndex [!Context list, 9, none]`:           "none",
		`!AtIndex [!Context map, k2]`:                 int64(2),
		`!AtIndex [!Context map, zz, null]`:           nil,
		`!ParseJSON '{"b": [1, 2.5, null], "a": {}}'`: map[string]any{"b": []any{int64(1), 2.5, nil}, "a": map[string]any{}},

		`!Find [authentik_flows.flow, [slug, login]]`:                             login,
		`!Find [authentik_flows.Flow, [slug, login], [name, other]]`:              nil,
		`!Find [authentik_flows.flow, [slug__iexact, LOGIN]]`:                     login,
		`!Find [authentik_flows.flow, [slug__in, [x, login]]]`:                    login,
		`!Find [authentik_flows.flow, [name__contains, "in"]]`:                    login,
		`!Find [authentik_flows.flow, [pk__isnull, False]]`:                       login,
		`!Find [authentik_flows.flow, [pk__isnull, True]]`:                        nil,
		`!Find [authentik_flows.flow, [!Format [sl%s, ug], !Format [log%s, in]]]`: login,
		`!Find [authentik_flows.flow]`:                                            login,
		`!Find [authentik_enterprise.license, [pk__isnull, False]]`:               nil,
		`!Find [authentik_core.source, [slug, x]]`:                                nil,
		`!Find [authentik_flows.stage, [name, x]]`:                                nil,
		`!Find [authentik_core.user, [username, person]]`:                         int64(5),
		`!KeyOf person`: int64(5),
		`!AtIndex [!FindObject [authentik_flows.flow, [slug, login]], layout]`: "stacked",
		`!FindObject [authentik_flows.flow, [slug, none]]`:                     nil,
		"2028-12-31":           "2028-12-31",
		"2028-12-31T23:59:59Z": "2028-12-31T23:59:59Z",
	}
	for tag, want := range tests {
		t.Run(tag, func(t *testing.T) {
			got, err := value(t, tag)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTagFaults(t *testing.T) {
	tests := map[string]string{
		`!Foo x`:                          "could not determine a constructor for the tag '!Foo'",
		`!!python/object x`:               "could not determine a constructor for the tag 'tag:yaml.org,2002:python/object'",
		`!KeyOf nobody`:                   "KeyOf: failed to find entry with `id` of `nobody` and a model instance",
		`!Find [x.y]`:                     "No installed app with label 'x'.",
		`!Find [authentik_flows.nothing]`: "App 'authentik_flows' doesn't have a 'nothing' model.",
		`!Find [authentik_flows.flow, [color, red]]`:  "Cannot resolve keyword 'color' into field. Choices are: authentication, background, compatibility_mode, denied_action, designation, layout, name, pk, policy_engine_mode, slug, title",
		`!Find [authentik_flows.flow, [slug__up, x]]`: "Unsupported lookup 'up' or join on the field not permitted.",
		`!FindObject [authentik_flows.stage]`:         "Model authentik_flows.stage is not resolvable through FindObject",
		`!Format ["%s %s", a]`:                        "not enough arguments for format string",
		`!Format ["%s", a, b]`:                        "not all arguments converted during string formatting",
		`!Format ["%d", a]`:                           "%d format: a real number is required, not str",
		`!Format ["%y", a]`:                           "unsupported format character 'y' (0x79) at index 1",
		`!Format ["%", a]`:                            "incomplete format",
		`!Condition [AND]`:                            "At least one value is required after mode selection.",
		`!Condition [MAYBE, 1]`:                       "'MAYBE'",
		`!If [true, 1]`:                               "the tag !If has too few elements",
		`!Enumerate [!Value 0, SEQ, 1]`:               "Enumerate tag's iterable references this tag's context. This is a noop. Check you are setting depth bigger than 0.",
		`!Enumerate [5, SEQ, 1]`:                      "Enumerate's iterable must be an iterable such as a sequence or a mapping",
		`!Enumerate [[1], ROW, 1]`:                    "'ROW'",
		`!Enumerate [[1], MAP, text]`:                 "Invalid Enumerate item found: text",
		`!Index 0`:                                    "Index tags are only usable inside an Enumerate tag",
		`!Enumerate [[1], SEQ, !Value 2]`:             "Value tag: invalid depth: 2. Max depth: 0",
		`!AtIndex [!Context list, x]`:                 "Invalid index for list: x",
		`!AtIndex [!Context list, 100]`:               "Index out of range: 100",
		`!AtIndex [!Context map, zz]`:                 "Key does not exist: zz",
		`!AtIndex [null, 1]`:                          "AtIndex: a NoneType cannot be indexed",
		`!ParseJSON nothing`:                          "Expecting value: line 1 column 1 (char 0)",
		`!ParseJSON '{} x'`:                           "Extra data: line 1 column 4 (char 3)",
		`!Context loop`:                               "the blueprint's tags are nested deeper than 100 levels, or refer to themselves",
		`!Context holds`:                              "The tag !Context in line 11 is not resolved here.",
		`.nan`:                                        "Out of range float values are not JSON compliant",
		`!Format ["%999999d", 1]`:                     "a format is wider than 10000",
	}
	for tag, want := range tests {
		t.Run(tag, func(t *testing.T) {
			_, err := value(t, tag)
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); !strings.HasSuffix(got, ": "+want) {
				t.Errorf("error %q, want it to end in %q", got, want)
			}
		})
	}
}
