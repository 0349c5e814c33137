package blueprint_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
)

const exampleFlow = `
version: 1
entries:
  - model: authentik_core.group
    identifiers: {name: editors}
    attrs: {is_superuser: true}
  - model: authentik_core.user
    identifiers: {username: ada}
    attrs: {name: Ada}
  - model: authentik_flows.flow
    id: login
    identifiers: {slug: login}
    attrs: {name: "Log in", title: "Welcome to %(app)s", designation: authentication}
  - model: authentik_flows.flow
    id: help
    identifiers: {slug: help}
    attrs: {name: Help, title: Help, designation: recovery}
  - model: authentik_flows.flow
    identifiers: {slug: stranger}
    attrs: {name: Stranger, title: Stranger, designation: recovery}
  - model: authentik_test.rulepolicy
    id: called
    identifiers: {name: called}
    attrs: {expression: "return True"}
  - model: authentik_test.rulepolicy
    id: rule
    identifiers: {name: rule}
    attrs:
      expression: |
        # more than one line
        if ak_call_policy("called"):
            return True

        return request.user.name == "x: y"
  - model: authentik_test.rulepolicy
    identifiers: {name: stranger}
    attrs: {expression: "return False"}
  - model: authentik_test.plainstage
    id: second
    identifiers: {name: second}
    attrs: {count: 3, private_key: hush}
  - model: authentik_test.plainstage
    id: first
    identifiers: {name: "the first: yes"}
    attrs: {title: "", configure_flow: !KeyOf help, validation_policies: [!KeyOf rule]}
  - model: authentik_flows.flowstagebinding
    id: binding
    identifiers: {target: !KeyOf login, stage: !KeyOf first, order: 10}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf login, stage: !KeyOf first, order: 20}
    attrs: {evaluate_on_plan: true}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf help, stage: !KeyOf second, order: 5}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf binding, policy: !KeyOf rule, order: 0}
    attrs: {negate: true, timeout: 7}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf login, group: !Find [authentik_core.group, [name, editors]], order: 0}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf login, user: !Find [authentik_core.user, [username, ada]], order: 1}
`

const exampleExport = `# The flow login with everything that it refers to.
# Not in this file is the secret private_key of the Plain Stage second. Where that does not exist yet, the context of the import has to have stage-second.private_key.
# Not in this file is the User ada. It has to be there before the import.
version: 1
metadata:
  name: Flow login
  labels:
    blueprints.goauthentik.io/generated: "true"
entries:
  - model: authentik_flows.flow
    id: flow-login
    identifiers:
      slug: login
    attrs:
      name: Log in
      title: Welcome to %(app)s
      designation: authentication
      background: ""
      policy_engine_mode: any
      compatibility_mode: false
      layout: stacked
      denied_action: message_continue
      authentication: none
  - model: authentik_flows.flow
    id: flow-help
    identifiers:
      slug: help
    attrs:
      name: Help
      title: Help
      designation: recovery
      background: ""
      policy_engine_mode: any
      compatibility_mode: false
      layout: stacked
      denied_action: message_continue
      authentication: none
  # Only the name: who is in a group, and what it may do, is no matter of the flow.
  - model: authentik_core.group
    id: group-editors
    state: created
    identifiers:
      name: editors
  - model: authentik_test.rulepolicy
    identifiers:
      name: called
    attrs:
      expression: return True
  - model: authentik_test.rulepolicy
    id: policy-rule
    identifiers:
      name: rule
    attrs:
      expression: |-
        # more than one line
        if ak_call_policy("called"):
            return True

        return request.user.name == "x: y"
  - model: authentik_test.plainstage
    id: stage-second
    identifiers:
      name: second
    attrs:
      title: default title
      count: 3
      configure_flow: null
      validation_policies: []
      # private_key is secret and not in this file: give it as stage-second.private_key in the context of the import.
      private_key: !Context stage-second.private_key
  - model: authentik_test.plainstage
    id: stage-the-first-yes
    identifiers:
      name: "the first: yes"
    attrs:
      title: ""
      count: 0
      configure_flow: !KeyOf flow-help
      validation_policies:
        - !KeyOf policy-rule
  - model: authentik_flows.flowstagebinding
    id: binding-login-the-first-yes
    identifiers:
      target: !KeyOf flow-login
      stage: !KeyOf stage-the-first-yes
      order: 10
    attrs:
      evaluate_on_plan: false
      re_evaluate_policies: true
      policy_engine_mode: any
      invalid_response_action: retry
  - model: authentik_flows.flowstagebinding
    identifiers:
      target: !KeyOf flow-login
      stage: !KeyOf stage-the-first-yes
      order: 20
    attrs:
      evaluate_on_plan: true
      re_evaluate_policies: true
      policy_engine_mode: any
      invalid_response_action: retry
  - model: authentik_flows.flowstagebinding
    identifiers:
      target: !KeyOf flow-help
      stage: !KeyOf stage-second
      order: 5
    attrs:
      evaluate_on_plan: false
      re_evaluate_policies: true
      policy_engine_mode: any
      invalid_response_action: retry
  - model: authentik_policies.policybinding
    identifiers:
      target: !KeyOf flow-login
      group: !KeyOf group-editors
      order: 0
    attrs:
      policy: null
      user: null
      negate: false
      enabled: true
      timeout: 30
      failure_result: false
  - model: authentik_policies.policybinding
    identifiers:
      target: !KeyOf flow-login
      policy: null
      group: null
      user: !Find [authentik_core.user, [username, ada]]
      order: 1
    attrs:
      negate: false
      enabled: true
      timeout: 30
      failure_result: false
  - model: authentik_policies.policybinding
    identifiers:
      target: !KeyOf binding-login-the-first-yes
      policy: !KeyOf policy-rule
      order: 0
    attrs:
      group: null
      user: null
      negate: true
      enabled: true
      timeout: 7
      failure_result: false
`

