package blueprint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
	_ "github.com/flowledger/flowledger/domain/policy"
	_ "github.com/flowledger/flowledger/domain/stage"
	_ "github.com/flowledger/flowledger/domain/trail"
)

func TestDefaultsImport(t *testing.T) {
	w := newWorld()
	for _, f := range blueprint.Defaults() {
		w.imported(t, string(f.Text))
	}
	for _, slug := range []string{
		"default-authentication-flow", "default-invalidation-flow", "initial-setup", "default-password-change", "default-user-settings-flow",
	} {
		w.named(t, "authentik_flows.flow", slug)
	}
	brand := w.named(t, "authentik_brands.brand", "authentik-default")
	if brand.Fields["default"] != true || brand.Fields["flow_authentication"] != w.named(t, "authentik_flows.flow", "default-authentication-flow").PK {
		t.Errorf("brand: %v", brand.Fields)
	}
	if brand.Fields["flow_user_settings"] != w.named(t, "authentik_flows.flow", "default-user-settings-flow").PK {
		t.Errorf("brand: %v", brand.Fields)
	}
	if got := w.named(t, "authentik_stages_password.passwordstage", "default-authentication-password").Fields["configure_flow"]; got != w.named(t, "authentik_flows.flow", "default-password-change").PK {
		t.Errorf("the password is changed in %v", got)
	}
	admins := w.named(t, "authentik_core.group", "authentik Admins")
	admin := w.named(t, "authentik_core.user", "akadmin")
	if diff := cmp.Diff([]any{admins.PK}, admin.Fields["groups"]); diff != "" || admins.Fields["is_superuser"] != true {
		t.Errorf("akadmin's groups (-want +got):\n%s", diff)
	}
	if len(w.secrets) != 0 {
		t.Error("a shipped blueprint sets a password")
	}
	for _, f := range blueprint.Defaults() {
		for _, c := range w.imported(t, string(f.Text)) {
			if c.Action != blueprint.Unchanged {
				t.Errorf("%s: %s of %s %s the second time", f.Name, c.Action, c.Model, c.Name)
			}
		}
	}
}

func TestOptionalImport(t *testing.T) {
	refs := map[string][3]string{
		"enrollment":      {"default-enrollment-flow", "authentik_stages_identification.identificationstage", "enrollment_flow"},
		"enrollment-mail": {"default-enrollment-flow", "authentik_stages_identification.identificationstage", "enrollment_flow"},
		"invitation":      {"default-invitation-enrollment-flow", "", ""},
		"recovery":        {"default-recovery-flow", "authentik_brands.brand", "flow_recovery"},
		"unenrollment":    {"default-unenrollment-flow", "authentik_brands.brand", "flow_unenrollment"},
	}
	for _, f := range blueprint.Optional() {
		for _, after := range []bool{true, false} {
			t.Run(f.Short()+map[bool]string{true: " after the defaults", false: " alone"}[after], func(t *testing.T) {
				w := newWorld()
				for _, d := range blueprint.Defaults() {
					if after {
						w.imported(t, string(d.Text))
					}
				}
				w.imported(t, string(f.Text))
				if want, isFlow := refs[f.Short()]; isFlow {
					flow := w.named(t, "authentik_flows.flow", want[0])
					if offered := w.Find(want[1], func(o blueprint.Object) bool { return o.Fields[want[2]] == flow.PK }); after && want[1] != "" && len(offered) != 1 {
						t.Errorf("%s refers to the flow %d times", want[2], len(offered))
					}
				} else {
					w.named(t, "authentik_rbac.role", "Auditor")
				}
				for _, c := range w.imported(t, string(f.Text)) {
					if c.Action != blueprint.Unchanged {
						t.Errorf("%s of %s %s the second time", c.Action, c.Model, c.Name)
					}
				}
			})
		}
	}
}

