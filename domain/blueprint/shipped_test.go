package blueprint_test

import (
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
)

func TestDefaultsImport(t *testing.T) {
	w := newWorld()
	for _, f := range blueprint.Defaults() {
		w.imported(t, string(f.Text))
	}
	for _, slug := range []string{"default-authentication-flow", "default-invalidation-flow", "initial-setup"} {
		w.named(t, "authentik_flows.flow", slug)
	}
	brand := w.named(t, "authentik_brands.brand", "authentik-default")
	if brand.Fields["default"] != true || brand.Fields["flow_authentication"] != w.named(t, "authentik_flows.flow", "default-authentication-flow").PK {
		t.Errorf("brand: %v", brand.Fields)
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

func TestSharedFilesImport(t *testing.T) {
	const dir = "../../../shared/blueprints"
	files, _ := filepath.Glob(dir + "/*.yaml")
	files = append(files, dir+"/login-2fa.akflow", dir+"/akflow-json/login-2fa.akflow")
	if _, err := os.Stat(files[0]); err != nil {
		t.Skip("the shared blueprints are not here")
	}
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, dir+"/"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld()
			env := w.env()
			env.Instance = func(map[string]any) (blueprint.Instance, bool) { return blueprint.Instance{ID: "x"}, true }
			result, err := w.try(string(text), env)
			model := needs(string(text))
			switch {
			case strings.HasSuffix(file, "blueprints/login-2fa.akflow"):
				if err == nil || !strings.Contains(err.Error(), "KeyOf: failed to find entry with `id` of `default-authentication-password`") {
					t.Errorf("a reference to itself: %v", err)
				}
				return
			case strings.Contains(file, "account-lockdown"):
				if err != nil || len(result.Changes) != 0 {
					t.Errorf("without a licence: %v, %d changes", err, len(result.Changes))
				}
				return
			case model != "":
				if err == nil || !strings.Contains(err.Error(), model) {
					t.Errorf("without %s: %v", model, err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			w.apply(result.Changes)
			env = w.env()
			env.Instance = func(map[string]any) (blueprint.Instance, bool) { return blueprint.Instance{ID: "x"}, true }
			again, err := w.try(string(text), env)
			if err != nil {
				t.Fatalf("second import: %v", err)
			}
			if got := actions(again.Changes); got[blueprint.Unchanged] != len(again.Changes) {
				t.Errorf("second import: %v", got)
			}
		})
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
