package blueprint_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/blueprint"
)

// told puts differences into lines, as a terminal shows them.
func told(all []blueprint.Difference) []string {
	var out []string
	for _, d := range all {
		out = append(out, d.String())
		for _, line := range d.Lines {
			out = append(out, "  "+line)
		}
	}
	return out
}

func TestDifferences(t *testing.T) {
	tests := map[string]struct {
		entries string
		want    []string
	}{
		"new things show what is not as by default": {`
  - {model: authentik_flows.flow, identifiers: {slug: new}, attrs: {name: New, title: "a: b", designation: recovery}}`, []string{
			"created   authentik_flows.flow new", "  name: New", "  slug: new", `  title: "a: b"`, "  designation: recovery"}},
		"a field has its old and its new value": {`
  - {model: authentik_flows.flow, identifiers: {slug: help}, attrs: {title: Aid, compatibility_mode: true}}`, []string{
			"updated   authentik_flows.flow help", "  title: Help → Aid", "  compatibility_mode: false → true"}},
		"secrets are masked": {`
  - {model: authentik_test.plainstage, identifiers: {name: second}, attrs: {private_key: "other", count: 4}}`, []string{
			"updated   authentik_test.plainstage second", "  count: 3 → 4", "  private_key: ********"}},
		"what is unchanged has no lines": {`
  - {model: authentik_flows.flow, identifiers: {slug: help}, attrs: {title: Help}}`, []string{"unchanged authentik_flows.flow help"}},
		"texts are compared line by line": {`
  - {model: authentik_test.rulepolicy, identifiers: {name: rule}, attrs: {expression: "# more than one line\nif ak_call_policy(\"called\"):\n    return False\n\nreturn None"}}`, []string{
			"updated   authentik_test.rulepolicy rule", "  expression:", "      # more than one line", `      if ak_call_policy("called"):`,
			"    -     return True", "    +     return False", "      ", `    - return request.user.name == "x: y"`, "    + return None"}},
		"references have names, also to what is new": {`
  - {model: authentik_flows.flow, id: new, identifiers: {slug: new}, attrs: {name: New, title: T, designation: recovery}}
  - {model: authentik_test.plainstage, identifiers: {name: "the first: yes"}, attrs: {configure_flow: !KeyOf new, validation_policies: []}}`, []string{
			"created   authentik_flows.flow new", "  name: New", "  slug: new", "  title: T", "  designation: recovery",
			`updated   authentik_test.plainstage "the first: yes"`, "  configure_flow: help → new", "  validation_policies: [rule] → []"}},
		"bindings are called by what they bind": {`
  - {model: authentik_flows.flowstagebinding, id: b, identifiers: {target: !Find [authentik_flows.flow, [slug, help]], stage: !Find [authentik_flows.stage, [name, second]], order: 5}, attrs: {evaluate_on_plan: true}}
  - {model: authentik_policies.policybinding, identifiers: {target: !KeyOf b, policy: !Find [authentik_policies.policy, [name, rule]], order: 0}}`, []string{
			"updated   authentik_flows.flowstagebinding help / 5 / second", "  evaluate_on_plan: false → true",
			"created   authentik_policies.policybinding help / 5 / second / 0 / rule", "  policy: rule", "  target: help / 5 / second"}},
		"what goes is called by what it bound": {`
  - {model: authentik_test.plainstage, identifiers: {name: second}, state: absent}`, []string{
			"removed   authentik_flows.flowstagebinding help / 5 / second", "removed   authentik_test.plainstage second"}},
		"a terminal is not given orders": {`
  - {model: authentik_test.rulepolicy, identifiers: {name: "\e[2J"}, attrs: {expression: "a\n\e[2J"}}`, []string{
			`created   authentik_test.rulepolicy "\x1b[2J"`, `  name: "\x1b[2J"`, "  expression:", "    a", "    \ufffd[2J"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.imported(t, exampleFlow)
			result, err := w.try("version: 1\nentries:"+tt.entries, w.env())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, told(blueprint.Differences(w, result.Changes))); diff != "" {
				t.Errorf("before it is applied (-want +got):\n%s", diff)
			}
			w.apply(result.Changes)
			if diff := cmp.Diff(tt.want, told(blueprint.Differences(w, result.Changes))); diff != "" {
				t.Errorf("after it is applied (-want +got):\n%s", diff)
			}
		})
	}
}

// A long text shows only what is near the change, and a huge one does not take
// for ever.
func TestLongDifferences(t *testing.T) {
	numbers := func(n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = strings.Repeat("x", i%7+1)
		}
		return out
	}
	for name, n := range map[string]int{"long": 100, "huge": 30_000} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			before, after := numbers(n), numbers(n)
			after[0], after[n-1] = "first", "last"
			apply := func(lines []string) blueprint.Result {
				result, err := w.try("version: 1\nentries:\n- model: authentik_test.rulepolicy\n  identifiers: {name: r}\n  attrs:\n    expression: |\n      "+strings.Join(lines, "\n      "), w.env())
				if err != nil {
					t.Fatal(err)
				}
				return result
			}
			w.apply(apply(before).Changes)
			got := told(blueprint.Differences(w, apply(after).Changes))
			if n < 1000 && len(got) > 15 || len(got) < 10 {
				t.Errorf("%d lines: %q", len(got), got)
			}
		})
	}
}