// Of the two enrollments the one that came last is what strangers meet.
func TestOneEnrollmentForTheOther(t *testing.T) {
	w := newWorld()
	for _, step := range []struct {
		name     string
		stages   int
		inactive bool
	}{{"enrollment", 3, false}, {"enrollment-mail", 4, true}, {"enrollment", 3, false}} {
		f, ok := blueprint.Shipped(step.name)
		if !ok {
			t.Fatalf("there is no %s", step.name)
		}
		w.imported(t, string(f.Text))
		bindings := w.Find("authentik_flows.flowstagebinding", func(blueprint.Object) bool { return true })
		write := w.named(t, "authentik_stages_user_write.userwritestage", "default-enrollment-user-write")
		if len(bindings) != step.stages || write.Fields["create_users_as_inactive"] != step.inactive {
			t.Errorf("after %s: %d stages, inactive %v", step.name, len(bindings), write.Fields["create_users_as_inactive"])
		}
	}
}

func TestShippedNames(t *testing.T) {
	for name, want := range map[string]string{
		"recovery": "optional/recovery.yaml", "optional/recovery.yaml": "optional/recovery.yaml", "brand": "default/brand.yaml",
		"default/recovery.yaml": "", "": "", "../default.go": "",
	} {
		if f, ok := blueprint.Shipped(name); f.Name != want || ok != (want != "") {
			t.Errorf("%q leads to %q, %t", name, f.Name, ok)
		}
	}
	seen := map[string]bool{}
	for _, f := range append(blueprint.Defaults(), blueprint.Optional()...) {
		if seen[f.Short()] {
			t.Errorf("two files are called %s", f.Short())
		}
		seen[f.Short()] = true
	}
}

// needs finds a model in a file that no kind implements yet; importing it must
// say so.
func needs(text string) string {
	for line := range strings.Lines(text) {
		_, model, ok := strings.Cut(line, "model")
		model = strings.Trim(strings.TrimSpace(strings.TrimPrefix(model, `"`)), `:", `)
		if !ok || !strings.HasPrefix(model, "authentik_") {
			continue
		}
		if _, known := catalog.Lookup(model); !known && model != "authentik_blueprints.metaapplyblueprint" {
			return model
		}
	}
	return ""
}

// refusals are the shared files that are not imported, and why. All others
// are, and a second time nothing is changed.
var refusals = map[string]string{
	"flow-default-authenticator-email-setup.yaml":    unsupported("email"),
	"flow-default-authenticator-static-setup.yaml":   unsupported("static"),
	"flow-default-authenticator-totp-setup.yaml":     unsupported("totp"),
	"flow-default-authenticator-webauthn-setup.yaml": unsupported("webauthn"),
	"login-2fa.akflow": `:42: entry 6 (id "default-authentication-password", model authentik_stages_password.passwordstage), field pk: ` +
		"KeyOf: failed to find entry with `id` of `default-authentication-password` and a model instance",
}

// unsupported is what is said of the set-up of an authenticator, in the second
// entry of its file.
func unsupported(name string) string {
	model := "authentik_stages_authenticator_" + name + ".authenticator" + name + "stage"
	return fmt.Sprintf(`:14: entry 2 (id "default-authenticator-%s-setup", model %s): Model %[2]s is not supported by this release`, name, model)
}

func TestSharedFilesImport(t *testing.T) {
	for _, file := range sharedFiles(t) {
		name := strings.TrimPrefix(file, sharedFolder)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld()
			result, err := w.shared(name, text, nil)
			if why := refusals[name]; why != "" || err != nil {
				if err == nil || err.Error() != name+why {
					t.Fatalf("got:  %v\nwant: %s", err, name+why)
				}
				return
			}
			if strings.Contains(name, "account-lockdown") {
				const skipped = "skipped   authentik_flows.flow, entry 1 in line 8: a condition does not hold: !Find in line 5 finds no authentik_enterprise.license with pk__isnull False"
				if len(result.Changes) != 0 || len(result.Logs) == 0 || result.Logs[0].Event != skipped {
					t.Errorf("without a licence: %d changes, %v", len(result.Changes), result.Logs)
				}
				return
			}
			if len(result.Changes) == 0 {
				t.Error("nothing is in it")
			}
			w.apply(result.Changes)
			again, err := w.shared(name, text, nil)
			if err != nil {
				t.Fatalf("second import: %v", err)
			}
			if got := actions(again.Changes); got[blueprint.Unchanged] != len(again.Changes) {
				t.Errorf("second import: %v", got)
			}
		})
	}
}