func TestExport(t *testing.T) {
	w := newWorld()
	w.imported(t, exampleFlow)
	got := w.exported(t, "login")
	if diff := cmp.Diff(exampleExport, string(got.Text)); diff != "" {
		t.Errorf("export (-want +got):\n%s", diff)
	}
	if got.Count != 13 {
		t.Errorf("%d things are counted", got.Count)
	}
	if _, err := blueprint.Export(w, "no such key"); !notFound(err) {
		t.Errorf("a flow that is not there: %v", err)
	}
}

// An export imports on an instance that has nothing but the people, and then
// that instance's own export is the same.
func TestExportComesBack(t *testing.T) {
	w := newWorld()
	w.imported(t, exampleFlow)
	first := w.exported(t, "login")
	empty := newWorld()
	empty.users = 40 // so that ada has another key
	empty.imported(t, "version: 1\nentries: [{model: authentik_core.user, identifiers: {username: ada}, attrs: {name: Ada}}]")
	env := empty.env()
	env.Context = map[string]any{"stage-second.private_key": "hush"}
	result, err := empty.try(string(first.Text), env)
	if err != nil {
		t.Fatal(err)
	}
	empty.apply(result.Changes)
	if diff := cmp.Diff(string(first.Text), string(empty.exported(t, "login").Text)); diff != "" {
		t.Errorf("second export (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(w.known(t, first), empty.known(t, first)); diff != "" {
		t.Errorf("instances (-first +second):\n%s", diff)
	}
	// Where everything is there already, secrets are not needed.
	again, err := w.try(string(first.Text), w.env())
	if got := actions(again.Changes); err != nil || got[blueprint.Unchanged] != len(again.Changes) {
		t.Errorf("on the instance that it is from: %v, %v", got, err)
	}
}

func TestExportSaysWhatIsMissing(t *testing.T) {
	w := newWorld()
	w.imported(t, exampleFlow)
	text := string(w.exported(t, "login").Text)
	tests := map[string]struct {
		context map[string]any
		user    bool
		want    string
	}{
		"the secret of a new stage": {nil, true, `field private_key: Serializer errors {'private_key': ['This field may not be null.']} (the context has no stage-second.private_key)`},
		"a user": {map[string]any{"stage-second.private_key": "x"}, false,
			`"One of 'group', 'policy', 'user' must be set."]} (!Find in line 129 finds no authentik_core.user with username ada)`},
		"nothing":                     {map[string]any{"stage-second.private_key": "x"}, true, ""},
		"nothing in a nested context": {map[string]any{"stage-second": map[string]any{"private_key": "x"}}, true, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			empty := newWorld()
			if tt.user {
				empty.imported(t, "version: 1\nentries: [{model: authentik_core.user, identifiers: {username: ada}, attrs: {name: Ada}}]")
			}
			env := empty.env()
			env.Context = tt.context
			_, err := empty.try(text, env)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func notFound(err error) bool {
	code, _ := domain.Explain(err)
	return code == domain.NotFound
}

func TestExportOfOddThings(t *testing.T) {
	const begin = `
version: 1
entries:
  - {model: authentik_core.group, id: g, identifiers: {name: g}}
  - {model: authentik_flows.flow, id: a, identifiers: {slug: a}, attrs: {name: a, title: a, designation: recovery}}
  - {model: authentik_flows.flow, id: b, identifiers: {slug: b}, attrs: {name: b, title: b, designation: recovery}}
`
	tests := map[string]struct {
		entries string
		things  int
		want    string
	}{
		"flows that lead to each other": {`
  - {model: authentik_test.plainstage, id: x, identifiers: {name: x}, attrs: {configure_flow: !KeyOf b}}
  - {model: authentik_test.plainstage, id: y, identifiers: {name: y}, attrs: {configure_flow: !KeyOf a}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf a, stage: !KeyOf x, order: 0}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf b, stage: !KeyOf y, order: 0}}`, 6, "configure_flow: !KeyOf flow-a"},
		"stages that lead to each other": {`
  - {model: authentik_test.ringstage, id: x, identifiers: {name: x}}
  - {model: authentik_test.ringstage, id: y, identifiers: {name: y}, attrs: {next: [!KeyOf x]}}
  - {model: authentik_test.ringstage, identifiers: {name: x}, attrs: {next: [!KeyOf y, !KeyOf x]}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf a, stage: !KeyOf x, order: 0}}`, 4, `  # Things refer to each other in a circle here, so what leads back comes last.
  - model: authentik_test.ringstage
    identifiers:
      name: "y"
    attrs:
      next:
        - !KeyOf stage-x
  # Things refer to each other in a circle here, so what leads back comes last.
  - model: authentik_test.ringstage
    identifiers:
      name: x
    attrs:
      next:
        - !KeyOf stage-y
        - !KeyOf stage-x
`},
		"a stage that makes no sense without the circle": {`
  - {model: authentik_stages_authenticator_validate.authenticatorvalidatestage, id: x, identifiers: {name: x}}
  - {model: authentik_stages_authenticator_validate.authenticatorvalidatestage, identifiers: {name: x}, attrs: {not_configured_action: configure, configuration_stages: [!KeyOf x]}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf a, stage: !KeyOf x, order: 0}}`, 3, `
      name: x
    attrs:
      not_configured_action: configure
      configuration_stages:
        - !KeyOf stage-x
`},
		"a group bound twice, for and against": {`
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf a, group: !KeyOf g, order: 0, negate: false}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf a, group: !KeyOf g, order: 0, negate: true}}`, 4, "negate: true\n      enabled: true\n      timeout: 30\n      failure_result: false\n    attrs:"},
		"names that give the same id": {`
  - {model: authentik_test.plainstage, id: x, identifiers: {name: "Ä b"}}
  - {model: authentik_test.plainstage, id: y, identifiers: {name: "B!"}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf a, stage: !KeyOf x, order: 0}}
  - {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf a, stage: !KeyOf y, order: 0}}`, 5, "stage: !KeyOf stage-b-2"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.imported(t, begin+tt.entries)
			w.comesBack(t, "a")
			got := w.exported(t, "a")
			if got.Count != tt.things || !strings.Contains(string(got.Text), tt.want) {
				t.Errorf("%d things:\n%s", got.Count, got.Text)
			}
		})
	}
}

// One of two bindings that say the same is enough, and the file says so.
func TestExportOfTheSameTwice(t *testing.T) {
	w := newWorld()
	w.imported(t, `
version: 1
entries:
  - {model: authentik_core.group, id: g, identifiers: {name: g}}
  - {model: authentik_flows.flow, id: a, identifiers: {slug: a}, attrs: {name: a, title: a, designation: recovery}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf a, group: !KeyOf g, order: 0}}`)
	for _, o := range w.All("authentik_policies.policybinding") {
		w.objects["another"] = blueprint.Object{Model: o.Model, PK: "another", Fields: o.Fields}
	}
	got := w.exported(t, "a")
	if got.Count != 3 || !strings.Contains(string(got.Text), "The same binding is there once more") {
		t.Errorf("%d things:\n%s", got.Count, got.Text)
	}
}

// exported writes a flow.
func (w *world) exported(t *testing.T, slug string) blueprint.Exported {
	t.Helper()
	out, err := blueprint.Export(w, w.named(t, "authentik_flows.flow", slug).PK)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// known shows the things that an export has, as an import of it touches them:
// all their fields, with names instead of primary keys.
func (w *world) known(t *testing.T, x blueprint.Exported) []string {
	t.Helper()
	env := w.env()
	result, err := w.try(string(x.Text), env)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range result.Changes {
		if c.Action != blueprint.Unchanged {
			t.Errorf("%s of %s %s", c.Action, c.Model, c.Name)
		}
		if c.Model != "authentik_core.group" {
			out = append(out, w.title(w.objects[c.PK], 0))
		}
	}
	slices.Sort(out)
	return out
}

// title shows all fields of a thing, and those of what it refers to, some way.
func (w *world) title(o blueprint.Object, depth int) string {
	kind, _ := catalog.Lookup(o.Model)
	parts := []string{o.Model}
	for _, f := range kind.Fields() {
		v := o.Fields[f.Name]
		if f.Type != catalog.Reference {
			text, _ := json.Marshal(v) // of which numbers have one form
			parts = append(parts, fmt.Sprintf("%s=%s", f.Name, text))
			continue
		}
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, key := range list {
			to, ok := w.objects[fmt.Sprint(key)]
			switch {
			case !ok:
				parts = append(parts, f.Name+"=none")
			case f.Ref == "user" || f.Ref == "group" || depth > 2:
				parts = append(parts, fmt.Sprint(f.Name, "=", to.Model, to.Fields["name"], to.Fields["username"], to.Fields["slug"]))
			default:
				parts = append(parts, f.Name+"=("+w.title(to, depth+1)+")")
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.secrets)) {
		if rest, ok := strings.CutPrefix(key, o.PK+"/"); ok {
			parts = append(parts, rest+" "+w.secrets[key].Reveal())
		}
	}
	return strings.Join(parts, " ")
}
