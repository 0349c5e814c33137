package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/user"
)

// expressions gathers the expressions of a document, by where they stand.
func expressions(node *yaml.Node, found map[int]string) {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		if value.Kind == yaml.ScalarNode && (key == "expression" || computed(node, key)) {
			found[value.Line] = value.Value
		}
	}
	for _, child := range node.Content {
		expressions(child, found)
	}
}

// computed tells whether a field of a prompt is an expression.
func computed(prompt *yaml.Node, key string) bool {
	for i := 0; i+1 < len(prompt.Content); i += 2 {
		if prompt.Content[i].Value == key+"_expression" {
			return prompt.Content[i+1].Value == "true"
		}
	}
	return false
}

// TestSharedExpressionsRun evaluates what authentik ships, in the midst of a
// flow in which somebody has typed something.
func TestSharedExpressionsRun(t *testing.T) {
	const dir = "../../../shared/blueprints"
	files, _ := filepath.Glob(dir + "/*.yaml")
	if len(files) == 0 {
		t.Skip("the shared blueprints are not here")
	}
	total := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		found := map[int]string{}
		expressions(&doc, found)
		for line, source := range found {
			total++
			if p := (&policy.Expression{Source: source}).Validate(); p != nil {
				t.Errorf("%s:%d: %v", filepath.Base(file), line, p)
			}
			if _, err := ran(t, source, midway()); err != nil {
				t.Errorf("%s:%d: %v\n%s", filepath.Base(file), line, err, strings.TrimSpace(source))
			}
		}
	}
	if total < 20 {
		t.Errorf("found %d expressions, which cannot be all", total)
	}
}

// midway is a request in a flow that has come some way.
func midway() policy.Request {
	r := asked(ada)
	r.Plan = &policy.Plan{Flow: domain.Ref{ID: "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10"}}
	r.Pending = &policy.Pending{Person: ada}
	akadmin := ada
	akadmin.Username = "akadmin"
	r.Env = env{users: append([]user.Person{akadmin}, ada)}.in()
	r.Context = execution.Context{
		"auth_method": "password", "auth_method_args": map[string]any{"known_device": true}, "is_sso": true, "is_restored": "token",
		"oauth_userinfo": map[string]any{}, "prompt_data": map[string]any{
			"username": "ada", "name": "Ada", "email": "ada@example.org", "password": domain.NewSecret("correct horse"),
			"password_repeat": domain.NewSecret("correct horse"),
		},
	}
	return r
}