// shared resolves a shared file. The instances that some depend on are there.
func (w *world) shared(name string, text []byte, with map[string]any) (blueprint.Result, error) {
	d, err := blueprint.Parse(name, text)
	if err != nil {
		return blueprint.Result{}, err
	}
	env := w.env()
	env.Context = with
	env.Instance = func(map[string]any) (blueprint.Instance, bool) { return blueprint.Instance{ID: "x"}, true }
	return d.Resolve(w, env)
}

// What was converted by hand imports where the reader is told to be lenient.
func TestLenient(t *testing.T) {
	tests := map[string]string{
		"an entry that is found by itself": `
- {model: authentik_test.plainstage, id: a, identifiers: {pk: !KeyOf a, name: a}}`,
		"an id among the identifiers": `
- {model: authentik_test.plainstage, identifiers: {id: a, name: a}, attrs: {title: x}}
- {model: authentik_test.plainstage, identifiers: {name: b}, attrs: {count: 2, title: !Format ["%s", !KeyOf a]}}`,
		"doubled apostrophes": `
- {model: authentik_policies_expression.expressionpolicy, identifiers: {name: p}, attrs: {expression: "return ''a'' if True else ''b''"}}`,
		"prompts without names": `
- {model: authentik_stages_prompt.prompt, identifiers: {field_key: a, label: A}, attrs: {type: text}}
- {model: authentik_stages_prompt.prompt, identifiers: {field_key: a, label: B}, attrs: {type: text}}`,
	}
	for name, entries := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			text := []byte("version: 1\nentries:" + entries)
			if _, err := w.shared("strict", text, nil); err == nil {
				t.Error("a strict reader takes it")
			}
			lenient := map[string]any{blueprint.LenientKey: true}
			result, err := w.shared("lenient", text, lenient)
			if err != nil {
				t.Fatal(err)
			}
			w.apply(result.Changes)
			again, err := w.shared("lenient", text, lenient)
			if got := actions(again.Changes); err != nil || got[blueprint.Unchanged] != len(again.Changes) {
				t.Errorf("second import: %v, %v", got, err)
			}
		})
	}
	// Two apostrophes where they make sense are two apostrophes.
	w := newWorld()
	const fine = `{"version": 1, "entries": [{"model": "authentik_policies_expression.expressionpolicy", "identifiers": {"name": "p"}, "attrs": {"expression": "return ''"}}]}`
	result, err := w.shared("fine", []byte(fine), map[string]any{blueprint.LenientKey: true})
	if err != nil || result.Changes[0].Set["expression"] != "return ''" {
		t.Errorf("%v, %v", result.Changes, err)
	}
}

// setups collects the blueprints that the conformance cases begin with.
func setups(n *yaml.Node, out map[string]string, id string) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		switch key, v := n.Content[i].Value, n.Content[i+1]; {
		case key == "id" && v.Kind == yaml.ScalarNode:
			id = v.Value
		case key == "setup" && v.Kind == yaml.ScalarNode:
			out[id] = v.Value
		}
	}
	for _, child := range n.Content {
		setups(child, out, id)
	}
}

func TestConformanceSetupsImport(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/conformance/cases/*.yaml")
	if len(files) == 0 {
		t.Skip("the conformance cases are not here")
	}
	texts := map[string]string{}
	for _, file := range append(files, "../../../shared/conformance/prelude.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		setups(&doc, texts, filepath.Base(file))
	}
	for id, text := range texts {
		t.Run(id, func(t *testing.T) {
			w := newWorld()
			result, err := w.try(text, w.env())
			switch {
			case strings.Contains(text, "${"):
				t.Skip("the text is a template")
			case err != nil && needs(text) != "":
				if !strings.Contains(err.Error(), needs(text)+" is not supported by this release") {
					t.Error(err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			w.apply(result.Changes)
			again, err := w.try(text, w.env())
			if err != nil {
				t.Fatalf("second import: %v", err)
			}
			if got := actions(again.Changes); got[blueprint.Unchanged] != len(again.Changes) {
				t.Errorf("second import: %v", got)
			}
		})
	}
}
