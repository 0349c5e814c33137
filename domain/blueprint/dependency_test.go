package blueprint_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/blueprint"
)

// ask is a document that asks for an instance and makes a group.
func ask(name, rest string) string {
	return "version: 1\nentries:\n- {model: authentik_core.group, conditions: [!Find [authentik_core.group, [name, dep]]]}\n- {model: authentik_blueprints.metaapplyblueprint, attrs: {identifiers: {name: " + name + "}" + rest + "}}\n" +
		"- {model: authentik_core.group, identifiers: {name: after " + name + "}, attrs: {attributes: {found: !Find [authentik_core.group, [name, dep]]}}}\n"
}

func instances(texts map[string]string) func(map[string]any) (blueprint.Instance, bool) {
	return func(identifiers map[string]any) (blueprint.Instance, bool) {
		name, _ := identifiers["name"].(string)
		text, ok := texts[name]
		enabled := !strings.HasPrefix(text, "off")
		return blueprint.Instance{ID: name, File: name, Enabled: enabled, Text: []byte(text), Context: map[string]any{"name": "dep"}}, ok
	}
}

const dep = "version: 1\nentries: [{model: authentik_core.group, identifiers: {name: !Context name}}]\n"

func TestDependencies(t *testing.T) {
	texts := map[string]string{
		"dep": dep, "disabled": "off", "bad": "version: 2", "broken": "entries: [{model: x.y}]",
		"loop": ask("loop", ""), "a": ask("b", ""), "b": ask("a", ""), "nested": ask("dep", ""),
	}
	tests := map[string]struct {
		text    string
		applied []string // instances, with a mark for failed ones
		fails   string
	}{
		"its changes come first":             {ask("dep", ""), []string{"dep"}, ""},
		"those of its own come before":       {ask("nested", ""), []string{"dep", "nested"}, ""},
		"a disabled one is passed over":      {ask("disabled", ""), nil, ""},
		"a failure is its own":               {ask("broken", ""), []string{"broken!"}, ""},
		"so is a bad text":                   {ask("bad", ""), []string{"bad!"}, ""},
		"circles end":                        {ask("a", ""), []string{"b", "a"}, ""},
		"a loop ends":                        {ask("loop", ""), []string{"loop"}, ""},
		"a missing one is an error":          {ask("none", ""), nil, "Serializer errors {'identifiers': ['Required blueprint does not exist']}"},
		"unless it is not required":          {ask("none", ", required: false"), nil, ""},
		"identifiers stand in attrs":         {"entries: [{model: authentik_blueprints.metaapplyblueprint, identifiers: {name: dep}}]", nil, "Serializer errors {'identifiers': ['This field is required.']}"},
		"a dependency stands if others fail": {ask("dep", "") + "- {model: x.y}\n", []string{"dep"}, "App or Model does not exist"},
		"each is applied once":               {ask("dep", "") + "- {model: authentik_blueprints.MetaApplyBlueprint, attrs: {identifiers: {name: dep}}}\n", []string{"dep"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			env := w.env()
			env.Instance = instances(texts)
			result, err := w.try(tt.text, env)
			if (err == nil) != (tt.fails == "") || err != nil && !strings.HasSuffix(err.Error(), tt.fails) {
				t.Fatalf("error %v, want %q", err, tt.fails)
			}
			var applied []string
			for _, d := range result.Dependencies {
				if d.Err != nil {
					d.Instance += "!"
				}
				applied = append(applied, d.Instance)
				w.apply(d.Changes)
			}
			if diff := cmp.Diff(tt.applied, applied); diff != "" {
				t.Errorf("applied (-want +got):\n%s", diff)
			}
			if name != "its changes come first" {
				return
			}
			w.apply(result.Changes)
			want := map[string]any{"found": w.named(t, "authentik_core.group", "dep").PK}
			if diff := cmp.Diff(want, w.named(t, "authentik_core.group", "after dep").Fields["attributes"]); diff != "" {
				t.Errorf("the document sees (-want +got):\n%s", diff)
			}
		})
	}
}
