package expr

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// corpusDir holds what authentik ships and what others wrote.
const corpusDir = "../../../shared"

// expressions gathers the expressions of a YAML document and of the blueprints in it.
func expressions(node *yaml.Node, out map[string]bool) {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		isText := value.Kind == yaml.ScalarNode && value.Tag == "!!str"
		if isText && (key == "expression" || dynamic(node, key)) {
			out[value.Value] = true
		}
	}
	var inner yaml.Node
	if node.Kind == yaml.ScalarNode && strings.Contains(node.Value, "entries:") && yaml.Unmarshal([]byte(node.Value), &inner) == nil {
		expressions(&inner, out) // a blueprint inside a case
	}
	for _, child := range node.Content {
		expressions(child, out)
	}
}

// dynamic reports whether a prompt's field holds an expression.
func dynamic(prompt *yaml.Node, key string) bool {
	for i := 0; i+1 < len(prompt.Content); i += 2 {
		if prompt.Content[i].Value == key+"_expression" {
			return prompt.Content[i+1].Value == "true"
		}
	}
	return false
}

// broken are the expressions of the cases that are about refusing them.
var broken = []string{"/", ";", "something invalid dunno"}

func TestCorpusCompiles(t *testing.T) {
	var files []string
	for _, pattern := range []string{"blueprints/*.yaml", "blueprints/*.akflow", "blueprints/akflow-json/*", "conformance/cases/*.yaml"} {
		found, _ := filepath.Glob(filepath.Join(corpusDir, pattern))
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skip("the corpus of shared blueprints is not here")
	}
	total := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(raw, &doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		found := map[string]bool{}
		expressions(&doc, found)
		for source := range found {
			total++
			_, err := Compile(source)
			wantErr := false
			for _, b := range broken {
				wantErr = wantErr || strings.TrimSpace(source) == b
			}
			if (err != nil) != wantErr {
				t.Errorf("%s: got error %v, want error: %v\n%s", filepath.Base(file), err, wantErr, source)
			}
		}
	}
	if total < 40 {
		t.Errorf("got %d expressions, want the whole corpus", total)
	}
	t.Logf("%d expressions", total)
}
