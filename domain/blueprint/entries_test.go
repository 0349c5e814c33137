package blueprint_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
)

// login is a small flow with everything that can be bound.
const login = `
version: 1
entries:
- model: authentik_flows.flow
  id: flow
  identifiers: {slug: login}
  attrs: {name: Log in, title: T, designation: authentication, colour: ignored}
- model: authentik_test.plainstage
  id: stage
  identifiers: {name: stage}
- model: authentik_flows.flowstagebinding
  id: binding
  identifiers: {target: !KeyOf flow, stage: !KeyOf stage, order: 10}
- model: authentik_test.rulepolicy
  id: policy
  identifiers: {name: rule}
  attrs:
    expression: |
      return True
- model: authentik_policies.policybinding
  identifiers: {target: !KeyOf binding, policy: !KeyOf policy, order: 0}
- model: authentik_policies.policybinding
  identifiers: {target: !KeyOf flow, policy: !KeyOf policy, order: 0}
- model: authentik_brands.brand
  identifiers: {domain: brand}
  attrs: {flow_authentication: !KeyOf flow}
- model: authentik_test.plainstage
  identifiers: {name: uses}
  attrs: {configure_flow: !KeyOf flow, validation_policies: [!KeyOf policy]}
`

func TestImportTwice(t *testing.T) {
	w := newWorld()
	want := map[blueprint.Action]int{blueprint.Created: 8}
	if diff := cmp.Diff(want, actions(w.imported(t, login))); diff != "" {
		t.Errorf("first import (-want +got):\n%s", diff)
	}
	want = map[blueprint.Action]int{blueprint.Unchanged: 8}
	if diff := cmp.Diff(want, actions(w.imported(t, login))); diff != "" {
		t.Errorf("second import (-want +got):\n%s", diff)
	}
}

func TestTargetIsStoredAsOwnKey(t *testing.T) {
	w := newWorld()
	w.imported(t, login)
	flow := w.named(t, "authentik_flows.flow", "login")
	found := w.Find("authentik_policies.policybinding", func(o blueprint.Object) bool { return o.Fields["target"] == flow.PK })
	if len(found) != 1 {
		t.Fatalf("%d bindings have the flow's key as target, want 1", len(found))
	}
	for _, target := range []string{flow.PK, catalog.TargetID(flow.PK)} {
		again := w.imported(t, `entries: [{model: authentik_policies.policybinding, identifiers: {target: `+target+`, order: 0}, attrs: {target: `+target+`, negate: false}}]`)
		if diff := cmp.Diff(map[blueprint.Action]int{blueprint.Unchanged: 1}, actions(again)); diff != "" {
			t.Errorf("target %s (-want +got):\n%s", target, diff)
		}
	}
}

func TestUpdateChangesWhatIsGiven(t *testing.T) {
	w := newWorld()
	w.imported(t, login)
	changes := w.imported(t, `entries: [{model: authentik_flows.Flow, identifiers: {slug: login}, attrs: {title: New, layout: stacked}}]`)
	want := []blueprint.Change{{
		Action: blueprint.Updated, Model: "authentik_flows.flow", PK: w.named(t, "authentik_flows.flow", "login").PK, Name: "login",
		Set: map[string]any{"title": "New"}, Previous: map[string]any{"title": "T"}, Entry: 1,
	}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestAbsentTakesAlong(t *testing.T) {
	tests := map[string]struct {
		entry string
		gone  []string // models of what is removed, in order
		set   map[string]any
	}{
		"a flow": {
			"model: authentik_flows.flow, identifiers: {slug: login}",
			[]string{"authentik_policies.policybinding", "authentik_flows.flowstagebinding", "authentik_policies.policybinding", "authentik_flows.flow"},
			map[string]any{"flow_authentication": nil, "configure_flow": nil},
		},
		"a stage": {
			"model: authentik_test.plainstage, identifiers: {name: stage}",
			[]string{"authentik_policies.policybinding", "authentik_flows.flowstagebinding", "authentik_test.plainstage"}, map[string]any{},
		},
		"a policy": {
			"model: authentik_test.rulepolicy, identifiers: {name: rule}, attrs: {expression: 5.x, name: [bad]}",
			[]string{"authentik_policies.policybinding", "authentik_policies.policybinding", "authentik_test.rulepolicy"},
			map[string]any{"validation_policies": []any{}},
		},
		"nothing":                 {"model: authentik_flows.flow, identifiers: {slug: none}", nil, map[string]any{}},
		"an unknown identifier":   {"model: authentik_flows.flow, identifiers: {color: none}", nil, map[string]any{}},
		"an unresolved reference": {"model: authentik_flows.flow, identifiers: {slug: login}, attrs: {name: !KeyOf nobody}", nil, map[string]any{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.imported(t, login)
			var gone []string
			set := map[string]any{}
			for _, c := range w.imported(t, "entries: [{state: absent, "+tt.entry+"}]") {
				if c.Action == blueprint.Removed {
					gone = append(gone, c.Model)
				}
				for field, v := range c.Set {
					set[field] = v
				}
			}
			if name == "a flow" { // the two kinds of binding of a flow come in either order
				if len(gone) != 4 || gone[3] != "authentik_flows.flow" {
					t.Errorf("removed %v", gone)
				}
			} else if diff := cmp.Diff(tt.gone, gone); diff != "" {
				t.Errorf("removed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.set, set); diff != "" {
				t.Errorf("set (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStates(t *testing.T) {
	entry := "entries: [{model: authentik_flows.flow, id: f, state: %s, identifiers: {slug: s}, attrs: {name: N, title: %s, designation: recovery}}," +
		" {model: authentik_core.group, identifiers: {name: g}, attrs: {attributes: {f: !KeyOf f}}}]"
	w := newWorld()
	w.imported(t, fmt.Sprintf(entry, "created", "one"))
	w.imported(t, fmt.Sprintf(entry, "created", "two"))
	if got := w.named(t, "authentik_flows.flow", "s").Fields["title"]; got != "one" {
		t.Errorf("title after created twice is %v, want one", got)
	}
	if _, err := w.try(fmt.Sprintf(entry, "must_created", "two"), w.env()); err == nil || !strings.HasSuffix(err.Error(), "State is set to must_created and object exists already") {
		t.Errorf("must_created of an existing object: %v", err)
	}
	w.imported(t, fmt.Sprintf(entry, "!Format [presen%s, t]", "two"))
	if got := w.named(t, "authentik_flows.flow", "s").Fields["title"]; got != "two" {
		t.Errorf("title after present is %v, want two", got)
	}
}

func TestConditionsSkip(t *testing.T) {
	w := newWorld()
	changes := w.imported(t, `
entries:
- {model: authentik_core.group, identifiers: {name: a}, conditions: [true, text, !Condition [AND, 1]]}
- {model: authentik_core.group, identifiers: {name: !KeyOf nobody}, conditions: [true, !Context none]}
- {model: authentik_stages_account_lockdown.accountlockdownstage, identifiers: {name: x}, conditions: [false]}
`)
	if len(changes) != 1 {
		t.Errorf("%d changes, want 1", len(changes))
	}
}

func TestKeysOfTheFile(t *testing.T) {
	const flow, other = "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10", "11111111-7f0e-4c55-9a44-2d1f9f6b9f10"
	text := `entries:
- {model: authentik_flows.flow, identifiers: {pk: ` + flow + `, slug: s}, attrs: {name: N, title: T, designation: recovery}}
- {model: authentik_test.plainstage, identifiers: {pk: ` + other + `}, attrs: {name: st, configure_flow: {pk: ` + flow + `}}}
- {model: authentik_flows.flowstagebinding, identifiers: {pk: 22222222-7f0e-4c55-9a44-2d1f9f6b9f10, target: {pk: ` + flow + `}, stage: ` + other + `, order: 1}}
- {model: authentik_core.group, identifiers: {name: g}, attrs: {attributes: {one: ` + flow + `, deep: [` + flow + `]}}}
`
	t.Run("are kept", func(t *testing.T) {
		w := newWorld()
		w.imported(t, text)
		if got := w.named(t, "authentik_flows.flow", "s").PK; got != flow {
			t.Errorf("key %s, want %s", got, flow)
		}
		if got := actions(w.imported(t, text)); got[blueprint.Unchanged] != 4 {
			t.Errorf("second import: %v", got)
		}
	})
	t.Run("give way to those of what matches", func(t *testing.T) {
		w := newWorld()
		w.imported(t, "entries: [{model: authentik_flows.flow, identifiers: {slug: s}, attrs: {name: N, title: T, designation: recovery}}]")
		actual := w.named(t, "authentik_flows.flow", "s").PK
		w.imported(t, text)
		if got := w.named(t, "authentik_test.plainstage", "st").Fields["configure_flow"]; got != actual {
			t.Errorf("stage refers to %v, want %s", got, actual)
		}
		want := map[string]any{"one": actual, "deep": []any{flow}}
		if diff := cmp.Diff(want, w.named(t, "authentik_core.group", "g").Fields["attributes"]); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
	})
	t.Run("are fresh after a removal", func(t *testing.T) {
		w := newWorld()
		w.imported(t, text)
		w.imported(t, "entries: [{model: authentik_flows.flow, state: absent, identifiers: {slug: s}}]")
		w.imported(t, text)
		now := w.named(t, "authentik_flows.flow", "s").PK
		if now == flow {
			t.Error("the key of a removed thing came back")
		}
		if got := w.named(t, "authentik_test.plainstage", "st").Fields["configure_flow"]; got != now {
			t.Errorf("stage refers to %v, want %s", got, now)
		}
	})
}

func TestMappingIdentifiers(t *testing.T) {
	w := newWorld()
	w.imported(t, `entries:
- {model: authentik_core.group, identifiers: {name: one}, attrs: {attributes: {key: [value], other: [a, b], more: 1}}}
- {model: authentik_core.group, identifiers: {name: two}, attrs: {attributes: {key: [value], other: [c]}}}
`)
	w.imported(t, `entries: [{model: authentik_core.group, identifiers: {attributes: {other: [b]}}, attrs: {name: three, attributes: {key: [new]}}}]`)
	want := map[string]any{"key": []any{"new"}, "other": []any{"b"}}
	if diff := cmp.Diff(want, w.named(t, "authentik_core.group", "three").Fields["attributes"]); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if len(w.objects) != 2 {
		t.Errorf("%d groups, want 2", len(w.objects))
	}
}

func TestPasswords(t *testing.T) {
	text := `entries: [{model: authentik_core.user, identifiers: {username: u}, attrs: {name: U, password: "%s"}}]`
	w := newWorld()
	changes := w.imported(t, fmt.Sprintf(text, "first secret"))
	if got, ok := changes[0].Set["password"].(domain.Secret); !ok || got.Reveal() != "first secret" {
		t.Errorf("the password is %#v in the change", changes[0].Set["password"])
	}
	if strings.Contains(fmt.Sprintf("%v %+v", changes, w.objects), "first secret") {
		t.Error("the password shows")
	}
	if got := actions(w.imported(t, fmt.Sprintf(text, "first secret"))); got[blueprint.Unchanged] != 1 {
		t.Errorf("the same password again: %v", got)
	}
	if got := actions(w.imported(t, fmt.Sprintf(text, "second"))); got[blueprint.Updated] != 1 {
		t.Errorf("another password: %v", got)
	}
}

// A group is not part of itself, by however many steps.
func TestGroupsGoNoCircles(t *testing.T) {
	w := newWorld()
	w.imported(t, `entries:
- {model: authentik_core.group, id: top, identifiers: {name: top}}
- {model: authentik_core.group, id: mid, identifiers: {name: mid}, attrs: {parents: [!KeyOf top]}}
- {model: authentik_core.group, identifiers: {name: low}, attrs: {parents: [!KeyOf mid, !KeyOf top]}}
`)
	const want = "Serializer errors {'parents': ['Cannot set a group as parent that is below this one.']}"
	for _, below := range []string{"top", "mid", "low"} {
		_, err := w.try(`entries: [{model: authentik_core.group, identifiers: {name: top}, attrs: {parents: [!Find [authentik_core.group, [name, `+below+`]]]}}]`, w.env())
		if e, ok := errors.AsType[*blueprint.Error](err); !ok || e.Message != want {
			t.Errorf("%s: %v", below, err)
		}
	}
}

func TestEntryFaults(t *testing.T) {
	flow := "model: authentik_flows.flow, identifiers: {slug: s}, attrs: {name: N, title: T, designation: "
	tests := map[string]struct{ entry, message, field string }{
		"unknown model":           {"model: authentik_x.y, identifiers: {a: b}, conditions: [false]", "App or Model does not exist", ""},
		"base class":              {"model: authentik_flows.stage, identifiers: {a: b}", "Model authentik_flows.stage not allowed", ""},
		"not supported":           {"model: authentik_stages_mtls.mutualtlsstage, identifiers: {name: b}", "Model authentik_stages_mtls.mutualtlsstage is not supported by this release", ""},
		"no identifiers":          {"model: authentik_flows.flow, attrs: {slug: s}", "No or invalid identifiers", ""},
		"unknown identifier":      {"model: authentik_test.rulepolicy, identifiers: {id: s}", "Invalid identifier field: Cannot resolve keyword 'id' into field. Choices are: expression, name, pk", "id"},
		"secret identifier":       {"model: authentik_core.user, identifiers: {password: s3cret}", "Invalid identifier field: Cannot resolve keyword 'password' into field. Choices are: attributes, email, groups, is_active, name, path, permissions, pk, roles, type, username", "password"},
		"key of the wrong form":   {"model: authentik_flows.flow, identifiers: {pk: s}", "“s” is not a valid UUID.", "pk"},
		"missing fields":          {"model: authentik_flows.flow, identifiers: {slug: s}", "Serializer errors {'designation': ['This field is required.'], 'name': ['This field is required.'], 'title': ['This field is required.']}", "designation"},
		"wrong choice":            {flow + "x}", `Serializer errors {'designation': ['"x" is not a valid choice.']}`, "designation"},
		"null":                    {flow + "null}", `Serializer errors {'designation': ['This field may not be null.']}`, "designation"},
		"date as text":            {flow + "recovery, layout: 2028-12-31}", `Serializer errors {'layout': ['Not a valid string.']}`, "layout"},
		"dangling reference":      {"model: authentik_test.plainstage, identifiers: {name: s}, attrs: {configure_flow: 3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10}", `Serializer errors {'configure_flow': ['Invalid pk "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10" - object does not exist.']}`, "configure_flow"},
		"no uuid":                 {"model: authentik_test.plainstage, identifiers: {name: s}, attrs: {configure_flow: xyz}", `Serializer errors {'configure_flow': ['“xyz” is not a valid UUID.']}`, "configure_flow"},
		"null in a list":          {"model: authentik_test.plainstage, identifiers: {name: s}, attrs: {validation_policies: [!Find [authentik_test.rulepolicy]]}", `Serializer errors {'validation_policies': ['This field may not be null.']}`, "validation_policies"},
		"the kind's own rule":     {"model: authentik_test.rulepolicy, identifiers: {name: s}, attrs: {expression: syntax error}", `Serializer errors {'expression': ['cannot be read']}`, "expression"},
		"binding of nothing":      {"model: authentik_policies.policybinding, identifiers: {target: !KeyOf flow, order: 0}", `Serializer errors {'non_field_errors': ["One of 'group', 'policy', 'user' must be set."]}`, ""},
		"two names of a category": {"model: authentik_test.plainstage, identifiers: {pk: 3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10}, attrs: {name: taken}", `Serializer errors {'name': ['stage with this name already exists.']}`, "name"},
		"two default brands":      {"model: authentik_brands.brand, identifiers: {domain: b}, attrs: {default: true}", `Serializer errors {'default': ['Only a single brand can be set as default.']}`, "default"},
		"a state by tag":          {"model: authentik_flows.flow, state: !Format [gone], identifiers: {slug: s}", "'gone' is not a valid state", "state"},
		"a permission on a thing": {"model: authentik_core.group, identifiers: {name: s}, permissions: [{permission: view_group, role: 3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10}]", "There are no permissions on single objects: give the role a permission on all objects of the model, in the entry of the role.", "permissions"},
		"a user's permissions":    {"model: authentik_core.user, identifiers: {username: s}, attrs: {name: x, permissions: [authentik_core.view_user]}", `Serializer errors {'permissions': ['Users are given permissions by roles only.']}`, "permissions"},
		"a role's permissions":    {"model: authentik_rbac.role, identifiers: {name: r}, attrs: {permissions: [authentik_core.enable_group_superuser]}", `Serializer errors {'permissions': ['There is no permission "authentik_core.enable_group_superuser".']}`, "permissions"},
		"password twice":          {"model: authentik_core.user, identifiers: {username: s}, attrs: {name: x, password: a, password_hash: b}", `Serializer errors {'non_field_errors': ["Only one of 'password', 'password_hash' can be set."]}`, ""},
	}
	before := `entries:
- {model: authentik_flows.flow, id: flow, identifiers: {slug: flow}, attrs: {name: N, title: T, designation: recovery}}
- {model: authentik_test.plainstage, identifiers: {name: taken}}
- {model: authentik_brands.brand, identifiers: {domain: default}, attrs: {default: true}}
- {id: bad, `
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			result, err := newWorld().try(before+tt.entry+"}\n", newWorld().env())
			e, ok := errors.AsType[*blueprint.Error](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if result.Changes != nil || len(result.Logs) == 0 {
				t.Errorf("there are changes or no logs: %+v", result)
			}
			got := blueprint.Error{Message: e.Message, Field: e.Field, File: e.File, Line: e.Line, Entry: e.Entry, EntryID: e.EntryID}
			want := blueprint.Error{Message: tt.message, Field: tt.field, File: "test.yaml", Line: 5, Entry: 4, EntryID: "bad"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeyOrOtherIdentifiers(t *testing.T) {
	const low, high = "11111111-7f0e-4c55-9a44-2d1f9f6b9f10", "99999999-7f0e-4c55-9a44-2d1f9f6b9f10"
	w := newWorld()
	w.imported(t, `entries:
- {model: authentik_core.group, identifiers: {pk: `+high+`}, attrs: {name: high}}
- {model: authentik_core.group, identifiers: {pk: `+low+`}, attrs: {name: low}}
`)
	for _, ids := range []string{"{pk: " + high + ", is_superuser: false}", "{pk: " + low + ", name: none}", "{is_superuser: false}"} {
		changes := w.imported(t, "entries: [{model: authentik_core.group, identifiers: "+ids+", state: created, attrs: {name: x}}]")
		if len(changes) != 1 || changes[0].PK != low {
			t.Errorf("%s finds %+v, want %s", ids, changes, low)
		}
	}
}

func TestKeyOfInAPolicyBinding(t *testing.T) {
	w := newWorld()
	w.imported(t, login)
	flow := w.named(t, "authentik_flows.flow", "login").PK
	for model, want := range map[string]string{"authentik_policies.policybinding": catalog.TargetID(flow), "authentik_flows.flowstagebinding": flow} {
		text := login + "- {model: " + model + ", conditions: [!Condition [EQ, !KeyOf flow, " + want + "]]}"
		if _, err := w.try(text, w.env()); err == nil || !strings.HasSuffix(err.Error(), "No or invalid identifiers") {
			t.Errorf("!KeyOf in a %s is not %s: %v", model, want, err)
		}
	}
}

func TestReferencesToManyAreSets(t *testing.T) {
	text := func(list string) string {
		return `entries:
- {model: authentik_test.rulepolicy, id: a, identifiers: {name: a}, attrs: {expression: x}}
- {model: authentik_test.rulepolicy, id: b, identifiers: {name: b}, attrs: {expression: x}}
- {model: authentik_test.plainstage, identifiers: {name: s}, attrs: {validation_policies: [` + list + "]}}\n"
	}
	w := newWorld()
	w.imported(t, text("!KeyOf a, !KeyOf b"))
	for list, want := range map[string]blueprint.Action{"!KeyOf b, !KeyOf a": blueprint.Unchanged, "!KeyOf b, !KeyOf b, !KeyOf a": blueprint.Unchanged, "!KeyOf b": blueprint.Updated} {
		result, err := w.try(text(list), w.env())
		if err != nil || result.Changes[2].Action != want {
			t.Errorf("%s: %v, %+v", list, err, result.Changes)
		}
	}
}

func TestOneChangeForEachThing(t *testing.T) {
	w := newWorld()
	text := `entries:
- {model: authentik_core.group, identifiers: {name: a}}
- {model: authentik_core.group, identifiers: {name: b}}
- {model: authentik_core.group, identifiers: {name: a}, attrs: {is_superuser: true}}
- {model: authentik_core.group, identifiers: {name: b}, state: absent}
- {model: authentik_core.group, identifiers: {name: b}, attrs: {is_superuser: true}}
`
	changes := w.imported(t, text)
	if len(changes) != 2 || changes[0].Name != "a" || changes[0].Set["is_superuser"] != true || changes[0].Entry != 1 || changes[1].Entry != 5 {
		t.Errorf("changes: %+v", changes)
	}
	if got := actions(w.imported(t, text)); got[blueprint.Removed] != 1 || got[blueprint.Created] != 1 || got[blueprint.Unchanged] != 1 {
		t.Errorf("second import: %v", got)
	}
}

func TestFindFollowsReferences(t *testing.T) {
	w := newWorld()
	w.imported(t, login)
	w.imported(t, `entries:
- model: authentik_core.group
  identifiers: {name: g}
  attrs:
    attributes:
      binding: !Find [authentik_flows.flowstagebinding, [target__slug, login], [stage__name, stage], [order__gte, 10], [order__lt, 11]]
      policies: !Find [authentik_policies.policybinding, [target__slug, login], [policy__name__startswith, ru], [enabled, "true"]]
      using: !Find [authentik_test.plainstage, [validation_policies__name, rule], [title__iregex, ^DEFAULT]]
      one: !Find [authentik_test.plainstage, [validation_policies, !Find [authentik_policies.policy, [name, rule]]]]
      base: !Find [authentik_flows.stage, [name, uses]]
- {model: authentik_core.group, identifiers: {name: h}, attrs: {attributes: {a: {b: [1, two]}}}}
- model: authentik_core.group
  identifiers: {name: i}
  attrs: {attributes: {by: !Find [authentik_core.group, [attributes__a__b__contains, two]], not: !Find [authentik_core.group, [attributes__a__b__contains, 2]]}}
`)
	got := w.named(t, "authentik_core.group", "g").Fields["attributes"].(map[string]any)
	for name, v := range got {
		if v == nil {
			t.Errorf("%s is not found", name)
		}
	}
	if got["using"] != got["base"] {
		t.Errorf("two ways to one stage give %v and %v", got["using"], got["base"])
	}
	want := map[string]any{"by": w.named(t, "authentik_core.group", "h").PK, "not": nil}
	if diff := cmp.Diff(want, w.named(t, "authentik_core.group", "i").Fields["attributes"]); diff != "" {
		t.Errorf("by JSON (-want +got):\n%s", diff)
	}
}

func TestOldFiles(t *testing.T) {
	w := newWorld()
	w.imported(t, `entries:
- {model: authentik_core.group, id: top, identifiers: {name: top}}
- {model: authentik_core.group, identifiers: {name: sub}, attrs: {parent: !KeyOf top}}
- {model: authentik_tenants.Tenant, identifiers: {domain: d}, attrs: {branding_title: T}}
`)
	if diff := cmp.Diff([]any{w.named(t, "authentik_core.group", "top").PK}, w.named(t, "authentik_core.group", "sub").Fields["parents"]); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	w.named(t, "authentik_brands.brand", "d")
}

func TestTheFirstOfEqualIDsWins(t *testing.T) {
	w := newWorld()
	w.imported(t, `entries:
- {model: authentik_core.group, id: g, identifiers: {name: skipped}, conditions: [false]}
- {model: authentik_core.group, id: g, identifiers: {name: first}}
- {model: authentik_core.group, id: g, identifiers: {name: second}}
- {model: authentik_core.group, identifiers: {name: sub}, attrs: {parents: [!KeyOf g]}}
`)
	if diff := cmp.Diff([]any{w.named(t, "authentik_core.group", "first").PK}, w.named(t, "authentik_core.group", "sub").Fields["parents"]); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
}
